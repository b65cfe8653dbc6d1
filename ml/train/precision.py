"""Half precision in training, where the device computes it natively."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import cache

import torch

from ml.infer.on_cpu import CpuEngine


def half_where_native(device: torch.device) -> AbstractContextManager[object]:
    """bfloat16 for what bears it, float32 for the rest; all in float32 where it is emulated.

    Emulated, one step of the autoencoder took ten minutes on a processor without AVX-512 that
    takes three seconds in float32. bfloat16 has float32's range, so no loss need be scaled.
    """
    if _native(device.type, device.index):
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()


@cache
def _native(kind: str, index: int | None) -> bool:
    if kind == "cpu":
        return CpuEngine().has_bf16
    with torch.cuda.device(index):
        return torch.cuda.is_bf16_supported(including_emulation=False)
