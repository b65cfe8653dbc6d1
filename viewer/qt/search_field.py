"""A field to search in: Escape empties it, and Return presses no button of its dialog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QLineEdit, QWidget

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent


class SearchField(QLineEdit):
    """Reached with the system's key for finding, wherever the focus is in its window.

    Parameters
    ----------
    name
        What is searched: its accessible name, and shown while it is empty.
    """

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setPlaceholderText(name)
        self.setAccessibleName(name)
        find = QShortcut(QKeySequence(QKeySequence.StandardKey.Find), parent)
        find.activated.connect(self._take)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keep Return, and Escape while there is something to empty."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.returnPressed.emit()
            event.accept()
        elif event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
            event.accept()
        else:
            super().keyPressEvent(event)

    def _take(self) -> None:
        self.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.selectAll()
