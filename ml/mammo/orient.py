"""How a mammogram is turned before it is hung."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml.mammo.codes import Laterality, ViewPosition
from ml.mammo.geometry import Affine
from ml.mammo.mammogram import Alarm
from ml.mammo.skin import Side, chest_wall_side
from ml.texts import mark

if TYPE_CHECKING:
    from ml.mammo.mammogram import Mammogram
    from ml.mammo.skin import Skin

# Views in which the patient's feet are at the bottom; the others (CC and its kind) have the
# side away from the midline on top (PixelMed's rule; PS3.17 annex on mammography orientation).
FEET_DOWN = frozenset(
    {
        ViewPosition.MLO,
        ViewPosition.ML,
        ViewPosition.LM,
        ViewPosition.LMO,
        ViewPosition.SIO,
        ViewPosition.ISO,
    }
)


def to_upright(mammogram: Mammogram) -> Affine:
    """Turn stored pixels to how a mammogram is hung, by Patient Orientation.

    Right breasts point to the left of the screen (their chest wall at the right edge), left
    breasts to the right; feet or the medial side at the bottom.

    Returns
    -------
    Affine
        From stored to upright (row, column), both beginning at (0, 0). Identity where the
        orientation or the side is unknown: nothing is turned on a guess.
    """
    orientation, laterality = mammogram.orientation, mammogram.laterality
    # A cleavage view (both breasts) has no chest wall at a side.
    if orientation is None or laterality is None or laterality.value is Laterality.BOTH:
        return Affine()
    turn, rows, columns = Affine(), mammogram.rows, mammogram.columns
    row, column = orientation.row, orientation.column
    if row[0] not in "AP" and column[0] in "AP":
        turn, rows, columns = turn.then(Affine.transpose()), columns, rows
        row, column = column, row
    if row[0] == ("A" if laterality.value is Laterality.RIGHT else "P"):
        turn = turn.then(Affine.flip_columns(columns))
    if _is_upside_down(mammogram, column):
        turn = turn.then(Affine.flip_rows(rows))
    return turn


def upright_size(mammogram: Mammogram) -> tuple[int, int]:
    """Rows and columns of the image once it is upright."""
    turn = to_upright(mammogram)
    rows, columns = mammogram.rows, mammogram.columns
    return (columns, rows) if turn.rr == 0 else (rows, columns)


def flip_alarm(mammogram: Mammogram, skin: Skin) -> Alarm | None:
    """What to tell the reader where the chest wall is not where it should hang.

    Parameters
    ----------
    skin
        Of this image's stored pixels.
    """
    laterality, found = mammogram.laterality, chest_wall_side(skin)
    if laterality is None or found is None:
        return None
    expected = 1.0 if laterality.value is Laterality.RIGHT else 0.0
    if laterality.value is Laterality.BOTH or _upright_side(mammogram, found) != 1 - expected:
        return None
    if mammogram.orientation is None:
        return Alarm(mark("The chest wall lies on the wrong side for this breast: check it."))
    return Alarm(
        mark("The chest wall lies on the other side than Patient Orientation says: check it.")
    )


def _upright_side(mammogram: Mammogram, side: Side) -> float:
    """Where that stored edge lies once upright: 0 left, 1 right, between: neither."""
    rows, columns = mammogram.rows, mammogram.columns
    middles = {
        Side.LEFT: (rows / 2, 0.0),
        Side.RIGHT: (rows / 2, columns),
        Side.TOP: (0.0, columns / 2),
        Side.BOTTOM: (rows, columns / 2),
    }
    _, column = to_upright(mammogram).point(*middles[side])
    return column / upright_size(mammogram)[1]


def _is_upside_down(mammogram: Mammogram, column: str) -> bool:
    view = mammogram.view.value if mammogram.view else None
    if view in FEET_DOWN or (view is None and ("F" in column or "H" in column)):
        return "H" in column
    side = mammogram.laterality.value if mammogram.laterality else None
    return side is not None and side.value in column
