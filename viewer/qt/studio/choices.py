"""Writes down which images of a batch are kept, off the GUI thread, one write at a time."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from ml.errors import MammoError
from ml.texts import translate
from viewer.core.batch import not_kept
from viewer.jobs.generated import write_not_kept
from viewer.jobs.job import Job

if TYPE_CHECKING:
    from collections.abc import Callable

    from viewer.core.batch import Batch
    from viewer.qt.job_runner import JobRunner


class Choices:
    """What is kept of each batch, on its way to the batch's folder.

    Parameters
    ----------
    failed
        Told in a sentence where it cannot be written.
    """

    def __init__(self, runner: JobRunner, failed: Callable[[str], object]) -> None:
        self._runner = runner
        self._failed = failed
        # By folder, the newest alone: what is older need not be written any more.
        self._waiting: dict[str, tuple[str, ...]] = {}
        # Held while a file is written, so that the end of the program waits for the write
        # that runs: it is older, and would otherwise be the last word.
        self._pen = Lock()
        self._writing = False

    def keep(self, batch: Batch) -> None:
        """Write down what is kept of a batch, soon."""
        self._waiting[batch.folder] = not_kept(batch)
        self._write_next()

    def finish(self) -> None:
        """Write what still waits, here and now: the program ends."""
        self._write_waiting()

    def _write_next(self) -> None:
        if self._writing or not self._waiting:
            return
        self._writing = True
        job = Job(translate("Writing down what is kept"), self._write_waiting)
        self._runner.submit(job, self._written, self._unwritten)

    def _write_waiting(self) -> None:
        with self._pen:
            while self._waiting:
                folder, names = self._waiting.popitem()
                write_not_kept(Path(folder), names)

    def _written(self, _: object) -> None:
        self._writing = False
        self._write_next()

    def _unwritten(self, error: Exception) -> None:
        self._writing = False
        if not isinstance(error, MammoError):
            raise error
        self._failed(str(error))
        self._write_next()
