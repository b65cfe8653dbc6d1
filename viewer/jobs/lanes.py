"""Where jobs run: a few threads for the disk, one for the models, one for the library."""

from __future__ import annotations

from concurrent.futures import CancelledError, Future, InvalidStateError, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from viewer.jobs.job import Job, Lane

Result = TypeVar("Result")
DISK_THREADS = 4


class Lanes:
    """Runs jobs on threads; a lane's threads start with its first job.

    Parameters
    ----------
    disk_threads
        How many jobs of the disk lane run at the same time; the other lanes run one.
    """

    def __init__(self, disk_threads: int = DISK_THREADS) -> None:
        self._threads: dict[Lane, int] = {"disk": disk_threads, "model": 1, "library": 1}
        self._lanes: dict[Lane, ThreadPoolExecutor] = {}

    def submit(self, job: Job[Result]) -> Future[Result]:
        """Start a job.

        Returns
        -------
        Future
            Ends when the job's work does, or the future that the work returned. Cancelling it
            takes waiting work away and cancels what the model process was asked for.
        """
        outer: Future[Result] = Future()
        inner = self._lane(job.lane).submit(_run, job.work, outer)
        outer.add_done_callback(lambda future: inner.cancel() if future.cancelled() else None)
        return outer

    def close(self) -> None:
        """Take no more jobs, drop those that wait, and do not wait for those that run.

        What is to be kept in the library is written first: that takes milliseconds.
        """
        for name, lane in self._lanes.items():
            keeps = name == "library"
            lane.shutdown(wait=keeps, cancel_futures=not keeps)

    def _lane(self, name: Lane) -> ThreadPoolExecutor:
        if name not in self._lanes:
            self._lanes[name] = ThreadPoolExecutor(self._threads[name], thread_name_prefix=name)
        return self._lanes[name]


def _run(work: Callable[[], Result | Future[Result]], outer: Future[Result]) -> None:
    if outer.cancelled():
        return
    try:
        given = work()
    except Exception as error:  # noqa: BLE001 - handed to whoever waits for the job
        _settle(outer, None, error)
        return
    if isinstance(given, Future):
        _chain(cast("Future[Result]", given), outer)
    else:
        _settle(outer, given, None)


def _chain(inner: Future[Result], outer: Future[Result]) -> None:
    outer.add_done_callback(lambda future: inner.cancel() if future.cancelled() else None)
    inner.add_done_callback(lambda future: _copy(future, outer))


def _copy(inner: Future[Result], outer: Future[Result]) -> None:
    if inner.cancelled():
        outer.cancel()
        return
    error = inner.exception()
    if error is not None:
        _settle(outer, None, error)
    else:
        _settle(outer, inner.result(), None)


def _settle(future: Future[Result], result: Result | None, error: BaseException | None) -> None:
    # A job that was cancelled a moment ago wants neither.
    with suppress(InvalidStateError, CancelledError):
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(cast("Result", result))
