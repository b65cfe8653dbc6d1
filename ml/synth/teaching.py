"""What the generator is taught: whole breasts with a sentence each, pieces with a mask each.

A whole breast is 256 x 256 pixels of 0.8 mm, chest wall at the side where that breast has it in
a mammogram. A piece is 256 x 256 pixels of 0.1 mm; its mask covers a lesion, or, in a piece
without one, a place where a lesion could be.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.mammo.codes import BreastDensity, FindingType, Laterality, ViewPosition
from ml.mammo.geometry import Box
from ml.mammo.prepare import PrepareSpec
from ml.phantom.lesion_spec import Margin
from ml.synth.prompts import Area, LesionKind, Prompt, Quadrant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ml.data.canvases import CanvasItem, CanvasSet

SIDE_PX = 256
ANATOMY = PrepareSpec(SIDE_PX, SIDE_PX, 0.8)
PIECE_MM = 0.1
# Thirds of simulated women and of mini-MIAS films alike.
SMALL_CM2, BIG_CM2 = 130.0, 165.0
# mini-MIAS knows three classes; each has the nearest word, and no film is called very high.
FILM_DENSITIES = {
    "fatty": BreastDensity.A,
    "fatty-glandular": BreastDensity.B,
    "dense-glandular": BreastDensity.C,
}
# A mask reaches so far beyond the lesion, as a share of its size, and not less in pixels.
LEAST_MARGIN, MOST_MARGIN, LEAST_MARGIN_PX = 0.05, 0.25, 4
# Longer sides of a mask: from a cluster of a few specks to most of a piece.
LEAST_MASK_PX, MOST_MASK_PX = 32, 192
TRIES = 20
MOST_WORDS_OF_A_MAKER = 2
# Only what can be seen teaches what a lesion looks like (d' of the model observer).
LEAST_SEEN = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """One piece to paint in.

    Attributes
    ----------
    pixels : (256, 256) float32
        In 0..1.
    mask : (256, 256) bool
        What is to be painted.
    prompt
        What stands under the mask.
    """

    pixels: NDArray[np.float32]
    mask: NDArray[np.bool_]
    prompt: Prompt


def vendor_word(vendor: str) -> str:
    """A maker's name as a word of a prompt: ``PHANTOM-FILM-A`` is ``film-a``."""
    word = re.sub("[^a-z0-9]+", "-", vendor.lower()).removeprefix("phantom-").strip("-")
    # A sentence has room for few words.
    return "-".join(word.split("-")[:MOST_WORDS_OF_A_MAKER]) or "unknown"


def area_cm2(canvas: NDArray[np.uint16], pixel_mm: float) -> float:
    """How much of a canvas the breast covers, muscle included."""
    return float(np.count_nonzero(canvas)) * (pixel_mm / 10) ** 2


def area_word(cm2: float) -> Area:
    """The third that an area lies in."""
    if cm2 < SMALL_CM2:
        return Area.SMALL
    return Area.MEDIUM if cm2 < BIG_CM2 else Area.BIG


def healthy_prompt(
    item: CanvasItem, area: Area, densities: Mapping[str, BreastDensity] | None = None
) -> Prompt:
    """What a prepared image shows, as a prompt without lesion.

    Parameters
    ----------
    densities
        By `image_id`, of images whose item has none.

    Raises
    ------
    KeyError
        Where the density is not known.
    """
    known = None if item.density is None else tuple(BreastDensity)[item.density]
    return Prompt(
        vendor_word(item.vendor),
        ViewPosition(item.view),
        area,
        known or (densities or {})[item.image_id],
        Laterality(item.laterality),
    )


def as_hung(canvas: NDArray[np.uint16], laterality: Laterality) -> NDArray[np.uint16]:
    """A canvas, whose chest wall is at the left, as this breast's mammogram shows it."""
    return canvas[:, ::-1] if laterality is Laterality.RIGHT else canvas


def lesion_kind(finding: FindingType, descriptor: str) -> LesionKind | None:
    """The word for a finding; None for what cannot be painted."""
    if finding is FindingType.CALCIFICATIONS:
        return LesionKind.CALCIFICATION_CLUSTER
    if finding is not FindingType.MASS:
        return None
    spiculated = descriptor == Margin.SPICULATED.value
    return LesionKind.SPICULATED_MASS if spiculated else LesionKind.MASS


def ellipse(box: Box, side: int = SIDE_PX) -> NDArray[np.bool_]:
    """The ellipse inscribed in a box, as a mask whose extent is that box."""
    rows, columns = np.mgrid[:side, :side] + 0.5
    (row, column), (height, width) = box.center, box.size
    return ((rows - row) / (height / 2)) ** 2 + ((columns - column) / (width / 2)) ** 2 <= 1


