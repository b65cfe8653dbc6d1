"""Where images lie on the screen: one exact affine per viewport, from stored pixels to it.

Screen coordinates are (row, column) in device pixels of the canvas. The same affine carries
pixels, boxes, rulers and the loupe.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ml.mammo.codes import Laterality
from ml.mammo.geometry import Affine, Box
from ml.mammo.orient import to_upright
from ml.mammo.skin import Side, chest_wall_side

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ml.mammo.mammogram import Mammogram
    from ml.mammo.skin import Skin
    from viewer.core.state import Camera

# Between the viewports of a hang, so that four films do not read as one.
GAP_PX = 2
# Free space above, below and before the nipple at fit, as shares of the slot.
FREE = 0.02
STRIP_SHARE = 0.1
MIDDLE = 0.5


@dataclass(frozen=True, slots=True)
class Pose:
    """How an image is hung, before any scale.

    Attributes
    ----------
    upright
        From stored pixels to (row, column) with the nipple outwards and the feet down.
    breast
        What must be seen at fit, in upright coordinates.
    wall
        Where the chest wall goes: 1 the right edge of the viewport, 0 the left, 0.5 neither.
    unit_mm
        Millimetres from one upright row, and column, to the next; None without a scale.
    """

    upright: Affine
    breast: Box
    wall: float
    unit_mm: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Placement:
    """Where one viewport's image lies.

    Attributes
    ----------
    slot
        The viewport, in device pixels of the canvas.
    to_screen
        From stored pixels to the slot's own (row, column), beginning at its corner.
    pivot
        The slot's (row, column) about which zoom turns: the middle of the chest wall.
    ratio
        Screen pixels per stored pixel.
    """

    slot: Box
    to_screen: Affine
    pivot: tuple[float, float]
    ratio: float


def pose_of(image: Mammogram, skin: Skin | None = None) -> Pose:
    """Turn an image as its header says; by its pixels only where the header says nothing.

    Parameters
    ----------
    skin
        Of its stored pixels; None while they are not decoded: the whole image counts as breast.
    """
    upright = to_upright(image)
    side = image.laterality.value if image.laterality else None
    seen = chest_wall_side(skin) if skin else None
    if image.orientation is None:
        upright = _turned_by_pixels(image, side, seen)
    whole = Box(0, 0, image.rows, image.columns)
    breast = upright.box(_seen_at_fit(skin) if skin else whole)
    return Pose(upright, breast, _wall(side, seen), _unit_mm(image, upright))


def _seen_at_fit(skin: Skin) -> Box:
    """The breast without the thin strips that film borders leave along its chest wall.

    Stored coordinates. A strip is where the tissue is less than a tenth as deep as at its
    deepest, measured along the stored rows and columns alike.
    """
    if not skin.sure:
        return skin.breast
    along_rows = np.flatnonzero(_is_deep(skin.tissue.sum(1)))
    along_columns = np.flatnonzero(_is_deep(skin.tissue.sum(0)))
    trimmed = skin.to_stored.box(
        Box(along_rows[0], along_columns[0], along_rows[-1] + 1, along_columns[-1] + 1)
    )
    # Only the ends of the chest wall: the nipple is narrow too.
    side = chest_wall_side(skin)
    if side in (Side.LEFT, Side.RIGHT):
        return replace(skin.breast, row0=trimmed.row0, row1=trimmed.row1)
    if side in (Side.TOP, Side.BOTTOM):
        return replace(skin.breast, col0=trimmed.col0, col1=trimmed.col1)
    return skin.breast


def _is_deep(depths: NDArray[np.int_]) -> NDArray[np.bool_]:
    return depths >= STRIP_SHARE * depths.max()


def grid(rows_px: float, columns_px: float, rows: int = 2, columns: int = 2) -> list[Box]:
    """Cut a canvas into slots, row by row, with a gap between them."""
    height = math.floor((rows_px - GAP_PX * (rows - 1)) / rows)
    width = math.floor((columns_px - GAP_PX * (columns - 1)) / columns)
    return [
        Box(top, left, top + max(height, 1), left + max(width, 1))
        for top in (row * (height + GAP_PX) for row in range(rows))
        for left in (column * (width + GAP_PX) for column in range(columns))
    ]


def place(
    poses: Sequence[Pose | None], slots: Sequence[Box], cameras: Sequence[Camera]
) -> list[Placement | None]:
    """Place all images at one scale: the largest at which every breast fits its slot.

    The scale is one of millimetres where every image has a spacing, else one of pixels.
    """
    hung = [pose for pose in poses if pose is not None]
    in_mm = all(pose.unit_mm is not None for pose in hung)
    scale = min(
        (
            _fitting(pose, slot, in_mm=in_mm)
            for pose, slot in zip(poses, slots, strict=True)
            if pose is not None
        ),
        default=1.0,
    )
    return [
        None if pose is None else _placed(pose, slot, camera, scale, in_mm=in_mm)
        for pose, slot, camera in zip(poses, slots, cameras, strict=True)
    ]


def has_common_scale(poses: Sequence[Pose | None]) -> bool:
    """Whether sizes on the screen can be compared in millimetres."""
    return all(pose.unit_mm is not None for pose in poses if pose is not None)


def camera_offset_to(
    placement: Placement, camera: Camera, stored: tuple[float, float]
) -> tuple[float, float]:
    """The camera offset that brings a stored place to the middle of its slot."""
    row, column = placement.to_screen.point(*stored)
    rows, columns = placement.slot.size
    return (
        camera.offset_rows + (rows / 2 - row) / camera.zoom,
        camera.offset_columns + (columns / 2 - column) / camera.zoom,
    )


def length_of(
    image: Mammogram, start: tuple[float, float], end: tuple[float, float]
) -> tuple[float, bool]:
    """How long a line in stored pixels is.

    Returns
    -------
    length
        In mm at the breast where the image has a spacing, else in pixels.
    in_mm
        Which of the two.
    """
    rows, columns = end[0] - start[0], end[1] - start[1]
    if image.spacing is None:
        return math.hypot(rows, columns), False
    return math.hypot(rows * image.spacing.row_mm, columns * image.spacing.column_mm), True


def _placed(pose: Pose, slot: Box, camera: Camera, scale: float, *, in_mm: bool) -> Placement:
    rows, columns = slot.size
    row_unit, column_unit = _units(pose, in_mm=in_mm)
    sized = Affine.scale(scale * row_unit, scale * column_unit)
    breast = sized.box(pose.breast)
    anchor = breast.col0 + pose.wall * (breast.col1 - breast.col0)
    hung = sized.then(Affine.shift(rows / 2 - breast.center[0], pose.wall * columns - anchor))
    pivot = (rows / 2, pose.wall * columns)
    looked = (
        Affine.shift(camera.offset_rows - pivot[0], camera.offset_columns - pivot[1])
        .then(Affine.scale(camera.zoom))
        .then(Affine.shift(*pivot))
    )
    to_screen = pose.upright.then(hung).then(looked)
    return Placement(slot, to_screen, pivot, scale_of(to_screen))


def scale_of(affine: Affine) -> float:
    """How much an affine enlarges, along rows and columns together."""
    return math.sqrt(abs(affine.rr * affine.cc - affine.rc * affine.cr))


def _fitting(pose: Pose, slot: Box, *, in_mm: bool) -> float:
    row_unit, column_unit = _units(pose, in_mm=in_mm)
    rows, columns = pose.breast.size
    free_columns = FREE if pose.wall in (0.0, 1.0) else 2 * FREE
    return min(
        slot.size[0] * (1 - 2 * FREE) / max(rows * row_unit, 1e-6),
        slot.size[1] * (1 - free_columns) / max(columns * column_unit, 1e-6),
    )


def _units(pose: Pose, *, in_mm: bool) -> tuple[float, float]:
    if in_mm and pose.unit_mm is not None:
        return pose.unit_mm
    if pose.unit_mm is None:
        return 1.0, 1.0
    # Beside an image without scale pixels count, but a pixel keeps its shape.
    row, column = pose.unit_mm
    mean = math.sqrt(row * column)
    return row / mean, column / mean


def _unit_mm(image: Mammogram, upright: Affine) -> tuple[float, float] | None:
    if image.spacing is None:
        return None
    row, column = image.spacing.row_mm, image.spacing.column_mm
    return (column, row) if upright.rr == 0 else (row, column)


def _wall(side: Laterality | None, seen: Side | None) -> float:
    known = {Laterality.RIGHT: 1.0, Laterality.LEFT: 0.0, Laterality.BOTH: MIDDLE}
    if side is not None:
        return known[side]
    return {Side.RIGHT: 1.0, Side.LEFT: 0.0}.get(seen, MIDDLE) if seen else MIDDLE


def _turned_by_pixels(image: Mammogram, side: Laterality | None, seen: Side | None) -> Affine:
    wanted = (
        {Laterality.RIGHT: Side.RIGHT, Laterality.LEFT: Side.LEFT}.get(side) if side else None
    )
    if wanted is None or seen not in (Side.LEFT, Side.RIGHT) or seen is wanted:
        return Affine()
    return Affine.flip_columns(image.columns)
