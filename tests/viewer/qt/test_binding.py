"""The binding itself: a fault of it ended the program after some minutes, without a word."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from PySide6.QtCore import QMutex
from PySide6.QtGui import QImage, QPainter, Qt

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

CALLS = 300


def test_calls_that_return_nothing_give_no_reference_away(qtbot: QtBot) -> None:
    """PySide6 6.12.0 took one reference of None with each, until Python aborted."""
    del qtbot  # there must be an application
    image = QImage(8, 8, QImage.Format.Format_RGB32)
    painter, mutex = QPainter(image), QMutex()
    before = sys.getrefcount(None)
    for _ in range(CALLS):
        painter.fillRect(0, 0, 4, 4, Qt.GlobalColor.black)
        mutex.lock()
        mutex.unlock()
    taken = before - sys.getrefcount(None)
    painter.end()
    assert taken < CALLS / 2
