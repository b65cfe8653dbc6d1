"""A lesion painted into a full-size mammogram, or, as a sham, healthy tissue painted anew.

The piece about the mask is brought to what the generator was taught on (0.1 mm, chest wall
left, dense is bright), painted, and the difference added to the stored values under the mask.
Finer detail than 0.1 mm stays the image's own; not one pixel changes outside the mask.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml.control import NOBODY, Control
from ml.errors import DataError
from ml.mammo.codes import PresentationIntent, ViewPosition
from ml.mammo.geometry import Box
from ml.mammo.luts import modality_values
from ml.mammo.mammogram import Rescale
from ml.mammo.prepare import FINE, prepare, resolves
from ml.synth.prompts import LesionKind, Quadrant
from ml.synth.teaching import MOST_MASK_PX, SIDE_PX, ellipse
from ml.texts import mark

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.mammo.mammogram import Mammogram
    from ml.mammo.prepare import Prepared
    from ml.synth.pipeline import Generator, Sampling
    from ml.synth.prompts import Prompt

# Diameters that are painted, mm: what a mask of a piece can hold.
SIZE_MM = {
    LesionKind.MASS: (6.0, 16.0),
    LesionKind.SPICULATED_MASS: (7.0, 16.0),
    LesionKind.CALCIFICATION_CLUSTER: (4.0, 14.0),
}
# Of a sham: any of them.
ANY_SIZE_MM = (4.0, 16.0)
# A mask is at most so much longer than wide.
MOST_OBLONG = 1.3
TRIES = 200
# From the nipple's row on, and away from it by this, a place is in the upper or lower half.
CLEAR_OF_MIDDLE_MM = 3.0
UPPER = (Quadrant.UPPER_OUTER, Quadrant.UPPER_INNER)
OUTER = (Quadrant.UPPER_OUTER, Quadrant.LOWER_OUTER)


class NoRoomError(DataError):
    """A breast in which the asked place has no room for a lesion of the asked kind."""


@dataclass(frozen=True, slots=True, eq=False)
class Painted:
    """A mammogram with one place painted anew.

    Attributes
    ----------
    pixels : (rows, columns), the image's own type
        Stored values.
    mask : (rows, columns) bool
        Where they may differ from the image's.
    box
        Of the mask, in stored pixels.
    """

    pixels: NDArray[np.generic]
    mask: NDArray[np.bool_]
    box: Box


def paint_lesion(
    generator: Generator,
    pixels: NDArray[np.generic],
    mammogram: Mammogram,
    prompt: Prompt,
    seed: int,
    sampling: Sampling,
    control: Control = NOBODY,
    where: Box | None = None,
) -> Painted:
    """Paint what the prompt asks for where it asks for it.

    Parameters
    ----------
    pixels : (rows, columns)
        Stored values at full size, of a breast without lesion.
    prompt
        Without a lesion, healthy tissue is painted: a sham, so that what was edited does not
        mean what is ill.
    seed
        Of the place, the size and the noise.
    control
        Asked at every step of the noise.
    where
        The box of the mask in stored pixels, instead of a place that is drawn.

    Raises
    ------
    DataError
        Where the image cannot be painted in, the breast has no room at that place, or the mask
        is not one that can be painted under.
    """
    _paintable(mammogram)
    whole = prepare(pixels, mammogram, FINE)
    rng = np.random.default_rng((seed, 17))
    if where is None:
        mask_box = place_of(whole.pixels, prompt, rng)
    else:
        mask_box = _asked_place(whole, where)
    top, left = _corner(mask_box, whole.pixels.shape)
    piece = _piece(whole.pixels, top, left)
    mask = ellipse(_moved(mask_box, -top, -left))
    painted = generator.paint(piece[None], mask[None], [prompt], [seed], sampling, control)[0]
    change = np.where(mask, painted - piece, np.float32(0))
    return _put_back(pixels, mammogram, whole, change, mask, (top, left))


def place_of(canvas: NDArray[np.uint16], prompt: Prompt, rng: np.random.Generator) -> Box:
    """A place in the tissue, in the quadrant that the prompt names as far as its view shows it.

    Parameters
    ----------
    canvas : (rows, columns) uint16
        Of `FINE`: chest wall left; feet, or the medial side, down.

    Raises
    ------
    NoRoomError
        Where no place of the asked size lies in the breast.
    """
    low, high = SIZE_MM[prompt.lesion] if prompt.lesion else ANY_SIZE_MM
    middle = nipple_row(canvas)
    rows, columns = np.nonzero(canvas[::8, ::8])
    for _ in range(TRIES if rows.size else 0):
        size = np.exp(rng.uniform(np.log(low), np.log(high))) / FINE.pixel_mm
        oblong = MOST_OBLONG ** rng.uniform(-0.5, 0.5)
        height, width = size * oblong, size / oblong
        picked = rng.integers(rows.size)
        row, column = 8.0 * rows[picked], 8.0 * columns[picked]
        box = Box(row - height / 2, column - width / 2, row + height / 2, column + width / 2)
        if _in_half(row, middle, prompt) and _in_tissue(canvas, box):
            return box
    raise NoRoomError(
        mark("There is no room in this breast for what was asked for; ask for another place.")
    )


def _asked_place(whole: Prepared, where: Box) -> Box:
    box = whole.to_stored.inverse().box(where)
    if not _in_tissue(whole.pixels, box):
        raise DataError(mark("The mask reaches outside the breast; move it into the tissue."))
    if not 1 <= min(box.size) <= max(box.size) <= MOST_MASK_PX:
        raise DataError(
            mark("The mask is too large, or empty; make it at most {most} mm long."),
            most=f"{MOST_MASK_PX * FINE.pixel_mm:g}",
        )
    return box


def nipple_row(canvas: NDArray[np.uint16]) -> float:
    """The row in which the breast reaches farthest from the chest wall."""
    reach = (canvas > 0).sum(1)
    return float(np.flatnonzero(reach >= 0.98 * reach.max()).mean()) if reach.any() else 0.0


def _in_half(row: float, middle: float, prompt: Prompt) -> bool:
    """MLO shows the height, CC the side: each one of a quadrant's two words."""
    if prompt.quadrant is None:
        return True
    above = prompt.quadrant in (UPPER if prompt.view is ViewPosition.MLO else OUTER)
    away = (middle - row) * FINE.pixel_mm
    return away >= CLEAR_OF_MIDDLE_MM if above else -away >= CLEAR_OF_MIDDLE_MM


