"""What makes a run wait instead of failing: a disk full, gone or slow, a database held or lost.

Whoever meets one waits here, says so once, and goes on by itself when it is over.
"""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
import time
from dataclasses import dataclass
from enum import Enum, auto
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy.exc import DBAPIError, OperationalError

from ml.texts import mark, translate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ml.control import Control

log = logging.getLogger("ml.screen")
Result = TypeVar("Result")
AGAIN_S = 5.0
# One look for whether the run is to end.
_BREATH_S = 0.2
# Nothing came from the disk for so long.
SLOW_S = 60.0
# So many names of a folder are remembered.
_NAMES = 64
# What SQLite calls a full disk, and what PostgreSQL calls it.
_FULL = ("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHMSIZE")
_FULL_STATE = "53100"
_FULL_NUMBERS = (errno.ENOSPC, errno.EDQUOT)
# What SQLite calls a file that another program keeps from being written.
_HELD = ("SQLITE_BUSY", "SQLITE_BUSY_SNAPSHOT", "SQLITE_BUSY_RECOVERY", "SQLITE_LOCKED")
# What PostgreSQL calls a connection that failed (a class), and a server that stops or starts.
_LOST_CLASS, _LOST_STATES = "08", ("57P01", "57P02", "57P03")
# And where two machines wrote the same rows in another order, and one had to give way.
_RIVAL_STATES = ("40001", "40P01")


class _Hindrance(Enum):
    """What a piece of work failed at and may not fail at later."""

    FULL = auto()
    HELD = auto()
    LOST = auto()
    RIVAL = auto()


@dataclass(frozen=True, slots=True)
class _Look:
    """What tells a folder, or a file, from another in its place."""

    disk: int
    number: int
    names: frozenset[str]


