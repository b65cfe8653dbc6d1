"""The window of a retraining over a played queue, and what a reader does with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from PySide6.QtWidgets import QLabel, QWidget

from ml.manifest import Label, Manifest, ManifestRow, Split, write_manifest
from tests.factories.queues import FakeQueue
from tests.viewer.jobs.test_retrained import write_audit
from viewer.core.retraining import margins_of
from viewer.core.settings import Settings
from viewer.jobs.job import Job
from viewer.library.job_row import JobState
from viewer.qt.job_runner import JobRunner
from viewer.qt.long_jobs import LongJobs
from viewer.qt.retraining.places import Places
from viewer.qt.retraining.window import RetrainDialog

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from ml.audit.report import Verdict
    from viewer.core.retraining import Run
    from viewer.jobs.queue import JobQueue


@dataclass
class Window:
    """A dialog over a played queue, and what a reader does with it."""

    qtbot: QtBot
    folder: Path
    queue: FakeQueue = field(default_factory=FakeQueue)
    promoted: list[bool] = field(default_factory=list)
    corrections: Path | None = None
    planned: list[Path] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.runner = JobRunner()
        self.jobs = LongJobs(cast("JobQueue", self.queue))
        places = Places(
            self.folder / "trainings",
            self.folder / "models",
            lambda: "cpu",
            lambda: margins_of(Settings()),
            lambda named: named("Dr. A"),
            lambda: self.promoted.append(True),
            self.write_corrections,
            self.planned.append,
        )
        self.dialog = RetrainDialog(self.jobs, self.runner, places, None)
        self.qtbot.addWidget(self.dialog)
        self.dialog.show()
        self.jobs.start()

    def write_corrections(self) -> Job[Path] | None:
        folder = self.corrections
        return None if folder is None else Job("Writing", lambda: folder)

    def close(self) -> None:
        self.dialog.close()
        self.runner.close()
        self.jobs.close()

    @property
    def run(self) -> Run:
        assert self.dialog.run is not None
        return self.dialog.run

    def press(self, name: str) -> None:
        self.wait(lambda: name in self.dialog.foot.buttons)
        self.dialog.foot.buttons[name].click()

    def wait(self, holds: Callable[[], object]) -> None:
        self.qtbot.waitUntil(lambda: bool(holds()))

    def job(self, kind: str) -> int:
        """The number of the newest job of a kind, once it is in the queue."""
        self.wait(lambda: any(row.kind == kind for row in self.jobs.rows))
        return max(row.id for row in self.jobs.rows if row.kind == kind)

    def end(self, kind: str, **changes: object) -> None:
        self.queue.change(self.job(kind), **{"state": JobState.DONE, **changes})

    def begun(self, data: Path) -> None:
        self.dialog.chosen.add(data)
        self.wait(lambda: self.dialog.foot.buttons["audit"].isEnabled())
        self.press("audit")
        self.wait(lambda: self.dialog.run is not None)

    def audited(self, data: Path, verdict: Verdict) -> None:
        self.begun(data)
        write_audit(self.run.folder, verdict)
        self.end("audit")
        self.wait(lambda: self.run.audit is not None)

    @property
    def said(self) -> str:
        return self.dialog.foot.sentence.text()


def put_data(folder: Path) -> Path:
    """Four patients of one image each, for every purpose."""
    splits = (Split.TRAIN, Split.TRAIN, Split.VALIDATION, Split.TEST)
    rows = tuple(
        ManifestRow(f"{n}.dcm", f"P{n}", label=Label.NORMAL, split=split)
        for n, split in enumerate(splits)
    )
    folder.mkdir()
    write_manifest(Manifest(folder, rows))
    return folder


def texts_of(widget: QWidget) -> list[str]:
    return [each.text() for each in widget.findChildren(QLabel)]
