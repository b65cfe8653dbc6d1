"""Where the breast ends and air begins: found on a small copy, with a margin outside the skin.

The mask hides air only. Labels, markers and burned-in text stay, and where the image does not
look as expected nothing is hidden at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from ml.mammo.codes import PresentationIntent
from ml.mammo.geometry import Affine, Box
from ml.texts import mark

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.mammo.mammogram import Mammogram

SMALL_SIDE = 512
# How far the mask stays outside the skin, as a share of the image's long side (about 7 mm on a
# 24 cm film): the skin itself fades over 1 to 2 mm.
MARGIN = 0.03
# Labels are opaque, so far brighter than scatter in air.
LABEL_LEVEL = 0.35
# Film numbers have strokes narrower than this (of 512) and stand out of air by this much.
STROKE = 4
STROKE_LEVEL = 0.025
# Strips at most this wide (of 512) are film borders, scanner noise or a label that touches:
# they stay visible, but are no breast.
STRIP = 12
# Where so much of the "tissue" is as bright as it gets, it is saturated air: the polarity that
# the header gives is wrong.
SATURATED_SHARE = 0.4
# By how much more of its chest-wall edge than of the other a breast fills, at least.
LEAST_TAPER = 0.15


class Side(Enum):
    """An edge of the stored image."""

    LEFT = "left"
    RIGHT = "right"
    TOP = "top"
    BOTTOM = "bottom"


@dataclass(frozen=True, slots=True, eq=False)
class Skin:
    """What must stay visible, and where the breast is.

    Attributes
    ----------
    mask : (small rows, small columns) bool
        True for breast, margin, labels; all True where `sure` is False.
    tissue : (small rows, small columns) bool
        True for the breast alone, without margin and labels; all True where unsure.
    to_stored
        From the mask's (row, column) to stored pixels.
    breast
        Tissue alone, without margin and labels, in stored pixels; the whole image where unsure.
    sure
        False: the mask hides nothing, and `reason` says why.
    reason
        A marked text; empty where sure.
    """

    mask: NDArray[np.bool_]
    tissue: NDArray[np.bool_]
    to_stored: Affine
    breast: Box
    sure: bool
    reason: str = ""


def find_skin(pixels: NDArray[np.generic], mammogram: Mammogram) -> Skin:
    """Find the skin line.

    Parameters
    ----------
    pixels : (rows, columns) uint8, uint16 or int16
        Stored values, at full or reduced size.

    Returns
    -------
    Skin
        Coordinates in stored pixels of the full image, also where `pixels` is a reduced copy.
    """
    small, padded = _small_density(pixels, mammogram)
    to_stored = Affine.scale(
        mammogram.rows / small.shape[0], mammogram.columns / small.shape[1]
    )
    level = _air_level(small, padded)
    if level is None:
        return _unsure(
            small.shape, mammogram, to_stored, mark("no air found around the breast")
        )
    found = _filled(_largest(_opened(small > level)))
    tissue = _without_strips(found)
    if not float(tissue.mean()) > 0.03 or not float(found.mean()) < 0.97:
        return _unsure(small.shape, mammogram, to_stored, mark("the breast was not found"))
    if float((small[tissue] > 0.97).mean()) > SATURATED_SHARE:
        return _unsure(small.shape, mammogram, to_stored, mark("air and breast look swapped"))
    margin = max(3, round(MARGIN * max(small.shape)))
    marks = _labels(small, found, level) | _writing(small, found)
    visible = _grown(found, margin) | _grown(marks, margin // 2 + 1)
    box = to_stored.box(_extent(tissue))
    return Skin(visible, tissue, to_stored, box, sure=True)


def chest_wall_side(skin: Skin) -> Side | None:
    """Which edge of the stored image the breast hangs from, as far as pixels can say.

    Returns
    -------
    Side or None
        None where unsure: no skin line, or two opposite edges filled alike.
    """
    if not skin.sure:
        return None
    extent = _extent(skin.tissue)
    rows, columns = (
        slice(int(extent.row0), int(extent.row1)),
        slice(int(extent.col0), int(extent.col1)),
    )
    tissue = skin.tissue[rows, columns]
    deep, wide = (max(2, round(0.06 * n)) for n in tissue.shape)
    # How much of each edge of its own box the breast fills (film is often cut at the muscle, so
    # the image's edges say less): all of it at the chest wall, a little at the nipple.
    touched = {
        Side.LEFT: float(tissue[:, :wide].mean()),
        Side.RIGHT: float(tissue[:, -wide:].mean()),
        Side.TOP: float(tissue[:deep].mean()),
        Side.BOTTOM: float(tissue[-deep:].mean()),
    }
    across = abs(touched[Side.LEFT] - touched[Side.RIGHT])
    along = abs(touched[Side.TOP] - touched[Side.BOTTOM])
    # The axilla of an oblique view fills part of the top edge too: rows lead to the nipple
    # unless a whole edge of the image says otherwise.
    hangs = max(float(skin.tissue[edge].mean()) for edge in (0, -1)) * skin.tissue.shape[1]
    pair = (Side.LEFT, Side.RIGHT)
    if along > across and hangs > 0.7 * tissue.shape[1]:
        pair = (Side.TOP, Side.BOTTOM)
    first, second = sorted(pair, key=touched.__getitem__)
    return second if touched[second] - touched[first] >= LEAST_TAPER else None


def _extent(mask: NDArray[np.bool_]) -> Box:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return Box(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)


def _unsure(shape: tuple[int, ...], mammogram: Mammogram, to_stored: Affine, why: str) -> Skin:
    whole = Box(0, 0, mammogram.rows, mammogram.columns)
    everything = np.ones(shape, np.bool_)
    return Skin(everything, everything, to_stored, whole, sure=False, reason=why)


def _small_density(
    pixels: NDArray[np.generic], mammogram: Mammogram
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """A small copy in 0..1 on which tissue is brighter than air, and what of it is padding."""
    import cv2

    rows, columns = pixels.shape
    shrink = max(1.0, max(rows, columns) / SMALL_SIDE)
    size = (max(1, round(columns / shrink)), max(1, round(rows / shrink)))
    resized = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)  # type: ignore[arg-type]
    stored: NDArray[np.float32] = np.asarray(resized, np.float32)
    padding = mammogram.padding
    padded = np.zeros(stored.shape, np.bool_)
    if padding is not None:
        padded = (stored >= padding.low) & (stored <= padding.high)
    air_is_high = mammogram.pixel_format.inverted ^ (
        mammogram.intent is PresentationIntent.FOR_PROCESSING
    )
    density = -stored if air_is_high else stored
    if mammogram.intent is PresentationIntent.FOR_PROCESSING:
        # Exposure falls exponentially in tissue: on the log scale the skin is not lost.
        density = -np.log1p(np.maximum(stored - stored.min(), 0))
    real = density[~padded] if not padded.all() else density
    low, high = float(real.min()), float(np.percentile(real, 99.8))
    unit = np.clip((density - low) / max(high - low, 1e-6), 0, 1).astype(np.float32)
    unit[padded] = 0
    return np.asarray(cv2.GaussianBlur(unit, (0, 0), 1.0), np.float32), padded


def _air_level(small: NDArray[np.float32], padded: NDArray[np.bool_]) -> float | None:
    """Just above the noise of air: the lowest broad peak of the histogram, plus its width."""
    histogram, edges = np.histogram(small, bins=256, range=(0, 1))
    smooth = np.convolve(histogram, np.ones(3) / 3, "same")
    dark = smooth[:90]
    peak = int(np.argmax(dark))
    if dark[peak] < 0.004 * small.size and padded.mean() < 0.02:
        return None
    mode = float(edges[peak] + edges[1] / 2)
    below = small[small <= mode]
    noise = float(np.sqrt(np.mean((below - mode) ** 2))) if below.size else 0.0
    return mode + max(4 * noise, 0.02)


def _opened(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Without thin bridges to labels and scratches."""
    import cv2

    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    return cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, kernel).astype(np.uint8)


