"""A thin bar that says how far something is."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from viewer.qt import palette

HEIGHT_PX = 7


class ShareBar(QWidget):
    """A share, 0 to 1; nothing is drawn in it where none is known.

    Parameters
    ----------
    name
        What it is the share of.
    """

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._share: float | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(name)

    def show_share(self, share: float | None) -> None:
        """Show another share."""
        if share != self._share:
            self._share = share
            told = "" if share is None else f" {share:.0%}"
            self.setAccessibleName(f"{self._name}{told}")
            self.update()

    def sizeHint(self) -> QSize:
        """As wide as there is room, and thin."""
        return QSize(160, 3 * HEIGHT_PX)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the groove and the bar."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        top = (self.height() - HEIGHT_PX) / 2
        for share, colour in ((1.0, palette.LINE), (self._share or 0.0, palette.PROGRESS)):
            painter.setBrush(QColor(colour))
            bar = QRectF(0, top, self.width() * share, HEIGHT_PX)
            painter.drawRoundedRect(bar, HEIGHT_PX / 2, HEIGHT_PX / 2)
        painter.end()
