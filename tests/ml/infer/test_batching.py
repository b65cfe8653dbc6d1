"""Threads that look at images together get each its own answer."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.infer.batching import Together
from ml.infer.on_cuda import CudaEngine
from ml.places import MODELS
from ml.registry import read_pack

if TYPE_CHECKING:
    from numpy.typing import NDArray


def canvas(value: float, rows: int = 4) -> NDArray[np.float32]:
    return np.full((1, 1, rows, 3), value, np.float32)


class Slow:
    """Sums and sizes of each canvas; one batch at a time, and notes how large each was."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.inside = threading.Lock()

    def __call__(self, canvases: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        assert self.inside.acquire(blocking=False)
        time.sleep(0.02)
        self.sizes.append(len(canvases))
        self.inside.release()
        if (canvases < 0).any():
            raise ArithmeticError
        return [canvases.sum(axis=(1, 2, 3))[:, None], canvases[:, :, 0]]


def test_each_gets_its_own_answer_and_they_share_batches() -> None:
    graph = Slow()
    together = Together(graph, 4)
    given = [canvas(n, 4 + n % 2) for n in range(40)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(together, given))
    for one, (total, row) in zip(given, found, strict=True):
        assert total.shape == (1, 1)
        assert total[0, 0] == one.sum()
        assert np.array_equal(row, one[:, :, 0])
    assert sum(graph.sizes) == 40
    assert max(graph.sizes) <= 4
    assert len(graph.sizes) < 30


def test_an_error_reaches_who_shared_the_batch_and_nobody_else() -> None:
    together = Together(Slow(), 1)
    with pytest.raises(ArithmeticError):
        together(canvas(-1))
    assert together(canvas(2))[0][0, 0] == 24


def test_torch_says_the_same_in_batches() -> None:
    pack = read_pack(MODELS / "detector")
    alone, together = (CudaEngine(n, "cpu").load(pack) for n in (1, 4))
    rng = np.random.default_rng(0)
    given = [rng.random((1, 1, 128, 64), np.float32) for _ in range(6)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(together, given))
    for one, (output,) in zip(given, found, strict=True):
        assert np.allclose(output, alone(one)[0], atol=1e-4)
