"""Arrow keys for the control that has the focus; the window's commands use the same ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

_ARROWS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)
_KEYS = frozenset((*_ARROWS, Qt.Key.Key_Home, Qt.Key.Key_End))
_PLAIN = (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)


class OwnKeys(QObject):
    """Keeps arrows, Home and End from being taken as commands while a control has the focus.

    Parameters
    ----------
    control
        A slider or a list, which could not be moved by the keyboard otherwise.
    """

    def __init__(self, control: QWidget) -> None:
        super().__init__(control)
        control.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt
        """Claim the key before the window's shortcuts do."""
        del watched
        if event.type() is not QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
            return False
        if event.key() not in _KEYS or event.modifiers() not in _PLAIN:
            return False
        event.accept()
        return True
