"""Small widgets that the diagnosis panel is put together from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QFrame,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from viewer.core.decision import Standing
from viewer.core.mark_words import SIGNS
from viewer.qt import palette
from viewer.qt.row import Row

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent
    from PySide6.QtWidgets import QLayout

    from viewer.core.cards import FindingRow

_ROW_PADDING_PX = 6
_BAR_HEIGHT_PX = 7
_TICK_HEIGHT_PX = 13


class Card(QFrame):
    """A rounded rectangle with rows one under the other.

    Parameters
    ----------
    name
        The accessible name of the group.
    kind
        The style sheet's name for it: ``"card"`` or ``"alarms"``.
    """

    def __init__(self, name: str, *, kind: str = "card") -> None:
        super().__init__()
        self.setObjectName(kind)
        self.setAccessibleName(name)
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(12, 10, 12, 10)
        self._rows.setSpacing(4)

    def add(self, row: QWidget | QLayout) -> None:
        """Put a row under the others."""
        if isinstance(row, QWidget):
            self._rows.addWidget(row)
        else:
            self._rows.addLayout(row)


class ScoreBar(QWidget):
    """A score in [0, 1] as a bar, with a tick at the operating point.

    Parameters
    ----------
    score, tick
        Both in [0, 1]; a tick of None is not drawn.
    name
        Says the same in words.
    """

    def __init__(self, score: float, tick: float | None, name: str) -> None:
        super().__init__()
        self._score = score
        self._tick = tick
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.setFixedHeight(_TICK_HEIGHT_PX)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the groove, the bar and the tick."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        top = (self.height() - _BAR_HEIGHT_PX) / 2
        for share, color in ((1.0, palette.LINE), (self._score, palette.MACHINE)):
            painter.setBrush(QColor(color))
            bar = QRectF(0, top, self.width() * share, _BAR_HEIGHT_PX)
            painter.drawRoundedRect(bar, _BAR_HEIGHT_PX / 2, _BAR_HEIGHT_PX / 2)
        if self._tick is not None:
            x = self.width() * self._tick
            painter.fillRect(QRectF(x - 1, 0, 2, self.height()), QColor(palette.TEXT))
        painter.end()


class FindingButton(QAbstractButton):
    """One mark: its type and view over its score, and what the reader made of it."""

    def __init__(self, row: FindingRow) -> None:
        super().__init__()
        self.key = row.key
        self._standing = row.standing
        self._lines = [line for line in (row.subtitle, row.word) if line]
        self.setText(SIGNS.get(row.standing, "") + row.title)
        self.setCheckable(True)
        self.setChecked(row.selected)
        self.setAccessibleName(", ".join((row.title, *self._lines)))
        self.setToolTip("\n".join((row.title, *self._lines)))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Two or three lines of text and their padding; a narrow panel cuts them."""
        lines = 1 + len(self._lines)
        return QSize(120, lines * self.fontMetrics().height() + 2 * _ROW_PADDING_PX)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the lines; a bar at the left edge when selected, a frame when focused."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._draw_ground(painter)
        text = self.rect().adjusted(12, _ROW_PADDING_PX, -4, -_ROW_PADDING_PX)
        dimmed = self._standing is Standing.REJECTED
        colours = [palette.DIM if dimmed else palette.TEXT, palette.DIM, palette.READER]
        metrics = self.fontMetrics()
        for line, colour in zip((self.text(), *self._lines), colours, strict=False):
            painter.setPen(QColor(colour))
            # The view stands at the end of the first line.
            cut = metrics.elidedText(line, Qt.TextElideMode.ElideMiddle, text.width())
            painter.drawText(text, Qt.AlignmentFlag.AlignTop, cut)
            text.translate(0, metrics.height())
        painter.end()

    def _draw_ground(self, painter: QPainter) -> None:
        ground = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        if self.isChecked() or self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(palette.RAISED))
            painter.drawRoundedRect(ground, 4, 4)
        if self.isChecked():
            drawn = self._standing is Standing.DRAWN
            colour = QColor(palette.READER if drawn else palette.MACHINE)
            painter.fillRect(QRectF(0, 4, 3, self.height() - 8), colour)
        if self.hasFocus():
            painter.setPen(QPen(QColor(palette.ACCENT), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(ground, 4, 4)


def label(text: str, kind: str = "", *, wrap: bool = True) -> QLabel:
    """A text that can be selected with the mouse; `kind` names its style."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(wrap)
    made.setAccessibleName(text)
    if kind:
        made.setProperty("kind", kind)
    return made


def pair(left: QWidget, right: QWidget) -> Row:
    """Two widgets at the two ends of a row, or one below the other."""
    return Row(left, right)
