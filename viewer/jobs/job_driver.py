"""Runs the library's long jobs: one at a time for each device, each in a process of its own.

One thread does it all: what a process tells, what a reader asks and what the clock says come to
it one after the other. What is to be done is read from the rows each time, so that another
program's wish and a restart take the same road as a button.
"""

from __future__ import annotations

import logging
import math
import queue
import sys
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

from ml.errors import MammoError
from ml.exchange import error_from_message
from ml.texts import mark, translate
from viewer.core.errors import LibraryError
from viewer.jobs.job_child import JobChild, job_environment, spec_for
from viewer.library.job_row import JobState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ml.exchange import Message
    from viewer.library.job_row import JobRow
    from viewer.library.jobs import Jobs

    Told = Callable[[int, Mapping[str, object] | None], None]

_log = logging.getLogger("viewer.jobs")

# How soon another program's wish is seen; one's own is seen at once.
_TICK_S = 1.0
_BEAT_S = 5.0
# How long a job may take to end when it was asked to, before its process is killed.
_GRACE_S = 10.0
# A cancelled one has less: the device is to be free within five seconds, and what is killed
# loses only what came after its checkpoint.
_CANCEL_S = 3.0
_CLOSE_S = 2.0
# How long a job may take to be held by itself: one that imports and loads does not ask.
_YIELD_S = 0.4
_ENDS = frozenset({"done", "failed", "stopped"})


@dataclass(slots=True, eq=False)
class _Run:
    job: JobRow
    child: JobChild | None = None
    pausing: bool = False
    stopping: bool = False
    kill_at: float = math.inf
    outcome: Message | None = None
    held: bool = False
    freeze_at: float = math.inf
    frozen: bool = False

    def hold(self) -> None:
        self.ask("hold")
        if not self.held and not self.frozen:
            self.freeze_at = min(self.freeze_at, time.monotonic() + _YIELD_S)

    def release(self) -> None:
        self.held, self.freeze_at = False, math.inf
        self.thaw()
        self.ask("release")

    def freeze(self) -> None:
        self.freeze_at = math.inf
        if self.child is not None:
            self.frozen = True
            self.child.freeze()

    def thaw(self) -> None:
        if self.frozen and self.child is not None:
            self.child.thaw()
        self.frozen = False

    def ask(self, request: str, **content: object) -> None:
        if self.child is not None:
            self.child.ask(request, **content)

    def stop(self, grace_s: float = _GRACE_S) -> None:
        if not self.stopping:
            self.stopping = True
            self.thaw()
            self.ask("stop")
        self.kill_at = min(self.kill_at, time.monotonic() + grace_s)


