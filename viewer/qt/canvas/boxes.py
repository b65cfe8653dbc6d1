"""Draw the marks on an image: boxes, what the reader made of them, and their words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen

from viewer.core.decision import Standing
from viewer.core.labels import placed_labels
from viewer.core.mark_words import label_of
from viewer.qt import palette
from viewer.qt.canvas.scene import visible_marks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ml.mammo.geometry import Affine, Box
    from viewer.core.marks import Mark
    from viewer.core.state import FindingKey, SessionState
    from viewer.qt.canvas.scene import Shown

TEXT_PX = 12
GRIP_PX = 6
# What is rejected steps back, and can still be read.
_DIMMED = 190
_DASH_PX = 5.0
# Words lie over images: a dark edge keeps them legible on dense tissue.
SHADOW = QColor(0, 0, 0, 200)
_GROUND = QColor(20, 18, 14, 215)


@dataclass(frozen=True, slots=True)
class Pulled:
    """A box that the reader has in hand.

    Attributes
    ----------
    key
        Of the mark that it is; None: it becomes a new one.
    box
        In stored pixels of the image.
    """

    sop_instance_uid: str
    key: FindingKey | None
    box: Box


def draw_boxes(
    painter: QPainter,
    shown: Shown,
    state: SessionState,
    to_view: Affine,
    room: Box,
    pulled: Pulled | None = None,
) -> None:
    """Boxes, then their words: the selected mark's choose their place first."""
    there = [
        one
        for one in _drawn_marks(shown, state, to_view, pulled)
        if one.box.intersection(room) > 0
    ]
    for one in there:
        _draw_box(painter, one)
    _draw_labels(painter, there, room)
    image = shown.viewport.image
    if pulled is None or pulled.key is not None or image is None:
        return
    if pulled.sop_instance_uid == image.sop_instance_uid:
        _draw_new(painter, to_view.box(pulled.box))


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A mark and its box in the widget's own pixels."""

    mark: Mark
    box: Box
    words: str
    selected: bool

    @property
    def font(self) -> QFont:
        return _font(bold=self.selected)

    @property
    def colour(self) -> QColor:
        mark = self.mark
        colour = QColor(palette.READER if mark.said is None else palette.MACHINE)
        if mark.standing is Standing.REJECTED:
            colour.setAlpha(_DIMMED)
        return colour


def _drawn_marks(
    shown: Shown, state: SessionState, to_view: Affine, pulled: Pulled | None
) -> list[_Drawn]:
    in_hand = pulled.key if pulled else None
    return [
        _Drawn(
            mark,
            to_view.box(pulled.box if pulled and mark.key == in_hand else mark.box),
            label_of(mark, state),
            selected=mark.key == state.selected,
        )
        for mark in visible_marks(state, shown.viewport)
    ]


def _draw_box(painter: QPainter, one: _Drawn) -> None:
    rect = _rect(one.box)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    pens = [QPen(SHADOW, 4 if one.selected else 3), QPen(one.colour, 1.2)]
    if one.mark.standing is not Standing.OPEN:
        pens[1].setWidthF(1.8)
    if one.selected:
        pens[1].setWidthF(2.5)
    if one.mark.standing is Standing.REJECTED:
        # The dark edge is dashed, too: between the dashes the image is seen.
        for pen in pens:
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            pen.setDashPattern([_DASH_PX / pen.widthF()] * 2)
    for pen in pens:
        painter.setPen(pen)
        painter.drawRect(rect)
    if one.selected:
        _draw_grips(painter, rect, one.colour)


def _draw_grips(painter: QPainter, rect: QRectF, colour: QColor) -> None:
    """Where the box can be taken hold of: corners, and the middles of edges that have room."""
    xs, ys = [rect.left(), rect.right()], [rect.top(), rect.bottom()]
    places = [(x, y) for x in xs for y in ys]
    if rect.width() > 5 * GRIP_PX:
        places += [(rect.center().x(), y) for y in ys]
    if rect.height() > 5 * GRIP_PX:
        places += [(x, rect.center().y()) for x in xs]
    painter.setPen(QPen(QColor(palette.GROUND), 1))
    painter.setBrush(colour)
    for x, y in places:
        grip = QRectF(0, 0, GRIP_PX, GRIP_PX)
        grip.moveCenter(QPointF(x, y))
        painter.drawRect(grip)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _draw_new(painter: QPainter, box: Box) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(SHADOW, 3), QPen(QColor(palette.READER), 1.4)):
        painter.setPen(pen)
        painter.drawRect(_rect(box))


def _draw_labels(painter: QPainter, there: Sequence[_Drawn], room: Box) -> None:
    first = sorted(there, key=lambda one: (one.selected, one.mark.score), reverse=True)
    sizes = [_words_size(painter, one) for one in first]
    places = placed_labels([one.box for one in first], sizes, room)
    for one, place in reversed(list(zip(first, places, strict=True))):
        label = _rect(place)
        painter.setFont(one.font)
        painter.setPen(one.colour)
        painter.fillRect(label, _GROUND)
        painter.drawText(label, Qt.AlignmentFlag.AlignCenter, one.words)


def _words_size(painter: QPainter, one: _Drawn) -> tuple[float, float]:
    """Height and width, with a margin."""
    painter.setFont(one.font)
    size = painter.fontMetrics().size(0, one.words)
    return size.height() + 1, size.width() + 6


def _rect(box: Box) -> QRectF:
    return QRectF(box.col0, box.row0, box.col1 - box.col0, box.row1 - box.row0)


def _font(*, bold: bool) -> QFont:
    font = QFont()
    font.setPixelSize(TEXT_PX)
    font.setBold(bold)
    return font
