"""The session: the one mutable object of the application."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from viewer.core.state import SessionState, restore_view, same_view

Action = Callable[[SessionState], SessionState]

# A reader takes back a few steps; each kept state shares nearly everything with the next.
LONGEST_PAST = 200


class Session(QObject):
    """Hold the current state, apply actions to it, and say when it changed.

    Signals
    -------
    changed : (SessionState, SessionState)
        The old and the new state, after an action that changed something. A panel redraws when
        the part that it shows is not the same object: ``new.study is not old.study``.
    """

    changed = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = SessionState()
        self._past: list[SessionState] = []

    @property
    def state(self) -> SessionState:
        """What holds now."""
        return self._state

    def apply(self, action: Action, *, step: bool = True) -> None:
        """Replace the state by what `action` makes of it.

        Parameters
        ----------
        step
            Whether `undo` comes back to here; False for all but the first of a drag.
        """
        new = action(self._state)
        if new is self._state:
            return
        if step and new.study is self._state.study and not same_view(new, self._state):
            self._past = [*self._past[-LONGEST_PAST:], self._state]
        self._replace(new)

    def undo(self) -> None:
        """Bring back how things were shown before the last step; what was said stays said."""
        while self._past:
            past = self._past.pop()
            if past.study is self._state.study:
                self._replace(restore_view(self._state, past))
                return

    def _replace(self, state: SessionState) -> None:
        old, self._state = self._state, state
        self.changed.emit(old, state)
