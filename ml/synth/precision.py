"""In which numbers a generator computes, told without loading anything that computes."""

from __future__ import annotations

from enum import StrEnum


class Precision(StrEnum):
    """Numbers of a network, by the names that are in use."""

    FP32 = "fp32"
    FP16 = "fp16"
    BF16 = "bf16"


# From this compute capability on (Ampere) the matrix units take bfloat16 as fast as float16
# (CUDA C++ Programming Guide, compute capability 8.x); older cards only emulate it.
BF16_FROM = (8, 0)


def precision_of(device: str, capability: tuple[int, int] | None = None) -> Precision:
    """What a generator computes in.

    Of the two halves bfloat16 never overflows, whatever weights a folder brings.

    Parameters
    ----------
    device
        ``"cpu"`` or ``"cuda"``, or a lane's name, as ``"cuda:0"``.
    capability
        Of the graphics card: major and minor number; None where it is not known, and float16
        is what every card takes.
    """
    if device.partition(":")[0] != "cuda":
        return Precision.FP32
    return Precision.BF16 if capability and capability >= BF16_FROM else Precision.FP16
