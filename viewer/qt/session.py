"""The session: the one mutable object of the application."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from viewer.core.deciding import brought_back
from viewer.core.decision import Deed
from viewer.core.reading import utc_now
from viewer.core.state import SessionState, restore_view, same_view

Action = Callable[[SessionState], SessionState]

# A reader takes back a few steps; each kept state shares nearly everything with the next.
LONGEST_PAST = 200


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """A state before or after a step, and the marks that the step decided on."""

    state: SessionState
    marks: frozenset[str]


class Session(QObject):
    """Hold the current state, apply actions to it, and say when it changed.

    Parameters
    ----------
    now
        Gives the time that is kept where undo and redo change what was decided.

    Signals
    -------
    changed : (SessionState, SessionState)
        The old and the new state, after an action that changed something. A panel redraws when
        the part that it shows is not the same object: ``new.study is not old.study``.
    """

    changed = Signal(object, object)

    def __init__(
        self, parent: QObject | None = None, *, now: Callable[[], str] = utc_now
    ) -> None:
        super().__init__(parent)
        self._state = SessionState()
        self._now = now
        self._past: list[_Step] = []
        self._future: list[_Step] = []

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
        old, new = self._state, action(self._state)
        if new is old:
            return
        marks = _decided_on(old, new) if step else frozenset[str]()
        if step and new.study is old.study and (marks or not same_view(new, old)):
            self._past = [*self._past[-LONGEST_PAST:], _Step(old, marks)]
            self._future = []
        self._replace(new)

    def undo(self) -> None:
        """Bring back what was shown, and what was decided on marks, before the last step.

        Nothing that was said is forgotten: a decision is taken back by a new one.
        """
        self._step(self._past, self._future, Deed.UNDONE)

    def redo(self) -> None:
        """Take back the last `undo`."""
        self._step(self._future, self._past, Deed.REDONE)

    def _step(self, back: list[_Step], forth: list[_Step], deed: Deed) -> None:
        while back:
            step, state = back.pop(), self._state
            if step.state.study is state.study:
                forth.append(_Step(state, step.marks))
                shown = restore_view(state, step.state)
                self._replace(brought_back(shown, step.state, step.marks, deed, self._now()))
                return

    def _replace(self, state: SessionState) -> None:
        old, self._state = self._state, state
        self.changed.emit(old, state)


def _decided_on(old: SessionState, new: SessionState) -> frozenset[str]:
    """The marks of the decisions that an action added."""
    if new.study is not old.study or new.decisions is old.decisions:
        return frozenset()
    return frozenset(each.mark for each in new.decisions[len(old.decisions) :])
