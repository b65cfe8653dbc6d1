"""Which breast an image shows where nobody says so: as the pixels have it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ml.mammo.codes import ImageKind, Laterality, ViewPosition
from ml.mammo.mammogram import Alarm, Evidence, Orientation
from ml.mammo.skin import Side, chest_wall_side, find_skin
from ml.texts import mark

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ml.mammo.mammogram import Mammogram

REASON = "pixels"
FROM_PIXELS = mark("The side was found from the pixels: check it.")
TURNED = mark(
    "The chest wall lies on the other side than the file's name says: turned, check it."
)
# A right breast hangs from the right edge of its image.
BREAST = {Side.RIGHT: Laterality.RIGHT, Side.LEFT: Laterality.LEFT}


def with_side(mammogram: Mammogram, pixels: NDArray[np.generic]) -> Mammogram:
    """Find the breast where the header does not say it, and turn back a mirrored picture.

    Parameters
    ----------
    pixels : (rows, columns) uint8, uint16 or int16
        Stored values, at full or reduced size.

    Returns
    -------
    Mammogram
        Unchanged where nothing is missing, or where the pixels do not say it either.
    """
    known = mammogram.laterality.value if mammogram.laterality else None
    picture = mammogram.kind is ImageKind.PICTURE
    if known is Laterality.BOTH or (known and not picture):
        return mammogram
    wall = chest_wall_side(find_skin(pixels, mammogram))
    breast = BREAST.get(wall) if wall else None
    if breast is None or known is breast:
        return mammogram
    if known is None:
        return replace(
            mammogram,
            laterality=Evidence(breast, REASON),
            alarms=(*mammogram.alarms, Alarm(FROM_PIXELS)),
        )
    return replace(
        mammogram,
        orientation=_lying(mammogram, known, wall),
        alarms=(*mammogram.alarms, Alarm(TURNED)),
    )


def _lying(mammogram: Mammogram, side: Laterality, wall: Side | None) -> Orientation:
    """Patient Orientation of a film that is not upside down."""
    cranial = mammogram.view is not None and mammogram.view.value is ViewPosition.CC
    medial = "L" if side is Laterality.RIGHT else "R"
    return Orientation("P" if wall is Side.RIGHT else "A", medial if cranial else "F", REASON)
