"""What the library says of one long job. Values only: neither Qt nor SQLAlchemy is imported."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

Spec = dict[str, object]


class JobState(StrEnum):
    """Where a job stands; the value is what the database holds."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    FAILED = "failed"
    DONE = "done"

    @property
    def is_ended(self) -> bool:
        """Whether nothing more happens to the job unless somebody retries it."""
        return self in (JobState.CANCELLED, JobState.FAILED, JobState.DONE)

    @property
    def is_active(self) -> bool:
        """Whether the job has the device."""
        return self in (JobState.RUNNING, JobState.PAUSING)


@dataclass(frozen=True, slots=True)
class JobRow:
    """One long job, as it stood when it was read.

    Attributes
    ----------
    kind
        What is done: ``"generate"``, ``"train"``.
    lane
        The device: ``"cpu"``, ``"cuda:0"``.
    title
        For the list of jobs.
    spec
        All that the job needs: paths, UIDs, seeds, numbers; never pixels.
    stopping
        A cancellation was asked for and the process has not ended yet.
    interrupted
        Paused because its program ended, not because somebody paused it: to be offered.
    position
        Order in the queue, smallest first.
    created_at, started_at, ended_at
        ISO 8601 UTC; empty where that has not happened.
    done, of
        Steps, images or whatever the job counts; `of` is 0 where it is not known yet.
    news
        The last that the job told beside numbers.
    eta_s
        Seconds of work that are left at the rate so far; None where no rate is known.
    memory_bytes
        The most memory that the job's process had, of the device where it is a GPU.
    sentence
        Why the job failed; empty where it did not.
    run_id
        The run that the numbers are of; empty before the first.
    owner
        The program that runs it (`viewer.library.owners`); empty where none does.
    """

    id: int
    kind: str
    lane: str
    title: str
    spec: Mapping[str, object]
    state: JobState
    position: int
    created_at: str
    started_at: str = ""
    ended_at: str = ""
    stopping: bool = False
    interrupted: bool = False
    done: int = 0
    of: int = 0
    news: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    eta_s: float | None = None
    memory_bytes: int = 0
    sentence: str = ""
    run_id: str = ""
    owner: str = ""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One thing that a job told in words.

    Attributes
    ----------
    at
        ISO 8601 UTC.
    """

    at: str
    sentence: str


def remaining_s(done: int, of: int, first: int, worked_s: float) -> float | None:
    """How long a job goes on at the rate of its present run.

    Parameters
    ----------
    first
        How much was done already when this run began.
    worked_s
        Seconds of this run, without those in which it waited.
    """
    if done <= first or of < done:
        return None
    return (of - done) * worked_s / (done - first)
