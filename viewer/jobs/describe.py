"""What windows say of long jobs, and which buttons fit them. Values only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml.texts import mark, translate
from viewer.core.state import Background
from viewer.library.job_row import JobState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from viewer.library.job_row import JobRow

GENERATE = "generate"
CPU = "cpu"
_WORDS = {
    JobState.QUEUED: mark("queued"),
    JobState.RUNNING: mark("running"),
    JobState.PAUSING: mark("pausing"),
    JobState.PAUSED: mark("paused"),
    JobState.CANCELLED: mark("cancelled"),
    JobState.FAILED: mark("failed"),
    JobState.DONE: mark("done"),
}
_MIB, _GIB = 2**20, 2**30
_MINUTE_S, _HOUR_S = 60, 3600
# The buttons beside a job's progress, those that fit.
STEERING: tuple[tuple[str, str], ...] = (
    ("pause", mark("Pause")),
    ("resume", mark("Resume")),
    ("retry", mark("Try again")),
)
ACTIONS = ("pause", "resume", "cancel", "retry", "retry_on_cpu", "up", "down", "remove")


def state_text(row: JobRow) -> str:
    """How a job stands, in a word or three."""
    if row.stopping and not row.state.is_ended:
        return translate("cancelling")
    if row.interrupted and row.state is JobState.PAUSED:
        return translate("interrupted")
    return translate(_WORDS[row.state])


def progress_text(row: JobRow) -> str:
    """How far a job is: ``"23 of 40"``."""
    if not row.of:
        return ""
    return translate("{done} of {count}").format(done=row.done, count=row.of)


def share_of(row: JobRow) -> float | None:
    """How far a job is, 0 to 1; None where it is not known."""
    if row.state is JobState.DONE:
        return 1.0
    return min(row.done / row.of, 1.0) if row.of else None


def left_text(row: JobRow) -> str:
    """How long a running job still takes: ``"2 min left"``; empty where nobody knows."""
    if row.eta_s is None or not row.state.is_active:
        return ""
    return translate("{time} left").format(time=duration_text(row.eta_s))


def each_text(row: JobRow) -> str:
    """What one step takes: ``"1.8 s each"``; empty where nobody knows."""
    if row.eta_s is None or row.of <= row.done or not row.state.is_active:
        return ""
    each = row.eta_s / (row.of - row.done)
    return translate("{seconds} s each").format(seconds=f"{each:.1f}")


def duration_text(seconds: float) -> str:
    """A time in the largest unit that fits: ``"31 s"``, ``"2 min"``, ``"1 h 20 min"``."""
    whole = max(round(seconds), 0)
    if whole < 2 * _MINUTE_S:
        return translate("{count} s").format(count=whole)
    minutes = round(whole / _MINUTE_S)
    if whole < _HOUR_S:
        return translate("{count} min").format(count=minutes)
    text = translate("{hours} h {minutes} min")
    return text.format(hours=minutes // 60, minutes=minutes % 60)


def memory_text(row: JobRow) -> str:
    """The most memory that a job had; empty where it had none yet."""
    if row.memory_bytes <= 0:
        return ""
    if row.memory_bytes < _GIB:
        return f"{row.memory_bytes / _MIB:.0f} MiB"
    return f"{row.memory_bytes / _GIB:.1f} GiB"


def device_text(lane: str) -> str:
    """A lane's name for the reader: ``"CPU"``, ``"GPU 0"``."""
    if lane == CPU:
        return "CPU"
    number = lane.partition(":")[2]
    return f"GPU {number}".rstrip()


def fitting(row: JobRow, rows: Sequence[JobRow]) -> frozenset[str]:
    """The names of `ACTIONS` that may be done with a job now."""
    state = row.state
    ended = state.is_ended
    again = state in (JobState.FAILED, JobState.CANCELLED)
    waiting = [each.id for each in waiting_of(rows, row.lane)]
    place = waiting.index(row.id) if row.id in waiting else None
    told = {
        "pause": state in (JobState.QUEUED, JobState.RUNNING) and not row.stopping,
        "resume": state in (JobState.PAUSED, JobState.PAUSING) and not row.stopping,
        "cancel": not ended and not row.stopping,
        "retry": again,
        "retry_on_cpu": again and row.lane != CPU,
        "up": place is not None and place > 0,
        "down": place is not None and place < len(waiting) - 1,
        "remove": ended,
    }
    return frozenset(name for name, fits in told.items() if fits)


def waiting_of(rows: Sequence[JobRow], lane: str) -> tuple[JobRow, ...]:
    """The jobs that wait for a device, the next first."""
    return tuple(row for row in rows if row.lane == lane and row.state is JobState.QUEUED)


def interrupted_of(rows: Sequence[JobRow]) -> tuple[JobRow, ...]:
    """The jobs whose program went away: to be offered for resumption."""
    return tuple(row for row in rows if row.interrupted and row.state is JobState.PAUSED)


def interrupted_text(rows: Sequence[JobRow]) -> str:
    """What the bar says of them."""
    if len(rows) == 1:
        text = translate("“{title}” was interrupted when the program ended. Go on with it?")
        return text.format(title=rows[0].title)
    text = translate("{count} jobs were interrupted when the program ended. Go on with them?")
    return text.format(count=len(rows))


def background_of(rows: Sequence[JobRow]) -> Background:
    """What the window's bottom line says: the running job, and what comes next."""
    active = next((row for row in rows if row.state.is_active), None)
    if active is None:
        waits = sum(row.state is JobState.QUEUED for row in rows)
        text = translate("jobs that wait: {count}").format(count=waits) if waits else ""
        return Background(text)
    where = translate("{device} lane: {title}")
    first = where.format(device=device_text(active.lane), title=active.title)
    parts = [f"{first} {progress_text(active)}".rstrip(), left_text(active)]
    following = next(iter(waiting_of(rows, active.lane)), None)
    if following is not None:
        parts.append(translate("next: {title}").format(title=following.title))
    return Background(" · ".join(part for part in parts if part), share_of(active))


def batches_of(rows: Sequence[JobRow]) -> tuple[JobRow, ...]:
    """The generations, the newest first."""
    made = (row for row in rows if row.kind == GENERATE)
    return tuple(sorted(made, key=lambda row: row.id, reverse=True))


def batch_to_show(rows: Sequence[JobRow]) -> JobRow | None:
    """The generation that a studio opens with: one that runs, else the newest."""
    batches = batches_of(rows)
    running = next((row for row in batches if row.state.is_active), None)
    return running or next(iter(batches), None)


def batch_text(row: JobRow) -> str:
    """What the studio's bottom line says of its batch."""
    progress = progress_text(row)
    if row.state.is_active and progress and not row.stopping:
        told = translate("Generating {progress}") if row.state is JobState.RUNNING else ""
        if told:
            return told.format(progress=progress)
    state = state_text(row)
    return f"{state[:1].upper()}{state[1:]}" + (f", {progress}" if progress else "")
