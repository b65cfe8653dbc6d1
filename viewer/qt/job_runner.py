"""Run jobs off the GUI thread and bring their results back to it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject, Qt, Signal, Slot

from ml.errors import MammoError
from viewer.jobs.lanes import DISK_THREADS, Lanes

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from viewer.jobs.job import Job, Lane

Result = TypeVar("Result")
_log = logging.getLogger("viewer.qt")


class JobHandle:
    """One submitted job.

    Parameters
    ----------
    future
        Of the job.
    title
        For the reader.
    lane
        Where it runs.
    """

    def __init__(self, future: Future[object], title: str, lane: Lane = "disk") -> None:
        self.title = title
        self.lane = lane
        self._future = future
        self._cancelled = False

    @property
    def cancelled(self) -> bool:
        """Whether nobody wants the result any more."""
        return self._cancelled

    def cancel(self) -> None:
        """Call neither `done` nor `failed` from now on, and stop what can be stopped."""
        self._cancelled = True
        self._future.cancel()


class JobRunner(QObject):
    """The one way off the GUI thread.

    Signals
    -------
    busy(str)
        The title of the oldest job that runs; empty when nothing does.
    progress(str, int, int)
        A job's title, how much is done, of how much.
    """

    busy = Signal(str)
    progress = Signal(str, int, int)
    _ended = Signal(object)

    def __init__(
        self, parent: QObject | None = None, *, disk_threads: int = DISK_THREADS
    ) -> None:
        super().__init__(parent)
        self._lanes = Lanes(disk_threads)
        self._running: list[JobHandle] = []
        self._closed = False
        # Emitted on a job's thread, delivered on the one that this object lives on.
        self._ended.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def submit(
        self,
        job: Job[Result],
        done: Callable[[Result], None],
        failed: Callable[[Exception], None],
    ) -> JobHandle:
        """Start a job; call `done` or `failed` on the GUI thread when it ends."""
        future = self._lanes.submit(job)
        handle = JobHandle(future, job.title, job.lane)  # type: ignore[arg-type]
        self._running.append(handle)
        self._tell()

        def deliver() -> None:
            self._running.remove(handle)
            self._tell()
            if not handle.cancelled and not future.cancelled():
                _call_back(future, done, failed)

        future.add_done_callback(lambda _: self._emit(deliver))
        return handle

    def attempt(
        self,
        job: Job[Result],
        done: Callable[[Result], object],
        told: Callable[[str], object],
    ) -> None:
        """Start a job of which the user is told in a sentence where it cannot be done."""

        def heard(result: Result) -> None:
            done(result)

        def failed(error: Exception) -> None:
            if not isinstance(error, MammoError):
                raise error
            # Not the title: a folder may be called after a patient.
            _log.info("what was asked for was refused: %s", type(error).__name__)
            told(str(error))

        self.submit(job, heard, failed)

    def report(self, title: str, done: int, of: int) -> None:
        """Pass progress on to the GUI thread; may be called on any."""
        if not self._closed:
            self.progress.emit(title, done, of)

    @property
    def is_closed(self) -> bool:
        """Whether it takes no job any more."""
        return self._closed

    def close(self) -> None:
        """Drop what waits, but for what the library is to keep; the rest finishes unheard."""
        self._closed = True
        for handle in self._running:
            if handle.lane != "library":
                handle.cancel()
        self._lanes.close()

    def _emit(self, deliver: Callable[[], None]) -> None:
        if not self._closed:
            self._ended.emit(deliver)

    def _tell(self) -> None:
        self.busy.emit(self._running[0].title if self._running else "")

    @Slot(object)
    def _deliver(self, deliver: Callable[[], None]) -> None:
        if not self._closed:
            deliver()


def _call_back(
    future: Future[Result],
    done: Callable[[Result], None],
    failed: Callable[[Exception], None],
) -> None:
    error = future.exception()
    if isinstance(error, Exception):
        failed(error)
    else:
        done(future.result())
