"""What the fine detector is spared, and that its boxes stay where they are."""

from __future__ import annotations

import numpy as np
import pytest

from ml.infer.detectors import STEP, trimmed


@pytest.mark.parametrize(
    ("last", "size"),
    [
        ((0, 0), (STEP, STEP)),
        ((STEP - 1, STEP), (STEP, 2 * STEP)),
        ((5 * STEP - 1, 3 * STEP - 1), (5 * STEP, 3 * STEP)),
    ],
)
def test_what_is_empty_is_cut_to_the_next_step(
    last: tuple[int, int], size: tuple[int, int]
) -> None:
    canvas = np.zeros((5 * STEP, 3 * STEP), np.uint16)
    canvas[last] = 1
    kept = trimmed(canvas)
    assert kept.shape == size
    assert kept[last] == 1


def test_an_odd_canvas_is_not_enlarged() -> None:
    canvas = np.ones((STEP + 3, STEP + 5), np.uint16)
    assert trimmed(canvas).shape == canvas.shape


def test_an_empty_canvas_leaves_one_step() -> None:
    assert trimmed(np.zeros((3 * STEP, 2 * STEP), np.uint16)).shape == (STEP, STEP)
