"""A double click on what begins a job is one press."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QPushButton

from viewer.qt.once import swallow_second_click

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

PRESS, RELEASE = QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease
AGAIN = QEvent.Type.MouseButtonDblClick


def send(button: QPushButton, kind: QEvent.Type) -> None:
    left, place = Qt.MouseButton.LeftButton, QPointF(3, 3)
    no_keys = Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(button, QMouseEvent(kind, place, place, left, left, no_keys))


def test_the_second_press_of_a_double_click_is_none(qtbot: QtBot) -> None:
    pressed: list[str] = []
    for guarded in (False, True):
        button = QPushButton("Train")
        qtbot.addWidget(button)
        button.clicked.connect(lambda _=False, guarded=guarded: pressed.append(str(guarded)))
        if guarded:
            swallow_second_click(button)
        # As Qt sends a double click.
        for kind in (PRESS, RELEASE, AGAIN, RELEASE):
            send(button, kind)
    assert pressed == ["False", "False", "True"]