def _largest(mask: NDArray[np.uint8]) -> NDArray[np.bool_]:
    import cv2

    count, parts, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    if count < 2:
        return np.zeros(mask.shape, np.bool_)
    return np.asarray(parts == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA])), np.bool_)


def _without_strips(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The bulk of `mask`, with those of its own edges that an opening rounds off."""
    import cv2

    radius = max(2, round(STRIP * max(mask.shape) / SMALL_SIDE))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    bulk = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, kernel).astype(np.uint8)
    return _grown(_largest(bulk), radius) & mask


def _filled(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """With its holes."""
    import cv2

    # Air is whatever the edge of a frame around the image reaches.
    framed = np.pad(mask.astype(np.uint8), 1)
    cv2.floodFill(framed, None, (0, 0), 2)
    return np.asarray(framed[1:-1, 1:-1] != 2, np.bool_)


def _grown(mask: NDArray[np.bool_], pixels: int) -> NDArray[np.bool_]:
    import cv2

    side = 2 * pixels + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return np.asarray(cv2.dilate(mask.astype(np.uint8), kernel) > 0, np.bool_)


def _writing(small: NDArray[np.float32], tissue: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Film numbers too faint for labels: strokes that stand out of the air beside them."""
    import cv2

    side = 2 * round(STROKE * max(small.shape) / SMALL_SIDE) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    strokes = cv2.morphologyEx(small, cv2.MORPH_TOPHAT, kernel)
    # The skin's own shine is no writing.
    outside = ~_grown(tissue, side)
    if not outside.any():
        return outside
    noise = float(np.percentile(strokes[outside], 90))
    drawn = (strokes > max(STROKE_LEVEL, 4 * noise)) & outside
    count, found, stats, _ = cv2.connectedComponentsWithStats(drawn.astype(np.uint8))
    parts = np.asarray(found, np.intp)
    keep = np.asarray(stats[:count, cv2.CC_STAT_AREA] >= side, np.bool_)
    keep[0] = False
    return np.asarray(keep[parts], np.bool_)


def _labels(
    small: NDArray[np.float32], tissue: NDArray[np.bool_], level: float
) -> NDArray[np.bool_]:
    """Bright things outside the breast, each with all of its connected, fainter parts."""
    import cv2

    outside = (small > level + 0.03) & ~tissue
    count, found = cv2.connectedComponents(outside.astype(np.uint8))
    parts = np.asarray(found, np.intp)
    if count < 2:
        return outside
    brightest = np.zeros(count, np.float32)
    np.maximum.at(brightest, parts.ravel(), np.where(outside, small, 0).ravel())
    keep = brightest > LABEL_LEVEL
    keep[0] = False
    return np.asarray(keep[parts], np.bool_)
