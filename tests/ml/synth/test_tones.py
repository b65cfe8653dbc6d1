"""What a painter sees of a piece, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.synth.tones import AROUND_PX, GREY, level_around, toned, untoned

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 64


def in_the_middle() -> NDArray[np.bool_]:
    mask = np.zeros((SIDE, SIDE), np.bool_)
    mask[24:40, 24:40] = True
    return mask


def test_the_level_is_that_of_the_tissue_next_to_the_mask() -> None:
    mask = in_the_middle()
    piece = np.full((SIDE, SIDE), 0.3, np.float32)
    piece[mask] = 0.9
    piece[:, 24 - AROUND_PX - 1 :: -1] = 1.0
    piece[22] = 0.0
    assert level_around(piece, mask) == pytest.approx(0.3), "no air, nothing far, nothing under"


def test_where_all_is_under_the_mask_the_level_is_the_pieces() -> None:
    piece = np.full((SIDE, SIDE), 0.7, np.float32)
    assert level_around(piece, np.ones_like(piece, np.bool_)) == pytest.approx(0.7)


@pytest.mark.parametrize("level", [0.1, 0.5, 0.95])
def test_every_level_looks_alike_and_comes_back(level: float) -> None:
    differences = np.linspace(-0.4, 0.5, 91, dtype=np.float32)[None]
    seen = toned(level + differences, level)
    np.testing.assert_allclose(seen, toned(differences, 0.0), atol=1e-6)
    assert (np.diff(seen[0]) > 0).all()
    assert seen.min() > 0
    assert seen.max() < 1
    assert toned(np.float32([[level]]), level)[0, 0] == pytest.approx(GREY)
    np.testing.assert_allclose(untoned(seen, level), level + differences, atol=1e-4)


def test_what_no_tone_can_be_comes_back_within_reach() -> None:
    ends = untoned(np.float32([[-1.0, 0.0, 1.0, 2.0]]), 0.5)
    assert np.isfinite(ends).all()
    assert ends[0, 0] == ends[0, 1] < 0.5 < ends[0, 2] == ends[0, 3]