class Root:
    """The folder that is screened, and whether it is still the one that it was.

    An unplugged disk leaves nothing, or the empty folder that it was mounted on. Connected
    anew, it may have another number, but holds what it held.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._was = self._now()

    @property
    def ever_there(self) -> bool:
        """Whether there was ever anything at its path."""
        return self._was is not None

    def there(self) -> bool:
        """Whether it can be looked into, and is what it was."""
        now = self._now()
        if now is None or not self._is_same(now):
            return False
        self._was = now
        return True

    def _is_same(self, now: _Look) -> bool:
        was = self._was
        if was is None or (was.disk, was.number) == (now.disk, now.number):
            return True
        if self._path.is_file():
            return True
        if not was.names:
            return bool(now.names)
        return any((self._path / name).exists() for name in was.names)

    def _now(self) -> _Look | None:
        names: frozenset[str] = frozenset()
        try:
            stat = self._path.stat()
            if self._path.is_dir():
                # A disk that fails often still answers for the folder itself.
                with os.scandir(self._path) as found:
                    names = frozenset(one.name for one in islice(found, _NAMES))
        except OSError:
            return None
        return _Look(stat.st_dev, stat.st_ino, names)


class Hindrances:
    """Waits until a disk is back or has room, or a database answers.

    Parameters
    ----------
    root
        What is screened.
    results
        The folder of results, for a sentence.
    again_s
        Seconds between two tries.
    """

    def __init__(
        self, root: Root, results: Path, control: Control, again_s: float = AGAIN_S
    ) -> None:
        self.root, self._results, self._control = root, results, control
        self._again_s = again_s
        self._last = time.monotonic()
        self._slow = False

    def moved(self) -> None:
        """Something came from the disk."""
        self._last = time.monotonic()
        self._slow = False

    def watch_speed(self, now: float | None = None) -> None:
        """Say once where nothing came for long."""
        waited = (time.monotonic() if now is None else now) - self._last
        if waited > SLOW_S and not self._slow:
            self._slow = True
            self._control.log(
                translate(mark("The disk is slow: nothing came for {seconds} s.")).format(
                    seconds=round(waited)
                )
            )

    def root_is_back(self) -> bool:
        """Where the folder is gone, wait until it is back.

        Returns
        -------
        bool
            Whether it had been gone: what failed meanwhile is to be tried again. A folder
            that was never there is not waited for.

        Raises
        ------
        Stopped
            Where the run is to end.
        """
        if self.root.there() or not self.root.ever_there:
            return False
        self._control.log(
            translate(mark("The folder is gone; connect its disk, and screening goes on."))
        )
        while not self.root.there():
            self._wait()
        self._control.log(translate(mark("The folder is back.")))
        self.moved()
        return True

    def overcome(self, work: Callable[[], Result]) -> Result:
        """Have something done; where disk or database do not let it, wait and try again.

        Where another machine was in the way, try again at once.

        Parameters
        ----------
        work
            Writes, or asks the ledger. Done twice it does no more than once: where the
            connection broke, nobody knows whether it was done.

        Raises
        ------
        Stopped
            Where the run is to end.
        """
        told: _Hindrance | None = None
        while True:
            try:
                result = work()
            except (OSError, DBAPIError) as error:
                met = _hindrance_of(error)
                if met is None:
                    raise
                if met is _Hindrance.RIVAL:
                    # The other one has written by now, or soon will have.
                    self._control.breathe()
                    continue
                if met is not told:
                    self._tell(met, error)
                    told = met
            else:
                if told is not None:
                    self._over(told)
                return result
            self._wait()

    def _tell(self, met: _Hindrance, error: Exception) -> None:
        if met is _Hindrance.FULL:
            template = mark("The disk of {folder} is full; make room, and screening goes on.")
            self._control.log(translate(template).format(folder=self._results.name))
            return
        if met is _Hindrance.HELD:
            template = mark(
                "Another program holds the ledger in {folder}; screening goes on when it lets "
                "go."
            )
            self._control.log(translate(template).format(folder=self._results.name))
            return
        log.warning("the database does not answer: %s", getattr(error, "orig", error))
        template = mark(
            "The ledger's database does not answer; start it, or mend the network to it, and "
            "screening goes on."
        )
        self._control.log(translate(template))

    def _over(self, told: _Hindrance) -> None:
        if told is _Hindrance.LOST:
            self._control.log(translate(mark("The ledger's database is back.")))
        if told is _Hindrance.HELD:
            self._control.log(translate(mark("The ledger can be written again.")))
        # Nobody looked for what came from the disk meanwhile.
        self.moved()

    def _wait(self) -> None:
        end = time.monotonic() + self._again_s
        self._control.breathe()
        while time.monotonic() < end:
            time.sleep(min(_BREATH_S, self._again_s))
            self._control.breathe()


def _hindrance_of(error: Exception) -> _Hindrance | None:
    if _is_full(error):
        return _Hindrance.FULL
    if isinstance(error, DBAPIError):
        if getattr(error.orig, "sqlite_errorname", "") in _HELD:
            return _Hindrance.HELD
        if _state(error.orig) in _RIVAL_STATES:
            return _Hindrance.RIVAL
    return _Hindrance.LOST if _is_lost(error) else None


def _is_full(error: Exception) -> bool:
    inner = error.orig if isinstance(error, DBAPIError) else error
    if getattr(inner, "sqlite_errorname", "") in _FULL:
        return True
    if _state(inner) == _FULL_STATE:
        return True
    return getattr(inner, "errno", None) in _FULL_NUMBERS


def _is_lost(error: Exception) -> bool:
    """Whether the connection to a database is gone, or none came about."""
    if not isinstance(error, DBAPIError) or isinstance(error.orig, sqlite3.Error):
        return False
    if error.connection_invalidated:
        return True
    state = _state(error.orig)
    if not state:
        # What a server says has a state: it was not reached.
        return isinstance(error, OperationalError)
    return state.startswith(_LOST_CLASS) or state in _LOST_STATES


def _state(inner: object) -> str:
    """PostgreSQL's name of what happened, as psycopg has it or an older driver."""
    return getattr(inner, "sqlstate", None) or getattr(inner, "pgcode", None) or ""
