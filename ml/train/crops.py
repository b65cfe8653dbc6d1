"""Batches of crops, each drawn from (seed, step) alone: the same after a restart."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from ml.data.augment import Augmentation, draw_tone, draw_warp
from ml.mammo.geometry import Affine, Box

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ml.data.augment import Warp
    from ml.data.canvases import CanvasItem, CanvasSet

# A lesion cut to less than this share of its area is not asked for.
LEAST_VISIBLE = 0.5
# How far from a crop's middle that which it is cut around may lie, as a share of its side.
REACH = 0.35
# Of the crops without a lesion, where hard places are known.
HARD_SHARE = 0.5
# Of a crop's ranges; a whole image shows its edge, where a turn leaves a wedge of air.
WHOLE_ROTATION, WHOLE_ZOOM = 1 / 3, 1 / 2
WHOLE_SHIFT_PX = 20.0


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
    augmentation
        How far each crop may be changed.
    hard
        Of some images, the places that a detector, or a reader's word, says are taken for
        lesions (`ml.train.hard`).
    alike
        A lesion's class is drawn first, each as often as the others, then an image with one.
    """

    canvases: CanvasSet
    indices: tuple[int, ...]
    rows: int
    columns: int
    augmentation: Augmentation = field(default_factory=Augmentation)
    hard: Mapping[int, tuple[tuple[float, float], ...]] = field(
        default_factory=lambda: MappingProxyType(dict[int, tuple[tuple[float, float], ...]]())
    )
    alike: bool = False

    def with_lesion(self) -> tuple[int, ...]:
        """The images that have a box."""
        return tuple(i for i in self.indices if self.canvases.items[i].boxes)

    def with_known_places(self) -> tuple[int, ...]:
        """Those without a lesion, and those whose lesions have boxes."""
        items = self.canvases.items
        return tuple(i for i in self.indices if items[i].boxes or items[i].free)

    def with_known_label(self) -> CropSource:
        """Only the images of which it is said whether they show a lesion."""
        known = (i for i in self.indices if not self.canvases.items[i].unknown)
        return replace(self, indices=tuple(known))

    def with_label(self, *, lesion: bool) -> tuple[int, ...]:
        """The images with, or without, a lesion."""
        items = self.canvases.items
        return tuple(i for i in self.indices if (items[i].lesion if lesion else items[i].free))


def sampling_of(*sources: CropSource | None) -> dict[str, object]:
    """What a checkpoint says of how images are drawn; nothing where it is as usual."""
    alike = any(source.alike for source in sources if source is not None)
    return {"alike": True} if alike else {}


def draw_crop(source: CropSource, rng: np.random.Generator, *, lesion: bool) -> Crop:
    """Draw one crop.

    Parameters
    ----------
    lesion
        True: around a box; False: anywhere, or around a hard place, but not in an image with
        a lesion that nobody knows the place of.
    """
    if not lesion and source.hard and rng.random() < HARD_SHARE:
        return _hard_crop(source, rng)
    if lesion and source.alike:
        index, box = _of_any_class(source, rng)
        center = _around(source, box, rng)
    else:
        pool = source.with_lesion() if lesion else source.with_known_places()
        index = int(pool[rng.integers(len(pool))])
        center = _center(source, source.canvases.items[index], rng, lesion=lesion)
    warp = draw_warp(source.augmentation, rng, center, source.rows, source.columns)
    return _cut(source, index, warp, rng)


def _of_any_class(source: CropSource, rng: np.random.Generator) -> tuple[int, Box]:
    """An image and one of its lesions: first its class is drawn, then the image."""
    items = source.canvases.items
    classes = sorted({kind for i in source.indices for kind in items[i].finding_types}, key=str)
    kind = classes[rng.integers(len(classes))]
    pool = [i for i in source.indices if kind in items[i].finding_types]
    index = pool[rng.integers(len(pool))]
    boxes = zip(items[index].box_values(), items[index].finding_types, strict=True)
    of_kind = [box for box, said in boxes if said is kind]
    return index, of_kind[rng.integers(len(of_kind))]


def _hard_crop(source: CropSource, rng: np.random.Generator) -> Crop:
    pool = sorted(source.hard)
    index = int(pool[rng.integers(len(pool))])
    row, column = source.hard[index][rng.integers(len(source.hard[index]))]
    center = (
        row + rng.uniform(-REACH, REACH) * source.rows,
        column + rng.uniform(-REACH, REACH) * source.columns,
    )
    warp = draw_warp(source.augmentation, rng, center, source.rows, source.columns)
    return _cut(source, index, warp, rng)


def whole_canvas(source: CropSource, index: int, rng: np.random.Generator) -> Crop:
    """A whole image with the same augmentation, gentler, for the classifier."""
    spec, most = source.canvases.spec, source.augmentation
    gentle = replace(
        most,
        rotation_deg=most.rotation_deg * WHOLE_ROTATION,
        zoom=most.zoom * WHOLE_ZOOM,
        shift_px=0.0,
    )
    middle = (spec.rows / 2, spec.columns / 2)
    warp = draw_warp(gentle, rng, middle, source.rows, source.columns)
    # The chest wall stays at the left edge, or beyond it, whatever the zoom and the turn.
    move = rng.uniform(-WHOLE_SHIFT_PX, WHOLE_SHIFT_PX, 2) * bool(most.zoom)
    wall = warp.affine.point(spec.rows / 2, 0)[1]
    affine = warp.affine.then(Affine.shift(float(move[0]), min(float(move[1]), 0.0) - wall))
    return _cut(source, index, replace(warp, affine=affine), rng)


def _center(
    source: CropSource, item: CanvasItem, rng: np.random.Generator, *, lesion: bool
) -> tuple[float, float]:
    spec = source.canvases.spec
    if lesion:
        return _around(source, item.box_values()[rng.integers(len(item.boxes))], rng)
    if source.canvases.pieces:
        return (
            _inside(rng.uniform(0, spec.rows), source.rows, spec.rows),
            _inside(rng.uniform(0, spec.columns), source.columns, spec.columns),
        )
    # The breast lies at the left of the canvas: corners of bare air teach little.
    return rng.uniform(0.15, 0.85) * spec.rows, rng.uniform(0.1, 0.7) * spec.columns


def _around(source: CropSource, box: Box, rng: np.random.Generator) -> tuple[float, float]:
    row, column = box.center
    row += rng.uniform(-REACH, REACH) * source.rows
    column += rng.uniform(-REACH, REACH) * source.columns
    if source.canvases.pieces:
        row = _inside(row, source.rows, source.canvases.spec.rows)
        column = _inside(column, source.columns, source.canvases.spec.columns)
    return row, column


def _inside(middle: float, side: float, whole: float) -> float:
    """A crop's middle, moved so that the crop ends where its piece does."""
    return float(np.clip(middle, min(side, whole) / 2, whole - min(side, whole) / 2))


def _cut(source: CropSource, index: int, warp: Warp, rng: np.random.Generator) -> Crop:
    item = source.canvases.items[index]
    pixels = warp.pixels(np.asarray(source.canvases.pixels[index]))
    pixels = draw_tone(source.augmentation, rng).apply(pixels, rng)
    boxes, picked = [], []
    for number, box in enumerate(item.box_values()):
        moved = warp.box(box)
        seen = moved.clipped(source.rows, source.columns)
        if moved.area and seen.area / moved.area >= LEAST_VISIBLE:
            boxes.append(seen)
            picked.append(number)
    return Crop(pixels, tuple(boxes), tuple(picked), item)
