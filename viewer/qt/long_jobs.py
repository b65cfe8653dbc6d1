"""The queue of long jobs, for windows: what it tells arrives on the GUI thread."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject, Qt, Signal, Slot

from viewer.core.errors import LibraryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from viewer.jobs.queue import Change, Hold, JobQueue
    from viewer.library.job_row import JobRow, LogLine

Given = TypeVar("Given")


class LongJobs(QObject):
    """The long jobs, for windows.

    The queue reads and writes the library; that is done on one thread here, one wish after the
    other, so that the window never waits for a disk.

    Attributes
    ----------
    rows
        The jobs as they were last read.

    Signals
    -------
    changed : tuple of JobRow
        The list, or a job in it, is not what it was.
    told : (int, mapping)
        A job's number and what it just told.
    failed : str
        The library could not be written; the sentence says what to do.
    """

    changed = Signal(object)
    told = Signal(int, object)
    failed = Signal(str)
    _arrived = Signal(object)

    def __init__(self, queue: JobQueue, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[JobRow, ...] = ()
        self._queue = queue
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="long jobs")
        self._lock = threading.Lock()
        self._reading = self._closed = False
        # Emitted on the queue's threads, delivered on the one that this object lives on.
        self._arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        self._unsubscribe = queue.subscribe(self._hear)

    def start(self) -> None:
        """Let jobs run, and read what the library has of them; after the first paint."""
        self._queue.start()
        self._read_soon()

    def close(self) -> None:
        """Stop what runs; it is offered for resumption when the program is back."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._unsubscribe()
        self._thread.shutdown(wait=True, cancel_futures=True)
        self._queue.close()

    def hold(self) -> Hold:
        """Have the long jobs wait at their next step, until it is released."""
        return self._queue.hold()

    def row(self, job_id: int) -> JobRow | None:
        """A job as it was last read."""
        return next((row for row in self.rows if row.id == job_id), None)

    def submit(
        self,
        kind: str,
        title: str,
        spec: Mapping[str, object],
        lane: str,
        done: Callable[[int], None],
    ) -> None:
        """Put a job at the end of a device's queue; `done` is called with its number."""
        self._do(lambda: self._queue.submit(kind, title, spec, lane), done)

    def log(self, job_id: int, done: Callable[[tuple[LogLine, ...]], None]) -> None:
        """Read what a job told in words."""
        self._do(lambda: self._queue.log(job_id), done)

    def pause(self, job_id: int) -> None:
        """Have a job wait until it is resumed."""
        self._do(lambda: self._queue.pause(job_id))

    def resume(self, job_id: int) -> None:
        """Have a paused job go on when its turn comes."""
        self._do(lambda: self._queue.resume(job_id))

    def cancel(self, job_id: int) -> None:
        """End one job; what it finished stays."""
        self._do(lambda: self._queue.cancel(job_id))

    def retry(self, job_id: int, lane: str | None = None) -> None:
        """Have a job that ended early tried again, on another device where one is named."""
        self._do(lambda: self._queue.retry(job_id, lane))

    def steer(self, deed: str, job_id: int) -> None:
        """Do what a button is named after: pause, resume, retry or cancel."""
        deeds: dict[str, Callable[[int], None]] = {
            "pause": self.pause,
            "resume": self.resume,
            "retry": self.retry,
            "cancel": self.cancel,
        }
        deeds[deed](job_id)

    def move(self, job_id: int, place: int) -> None:
        """Put a waiting job at a place among those that wait for its device."""
        self._do(lambda: self._queue.move(job_id, place))

    def remove_ended(self, job_id: int | None = None) -> None:
        """Take one ended job off the list, or all of them; what they made stays."""
        self._do(lambda: self._queue.remove_ended(job_id))

    def _do(
        self, work: Callable[[], Given], done: Callable[[Given], object] | None = None
    ) -> None:
        """Do something with the queue off the GUI thread, and call back on it."""

        def run() -> None:
            try:
                given = work()
            except LibraryError as error:
                sentence = str(error)
                self._emit(lambda: self.failed.emit(sentence))
            else:
                if (deliver := done) is not None:
                    self._emit(lambda: deliver(given))

        # The queue's threads come here, too: no wish may fall between the closing and its end.
        with self._lock:
            if not self._closed:
                self._thread.submit(run)

    def _hear(self, change: Change) -> None:
        if change.news:
            self._emit(lambda: self.told.emit(change.job_id, change.news))
        self._read_soon()

    def _read_soon(self) -> None:
        """Read the rows once, however many changes there were since the last time."""
        with self._lock:
            if self._reading or self._closed:
                return
            self._reading = True
        self._do(self._read, self._take)

    def _read(self) -> tuple[JobRow, ...]:
        with self._lock:
            self._reading = False
        return self._queue.jobs()

    def _take(self, rows: tuple[JobRow, ...]) -> None:
        if rows != self.rows:
            self.rows = rows
            self.changed.emit(rows)

    def _emit(self, deliver: Callable[[], object]) -> None:
        if not self._closed:
            self._arrived.emit(deliver)

    @Slot(object)
    def _deliver(self, deliver: Callable[[], object]) -> None:
        if not self._closed:
            deliver()
