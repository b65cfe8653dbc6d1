"""Which lane a long job goes to, found without loading what would compute there."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress
from ctypes.util import find_library
from pathlib import Path

CPU_LANE, GPU_LANE = "cpu", "cuda:0"
# What the driver of a graphics card shows for each that it drives.
_DRIVEN = Path("/proc/driver/nvidia/gpus")


def default_lane(setting: str) -> str:
    """The lane of a new job.

    Parameters
    ----------
    setting
        `viewer.core.settings.Settings.device`: ``"auto"`` or ``"cpu"``.
    """
    return GPU_LANE if setting != "cpu" and has_gpu() else CPU_LANE


def has_gpu() -> bool:
    """Whether a driver for CUDA devices is at work; whether it can be used shows in the job."""
    if sys.platform == "win32":
        return find_library("nvcuda") is not None
    try:
        return any(_DRIVEN.iterdir())
    except OSError:
        return False


def capability_of(lane: str) -> tuple[int, int] | None:
    """The compute capability of a lane's card, asked of its driver (NVML); may take a second.

    None on a processor, and where the driver cannot be asked.
    """
    kind, _, number = lane.partition(":")
    if kind != "cuda":
        return None
    name = "nvml.dll" if sys.platform == "win32" else "libnvidia-ml.so.1"
    with suppress(OSError, AttributeError, ValueError):
        return _ask_driver(ctypes.CDLL(name), int(number or 0))
    return None


def _ask_driver(nvml: ctypes.CDLL, number: int) -> tuple[int, int] | None:
    card, major, minor = ctypes.c_void_p(), ctypes.c_int(), ctypes.c_int()
    # Each returns 0 where it went well (NVML API, nvmlReturn_t).
    if nvml.nvmlInit_v2():
        return None
    try:
        failed = nvml.nvmlDeviceGetHandleByIndex_v2(
            number, ctypes.byref(card)
        ) or nvml.nvmlDeviceGetCudaComputeCapability(
            card, ctypes.byref(major), ctypes.byref(minor)
        )
    finally:
        nvml.nvmlShutdown()
    return None if failed else (major.value, minor.value)
