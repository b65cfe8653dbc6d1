"""How long work is watched and steered: it tells how far it is, waits, and ends when asked.

The same function runs from a command line, with a bar on the terminal, and in the job process,
with messages to the window: it is given a `Control` and knows of neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Thing = TypeVar("Thing")


class Stopped(Exception):  # noqa: N818 (nothing went wrong)
    """Work was asked to end; what is finished stays, and it can go on from there."""


class Control:
    """Watches nothing and never interrupts; what does both is derived from it."""

    def breathe(self) -> None:
        """Wait while the device is wanted for something more urgent.

        Long work calls it between its steps, several times a second where it can.

        Raises
        ------
        Stopped
            Where the work is to end.
        """

    def say(self, done: int, of: int, news: Mapping[str, object] | None = None) -> None:
        """Tell how far the work is.

        Parameters
        ----------
        done, of
            Steps, images or whatever the work counts.
        news
            What else there is to tell, as JSON takes it: a file just written, a loss.
        """

    def log(self, sentence: str) -> None:
        """Tell one thing in words, for the job's log: no patient's name in it."""


NOBODY = Control()


class PassedOn(Control):
    """Passes everything on; what does more with some of it is derived from it."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def breathe(self) -> None:
        """Wait where the other waits."""
        self._control.breathe()

    def say(self, done: int, of: int, news: Mapping[str, object] | None = None) -> None:
        """Tell the other."""
        self._control.say(done, of, news)

    def log(self, sentence: str) -> None:
        """Tell the other."""
        self._control.log(sentence)


class Breathing(Generic[Thing]):
    """Things that are gone through again and again, with a breath before each."""

    def __init__(self, things: Iterable[Thing], control: Control) -> None:
        self._things, self._control = tuple(things), control

    def __iter__(self) -> Iterator[Thing]:
        return breathing(self._things, self._control)


def breathing(things: Iterable[Thing], control: Control) -> Iterator[Thing]:
    """The same things, with a breath before each."""
    for thing in things:
        control.breathe()
        yield thing
