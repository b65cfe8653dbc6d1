"""What was painted lies in its piece: nothing changes around it, and no rim shows."""

from __future__ import annotations

import numpy as np
import pytest

from ml.mammo.geometry import Box
from ml.synth.compositing import FEATHER_PX, composite
from ml.synth.teaching import ellipse

MASK = ellipse(Box(60, 80, 160, 200))
RNG = np.random.default_rng(5)
PIECE = (0.4 + 0.05 * RNG.standard_normal((256, 256))).astype(np.float32)


def test_not_one_value_changes_outside_the_mask() -> None:
    painted = RNG.random((256, 256)).astype(np.float32)
    done = composite(painted, PIECE, MASK)
    assert np.array_equal(done[~MASK], PIECE[~MASK])
    assert np.mean(done[MASK] != PIECE[MASK]) > 0.99
    assert done.dtype == np.float32


def test_a_rim_of_another_level_does_not_show() -> None:
    flat = np.full((256, 256), 0.4, np.float32)
    done = composite(flat + np.float32(0.2), flat, MASK)
    assert done == pytest.approx(flat, abs=1e-5)


def test_what_is_brighter_than_its_surroundings_stays_so() -> None:
    flat = np.full((256, 256), 0.4, np.float32)
    lesion = ellipse(Box(90, 120, 130, 160))
    painted = flat + np.float32(0.2) * lesion + np.float32(0.1)
    done = composite(painted, flat, MASK)
    assert done[lesion] == pytest.approx(0.6, abs=1e-3)
    assert done[MASK & ~lesion] == pytest.approx(0.4, abs=1e-3)


def test_what_was_there_gives_way_over_a_few_pixels() -> None:
    striped = PIECE.copy()
    painted = np.full_like(PIECE, PIECE.mean())
    done = composite(painted, striped, MASK)
    deep = ellipse(Box(60 + 20, 80 + 20, 160 - 20, 200 - 20))
    rim = MASK & ~ellipse(Box(62, 82, 158, 198))
    assert FEATHER_PX < 20
    assert done[deep].std() < 0.2 * PIECE.std()
    assert np.abs(done - striped)[rim].mean() < 0.2 * PIECE.std()


@pytest.mark.parametrize("mask", [np.zeros((64, 64), bool), np.ones((64, 64), bool)])
def test_a_mask_of_nothing_or_of_everything(mask: np.ndarray) -> None:
    piece, painted = PIECE[:64, :64], PIECE[64:128, :64]
    expected = painted if mask.all() else piece
    assert composite(painted, piece, mask) == pytest.approx(expected, abs=1e-6)


def test_the_level_reaches_the_middle_of_a_large_mask() -> None:
    flat = np.full((256, 256), 0.4, np.float32)
    done = composite(flat - np.float32(0.3), flat, ellipse(Box(1, 1, 255, 255)))
    assert done == pytest.approx(flat, abs=1e-5)
