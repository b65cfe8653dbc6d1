"""The tones that a painter sees: a piece about the level of what lies around its mask.

Pieces lie anywhere between black and white, by density, maker and place, while what makes a
lesion are differences of a tenth of that. A painter that sees pieces as they are spends itself
on the level, and what it misses there is a dark or a bright disc. So the level is taken away
before, and given back after; where it was is a grey of the autoencoder's middle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Lesions add more than tissue takes away: of 0.1 mm pieces, within a mask, from -0.15 to 0.26
# of the white in the mean and up to 0.54.
GREY = 0.4
# Of a logistic curve: about the level differences are 1.7 times as large, and it has no end.
STEEPNESS = 7.0
# Where the curve's own variable is at the level.
MIDDLE = float(np.log(GREY / (1 - GREY)))
# What an autoencoder says beyond these tones is taken for them: the curve hardly rises there.
DARKEST, BRIGHTEST = 0.02, 0.98
# The level is taken from so many pixels around the mask.
AROUND_PX = 16


def level_around(piece: NDArray[np.float32], mask: NDArray[np.bool_]) -> float:
    """The mean of the tissue next to a mask.

    Parameters
    ----------
    piece : (rows, columns) float32
        In 0..1; 0 is air.
    mask : (rows, columns) bool

    Returns
    -------
    float
        Where no tissue lies around the mask, the mean of the piece.
    """
    reach = np.ones((2 * AROUND_PX + 1, 2 * AROUND_PX + 1), np.uint8)
    around = (cv2.dilate(mask.astype(np.uint8), reach) > 0) & ~mask & (piece > 0)
    return float(piece[around].mean() if around.any() else piece.mean())


def toned(piece: NDArray[np.float32], level: float) -> NDArray[np.float32]:
    """What a painter sees of a piece: its level is `GREY`.

    Parameters
    ----------
    piece : (rows, columns) float32
        In 0..1.

    Returns
    -------
    (rows, columns) float32
        In 0..1.
    """
    tones = 1 / (1 + np.exp(-(MIDDLE + STEEPNESS * (piece - level))))
    return np.asarray(tones, np.float32)


def untoned(tones: NDArray[np.float32], level: float) -> NDArray[np.float32]:
    """The piece that a painter sees so; it may reach beyond 0..1."""
    given = np.clip(tones, DARKEST, BRIGHTEST)
    piece = level + (np.log(given / (1 - given)) - MIDDLE) / STEEPNESS
    return np.asarray(piece, np.float32)
