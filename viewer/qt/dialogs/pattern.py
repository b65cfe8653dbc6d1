"""A small test pattern: the faint squares of the SMPTE pattern beside a ramp of grays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QColor, QGuiApplication, QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from viewer.core.first_run import Screen

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

# SMPTE RP 133: 5 % within 0 % and 95 % within 100 %; AAPM TG-18 (TG18-QC) has the same squares.
FAINT, BRIGHT = 0.05, 0.95
_GROUND = 0.5
_STEPS = 11
_HIGH_PX = 96
# How 10 bits per channel are told: 30 bits a pixel.
_DEEP = 30


class Pattern(QWidget):
    """Black with a square of 5 %, a ramp, white with a square of 95 %, on half gray."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(_HIGH_PX)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Wide enough for the ramp."""
        return QSize(480, _HIGH_PX)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint grays as they are: no edge is smoothed."""
        del event
        painter = QPainter(self)
        painter.fillRect(self.rect(), _gray(_GROUND))
        side = self.height() - 24
        left, right = QRect(16, 12, side, side), QRect(self.width() - 16 - side, 12, side, side)
        for square, outer, inner in ((left, 0.0, FAINT), (right, 1.0, BRIGHT)):
            painter.fillRect(square, _gray(outer))
            painter.fillRect(_middle(square), _gray(inner))
        first, last = left.right() + 17, right.left() - 16
        for step in range(_STEPS):
            start = first + (last - first) * step // _STEPS
            end = first + (last - first) * (step + 1) // _STEPS
            painter.fillRect(QRect(start, 12, end - start, side), _gray(step / (_STEPS - 1)))
        painter.end()


def screens() -> tuple[Screen, ...]:
    """The screens as the system tells them, in their own pixels."""
    found: list[Screen] = []
    for each in QGuiApplication.screens():
        ratio = each.devicePixelRatio()
        size = each.size()
        bits = 10 if each.depth() == _DEEP else 8
        found.append(Screen(round(size.width() * ratio), round(size.height() * ratio), bits))
    return tuple(found)


def _middle(square: QRect) -> QRect:
    third = square.width() // 3
    return square.adjusted(third, third, -third, -third)


def _gray(share: float) -> QColor:
    level = round(255 * share)
    return QColor(level, level, level)
