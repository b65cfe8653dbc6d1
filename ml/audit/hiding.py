"""Hide every lesion, and as much of the images without, so that only the rest is seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml.mammo.geometry import Box

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Canvas = NDArray[np.uint16]
    Mask = NDArray[np.bool_]
    Stored = np.ndarray[tuple[int, ...], np.dtype[np.generic]]

# A lesion reaches beyond its box: spicules, a halo. Hidden so much larger, at least by pixels.
LARGER, LEAST_MARGIN_PX = 1.5, 15
# Around what is hidden, how far its surroundings are looked at.
RING = 1.3
TRIES = 160
# How far a sham may lie from its lesion's place, as a share of the breast (deviation).
NEAR = 0.2
# Holes of one grain or a few are closed.
CLOSING = np.ones((9, 9), np.uint8)
# What counts as much as lying a whole breast away from the lesion's place.
BRIGHTNESS_WEIGHT, INSIDE_WEIGHT = 6.0, 6.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a lesion lies in its breast, so that a sham can lie alike in another.

    Attributes
    ----------
    size
        Height and width of what is hidden, canvas pixels.
    row, column
        Its middle within the breast's extent, 0 to 1.
    brightness
        The share of the breast's pixels that are darker than its surroundings.
    inside
        The share of it that is breast.
    """

    size: tuple[float, float]
    row: float
    column: float
    brightness: float
    inside: float


class Breast:
    """A canvas, and what places in it are like.

    Parameters
    ----------
    canvas : (rows, columns) uint16
        Of `ml.mammo.prepare`; 0 is air.
    """

    def __init__(self, canvas: Canvas) -> None:
        self.tissue = tissue_of(canvas)
        rows, columns = np.flatnonzero(self.tissue.any(1)), np.flatnonzero(self.tissue.any(0))
        self.extent = (
            Box(rows[0], columns[0], rows[-1] + 1, columns[-1] + 1)
            if rows.size
            else Box(0, 0, *canvas.shape)
        )
        self._levels = np.sort(canvas[self.tissue][::17])
        self._sum = _integral(canvas)
        self._many = _integral(self.tissue)

    def place_of(self, box: Box) -> Place:
        """What is to be known of a hidden box to hide a like one elsewhere."""
        extent, (row, column) = self.extent, box.center
        around = larger(box, RING, 0)
        many = self._within(self._many, around) - self._within(self._many, box)
        bright = self._within(self._sum, around) - self._within(self._sum, box)
        mean = bright / many if many > 0 else 0.0
        return Place(
            size=box.size,
            row=(row - extent.row0) / extent.size[0],
            column=(column - extent.col0) / extent.size[1],
            brightness=float(np.searchsorted(self._levels, mean)) / max(self._levels.size, 1),
            inside=self._within(self._many, box) / max(box.area, 1.0),
        )

    def sham(self, place: Place, rng: np.random.Generator) -> Box:
        """A box of the same size in as bright a surrounding at about the same place."""
        boxes = [self._box_at(place, *rng.normal(0, NEAR, 2)) for _ in range(TRIES)]
        return min(boxes, key=lambda box: _unlike(self.place_of(box), place))

    def _box_at(self, place: Place, down: float, right: float) -> Box:
        extent, (height, width) = self.extent, place.size
        row = extent.row0 + min(max(place.row + down, 0), 1) * extent.size[0]
        column = extent.col0 + min(max(place.column + right, 0), 1) * extent.size[1]
        return Box(row - height / 2, column - width / 2, row + height / 2, column + width / 2)

    def _within(self, integral: NDArray[np.float64], box: Box) -> float:
        inner = box.clipped(*self.tissue.shape)
        r0, r1, c0, c1 = map(round, (inner.row0, inner.row1, inner.col0, inner.col1))
        return float(integral[r1, c1] - integral[r0, c1] - integral[r1, c0] + integral[r0, c0])


def tissue_of(canvas: Canvas) -> Mask:
    """The breast on a canvas, whose darkest grains are 0 as air is."""
    found = cv2.morphologyEx((canvas > 0).astype(np.uint8), cv2.MORPH_CLOSE, CLOSING)
    return np.asarray(found, np.bool_)


def larger(box: Box, times: float, least: float) -> Box:
    """A box about the same middle, each side so many times larger and by `least` at least."""
    down = max(box.size[0] * (times - 1) / 2, least)
    right = max(box.size[1] * (times - 1) / 2, least)
    return Box(box.row0 - down, box.col0 - right, box.row1 + down, box.col1 + right)


def hidden_box(lesion: Box) -> Box:
    """What is hidden of a lesion, canvas pixels."""
    return larger(lesion, LARGER, LEAST_MARGIN_PX)


def cover(pixels: Stored, boxes: Sequence[Box]) -> Stored:
    """The stored pixels with each box filled with the mean of what lies around it."""
    filled = pixels.copy()
    rows, columns = pixels.shape
    for box in boxes:
        around = _within(larger(box, RING, 1), rows, columns)
        inner = _within(box, rows, columns)
        outside = np.ones(pixels.shape, np.bool_)
        outside[inner] = False
        ring = pixels[around][outside[around]]
        if ring.size:
            filled[inner] = np.asarray(ring.mean()).astype(pixels.dtype)
    return filled


def hide(canvas: Canvas, boxes: Sequence[Box]) -> tuple[NDArray[np.float32], Mask]:
    """Cover boxes, and set the range of grays by what is left.

    Returns
    -------
    image : (rows, columns) float32
        In 0..1: percentiles 1 and 99 of the visible breast become 0.1 and 0.9, so that a bright
        lesion that set the canvas's range is not told by it. What is hidden is 0.5, air 0.
    seen : (rows, columns) bool
        Visible breast.
    """
    tissue = tissue_of(canvas)
    hidden = np.zeros(canvas.shape, np.bool_)
    for box in boxes:
        hidden[_within(box, *canvas.shape)] = True
    seen = tissue & ~hidden
    sample = canvas[seen][::7] if seen.any() else canvas.ravel()
    low, high = np.percentile(sample, (1, 99))
    image = np.clip(0.1 + 0.8 * (canvas - low) / max(high - low, 1.0), 0, 1) * tissue
    image[hidden] = 0.5
    return image.astype(np.float32), seen


def _within(box: Box, rows: int, columns: int) -> tuple[slice, slice]:
    inner = box.clipped(rows, columns)
    return (
        slice(round(inner.row0), round(inner.row1)),
        slice(round(inner.col0), round(inner.col1)),
    )


def _integral(values: NDArray[np.generic]) -> NDArray[np.float64]:
    return np.asarray(cv2.integral(values.astype(np.float64)), np.float64)


def _unlike(one: Place, other: Place) -> float:
    return (
        abs(one.row - other.row)
        + abs(one.column - other.column)
        + BRIGHTNESS_WEIGHT * abs(one.brightness - other.brightness)
        + INSIDE_WEIGHT * abs(one.inside - other.inside)
    )
