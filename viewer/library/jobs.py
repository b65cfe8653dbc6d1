"""The queue of long jobs as rows: what may be done with a job, whoever asks.

Every method is one transaction, so two programs on one library never run one job twice. A run
is known by its `run_id`: what an earlier run tells later changes nothing.
"""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from sqlalchemy import and_, case, delete, func, insert, select, update
from sqlalchemy.exc import DBAPIError

from ml.texts import mark
from viewer.core.errors import LibraryError
from viewer.core.reading import utc_now
from viewer.library.engine import make_engine
from viewer.library.job_row import JobRow, JobState, LogLine, remaining_s
from viewer.library.owners import is_alive, this_program
from viewer.library.schema import job_lines, jobs

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path

    from sqlalchemy import ColumnElement, Connection, RowMapping

SPEC_BYTES = 64 * 1024
KEPT_LINES = 1000
# How long a program on another machine may be silent before its jobs count as left behind.
PATIENCE_S = 60.0
_QUEUED, _RUNNING, _PAUSING, _PAUSED = (
    JobState.QUEUED,
    JobState.RUNNING,
    JobState.PAUSING,
    JobState.PAUSED,
)
_ACTIVE = (_RUNNING, _PAUSING)
_ENDED = tuple(state for state in JobState if state.is_ended)


