"""How soon a cancelled training returns its device: until its process is gone.

In a step, and where a training takes long breaths: as it starts, in its audit, while images are
prepared or pass the classifier's trunk, and while it measures and exports.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tables import Row, Table, at_most
from training import LONGEST_S, order_of, simulated

from ml.train.order import PLAN
from viewer.jobs.queue import JobQueue
from viewer.library.job_row import JobState

if TYPE_CHECKING:
    from collections.abc import Callable

    from viewer.library.job_row import JobRow

    # Whether a job is where it is to be cancelled.
    There = Callable[[JobQueue, JobRow], bool]

PREPARED = "prepared"
GOAL_S = 5.0
# Some steps of each stage.
PART = 0.01
LOOK_S = 0.01
# Into the stretch itself, which begins with what tells of it.
INTO_S = 0.5


@dataclass(frozen=True, slots=True)
class Stretch:
    """Where in which training it is cancelled."""

    name: str
    there: There
    role: str = "detector"
    audited: bool = True
    prepared: bool = True


def _told(job: JobRow, name: str) -> object:
    return job.news.get(name)


def _is_at(stage: str) -> There:
    return lambda _, job: _told(job, "stage") == stage


def _patches_are_done(_: JobQueue, job: JobRow) -> bool:
    """The next thing is that every image passes the trunk."""
    plan = Path(str(job.spec["out"])) / PLAN
    return (
        _told(job, "stage") == "patches"
        and job.done == json.loads(plan.read_text())["patches"]["steps"]
    )


def _prepares(_: JobQueue, job: JobRow) -> bool:
    return (Path(str(job.spec["out"])) / PREPARED).exists()


def _measures(queue: JobQueue, job: JobRow) -> bool:
    return any("Measuring" in line.sentence for line in queue.log(job.id))


# The first leaves the prepared images for the others.
STRETCHES = (
    Stretch("while it measures and exports", _measures),
    Stretch("while it prepares images", _prepares, prepared=False),
    Stretch("as it starts", lambda _, job: job.state is JobState.RUNNING),
    Stretch("in its audit", lambda _, job: job.done > 1, audited=False),
    Stretch("in a step of a detector", _is_at("detector")),
    Stretch("in a step of a classifier's patches", _is_at("patches"), "classifier"),
    Stretch("while images pass its trunk", _patches_are_done, "classifier"),
)


def measure() -> Table:
    """Cancel a training in each of its stretches."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        manifest = simulated(folder / "data")
        queue = JobQueue(folder / "library.sqlite")
        queue.start()
        try:
            rows = tuple(_row(queue, manifest, folder, stretch) for stretch in STRETCHES)
        finally:
            queue.close()
    return Table("A cancelled training returns its device", rows)


def _row(queue: JobQueue, manifest: Path, folder: Path, stretch: Stretch) -> Row:
    out = folder / stretch.name.replace(" ", "-")
    order = order_of(manifest, out, stretch.role, part=PART, audited=stretch.audited)
    prepared = folder / PREPARED
    if stretch.prepared and prepared.exists():
        shutil.copytree(prepared, out / PREPARED)
    job_id = queue.submit("train", stretch.name, order.to_json(), lane="cpu")
    _wait(queue, job_id, lambda job: stretch.there(queue, job))
    time.sleep(INTO_S)
    begun = time.perf_counter()
    queue.cancel(job_id)
    _wait(queue, job_id, lambda job: job.state is JobState.CANCELLED)
    took = time.perf_counter() - begun
    if (out / PREPARED).exists() and not prepared.exists():
        (out / PREPARED).rename(prepared)
    shutil.rmtree(out)
    return at_most(f"from cancel to a free device, {stretch.name}", took, "s", GOAL_S)


def _wait(queue: JobQueue, job_id: int, holds: Callable[[JobRow], bool]) -> None:
    end = time.monotonic() + LONGEST_S
    while (job := queue.job(job_id)) is not None and not holds(job):
        if job.state.is_ended or time.monotonic() > end:
            raise TimeoutError(f"{job.title}: {job.state.value} {job.sentence}")
        time.sleep(LOOK_S)