def _in_tissue(canvas: NDArray[np.uint16], box: Box) -> bool:
    """All of it; clipped highlights may be tissue, the canvas's black is not."""
    rows, columns = canvas.shape
    if box.row0 < 0 or box.col0 < 0 or box.row1 > rows or box.col1 > columns:
        return False
    return bool(canvas[int(box.row0) : int(box.row1), int(box.col0) : int(box.col1)].all())


def _paintable(mammogram: Mammogram) -> None:
    if not resolves(mammogram, FINE):
        raise DataError(
            mark(
                "Lesions are painted at 0.1 mm a pixel, and this image is coarser or unscaled."
            )
        )
    linear = isinstance(mammogram.modality, Rescale)
    if not linear or mammogram.intent is PresentationIntent.FOR_PROCESSING:
        raise DataError(
            mark("Lesions are painted into images for presentation only; choose another image.")
        )


def _corner(box: Box, shape: tuple[int, ...]) -> tuple[int, int]:
    corner = (
        int(np.clip(round(middle - SIDE_PX / 2), 0, max(size - SIDE_PX, 0)))
        for middle, size in zip(box.center, shape, strict=True)
    )
    top, left = corner
    return top, left


def _moved(box: Box, rows: float, columns: float) -> Box:
    return Box(box.row0 + rows, box.col0 + columns, box.row1 + rows, box.col1 + columns)


def _piece(canvas: NDArray[np.uint16], top: int, left: int) -> NDArray[np.float32]:
    cut = canvas[top : top + SIDE_PX, left : left + SIDE_PX]
    return np.asarray(cut, np.float32) / np.float32(65535)


def _put_back(
    pixels: NDArray[np.generic],
    mammogram: Mammogram,
    whole: Prepared,
    change: NDArray[np.float32],
    mask: NDArray[np.bool_],
    corner: tuple[int, int],
) -> Painted:
    top, left = corner
    to_piece = whole.to_stored.inverse()
    matrix = to_piece.xy_matrix()
    matrix[:, 2] -= (left, top)
    size = pixels.shape[::-1]
    inverse = cv2.WARP_INVERSE_MAP
    there = cv2.warpAffine(
        mask.astype(np.uint8), matrix, size, flags=cv2.INTER_NEAREST | inverse
    )
    moved = cv2.warpAffine(change, matrix, size, flags=cv2.INTER_LINEAR | inverse)
    stored_mask = there > 0
    stored = _stored_change(np.asarray(moved, np.float32), whole, mammogram)
    form = mammogram.pixel_format
    fresh = np.clip(
        np.round(np.asarray(pixels, np.float32) + stored), form.lowest, form.highest
    )
    rows, columns = np.nonzero(stored_mask)
    box = Box(rows.min(), columns.min(), rows.max() + 1, columns.max() + 1)
    painted = np.where(stored_mask, fresh.astype(pixels.dtype), pixels)
    return Painted(painted, stored_mask, box)


def _stored_change(
    unit: NDArray[np.float32], whole: Prepared, mammogram: Mammogram
) -> NDArray[np.float32]:
    """From a change of the canvas, in 0..1, to one of stored values."""
    low, high = whole.levels
    slope = float(modality_values(np.array([1.0]), mammogram)[0]) - float(
        modality_values(np.array([0.0]), mammogram)[0]
    )
    sign = -1.0 if mammogram.pixel_format.inverted else 1.0
    return np.asarray(unit * (sign * (high - low) / slope), np.float32)
