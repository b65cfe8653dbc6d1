"""Walk through a folder and write down what its files are; only what is new is opened."""

from __future__ import annotations

import errno
import os
from collections import deque
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from ml.mammo.study import study_key
from ml.screen.rows import Entry, Heading, Standing
from ml.screen.walking import walk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future
    from pathlib import Path

    from ml.control import Control
    from ml.errors import ReadError
    from ml.screen.hindrances import Hindrances
    from ml.screen.ledger import Ledger
    from ml.screen.preparing import Glanced, Openers

# Files that one process is given at once: telling costs more than looking at one.
PAGE = 64
# For each process; so many are in memory.
PAGES_AHEAD = 4
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
            except OSError:
                # Not of one file: those become headings.
                if not self.hindrances.root_is_back():
                    raise

    def _walk(self) -> int:
        number, count = self.ledger.begin_walk(), 0
        refused: list[Heading] = []

        def refuse(place: str, error: ReadError) -> None:
            refused.append(Heading(Entry(place, -1, -1), Standing.DAMAGED, str(error)))

        running: deque[tuple[list[Entry], Future[Glanced]]] = deque()
        for page in _paged(walk(self.root, self.leave_out, refuse)):
            self.control.breathe()
            count += len(page)
            if new := self.hindrances.written(partial(self.ledger.changed, page, number)):
                running.append((new, self.openers.glances(new, self.patient_pattern)))
            while len(running) > PAGES_AHEAD * self.openers.processes:
                self._take(*running.popleft(), number)
            self.control.say(count, 0, {"indexed": count})
        while running:
            self.control.breathe()
            self._take(*running.popleft(), number)
        if refused:
            # What a disk that is gone does not show is not forgotten.
            self._check_root()
        self.hindrances.written(partial(self.ledger.put_headings, refused, number))
        self.hindrances.written(partial(self.ledger.end_walk, number))
        return count

    def _take(self, page: list[Entry], done: Future[Glanced], number: int) -> None:
        glanced = self.openers.glanced(page, done, self.patient_pattern)
        if glanced.unopened:
            self._check_root()
        self.hindrances.written(partial(self.ledger.put_headings, glanced.headings, number))

    def _check_root(self) -> None:
        if not self.hindrances.root.there():
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))


def _paged(entries: Iterator[Entry]) -> Iterator[list[Entry]]:
    while page := list(islice(entries, PAGE)):
        yield page


def regroup(ledger: Ledger, pattern: str) -> None:
    """Put all images together by a rule, where the ledger has them by another."""
    if ledger.fact(RULE) == pattern:
        return
    keys = {heading.entry.place: _key_by(heading, pattern) for heading in ledger.images()}
    ledger.regroup(keys)
    ledger.keep_fact(RULE, pattern)


def _key_by(heading: Heading, pattern: str) -> str:
    key = study_key(
        heading.study_instance_uid,
        heading.patient_id,
        synthetic=heading.synthetic,
        pattern=pattern,
    )
    return "\n".join(key)
