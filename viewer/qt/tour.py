"""The tour: a small card in a corner of the window, and a frame about what it speaks of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QRegion
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ml.texts import translate
from viewer.core.commands import command_keys
from viewer.core.tour import OFFER, STEPS, Place
from viewer.qt import palette
from viewer.qt.dialogs.base import name_button

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtWidgets import QMainWindow

    from viewer.core.tour import Step

# As narrow as the panel in whose corner it lies: it hides no image.
WIDTH_PX, LINE_PX, GAP_PX = 236, 2, 7
STYLE = f"""
#tour {{ background: {palette.CARD}; border: 1px solid {palette.ACCENT}; border-radius: 8px; }}
#tour QLabel {{ background: transparent; }}
#tour QLabel[kind="title"] {{ font-size: 13px; font-weight: 600; }}
#tour QPushButton {{ background: {palette.RAISED}; border: 1px solid {palette.LINE};
  border-radius: 5px; padding: 4px 10px; }}
#tour QPushButton:hover {{ background: {palette.CHOSEN}; }}
#tour QPushButton:focus {{ border-color: {palette.ACCENT}; }}
#tour QPushButton[kind="deed"] {{ background: {palette.DEED}; }}
#tourframe {{ background: {palette.ACCENT}; }}
"""


class Tour(QFrame):
    """A card that takes no focus and no room; Escape ends it.

    Parameters
    ----------
    window
        Whose corner it lies in.
    targets
        What stands at each place: a part of the window, or one of its menus.
    """

    def __init__(self, window: QMainWindow, targets: Mapping[Place, QWidget]) -> None:
        super().__init__(window)
        self.setObjectName("tour")
        self.setStyleSheet(STYLE)
        self._window, self._targets = window, targets
        self._steps: tuple[Step, ...] = ()
        self._at = 0
        self.frame = QWidget(window)
        self.frame.setObjectName("tourframe")
        self.frame.setStyleSheet(STYLE)
        self.frame.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.frame.hide()
        self._lay_out()
        self.hide()
        window.installEventFilter(self)

    def start(self, *, offered: bool = False) -> None:
        """Show the first card, or before it one that asks."""
        self._steps = (OFFER, *STEPS) if offered else STEPS
        self._go(0)

    def end(self) -> None:
        """Take card and frame away."""
        # Qt gives the focus on, to the next in the window.
        self.hide()
        self.frame.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt
        """Stay in the corner, and about the place, when the window changes its size."""
        if event.type() is QEvent.Type.Resize and self.isVisible():
            self._place()
        return super().eventFilter(watched, event)

    def _lay_out(self) -> None:
        self._title, self._text, self._count = QLabel(), QLabel(), QLabel()
        self._title.setProperty("kind", "title")
        self._count.setProperty("kind", "dim")
        for label in (self._title, self._text):
            label.setWordWrap(True)
        for label in (self._title, self._text, self._count):
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.ending, self.back, self.on = QPushButton(), QPushButton(), QPushButton()
        self.on.setProperty("kind", "deed")
        self.ending.clicked.connect(self.end)
        self.back.clicked.connect(lambda: self._go(self._at - 1))
        self.on.clicked.connect(self._next)
        foot = QHBoxLayout()
        foot.addWidget(self.ending)
        foot.addStretch(1)
        foot.addWidget(self.back)
        foot.addWidget(self.on)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(12, 10, 12, 10)
        for label in (self._count, self._title, self._text):
            rows.addWidget(label)
        rows.addLayout(foot)

    def _next(self) -> None:
        if self._at + 1 == len(self._steps):
            self.end()
        else:
            self._go(self._at + 1)

    def _go(self, at: int) -> None:
        self._at = at
        step, last = self._steps[at], at + 1 == len(self._steps)
        asking = step is OFFER
        asked = self._steps[0] is OFFER
        number = at if asked else at + 1
        self._title.setText(translate(step.title))
        self._text.setText(step.told(command_keys()))
        self._count.setText(f"{number} / {len(STEPS)}")
        self._count.setVisible(not asking)
        self.setAccessibleName(translate(step.title))
        self.setAccessibleDescription(self._text.text())
        name_button(self.ending, translate("Not now") if asking else translate("End"))
        name_button(self.back, translate("Back"))
        words = translate("Finish") if last else translate("Continue")
        name_button(self.on, translate("Show me") if asking else words)
        self.back.setEnabled(number > 1)
        self.back.setVisible(not asking)
        self.ending.setVisible(not last)
        self.show()
        self._place()

    def _place(self) -> None:
        step = self._steps[self._at]
        about = self._rect(self._targets.get(step.place))
        self.setFixedWidth(WIDTH_PX)
        size = QSize(WIDTH_PX, self.heightForWidth(WIDTH_PX))
        self.setFixedHeight(size.height())
        self.move(_corner(self._room(), size, about))
        self._put_frame(about)
        self.raise_()

    def _rect(self, target: QWidget | None) -> QRect:
        """Where it is in the window; empty where it is not to be seen."""
        bar = self._window.menuBar()
        if isinstance(target, QMenu):
            # macOS has the menus elsewhere.
            there = bar.isVisible() and not bar.isNativeMenuBar()
            place = bar.actionGeometry(target.menuAction()).translated(bar.pos())
            return place if there else QRect()
        if target is None or not target.isVisible():
            return QRect()
        return QRect(target.mapTo(self._window, QPoint(0, 0)), target.size())

    def _room(self) -> QRect:
        return self._rect(self._window.centralWidget()).adjusted(
            GAP_PX, GAP_PX, -GAP_PX, -GAP_PX
        )

    def _put_frame(self, about: QRect) -> None:
        self.frame.setVisible(not about.isEmpty())
        self.frame.setGeometry(about)
        outer = QRect(QPoint(0, 0), about.size())
        inner = outer.adjusted(LINE_PX, LINE_PX, -LINE_PX, -LINE_PX)
        # Nothing of it lies over an image but its lines.
        self.frame.setMask(QRegion(outer).subtracted(QRegion(inner)))
        self.frame.raise_()


def _corner(room: QRect, size: QSize, about: QRect) -> QPoint:
    """The corner whose card hides least of what it speaks of; the lower left one first."""
    right, below = room.right() - size.width(), room.bottom() - size.height()
    corners = (
        QPoint(room.left(), below),
        QPoint(right, below),
        QPoint(right, room.top()),
        QPoint(room.left(), room.top()),
    )

    def hidden(corner: QPoint) -> int:
        common = QRect(corner, size).intersected(about)
        return common.width() * common.height() if not common.isEmpty() else 0

    return min(corners, key=hidden)
