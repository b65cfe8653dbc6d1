"""What computes: OpenVINO on a CPU, torch on CUDA. One graph, a canvas in, named arrays out."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ml.registry import ModelPack

# Set to "cpu" to keep off a graphics card.
DEVICE_VARIABLE = "MAMMOSCOPE_DEVICE"


class Graph(Protocol):
    """One loaded network."""

    def __call__(self, canvas: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Compute all outputs for a (1, 1, rows, columns) canvas in [0, 1]."""
        ...


class Engine(Protocol):
    """Loads graphs onto one device."""

    @property
    def name(self) -> str:
        """What computes, for the reader: ``"OpenVINO bf16"``."""
        ...

    def load(self, pack: ModelPack) -> Graph:
        """Load the network of a checked pack."""
        ...


def choose_engine() -> Engine:
    """Torch where there is a usable CUDA device, else OpenVINO on the CPU."""
    if os.environ.get(DEVICE_VARIABLE, "auto").lower() != "cpu" and cuda_driver_present():
        from ml.infer.on_cuda import cuda_engine

        engine = cuda_engine()
        if engine is not None:
            return engine
    from ml.infer.on_cpu import CpuEngine

    return CpuEngine()


def cuda_driver_present() -> bool:
    """Whether an NVIDIA driver is there, found out without importing torch (4 s)."""
    if sys.platform != "win32":
        return Path("/dev/nvidia0").exists()
    try:
        ctypes.WinDLL("nvcuda.dll")
    except OSError:
        return False
    return True
