"""Batches of crops, each drawn from (seed, step) alone: the same after a restart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml.mammo.geometry import Affine, Box

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.data.canvases import CanvasItem, CanvasSet

# A lesion cut to less than this share of its area is not asked for.
LEAST_VISIBLE = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """A piece of a canvas after augmentation.

    Attributes
    ----------
    pixels : (side, side) or (rows, columns) float32
        In 0..1.
    boxes
        In crop pixels; `classes` gives the index of each box's item entry.
    """

    pixels: NDArray[np.float32]
    boxes: tuple[Box, ...]
    picked: tuple[int, ...]
    item: CanvasItem


@dataclass(frozen=True, slots=True, eq=False)
class CropSource:
    """Canvases to draw from, and how.

    Attributes
    ----------
    indices
        Which images of the set.
    rows, columns
        Size of a crop.
    """

    canvases: CanvasSet
    indices: tuple[int, ...]
    rows: int
    columns: int

    def with_lesion(self) -> tuple[int, ...]:
        """The images that have a box."""
        return tuple(i for i in self.indices if self.canvases.items[i].boxes)

    def with_label(self, *, lesion: bool) -> tuple[int, ...]:
        """The images with, or without, a lesion."""
        return tuple(i for i in self.indices if self.canvases.items[i].lesion == lesion)


def draw_crop(source: CropSource, rng: np.random.Generator, *, lesion: bool) -> Crop:
    """Draw one crop.

    Parameters
    ----------
    lesion
        True: around a box; False: anywhere in any image.
    """
    pool = source.with_lesion() if lesion else source.indices
    index = int(pool[rng.integers(len(pool))])
    item = source.canvases.items[index]
    zoom = float(np.exp(rng.uniform(-0.25, 0.25)))
    flip = bool(rng.random() < 0.5)
    center = _center(source, item, rng, lesion=lesion)
    to_crop = (
        Affine.shift(-center[0], -center[1])
        .then(Affine(rr=-zoom if flip else zoom, cc=zoom))
        .then(Affine.shift(source.rows / 2, source.columns / 2))
    )
    return _cut(source, index, to_crop, rng)


def whole_canvas(source: CropSource, index: int, rng: np.random.Generator) -> Crop:
    """A whole image with the same augmentation, for the classifier."""
    zoom, flip = float(np.exp(rng.uniform(-0.12, 0.12))), bool(rng.random() < 0.5)
    rows, _columns = source.canvases.spec.rows, source.canvases.spec.columns
    move = rng.uniform(-20, 20, 2)
    to_crop = Affine(rr=-zoom if flip else zoom, cc=zoom, r0=rows * zoom if flip else 0.0).then(
        Affine.shift((source.rows - rows * zoom) / 2 + move[0], min(move[1], 0.0))
    )
    return _cut(source, index, to_crop, rng)


def _center(
    source: CropSource, item: CanvasItem, rng: np.random.Generator, *, lesion: bool
) -> tuple[float, float]:
    if lesion:
        row, column = item.box_values()[rng.integers(len(item.boxes))].center
        reach = 0.35
        return (
            row + rng.uniform(-reach, reach) * source.rows,
            column + rng.uniform(-reach, reach) * source.columns,
        )
    # The breast lies at the left of the canvas: corners of bare air teach little.
    return (
        rng.uniform(0.15, 0.85) * source.canvases.spec.rows,
        rng.uniform(0.1, 0.7) * source.canvases.spec.columns,
    )


def _cut(source: CropSource, index: int, to_crop: Affine, rng: np.random.Generator) -> Crop:
    item = source.canvases.items[index]
    size = (source.columns, source.rows)
    canvas = source.canvases.pixels[index]
    cut = cv2.warpAffine(np.asarray(canvas), to_crop.xy_matrix(), size, flags=cv2.INTER_LINEAR)
    pixels = _toned(np.asarray(cut, np.float32) / np.float32(65535), rng)
    boxes, picked = [], []
    for number, box in enumerate(item.box_values()):
        moved = to_crop.box(box)
        seen = moved.clipped(source.rows, source.columns)
        if moved.area and seen.area / moved.area >= LEAST_VISIBLE:
            boxes.append(seen)
            picked.append(number)
    return Crop(pixels, tuple(boxes), tuple(picked), item)


def _toned(pixels: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Tone curve, contrast, blur and grain: what differs between makers and scanners."""
    air = pixels <= 0
    gamma, gain = np.exp(rng.uniform(-0.35, 0.35)), np.exp(rng.uniform(-0.15, 0.15))
    toned = np.clip(pixels, 0, 1) ** gamma * gain + rng.uniform(-0.04, 0.04)
    if rng.random() < 0.3:
        toned = cv2.GaussianBlur(toned, (0, 0), float(rng.uniform(0.4, 1.0)))
    grain = rng.uniform(0, 0.02)
    toned = toned + grain * rng.standard_normal(toned.shape, dtype=np.float32)
    toned = np.clip(toned, 0, 1).astype(np.float32)
    toned[air] = 0
    return toned
