"""Half precision is for devices that compute it natively: emulated, it takes far longer."""

from __future__ import annotations

import pytest
import torch

from ml.infer.on_cpu import CpuEngine
from ml.train import precision


@pytest.mark.parametrize("native", [True, False])
def test_a_processor_that_would_emulate_bfloat16_computes_in_float32(
    native: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CpuEngine, "has_bf16", native)
    precision._native.cache_clear()
    one = torch.ones(2, 2)
    with precision.half_where_native(torch.device("cpu")):
        product = one @ one
    precision._native.cache_clear()
    assert product.dtype == (torch.bfloat16 if native else torch.float32)


@pytest.mark.gpu
def test_a_card_that_computes_bfloat16_is_asked_to() -> None:
    one = torch.ones(2, 2, device="cuda")
    with precision.half_where_native(one.device):
        product = one @ one
    native = torch.cuda.is_bf16_supported(including_emulation=False)
    assert product.dtype == (torch.bfloat16 if native else torch.float32)
