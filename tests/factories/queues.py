"""A queue of long jobs that does nothing by itself: a test says what becomes of a job."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from viewer.jobs.queue import Change, Hold
from viewer.library.job_row import JobRow, JobState, LogLine

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from viewer.core.errors import LibraryError


@dataclass
class Wish:
    """What a window asked of the queue."""

    name: str
    values: tuple[object, ...]


class FakeQueue:
    """As `viewer.jobs.queue.JobQueue`, without processes and without a library."""

    def __init__(self, *rows: JobRow) -> None:
        self.rows: dict[int, JobRow] = {row.id: row for row in rows}
        self.lines: dict[int, tuple[LogLine, ...]] = {}
        self.wishes: list[Wish] = []
        self.heard: list[Callable[[Change], None]] = []
        self.started = self.closed = False
        self.holds = 0
        # Raised by everything that reads or writes.
        self.error: LibraryError | None = None

    def start(self) -> None:
        self.started = True

    def close(self) -> None:
        self.closed = True

    def subscribe(self, heard: Callable[[Change], None]) -> Callable[[], None]:
        self.heard.append(heard)
        return lambda: self.heard.remove(heard)

    def submit(
        self, kind: str, title: str, spec: Mapping[str, object], lane: str = "cpu"
    ) -> int:
        self._wish("submit", kind, title, dict(spec), lane)
        row = make_row(
            max(self.rows, default=0) + 1, kind=kind, title=title, spec=dict(spec), lane=lane
        )
        self.put(row)
        return row.id

    def jobs(self) -> tuple[JobRow, ...]:
        if self.error is not None:
            raise self.error
        return tuple(sorted(self.rows.values(), key=lambda r: (r.state.is_ended, r.position)))

    def log(self, job_id: int) -> tuple[LogLine, ...]:
        return self.lines.get(job_id, ())

    def hold(self, lane: str | None = None) -> Hold:
        del lane
        self.holds += 1
        return Hold(self._release)

    def _release(self) -> None:
        self.holds -= 1

    def pause(self, job_id: int) -> None:
        self._wish("pause", job_id)
        self.change(job_id, state=JobState.PAUSED)

    def resume(self, job_id: int) -> None:
        self._wish("resume", job_id)
        self.change(job_id, state=JobState.QUEUED, interrupted=False)

    def cancel(self, job_id: int) -> None:
        self._wish("cancel", job_id)
        self.change(job_id, state=JobState.CANCELLED)

    def retry(self, job_id: int, lane: str | None = None) -> None:
        self._wish("retry", job_id, lane)
        self.change(job_id, state=JobState.QUEUED, lane=lane or self.rows[job_id].lane)

    def move(self, job_id: int, place: int) -> None:
        self._wish("move", job_id, place)

    def remove_ended(self, job_id: int | None = None) -> None:
        self._wish("remove_ended", job_id)
        gone = [r.id for r in self.rows.values() if r.state.is_ended]
        for each in gone if job_id is None else [job_id]:
            del self.rows[each]
        self.tell(0)

    # What a test does with it

    def put(self, row: JobRow) -> None:
        self.rows[row.id] = row
        self.tell(row.id)

    def change(self, job_id: int, **changes: Any) -> None:
        self.put(replace(self.rows[job_id], **changes))

    def tell(self, job_id: int, news: Mapping[str, object] | None = None) -> None:
        for heard in tuple(self.heard):
            heard(Change(job_id, news))

    def _wish(self, name: str, *values: object) -> None:
        if self.error is not None:
            raise self.error
        self.wishes.append(Wish(name, values))


def make_row(job_id: int = 1, **changes: Any) -> JobRow:
    """A job that waits, or whatever `changes` say."""
    row = JobRow(
        id=job_id,
        kind="generate",
        lane="cpu",
        title="Generate 8",
        spec={},
        state=JobState.QUEUED,
        position=job_id,
        created_at="2026-01-01T10:00:00Z",
    )
    return replace(row, **changes)
