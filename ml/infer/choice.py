"""Which engine computes: torch on CUDA where there is a device, else OpenVINO on the CPU."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ml.infer.engine import Engine

# Set to "cpu" to keep off a graphics card.
DEVICE_VARIABLE = "MAMMOSCOPE_DEVICE"
# The smallest card that the models fit on has room for so many canvases of both sizes.
CUDA_BATCH = 8


def choose_engine(device: str = "auto", *, together: int = 1) -> Engine:
    """Torch where there is a usable CUDA device, else OpenVINO on the CPU.

    Parameters
    ----------
    device
        ``"cpu"``: the processor in any case.
    together
        Many images are to be looked at, and none of them is waited for: so many at once, one a
        core; on a card as many as suit it.
    """
    kept_off = "cpu" in (device, os.environ.get(DEVICE_VARIABLE, "auto").lower())
    if not kept_off and cuda_driver_present():
        from ml.infer.on_cuda import cuda_engine

        engine = cuda_engine(CUDA_BATCH if together > 1 else 1)
        if engine is not None:
            return engine
    from ml.infer.on_cpu import CpuEngine

    return CpuEngine(together=together)


def cuda_driver_present() -> bool:
    """Whether an NVIDIA driver is there, found out without importing torch (4 s)."""
    if sys.platform != "win32":
        return Path("/dev/nvidia0").exists()
    try:
        ctypes.WinDLL("nvcuda.dll")
    except OSError:
        return False
    return True
