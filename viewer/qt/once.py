"""A double click is one press: what begins a job, or undoes something, is done once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject

if TYPE_CHECKING:
    from PySide6.QtWidgets import QPushButton


class _Once(QObject):
    """Keeps the second press of a double click from a button.

    Qt gives it to whatever lies under the pointer by then: also to a button that stands in the
    place of the one that was pressed first.
    """

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt
        """Take the event away where it is such a press."""
        second = event.type() is QEvent.Type.MouseButtonDblClick
        return second or super().eventFilter(watched, event)


def swallow_second_click(button: QPushButton) -> None:
    """Have a double click on a button press it once."""
    button.installEventFilter(_Once(button))
