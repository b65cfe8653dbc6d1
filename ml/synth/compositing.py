"""Puts what was painted into its piece: outside the mask nothing changes, inside no rim shows.

Painted tissue never quite has the level and the texture of what lies around it, and a disc's
rim would tell every network where something was edited. So the level is taken from the
surroundings, and what was there gives way to what was painted over a few pixels, all of them
inside the mask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Over so many pixels from the rim inward what was there gives way; a mask reaches at least four
# beyond its lesion.
FEATHER_PX = 6.0
# The level of the surroundings is taken over about this distance.
LEVEL_SIGMA_PX = 8.0
# Of a Gaussian's weights far from the rim, where next to nothing of it arrives.
LEAST_WEIGHT = 1e-6


def composite(
    painted: NDArray[np.float32], piece: NDArray[np.float32], mask: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """The piece with what was painted under the mask.

    Parameters
    ----------
    painted, piece : (rows, columns) float32
        In 0..1; of what was painted, also what it made of the surroundings.
    mask : (rows, columns) bool

    Returns
    -------
    (rows, columns) float32
        In 0..1, and the piece's own values wherever the mask is False.
    """
    share = _smooth_step(_distance_inside(mask) / (FEATHER_PX + 1))
    level = _spread(piece - painted, ~mask)
    changed = piece + share * (painted + level - piece)
    return np.where(mask, np.clip(changed, 0, 1), piece)


def _distance_inside(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Pixels to the nearest one outside; the piece's end is no rim: nothing lies beyond."""
    if mask.all():
        return np.full(mask.shape, np.inf, np.float32)
    inside = mask.astype(np.uint8)
    return np.asarray(cv2.distanceTransform(inside, cv2.DIST_L2, 5), np.float32)


def _smooth_step(values: NDArray[np.float32]) -> NDArray[np.float32]:
    given = np.clip(values, 0, 1)
    return given * given * (3 - 2 * given)


def _spread(values: NDArray[np.float32], known: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Known values carried into the unknown: a mean of the nearest (normalized convolution).

    Knutsson and Westin 1993. With ever wider Gaussians, each fills in where the one before did
    not reach.
    """
    weight = known.astype(np.float32)
    spread, filled = np.zeros_like(values), np.zeros_like(known)
    sigma = LEVEL_SIGMA_PX
    while known.any() and not filled.all():
        reached = cv2.GaussianBlur(weight, (0, 0), sigma)
        carried = cv2.GaussianBlur(values * weight, (0, 0), sigma)
        fresh = (reached > LEAST_WEIGHT) & ~filled
        spread[fresh] = carried[fresh] / reached[fresh]
        filled |= fresh
        sigma *= 2
    return spread
