"""A box in the reader's hand: drawn anew, pulled at an edge or a corner, moved, or nudged."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from ml.mammo.geometry import Box
from viewer.core.grips import Grip, grip_at, pulled, spanned
from viewer.core.marks import mark_of
from viewer.qt.canvas.boxes import Pulled

if TYPE_CHECKING:
    from viewer.core.marks import Mark
    from viewer.core.state import FindingKey, SessionState
    from viewer.qt.canvas.scene import Shown

# So near an edge, in screen pixels, the edge is meant and not the middle.
REACH_PX = 6.0
NUDGE_MM, NUDGE_PX = 1.0, 5.0
# Of the viewport, where a box is drawn without the mouse.
MIDDLE_SHARE = 0.2


@dataclass(slots=True)
class Hand:
    """What is held, where, and what it has become.

    Attributes
    ----------
    place
        SOP Instance UID and frame, counted from 1; None: a single image.
    key, grip
        The mark, and where it is held; None: a new box.
    start
        Where the hand took hold, (row, column) in stored pixels.
    first
        The box as it was then.
    size
        Rows and columns of the image.
    """

    index: int
    place: tuple[str, int | None]
    key: FindingKey | None
    grip: Grip | None
    start: tuple[float, float]
    first: Box
    box: Box
    size: tuple[float, float]

    def move_to(self, point: tuple[float, float]) -> None:
        """Follow the hand to a stored place."""
        if self.grip is None:
            self.box = spanned(self.start, point).clipped(*self.size)
            return
        by = (point[0] - self.start[0], point[1] - self.start[1])
        self.box = pulled(self.first, self.grip, by, self.size)

    @property
    def pulled(self) -> Pulled:
        """For the painter."""
        return Pulled(self.place[0], self.key, self.box)


def held_at(
    shown: Shown, state: SessionState, point: tuple[float, float], dpr: float
) -> Hand | None:
    """The selected mark, taken hold of at a stored place; None where the hand is beside it."""
    mark = selected_mark(shown, state)
    if mark is None or shown.placement is None:
        return None
    grip = grip_at(mark.box, point, REACH_PX * dpr / shown.placement.ratio)
    if grip is None:
        return None
    return _hand(shown, mark.key, grip, point, mark.box)


def begun_at(shown: Shown, point: tuple[float, float]) -> Hand | None:
    """A new box from a stored place on; None where there is no image."""
    return _hand(shown, None, None, point, Box(*point, *point))


def in_the_middle(shown: Shown) -> Hand | None:
    """A new box in the middle of what a viewport shows."""
    if shown.placement is None:
        return None
    rows, columns = shown.slot.size
    middle = shown.placement.to_screen.inverse().point(rows / 2, columns / 2)
    half = MIDDLE_SHARE * min(rows, columns) / 2 / shown.placement.ratio
    corner = (middle[0] - half, middle[1] - half)
    hand = begun_at(shown, corner)
    if hand is not None:
        hand.move_to((middle[0] + half, middle[1] + half))
    return hand


def nudged(
    shown: Shown, state: SessionState, by: tuple[int, int], *, resize: bool
) -> tuple[FindingKey, Box] | None:
    """The selected mark after a small step down and to the right, as the screen sees it.

    Parameters
    ----------
    resize
        Move only the lower or the right edge.
    """
    mark, image = selected_mark(shown, state), shown.viewport.image
    if mark is None or image is None or shown.placement is None:
        return None
    down, right = _down(shown), _right(shown)
    away = down if by[0] else right
    grip = Grip(*away) if resize else Grip(0, 0)
    spacing = image.spacing
    steps = (
        (NUDGE_MM / spacing.row_mm, NUDGE_MM / spacing.column_mm)
        if spacing
        else (NUDGE_PX, NUDGE_PX)
    )
    amount = by[0] + by[1]
    moved = (amount * away[0] * steps[0], amount * away[1] * steps[1])
    return mark.key, pulled(mark.box, grip, moved, (image.rows, image.columns))


def selected_mark(shown: Shown, state: SessionState) -> Mark | None:
    """The selected mark, where it lies on the image and the slice of a viewport."""
    mark, image = mark_of(state, state.selected), shown.viewport.image
    if mark is None or image is None or mark.key.sop_instance_uid != image.sop_instance_uid:
        return None
    return mark if mark.frame in (None, shown.viewport.frame + 1) else None


def cursor_for(hand: Hand | None, shown: Shown) -> Qt.CursorShape:
    """The arrow that says what a drag would do."""
    if hand is None or hand.grip is None:
        return Qt.CursorShape.ArrowCursor
    if hand.grip.is_middle:
        return Qt.CursorShape.SizeAllCursor
    (dr, dc), (rr, rc) = _down(shown), _right(shown)
    down = hand.grip.rows * dr + hand.grip.columns * dc
    right = hand.grip.rows * rr + hand.grip.columns * rc
    if not down or not right:
        return Qt.CursorShape.SizeVerCursor if down else Qt.CursorShape.SizeHorCursor
    same = down == right
    return Qt.CursorShape.SizeFDiagCursor if same else Qt.CursorShape.SizeBDiagCursor


def _hand(
    shown: Shown,
    key: FindingKey | None,
    grip: Grip | None,
    point: tuple[float, float],
    box: Box,
) -> Hand | None:
    viewport, image = shown.viewport, shown.viewport.image
    if image is None:
        return None
    frame = viewport.frame + 1 if image.frames > 1 else None
    place, size = (image.sop_instance_uid, frame), (image.rows, image.columns)
    return Hand(shown.index, place, key, grip, point, box, box, size)


def _down(shown: Shown) -> tuple[int, int]:
    """Where the screen's down leads in stored pixels: one of the four directions."""
    assert shown.placement is not None
    stored = shown.placement.to_screen.inverse()
    return _direction(stored.rr, stored.cr)


def _right(shown: Shown) -> tuple[int, int]:
    assert shown.placement is not None
    stored = shown.placement.to_screen.inverse()
    return _direction(stored.rc, stored.cc)


def _direction(rows: float, columns: float) -> tuple[int, int]:
    if abs(rows) > abs(columns):
        return int(math.copysign(1, rows)), 0
    return 0, int(math.copysign(1, columns))
