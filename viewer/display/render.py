"""From a picture to the grays of a viewport: a copy at view size first, then one table.

A window drag redoes the table only (0.2 ms a viewport, where the full image would take 20).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, cast

import numpy as np

from ml.mammo.codes import PresentationIntent
from ml.mammo.geometry import Box
from ml.mammo.luts import as_index, default_voi, display_table
from ml.mammo.mammogram import LookupTable, Window
from viewer.core.layout import scale_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.mammo.geometry import Affine
    from ml.mammo.mammogram import Mammogram, Voi
    from viewer.core.state import Presentation
    from viewer.display.picture import Level, Picture

# Shares of the breast's range, from fat (0) to dense tissue (1), by the command that shows it.
WHOLE = (0.0, 1.0)
PRESETS = {
    "preset_dense": (0.45, 1.0),
    "preset_fatty": (0.0, 0.55),
    "preset_soft": (-0.25, 1.25),
}


@dataclass(frozen=True, slots=True, eq=False)
class ViewCopy:
    """What a viewport shows, before any window.

    Attributes
    ----------
    index : (rows, columns) uint16
        Into a display table.
    visible : (rows, columns) uint8
        255 where the image is seen, 0 outside it and where the skin mask hides air.
    """

    index: NDArray[np.uint16]
    visible: NDArray[np.uint8]


def view_copy(
    picture: Picture, to_screen: Affine, rows: int, columns: int, *, raw_air: bool = False
) -> ViewCopy:
    """Resample a picture to a viewport.

    Parameters
    ----------
    to_screen
        From stored pixels to the viewport's (row, column).
    raw_air
        Show what the skin-line mask hides.
    """
    level = _level_for(picture, scale_of(to_screen))
    warped = _warped(level.pixels, level.to_stored.then(to_screen), rows, columns)
    visible = _visible(picture, to_screen, rows, columns, raw_air=raw_air)
    return ViewCopy(as_index(warped), visible)


def render_gray(copy: ViewCopy, table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Grays of a view copy.

    Parameters
    ----------
    table : (65536,) uint8
        From `ml.mammo.luts.display_table`.

    Returns
    -------
    (rows, columns) uint8
        0 where nothing is to be seen, under every window and inversion.
    """
    import cv2

    gray = cv2.LUT(copy.index, table)
    return cast("NDArray[np.uint8]", cv2.multiply(gray, copy.visible, scale=1 / 255))


def shown_voi(picture: Picture, presentation: Presentation) -> Voi | None:
    """The window or table through which a picture is seen."""
    if presentation.window is not None:
        return presentation.window
    image = picture.mammogram
    frame = image.frame_voi[picture.frame] if picture.frame < len(image.frame_voi) else ()
    own = frame or image.voi
    if 0 < presentation.voi_index < len(own):
        return own[presentation.voi_index]
    return picture.voi


@lru_cache(maxsize=64)
def table_for(image: Mammogram, voi: Voi | None, inverted: bool) -> NDArray[np.uint8]:
    """`display_table`, remembered."""
    return display_table(image, voi, inverted=inverted)


def as_window(picture: Picture, presentation: Presentation) -> Window:
    """The window through which a picture is seen, or the nearest to its table or full range."""
    voi = shown_voi(picture, presentation)
    if isinstance(voi, Window):
        return voi
    if isinstance(voi, LookupTable):
        width = float(max(len(voi.data), 2))
        return Window(voi.first + width / 2, width)
    pixels = picture.levels[-1].pixels
    low, high = float(pixels.min()), float(pixels.max())
    return Window((low + high) / 2, max(high - low, 2.0))


def breast_window(picture: Picture, part: tuple[float, float] = WHOLE) -> Window:
    """A window over what the breast's pixels hold, whatever the file says.

    Parameters
    ----------
    part
        From and to which share of the breast's range, 0 at fat and 1 at dense tissue.
    """
    bare = replace(picture.mammogram, voi=(), frame_voi=())
    voi = default_voi(bare, picture.levels[-1].pixels)
    # Without windows in the file there is one over the breast.
    assert isinstance(voi, Window)
    first, last = part
    image = picture.mammogram
    raw = image.intent is PresentationIntent.FOR_PROCESSING
    if image.pixel_format.inverted ^ raw:  # dense tissue has the low values
        first, last = 1 - last, 1 - first
    low = voi.center - voi.width / 2
    middle = low + voi.width * (first + last) / 2
    return replace(voi, center=middle, width=max(voi.width * (last - first), 2.0))


def _level_for(picture: Picture, ratio: float) -> Level:
    """The smallest level that is not coarser than the screen."""
    for level in reversed(picture.levels):
        if scale_of(level.to_stored) * ratio <= 1.0:
            return level
    return picture.levels[0]


def _visible(
    picture: Picture, to_screen: Affine, rows: int, columns: int, *, raw_air: bool
) -> NDArray[np.uint8]:
    image = picture.mammogram
    extent = to_screen.box(Box(0, 0, image.rows, image.columns)).clipped(rows, columns)
    inside = (
        slice(math.ceil(extent.row0 - 0.5), math.floor(extent.row1 + 0.5)),
        slice(math.ceil(extent.col0 - 0.5), math.floor(extent.col1 + 0.5)),
    )
    visible = np.zeros((rows, columns), np.uint8)
    if raw_air or not picture.skin.sure:
        visible[inside] = 255
        return visible
    mask = picture.skin.mask.astype(np.uint8) * np.uint8(255)
    warped = _warped(mask, picture.skin.to_stored.then(to_screen), rows, columns)
    visible[inside] = warped[inside]
    return visible


def _warped(
    pixels: NDArray[np.generic], to_screen: Affine, rows: int, columns: int
) -> NDArray[np.generic]:
    import cv2

    return cast(
        "NDArray[np.generic]",
        cv2.warpAffine(
            # OpenCV's stubs name no integer array; it takes all of ours.
            cast("NDArray[np.uint16]", pixels),
            to_screen.xy_matrix(),
            (columns, rows),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        ),
    )
