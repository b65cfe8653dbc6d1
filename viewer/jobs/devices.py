"""Which lane a long job goes to, found without loading what would compute there."""

from __future__ import annotations

import sys
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