class JobDriver:
    """The thread behind a `JobQueue`.

    Parameters
    ----------
    rows
        Gives the rows; called for the first time on the driver's thread.
    told
        Called with a job's number, and with its news where it told some.
    command, environment
        What to start instead of this program as ``job``; what to add to the environment.
    resume_interrupted
        Have what an earlier program left go on without being asked.
    """

    def __init__(
        self,
        rows: Callable[[], Jobs],
        told: Told,
        command: Sequence[str] | None = None,
        environment: Mapping[str, str] | None = None,
        *,
        resume_interrupted: bool = False,
    ) -> None:
        self._rows = rows
        self._told = told
        self._command = command
        self._environment = dict(environment or {})
        self._resume_interrupted = resume_interrupted
        self._work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._runs: dict[str, _Run] = {}
        self._holds: list[str | None] = []
        self._closing = threading.Event()
        self._beaten = self._look_at = 0.0
        self._thread = threading.Thread(target=self._drive, name="jobs", daemon=True)

    def start(self) -> None:
        """Start the thread; it first finds what earlier programs left."""
        if not self._thread.ident:
            self._thread.start()

    def wake(self) -> None:
        """Have the rows read again, soon."""
        self._work.put(self._look)

    def hold(self, lane: str | None) -> None:
        """Have the jobs of a lane, or of all, wait at their next step, or where they are."""
        with self._lock:
            self._holds.append(lane)
            for name, run in self._runs.items():
                if lane in (None, name):
                    run.hold()
        self._work.put(self._look_when_due)

    def release(self, lane: str | None) -> None:
        """Take one `hold` back."""
        with self._lock:
            self._holds.remove(lane)
            for name, run in self._runs.items():
                if lane in (None, name) and not self._is_held(name):
                    run.release()

    def close(self) -> None:
        """Stop the processes, within three seconds; their jobs are paused and interrupted."""
        self._closing.set()
        self._work.put(self._shut)
        if self._thread.ident:
            self._thread.join(_CLOSE_S + 1)

    def _drive(self) -> None:
        self._try(self._begin)
        while not self._closing.is_set() or self._runs:
            with suppress(queue.Empty):
                self._try(self._work.get(timeout=max(self._look_at - time.monotonic(), 0.0)))
            # By the clock, not in a quiet moment: a job that tells much must not stop that.
            if time.monotonic() >= self._look_at:
                self._try(self._look)

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
        except LibraryError as error:
            # Tried again at the next tick; a full disk must not end the queue.
            _log.warning("the queue waits for its library: %s", error.detail)
        except Exception as error:  # noqa: BLE001 - a bug here must not end the other jobs
            sys.excepthook(type(error), error, error.__traceback__)

    def _begin(self) -> None:
        rows = self._rows()
        rows.find_orphans()
        if self._resume_interrupted:
            for job in rows.interrupted():
                rows.resume(job.id)
        self._told(0, None)
        self._look()

    def _look(self) -> None:
        """Do what the rows and the clock want."""
        self._look_at = time.monotonic() + _TICK_S
        rows = self._rows()
        self._beat(rows)
        owned = {job.id: job for job in rows.owned()}
        for run in tuple(self._runs.values()):
            self._steer(run, owned.pop(run.job.id, None))
            self._freeze_unheld(run)
        for job in owned.values():
            # Its end could not be written when it came.
            rows.set_parked(job, interrupted=True)
        if not self._closing.is_set():
            for lane in rows.lanes():
                self._fill(lane)

    def _look_when_due(self) -> None:
        """Look again as soon as a job should be held."""
        due = [run.freeze_at for run in self._runs.values()]
        self._look_at = min([self._look_at, *due])

    def _freeze_unheld(self, run: _Run) -> None:
        with self._lock:
            late = time.monotonic() >= run.freeze_at and not run.stopping
            if late:
                run.freeze()
        if late:
            self._take(run, {"type": "frozen"})

    def _beat(self, rows: Jobs) -> None:
        now = time.monotonic()
        if now - self._beaten < _BEAT_S:
            return
        self._beaten = now
        rows.beat()
        for job_id in rows.find_orphans():
            self._told(job_id, None)

    def _steer(self, run: _Run, row: JobRow | None) -> None:
        if row is None or row.run_id != run.job.run_id or row.stopping:
            run.stop(_CANCEL_S)
        elif row.state is JobState.PAUSING and not run.pausing:
            run.pausing = True
            run.ask("pause")
        elif row.state is JobState.RUNNING and run.pausing:
            run.pausing = False
            run.ask("resume")
        if time.monotonic() > run.kill_at and run.child is not None:
            run.child.kill()

    def _fill(self, lane: str) -> None:
        job = self._rows().next_of(lane)
        run = self._runs.get(lane)
        if job is None:
            return
        if run is None:
            self._start(job)
        elif run.job.id != job.id:
            # A paused one, whose memory the next needs; what ended already is on its way out.
            run.stop()
        elif self._rows().claim(lane, run.job.run_id, job.id) is not None:
            run.pausing = False
            run.ask("resume")
            self._told(job.id, None)

    def _start(self, waiting: JobRow) -> None:
        rows = self._rows()
        job = rows.claim(waiting.lane, uuid.uuid4().hex, waiting.id)
        if job is None:
            return
        run = _Run(job)
        heard = partial(self._heard, run)
        try:
            run.child = JobChild(
                self._command, job_environment(job.lane, self._environment), heard
            )
        except OSError:
            sentence = mark("The job's process cannot be started; install the program again.")
            rows.set_ended(job, JobState.FAILED, translate(sentence))
        else:
            run.ask("run", kind=job.kind, spec=spec_for(job.spec, job.lane))
            with self._lock:
                self._runs[job.lane] = run
                if self._is_held(job.lane):
                    run.hold()
            self._look_when_due()
        self._told(job.id, None)

    def _is_held(self, lane: str) -> bool:
        return None in self._holds or lane in self._holds

    def _heard(self, run: _Run, message: Message | None) -> None:
        if message is None:
            self._work.put(partial(self._ended, run))
        else:
            self._work.put(partial(self._take, run, message))

    def _take(self, run: _Run, message: Message) -> None:
        kind = message["type"]
        news: Mapping[str, object] | None = None
        if kind == "progress":
            news = cast("Message", message["news"]) or None
            self._progress(run.job, message)
        elif kind == "log":
            self._rows().add_line(run.job, str(message["sentence"]))
        elif kind == "memory":
            self._rows().set_memory(run.job, cast("int", message["bytes"]))
        elif kind == "paused":
            self._is_still(run)
            self._rows().set_paused(run.job)
        elif kind == "held":
            self._is_still(run)
        elif kind in _ENDS:
            run.outcome = message
            run.kill_at = time.monotonic() + _GRACE_S
            return
        self._told(run.job.id, news)

    def _is_still(self, run: _Run) -> None:
        with self._lock:
            # Of a hold that was taken back meanwhile nothing is remembered.
            run.held = self._is_held(run.job.lane)
            run.freeze_at = math.inf if run.held else run.freeze_at

    def _progress(self, job: JobRow, message: Message) -> None:
        self._rows().set_progress(
            job,
            cast("int", message["done"]),
            cast("int", message["of"]),
            cast("Message", message["news"]),
            cast("float", message["worked_s"]),
        )

    def _ended(self, run: _Run) -> None:
        """Write down how a run ended, now that its process is gone."""
        with self._lock:
            self._runs.pop(run.job.lane, None)
        rows = self._rows()
        row = rows.job(run.job.id)
        if row is not None and row.run_id == run.job.run_id:
            self._write_end(rows, run, row)
            self._told(run.job.id, None)
        if not self._closing.is_set():
            self._look()

    def _write_end(self, rows: Jobs, run: _Run, row: JobRow) -> None:
        kind = run.outcome["type"] if run.outcome else "gone"
        if kind == "done":
            rows.set_ended(run.job, JobState.DONE)
        elif row.stopping:
            rows.set_ended(run.job, JobState.CANCELLED)
        elif kind == "failed" and run.outcome is not None:
            error = error_from_message(cast("Message", run.outcome["error"]))
            if not isinstance(error, MammoError):
                _log.error("a job of the kind %s: %s", row.kind, error)
                rows.add_line(run.job, str(error))
            rows.set_ended(run.job, JobState.FAILED, sentence_of(error))
        elif run.stopping or kind == "stopped":
            rows.set_parked(run.job, interrupted=self._closing.is_set())
        else:
            rows.set_ended(run.job, JobState.FAILED, translate(_GONE))

    def _shut(self) -> None:
        """End the processes; the loop goes on until the last is gone."""
        for run in tuple(self._runs.values()):
            run.stop(_CLOSE_S)
            if run.child is not None and not run.child.wait(
                max(run.kill_at - time.monotonic(), 0)
            ):
                run.child.kill()


_GONE = mark(
    "The job's process ended suddenly, probably for want of memory; what is finished stays. "
    "Close other programs or ask for less at once, and try again."
)


def sentence_of(error: Exception) -> str:
    """What to tell the user of why a job failed."""
    if isinstance(error, MammoError):
        return str(error)
    return translate(
        mark("The program made a mistake in this job; see its log. What is finished stays.")
    )
