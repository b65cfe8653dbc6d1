"""The queue of long jobs, for whoever shows it or puts something in. See README.md."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from viewer.jobs.job_driver import JobDriver

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from viewer.library.job_row import JobRow, LogLine
    from viewer.library.jobs import Jobs


@dataclass(frozen=True, slots=True)
class Change:
    """Something about a job is not as it was.

    Attributes
    ----------
    job_id
        Which; 0 where it is the list as a whole.
    news
        What the job just told beside numbers; None where it told nothing.
    """

    job_id: int
    news: Mapping[str, object] | None = None


class Hold:
    """Keeps the long jobs waiting until it is released, or its block is left."""

    def __init__(self, release: Callable[[], None]) -> None:
        self._release: Callable[[], None] | None = release
        self._lock = threading.Lock()

    def release(self) -> None:
        """Let the jobs go on, where nobody else holds them; twice does no harm."""
        with self._lock:
            release, self._release = self._release, None
        if release is not None:
            release()

    def __enter__(self) -> Hold:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class JobQueue:
    """The long jobs of the library.

    Every method may be called on any thread. One that does not fit a job's state any more does
    nothing.

    Parameters
    ----------
    place
        The library's file (`Library.place`); None: the jobs are forgotten with the program.
    command, environment
        What to start for a job; None: this program as ``job``. What to add to its environment.
    resume_interrupted
        Have what an earlier program left go on without being asked.

    Raises
    ------
    LibraryError
        From every method that reads or changes jobs, where the library fails.
    """

    def __init__(
        self,
        place: Path | None,
        command: Sequence[str] | None = None,
        environment: Mapping[str, str] | None = None,
        *,
        resume_interrupted: bool = False,
    ) -> None:
        self._place = place
        self._opening = threading.Lock()
        self._opened: Jobs | None = None
        self._heard: list[Callable[[Change], None]] = []
        self._driver = JobDriver(
            self._rows,
            self._tell,
            command,
            environment,
            resume_interrupted=resume_interrupted,
        )
        self._closed = False

    def start(self) -> None:
        """Start running jobs, on a thread; returns at once."""
        self._driver.start()

    def close(self) -> None:
        """Stop what runs, within three seconds; it can be resumed when the program is back."""
        self._closed = True
        self._driver.close()
        with self._opening:
            if self._opened is not None:
                self._opened.close()

    def subscribe(self, heard: Callable[[Change], None]) -> Callable[[], None]:
        """Have a function called at every change, on some thread; it must return at once.

        Returns
        -------
        unsubscribe
            Ends that.
        """
        self._heard.append(heard)
        return lambda: self._heard.remove(heard) if heard in self._heard else None

    def submit(
        self, kind: str, title: str, spec: Mapping[str, object], lane: str = "cpu"
    ) -> int:
        """Put a job at the end of a device's queue; return its number.

        Parameters
        ----------
        spec
            JSON values: paths, UIDs, seeds, numbers. A key ``"device"`` becomes the lane's.
        """
        job_id = self._rows().submit(kind, title, spec, lane)
        self._changed(job_id)
        return job_id

    def jobs(self) -> tuple[JobRow, ...]:
        """All: those at work, those that wait in their order, those that ended, last first."""
        return self._rows().jobs()

    def job(self, job_id: int) -> JobRow | None:
        """One job; None where there is none of that number."""
        return self._rows().job(job_id)

    def log(self, job_id: int) -> tuple[LogLine, ...]:
        """What a job told in words, the oldest first."""
        return self._rows().log(job_id)

    def interrupted(self) -> tuple[JobRow, ...]:
        """The jobs whose program went away while they ran: to be offered with `resume`."""
        return self._rows().interrupted()

    def pause(self, job_id: int) -> None:
        """Have a job wait, until it is resumed; one that runs at its next step."""
        self._change(job_id, self._rows().pause(job_id))

    def resume(self, job_id: int) -> None:
        """Have a paused job go on when its turn comes."""
        self._change(job_id, self._rows().resume(job_id))

    def cancel(self, job_id: int) -> None:
        """End one job; what it finished stays."""
        self._change(job_id, self._rows().cancel(job_id))

    def retry(self, job_id: int, lane: str | None = None) -> None:
        """Have a failed or cancelled job tried again, on another device where one is named."""
        self._change(job_id, self._rows().retry(job_id, lane))

    def move(self, job_id: int, place: int) -> None:
        """Put a waiting job at a place among those that wait for its device; 0 is the next."""
        self._change(0, self._rows().move(job_id, place))

    def remove_ended(self, job_id: int | None = None) -> None:
        """Take one ended job off the list, or all of them; what they made stays."""
        self._change(0, self._rows().remove_ended(job_id))

    def hold(self, lane: str | None = None) -> Hold:
        """Have the jobs of a device, or all, wait at their next step: something urgent runs."""
        self._driver.hold(lane)
        return Hold(lambda: self._driver.release(lane))

    def _rows(self) -> Jobs:
        with self._opening:
            if self._opened is None:
                # SQLAlchemy comes with it: an eighth of a second, best on the driver's thread.
                from viewer.library.jobs import Jobs

                self._opened = Jobs(self._place)
            return self._opened

    def _change(self, job_id: int, changed: bool) -> None:
        if changed:
            self._changed(job_id)

    def _changed(self, job_id: int) -> None:
        self._tell(job_id, None)
        self._driver.wake()

    def _tell(self, job_id: int, news: Mapping[str, object] | None) -> None:
        if not self._closed:
            for heard in tuple(self._heard):
                heard(Change(job_id, news))
