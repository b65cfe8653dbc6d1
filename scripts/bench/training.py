"""Training: how long the window's event loop stalls beside it, its curve drawn as it comes.

The images are simulated at a coarse pixel; the training is the detector's by its usual plan.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from generating import GOAL_STALL_MS, percentile, stalls_ms
from tables import Row, Table, at_most
from windows import new_window, seconds_to_paint

from ml.audit.command import files_of, tables_of
from ml.audit.report import AuditReport
from ml.files import write_json
from ml.manifest import Split, read_manifest, write_manifest
from ml.phantom.dataset import write_phantoms
from ml.places import SAMPLES
from ml.train.order import AUDIT, TrainingOrder
from viewer.core import retraining
from viewer.jobs.queue import JobQueue
from viewer.qt.long_jobs import LongJobs
from viewer.qt.retraining.pages import TrainPage

if TYPE_CHECKING:
    from collections.abc import Mapping

WOMEN, SEED, PIXEL_MM = 12, 34, 0.4
# Until the job has imported, prepared and loaded what it needs, at the lowest priority.
LONGEST_S = 3600.0
PAGE_PX = (1100, 800)


def measure() -> Table:
    """Stalls in ms without and with a training beside."""
    with tempfile.TemporaryDirectory() as folder:
        quiet, beside = _beside_a_window(Path(folder))
    rows = (
        Row("event loop stall, 99th percentile, nothing beside it", percentile(quiet), "ms"),
        at_most(
            "event loop stall, 99th percentile, while it trains",
            percentile(beside),
            "ms",
            GOAL_STALL_MS,
        ),
        Row("event loop stall, the longest, while it trains", max(beside), "ms"),
    )
    return Table("A training on two cores beside the window", rows)


def simulated(folder: Path) -> Path:
    """Images that a training can be made of."""
    manifest = write_phantoms(folder, WOMEN, SEED, pixel_mm=PIXEL_MM)
    women = list(dict.fromkeys(row.patient_id for row in manifest.rows))
    purposes = {woman: tuple(Split)[number % 3] for number, woman in enumerate(women)}
    rows = tuple(replace(row, split=purposes[row.patient_id]) for row in manifest.rows)
    write_manifest(replace(manifest, rows=rows))
    return folder


def order_of(
    manifest: Path,
    out: Path,
    role: str = "detector",
    *,
    part: float = 1.0,
    audited: bool = True,
) -> TrainingOrder:
    """A training from scratch.

    Parameters
    ----------
    audited
        Its audit is there already, and green.
    """
    out.mkdir(parents=True)
    if audited:
        files = files_of(read_manifest(manifest))
        report = AuditReport("simulated", 1, 1, (), tables_of(manifest), files=files)
        write_json(out / AUDIT, report.to_json())
    return TrainingOrder(str(manifest), str(out), role, "cpu", part, from_scratch=True)


def _beside_a_window(folder: Path) -> tuple[list[float], list[float]]:
    order = order_of(simulated(folder / "data"), folder / "out")
    window = new_window()
    seconds_to_paint(window, sorted(SAMPLES.rglob("*.dcm")))
    quiet = stalls_ms()
    told: SimpleQueue[Mapping[str, object]] = SimpleQueue()
    queue = JobQueue(folder / "library.sqlite")
    queue.subscribe(lambda change: told.put(change.news) if change.news else None)
    jobs, page = LongJobs(queue), _Page(order)
    jobs.told.connect(page.hear)
    jobs.start()
    queue.submit("train", "benchmark", order.to_json(), lane="cpu")
    while "loss" not in told.get(timeout=LONGEST_S):
        pass
    beside = stalls_ms()
    jobs.close()
    page.page.close()
    window.close()
    return quiet, beside


class _Page:
    """The page of the retraining window that draws the curve."""

    def __init__(self, order: TrainingOrder) -> None:
        self._run = retraining.Run(order)
        self.page = TrainPage()
        self.page.resize(*PAGE_PX)
        self.page.show()

    def hear(self, _job_id: int, news: Mapping[str, object]) -> None:
        """Draw the next point, as the window does."""
        run = retraining.hear(self._run, news)
        if run is not self._run:
            self._run = run
            self.page.show_run(run)