class Jobs:
    """The rows.

    Parameters
    ----------
    path
        The library's file; None: the queue is in memory and forgotten with the program.
    owner
        Who runs the jobs that are claimed here; None: this process.

    Raises
    ------
    LibraryError
        From every method, where the library cannot be read or written.
    """

    def __init__(self, path: Path | None, owner: str | None = None) -> None:
        self.owner = owner or this_program()
        # In memory all threads share one connection.
        self._lock = threading.RLock()
        self._engine = make_engine(path)

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def submit(self, kind: str, title: str, spec: Mapping[str, object], lane: str) -> int:
        """Put a job at the end of its lane's queue; return its number.

        Raises
        ------
        ValueError
            Where `spec` is longer than `SPEC_BYTES`: pixels do not belong in it.
        """
        text = json.dumps(dict(spec))
        if len(text.encode()) > SPEC_BYTES:
            raise ValueError(f"a job of {len(text)} characters: put paths in it, not contents")
        with self._writing() as connection:
            made = connection.execute(
                insert(jobs).values(
                    kind=kind,
                    lane=lane,
                    title=title,
                    spec=text,
                    state=_QUEUED,
                    position=_end(connection),
                    created_at=utc_now(),
                )
            )
            return int(made.lastrowid)

    def jobs(self) -> tuple[JobRow, ...]:
        """All: those at work, those that wait in their order, those that ended, last first."""
        rank = case((jobs.c.state.in_(_ENDED), 2), (jobs.c.state.in_(_ACTIVE), 0), else_=1)
        order = (rank, jobs.c.ended_at.desc(), jobs.c.position, jobs.c.id)
        with self._reading() as connection:
            return tuple(
                _job(row)
                for row in connection.execute(select(jobs).order_by(*order)).mappings()
            )

    def job(self, job_id: int) -> JobRow | None:
        """One job; None where there is none of that number."""
        with self._reading() as connection:
            found = connection.execute(select(jobs).where(jobs.c.id == job_id)).mappings()
            row = found.one_or_none()
            return None if row is None else _job(row)

    def owned(self) -> tuple[JobRow, ...]:
        """The jobs of this owner."""
        with self._reading() as connection:
            rows = connection.execute(select(jobs).where(jobs.c.owner == self.owner))
            return tuple(_job(row) for row in rows.mappings())

    def interrupted(self) -> tuple[JobRow, ...]:
        """The jobs that are paused because their program ended, to be offered."""
        return tuple(job for job in self.jobs() if job.interrupted)

    # What a reader may ask.

    def pause(self, job_id: int) -> bool:
        """Have a job pause; return whether that changed anything."""
        now = case((jobs.c.state == _RUNNING, _PAUSING), else_=_PAUSED)
        return self._change(job_id, jobs.c.state.in_((_RUNNING, _QUEUED)), state=now)

    def resume(self, job_id: int) -> bool:
        """Have a paused job go on, at its place in the queue."""
        now = case((jobs.c.state == _PAUSING, _RUNNING), else_=_QUEUED)
        return self._change(
            job_id, jobs.c.state.in_((_PAUSING, _PAUSED)), state=now, interrupted=0
        )

    def cancel(self, job_id: int) -> bool:
        """Cancel one job: at once, or, where it has a process, when that has ended."""
        with self._writing() as connection:
            if _set(connection, job_id, and_(jobs.c.owner == "", _open()), **_ended_as()):
                return True
            return _set(connection, job_id, _open(), wanted="cancel")

    def retry(self, job_id: int, lane: str | None = None) -> bool:
        """Put a failed or cancelled job at the end of the queue, of another lane if asked."""
        with self._writing() as connection:
            return _set(
                connection,
                job_id,
                jobs.c.state.in_((JobState.FAILED, JobState.CANCELLED)),
                state=_QUEUED,
                sentence="",
                ended_at="",
                position=_end(connection),
                lane=lane or jobs.c.lane,
            )

    def move(self, job_id: int, place: int) -> bool:
        """Put a waiting job at a place among those that wait for its lane; 0 is the next."""
        with self._writing() as connection:
            lane = connection.execute(select(jobs.c.lane).where(jobs.c.id == job_id)).scalar()
            waits = and_(jobs.c.lane == lane, jobs.c.state == _QUEUED)
            query = select(jobs.c.id, jobs.c.position).where(waits)
            rows = connection.execute(query.order_by(jobs.c.position, jobs.c.id)).all()
            ids = [int(row.id) for row in rows]
            if job_id not in ids:
                return False
            positions = sorted(int(row.position) for row in rows)
            ids.remove(job_id)
            ids.insert(max(place, 0), job_id)
            for number, position in zip(ids, positions, strict=True):
                _set(connection, number, position=position)
            return True

    def remove_ended(self, job_id: int | None = None) -> bool:
        """Take one job that ended off the list, or all of them, with their logs."""
        which = jobs.c.state.in_(_ENDED)
        if job_id is not None:
            which = and_(which, jobs.c.id == job_id)
        with self._writing() as connection:
            return connection.execute(delete(jobs).where(which)).rowcount > 0

    def log(self, job_id: int) -> tuple[LogLine, ...]:
        """What a job told in words, the oldest first."""
        query = select(job_lines).where(job_lines.c.job_id == job_id).order_by(job_lines.c.id)
        with self._reading() as connection:
            return tuple(LogLine(str(r.at), str(r.sentence)) for r in connection.execute(query))

    # What the program that runs jobs does.

    def next_of(self, lane: str) -> JobRow | None:
        """The job that this program would claim; None where none waits or the lane is busy."""
        with self._reading() as connection:
            return _next(connection, lane, self.owner)

    def lanes(self) -> tuple[str, ...]:
        """The lanes in which a job waits."""
        query = select(jobs.c.lane).where(jobs.c.state == _QUEUED).distinct()
        with self._reading() as connection:
            return tuple(str(lane) for lane in connection.execute(query).scalars())

    def claim(self, lane: str, run_id: str, job_id: int | None = None) -> JobRow | None:
        """Take the next job of a lane to run it; None where another program was faster.

        Parameters
        ----------
        run_id
            Of the run that begins; ignored where the job's process is ours and only paused.
        job_id
            Take this one or none.
        """
        with self._writing() as connection:
            job = _next(connection, lane, self.owner)
            if job is None or job_id not in (None, job.id):
                return None
            fresh = {} if job.owner else _fresh(run_id, self.owner)
            _set(connection, job.id, state=_RUNNING, heartbeat_s=time.time(), **fresh)
        return self.job(job.id)

    def set_progress(
        self, job: JobRow, done: int, of: int, news: Mapping[str, object], worked_s: float
    ) -> bool:
        """Keep how far a run is; False where the run is not the job's last."""
        first = case((jobs.c.run_first < 0, done), else_=jobs.c.run_first)
        text = json.dumps(dict(news))
        kept = {"news": text} if news and len(text) <= SPEC_BYTES else {}
        return self._run(job, done=done, total=of, run_first=first, worked_s=worked_s, **kept)

    def set_memory(self, job: JobRow, memory_bytes: int) -> bool:
        """Keep the most memory that a run had."""
        return self._run(job, memory_bytes=func.max(jobs.c.memory_bytes, memory_bytes))

    def set_paused(self, job: JobRow) -> bool:
        """Note that a run waits, where that is still wanted."""
        which = and_(_this_run(job), jobs.c.state == _PAUSING)
        return self._change(job.id, which, state=_PAUSED)

    def set_parked(self, job: JobRow, *, interrupted: bool) -> bool:
        """Note that a job has no process any more and can go on later.

        Parameters
        ----------
        interrupted
            Its program ends; else another job wants the device.
        """
        active = jobs.c.state.in_(_ACTIVE)
        return self._run(
            job,
            state=case((active, _PAUSED), else_=jobs.c.state),
            interrupted=case((active, int(interrupted)), else_=jobs.c.interrupted),
            owner="",
        )

    def set_ended(self, job: JobRow, state: JobState, sentence: str = "") -> bool:
        """Note how a run ended."""
        return self._run(job, **{**_ended_as(state), "sentence": sentence})

    def add_line(self, job: JobRow, sentence: str) -> None:
        """Keep what a run told in words; the oldest of more than `KEPT_LINES` go."""
        with self._writing() as connection:
            if not connection.execute(select(jobs.c.id).where(_this_run(job))).first():
                return
            of_job = job_lines.c.job_id == job.id
            connection.execute(
                insert(job_lines).values(job_id=job.id, at=utc_now(), sentence=sentence)
            )
            newest = select(job_lines.c.id).where(of_job).order_by(job_lines.c.id.desc())
            old = newest.limit(1).offset(KEPT_LINES).scalar_subquery()
            connection.execute(delete(job_lines).where(of_job, job_lines.c.id <= old))

    def beat(self) -> None:
        """Note that this owner is alive."""
        with self._writing() as connection:
            mine = jobs.c.owner == self.owner
            connection.execute(update(jobs).where(mine).values(heartbeat_s=time.time()))

    def find_orphans(self) -> tuple[int, ...]:
        """Let go of jobs whose program is gone: they are paused, as interrupted.

        Returns
        -------
        ids
            Of those that are interrupted by it.
        """
        with self._writing() as connection:
            rows = connection.execute(select(jobs).where(jobs.c.owner.not_in(("", self.owner))))
            left = [row for row in rows.mappings().all() if not _has_owner(row)]
            for row in left:
                _set(connection, int(row["id"]), **_left_behind(row))
            return tuple(int(row["id"]) for row in left if row["state"] in _ACTIVE)

    @contextmanager
    def _writing(self) -> Generator[Connection]:
        try:
            with self._lock, self._engine.begin() as connection:
                yield connection
        except DBAPIError as error:
            raise _trouble(error) from error

    @contextmanager
    def _reading(self) -> Generator[Connection]:
        try:
            with self._lock, self._engine.connect() as connection:
                yield connection.execution_options(reads=True)
        except DBAPIError as error:
            raise _trouble(error) from error

    def _change(self, job_id: int, which: ColumnElement[bool], **values: object) -> bool:
        with self._writing() as connection:
            return _set(connection, job_id, which, **values)

    def _run(self, job: JobRow, **values: object) -> bool:
        return self._change(job.id, _this_run(job), **values)


