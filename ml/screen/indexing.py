"""Walk through a folder and write down what its files are; only what is new is opened."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from ml.errors import ReadError
from ml.screen.glancing import key_of
from ml.screen.rows import Entry, Heading, Standing
from ml.screen.walking import walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Future
    from pathlib import Path

    from ml.control import Control
    from ml.screen.hindrances import Hindrances
    from ml.screen.ledger import Ledger
    from ml.screen.preparing import Glanced, Openers

Thing = TypeVar("Thing")
# Files that one process is given at once: telling costs more than looking at one.
PAGE = 64
# For each process; so many are in memory.
PAGES_AHEAD = 4
# Rows that are put together anew at once.
_REGROUPED = 500
# Of a file that could not be opened: it is looked at again in the next walk.
_UNKNOWN = -1
RULE = "patient pattern"


@dataclass(frozen=True, slots=True)
class Indexer:
    """Brings a ledger up to date with a folder.

    Attributes
    ----------
    root
        A folder, a zip archive or a DICOMDIR.
    leave_out
        The folder of results.
    ledger
        One that waits itself where it cannot be written.
    patient_pattern
        The rule by which images are put together; where it is another than last time, all are
        put together anew.
    """

    root: Path
    leave_out: Path
    ledger: Ledger
    openers: Openers
    control: Control
    hindrances: Hindrances
    patient_pattern: str = ""

    def index(self) -> int:
        """Walk, look at what is new, and forget what is gone.

        Returns
        -------
        int
            How many files there are.

        Raises
        ------
        ReadError
            Where the root cannot be looked into.
        Stopped
            Where `control` ends it; what was found stays.
        """
        regroup(self.ledger, self.patient_pattern)
        while True:
            try:
                return self._walk()
            except _GoneError:
                # It may be back already.
                self.hindrances.root_is_back()
            except (OSError, ReadError):
                # Not of one file: those become headings.
                if not self.hindrances.root_is_back():
                    raise

    def _walk(self) -> int:
        number, count = self.ledger.begin_walk(), 0
        refused: list[Heading] = []

        def refuse(place: str, error: ReadError) -> None:
            entry = Entry(place, _UNKNOWN, _UNKNOWN)
            refused.append(Heading(entry, Standing.DAMAGED, str(error)))
            if len(refused) >= PAGE:
                self._put_refused(refused, number)

        running: deque[tuple[list[Entry], Future[Glanced]]] = deque()
        for page in _paged(walk(self.root, self.leave_out, refuse), PAGE):
            self.control.breathe()
            count += len(page)
            if new := self.ledger.changed(page, number):
                running.append((new, self.openers.glances(new, self.patient_pattern)))
            while len(running) > PAGES_AHEAD * self.openers.processes:
                self._take(*running.popleft(), number)
            self.control.say(count, 0, {"indexed": count})
        while running:
            self.control.breathe()
            self._take(*running.popleft(), number)
        self._put_refused(refused, number)
        # What a disk that is gone does not show is not forgotten.
        self._check_root()
        self.ledger.end_walk(number)
        return count

    def _put_refused(self, refused: list[Heading], number: int) -> None:
        if refused:
            self._check_root()
            self.ledger.put_headings(refused, number)
            refused.clear()

    def _take(self, page: list[Entry], done: Future[Glanced], number: int) -> None:
        glanced = self.openers.glanced(page, done, self.patient_pattern)
        headings = glanced.headings
        if glanced.unopened:
            self._check_root()
            headings = tuple(map(_to_be_looked_at_again, headings))
        self.ledger.put_headings(headings, number)

    def _check_root(self) -> None:
        if not self.hindrances.root.there():
            raise _GoneError


class _GoneError(Exception):
    """The root was gone for a moment at least: what was not met may be there."""


def _to_be_looked_at_again(heading: Heading) -> Heading:
    """Where it was the disk that failed, nothing of the file need change to mend it."""
    if heading.standing is not Standing.DAMAGED:
        return heading
    return replace(heading, entry=replace(heading.entry, size=_UNKNOWN))


def _paged(things: Iterable[Thing], size: int) -> Iterator[list[Thing]]:
    each = iter(things)
    while page := list(islice(each, size)):
        yield page


def regroup(ledger: Ledger, pattern: str) -> None:
    """Put all images together by a rule, where the ledger has them by another."""
    if ledger.fact(RULE) == pattern:
        return
    # One that is put behind the others is met again, and is right then.
    for page in _paged(ledger.images(), _REGROUPED):
        ledger.regroup({heading.entry.place: _key_by(heading, pattern) for heading in page})
    ledger.keep_fact(RULE, pattern)


def _key_by(heading: Heading, pattern: str) -> str:
    study, patient = heading.study_instance_uid, heading.patient_id
    return key_of(study, patient, pattern, synthetic=heading.synthetic)
