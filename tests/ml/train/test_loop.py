"""Batches come in the steps' order, whoever draws them."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest

from ml.train.loop import _batches

STEPS = range(3, 20)


def _drawn(step: int) -> tuple[int, int, float]:
    return step, os.getpid(), float(np.random.default_rng((7, step)).random())


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_batches_are_those_of_their_steps_in_order(device: str) -> None:
    drawn = list(_batches(_drawn, STEPS, device))
    assert [(step, value) for step, _, value in drawn] == [
        (step, value) for step, _, value in map(_drawn, STEPS)
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks safely")
def test_a_gpu_is_fed_by_processes() -> None:
    makers = {process for _, process, _ in _batches(_drawn, STEPS, "cuda")}
    assert len(makers) > 1
    assert os.getpid() not in makers


def test_a_feeder_that_fails_is_heard() -> None:
    with pytest.raises(ZeroDivisionError):
        list(_batches(lambda step: 1 / (step - 5), STEPS, "cuda"))