def _trouble(error: DBAPIError) -> LibraryError:
    # Neither the statement nor a value: both may hold a path.
    return LibraryError(
        mark(
            "The list of jobs cannot be read or written; see whether the disk is full, then "
            "try again."
        ),
        detail=str(getattr(error.orig, "sqlite_errorname", type(error.orig).__name__)),
    )


def _open() -> ColumnElement[bool]:
    return jobs.c.state.not_in(_ENDED)


def _this_run(job: JobRow) -> ColumnElement[bool]:
    return and_(jobs.c.id == job.id, jobs.c.run_id == job.run_id, jobs.c.owner != "")


def _end(connection: Connection) -> int:
    last = connection.execute(select(func.coalesce(func.max(jobs.c.position), 0))).scalar_one()
    return int(last) + 1


def _set(
    connection: Connection, job_id: int, *which: ColumnElement[bool], **values: object
) -> bool:
    statement = update(jobs).where(jobs.c.id == job_id, *which).values(**values)
    return connection.execute(statement).rowcount == 1


def _ended_as(state: JobState = JobState.CANCELLED) -> dict[str, object]:
    return {"state": state, "ended_at": utc_now(), "owner": "", "wanted": "", "interrupted": 0}


def _fresh(run_id: str, owner: str) -> dict[str, object]:
    return {
        "run_id": run_id,
        "owner": owner,
        "started_at": utc_now(),
        "run_first": -1,
        "worked_s": 0.0,
        "memory_bytes": 0,
        "interrupted": 0,
    }


def _next(connection: Connection, lane: str, owner: str) -> JobRow | None:
    in_lane = jobs.c.lane == lane
    if connection.execute(select(jobs.c.id).where(in_lane, jobs.c.state.in_(_ACTIVE))).first():
        return None
    waits = and_(jobs.c.state == _QUEUED, jobs.c.wanted == "", jobs.c.owner.in_(("", owner)))
    query = select(jobs).where(in_lane, waits).order_by(jobs.c.position, jobs.c.id).limit(1)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _job(row)


def _has_owner(row: RowMapping) -> bool:
    return is_alive(str(row["owner"]), time.time() - float(row["heartbeat_s"]), PATIENCE_S)


def _left_behind(row: RowMapping) -> dict[str, object]:
    if row["wanted"] == "cancel":
        return _ended_as()
    if row["state"] in _ACTIVE:
        return {"owner": "", "state": _PAUSED, "interrupted": 1}
    return {"owner": ""}


def _job(row: RowMapping) -> JobRow:
    done, of, first = int(row["done"]), int(row["total"]), int(row["run_first"])
    return JobRow(
        id=int(row["id"]),
        kind=str(row["kind"]),
        lane=str(row["lane"]),
        title=str(row["title"]),
        spec=_json(row["spec"]),
        state=JobState(row["state"]),
        position=int(row["position"]),
        created_at=str(row["created_at"]),
        started_at=str(row["started_at"]),
        ended_at=str(row["ended_at"]),
        stopping=bool(row["wanted"]),
        interrupted=bool(row["interrupted"]),
        done=done,
        of=of,
        news=_json(row["news"]),
        eta_s=remaining_s(done, of, first, float(row["worked_s"])) if first >= 0 else None,
        memory_bytes=int(row["memory_bytes"]),
        sentence=str(row["sentence"]),
        run_id=str(row["run_id"]),
        owner=str(row["owner"]),
    )


def _json(text: object) -> Mapping[str, object]:
    return MappingProxyType(cast("dict[str, object]", json.loads(str(text))))
