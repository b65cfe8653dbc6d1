"""Taking an update off the GUI thread: watched, and ended when nobody wants it any more."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

from ml.control import Control, Stopped
from ml.texts import translate
from viewer.jobs.job import Job
from viewer.update.install import install_update
from viewer.update.program import trusted_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from viewer.update.program import Program
    from viewer.update.versions import Installed


class Watched(Control):
    """Says to a function how far the work is, and ends it on demand.

    Parameters
    ----------
    told
        Called on the work's thread with what is done and of how much.
    """

    def __init__(self, told: Callable[[int, int], None]) -> None:
        self._told, self._ended = told, Event()

    def end(self) -> None:
        """End the work at its next breath; may be called on any thread."""
        self._ended.set()

    def breathe(self) -> None:
        """Go on, or end.

        Raises
        ------
        Stopped
            Where the work is to end.
        """
        if self._ended.is_set():
            raise Stopped

    def say(self, done: int, of: int, news: Mapping[str, object] | None = None) -> None:
        """Pass it on."""
        self._told(done, of)


def update_job(
    file: Path, folder: Path, program: Program, further_keys: str, control: Control
) -> Job[Installed]:
    """Check, unpack, try and put into use; see `viewer.update.install.install_update`."""

    def work() -> Installed:
        return install_update(file, folder, program, trusted_keys(further_keys), control)

    return Job(translate("Taking an update"), work)
