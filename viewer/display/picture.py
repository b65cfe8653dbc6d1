"""One decoded frame, ready to be shown at any scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from ml.mammo.geometry import Affine
from ml.mammo.luts import default_voi
from ml.mammo.orient import flip_alarm
from ml.mammo.skin import find_skin

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ml.mammo.mammogram import Alarm, Mammogram, Voi
    from ml.mammo.skin import Skin

# Halvings kept beside the full pixels: a third more memory.
LEVELS = 4
SMALLEST_SIDE = 256


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """The pixels at one size.

    Attributes
    ----------
    pixels : (rows, columns) uint8, uint16 or int16
        Stored values, averaged.
    to_stored
        From this level's (row, column) to stored pixels.
    """

    pixels: NDArray[np.generic]
    to_stored: Affine


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """What the canvas needs of one frame.

    Attributes
    ----------
    levels
        The finest first, each half as large as the one before it.
    voi
        What the frame is first shown with.
    preview
        Made from a reduced decode: no measuring, no 1:1, "loading" on the screen.
    alarm
        Where the pixels contradict the header.
    """

    mammogram: Mammogram
    frame: int
    levels: tuple[Level, ...]
    skin: Skin
    voi: Voi | None
    preview: bool
    alarm: Alarm | None = None

    @property
    def size_bytes(self) -> int:
        """Memory that the pixels take."""
        return sum(level.pixels.nbytes for level in self.levels)


def make_picture(
    mammogram: Mammogram, frame: int, pixels: NDArray[np.generic], *, skin: Skin | None = None
) -> Picture:
    """Make a frame ready: halve it, find its skin line and its first window.

    Parameters
    ----------
    pixels : (rows, columns) uint8, uint16 or int16
        Stored values; smaller than the header says for a preview.
    skin
        Of the same image's pixels, where it is known already.
    """
    rows, columns = mammogram.rows, mammogram.columns
    levels = [_level(pixels, rows, columns)]
    while len(levels) < LEVELS and min(levels[-1].pixels.shape) >= 2 * SMALLEST_SIDE:
        levels.append(_level(_halved(levels[-1].pixels), rows, columns))
    # Skin and window are found on a small copy anyway: begin from the smallest that will do.
    small = levels[-1].pixels
    skin = skin or find_skin(small, mammogram)
    return Picture(
        mammogram,
        frame,
        tuple(levels),
        skin,
        default_voi(mammogram, small, frame),
        preview=pixels.shape != (rows, columns),
        alarm=flip_alarm(mammogram, skin),
    )


def _level(pixels: NDArray[np.generic], rows: int, columns: int) -> Level:
    scale = Affine.scale(rows / pixels.shape[0], columns / pixels.shape[1])
    return Level(pixels, scale)


def _halved(pixels: NDArray[np.generic]) -> NDArray[np.generic]:
    import cv2

    rows, columns = pixels.shape
    size = (columns // 2, rows // 2)
    # OpenCV's stubs name no integer array; it takes all of ours.
    source = cast("NDArray[np.uint16]", pixels)
    return cast("NDArray[np.generic]", cv2.resize(source, size, interpolation=cv2.INTER_AREA))
