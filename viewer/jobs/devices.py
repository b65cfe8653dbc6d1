"""Which lane a long job goes to, found without loading what would compute there."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress
from ctypes.util import find_library
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from viewer.core.first_run import Computing

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = TypeVar("Answer")

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


def is_studio() -> bool:
    """Whether this edition of the program can generate and train."""
    return find_spec("torch") is not None


def describe_computing() -> Computing:
    """What there is to compute with; asks the driver, which may take a second."""
    driver = has_gpu()
    return Computing(driver, card_name() if driver else "", is_studio())


def card_name(number: int = 0) -> str:
    """What the driver (NVML) calls a card; empty where it cannot be asked."""
    with suppress(OSError, AttributeError):
        return _ask_driver(ctypes.CDLL(_NVML), number, _name) or ""
    return ""


def capability_of(lane: str) -> tuple[int, int] | None:
    """The compute capability of a lane's card, asked of its driver (NVML); may take a second.

    None on a processor, and where the driver cannot be asked.
    """
    kind, _, number = lane.partition(":")
    if kind != "cuda":
        return None
    with suppress(OSError, AttributeError, ValueError):
        return _ask_driver(ctypes.CDLL(_NVML), int(number or 0), _capability)
    return None


_NVML = "nvml.dll" if sys.platform == "win32" else "libnvidia-ml.so.1"
# NVML API, NVML_DEVICE_NAME_V2_BUFFER_SIZE.
_NAME_BYTES = 96


def _ask_driver(
    nvml: ctypes.CDLL,
    number: int,
    ask: Callable[[ctypes.CDLL, ctypes.c_void_p], Answer | None],
) -> Answer | None:
    card = ctypes.c_void_p()
    # Each call returns 0 where it went well (NVML API, nvmlReturn_t).
    if nvml.nvmlInit_v2():
        return None
    try:
        if nvml.nvmlDeviceGetHandleByIndex_v2(number, ctypes.byref(card)):
            return None
        return ask(nvml, card)
    finally:
        nvml.nvmlShutdown()


def _capability(nvml: ctypes.CDLL, card: ctypes.c_void_p) -> tuple[int, int] | None:
    major, minor = ctypes.c_int(), ctypes.c_int()
    failed = nvml.nvmlDeviceGetCudaComputeCapability(
        card, ctypes.byref(major), ctypes.byref(minor)
    )
    return None if failed else (major.value, minor.value)


def _name(nvml: ctypes.CDLL, card: ctypes.c_void_p) -> str | None:
    name = ctypes.create_string_buffer(_NAME_BYTES)
    failed = nvml.nvmlDeviceGetName(card, name, _NAME_BYTES)
    return None if failed else name.value.decode("utf-8", "replace")