def lesion_piece(canvases: CanvasSet, index: int, rng: np.random.Generator) -> Piece | None:
    """A piece about one of an image's lesions, under a mask a little larger than the lesion.

    Returns
    -------
    Piece or None
        None where no lesion of the image can be painted, is seen, and fits.
    """
    item = canvases.items[index]
    kinds = [
        lesion_kind(finding, descriptor)
        for finding, descriptor in zip(item.finding_types, item.descriptors, strict=True)
    ]
    fitting = [
        (box, kind)
        for box, kind, seen in zip(item.box_values(), kinds, _seen(item), strict=True)
        if kind and seen >= LEAST_SEEN and max(box.size) * (1 + MOST_MARGIN) <= MOST_MASK_PX
    ]
    if not fitting:
        return None
    box, kind = fitting[rng.integers(len(fitting))]
    masked = _grown(box, rng)
    corner = _corner_about(masked, canvases.pixels[index].shape, rng)
    pixels, mask = _cut(canvases.pixels[index], masked, corner, rng)
    return Piece(pixels, mask, _piece_prompt(item, kind, rng))


def _seen(item: CanvasItem) -> tuple[float, ...]:
    """How well each lesion is seen; what a reader boxed was seen."""
    return item.detectability or (float("inf"),) * len(item.boxes)


def sham_piece(canvases: CanvasSet, index: int, rng: np.random.Generator) -> Piece | None:
    """A piece with a mask over healthy tissue: what is painted there is no lesion.

    Returns
    -------
    Piece or None
        None where no place in the tissue was found that is free of lesions.
    """
    pixels, item = canvases.pixels[index], canvases.items[index]
    for _ in range(TRIES):
        height, width = np.exp(
            rng.uniform(np.log(LEAST_MASK_PX), np.log(MOST_MASK_PX), 2)
        ).tolist()
        top = rng.uniform(0, pixels.shape[0] - height)
        left = rng.uniform(0, pixels.shape[1] - width)
        masked = Box(top, left, top + height, left + width)
        inside = pixels[int(top) : int(top + height), int(left) : int(left + width)]
        free = all(not masked.intersection(box) for box in item.box_values())
        if free and inside.all():
            corner = _corner_about(masked, pixels.shape, rng)
            cut, mask = _cut(pixels, masked, corner, rng)
            return Piece(cut, mask, _piece_prompt(item, None, rng))
    return None


def _grown(box: Box, rng: np.random.Generator) -> Box:
    (row, column), size = box.center, np.array(box.size)
    grown = np.maximum(
        size * (1 + rng.uniform(LEAST_MARGIN, MOST_MARGIN)), size + 2 * LEAST_MARGIN_PX
    )
    height, width = np.maximum(grown, LEAST_MASK_PX).tolist()
    return Box(row - height / 2, column - width / 2, row + height / 2, column + width / 2)


def _corner_about(
    box: Box, shape: tuple[int, ...], rng: np.random.Generator
) -> tuple[int, int]:
    """The first pixel of a piece that holds the box, and lies on the image where it can."""
    corner = []
    for low, high, size in ((box.row0, box.row1, shape[0]), (box.col0, box.col1, shape[1])):
        least, most = int(np.ceil(high)) - SIDE_PX, int(np.floor(low))
        least, most = max(least, 0), min(most, size - SIDE_PX)
        corner.append(int(rng.integers(least, most + 1)) if most > least else max(most, 0))
    return corner[0], corner[1]


def _cut(
    pixels: NDArray[np.uint16], box: Box, corner: tuple[int, int], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The piece and its mask, mirrored at random: a lesion has no side."""
    top, left = corner
    cut = pixels[top : top + SIDE_PX, left : left + SIDE_PX]
    moved = Box(box.row0 - top, box.col0 - left, box.row1 - top, box.col1 - left)
    piece, mask = np.asarray(cut, np.float32) / np.float32(65535), ellipse(moved)
    for axis in (0, 1):
        if rng.random() < 0.5:
            piece, mask = np.flip(piece, axis), np.flip(mask, axis)
    return np.ascontiguousarray(piece), np.ascontiguousarray(mask)


def _piece_prompt(
    item: CanvasItem, kind: LesionKind | None, rng: np.random.Generator
) -> Prompt:
    """Area and quadrant are drawn: a piece does not show them, so they shall decide nothing."""
    areas, places = tuple(Area), tuple(Quadrant)
    plain = healthy_prompt(item, areas[rng.integers(len(areas))])
    place = places[rng.integers(len(places))] if kind else None
    return Prompt(
        plain.vendor, plain.view, plain.area, plain.density, plain.laterality, kind, place
    )
