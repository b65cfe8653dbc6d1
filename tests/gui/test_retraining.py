"""The window of a retraining: step by step, with a queue that a test plays."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import pytest

from ml.audit.report import Verdict
from ml.manifest import Label, Manifest, ManifestRow, Split, write_manifest
from ml.versions import SHIPPED, Origin, Versions
from tests.factories.packs import make_packs
from tests.factories.queues import FakeQueue
from tests.gui.test_accessibility import nameless
from tests.viewer.jobs.test_retrained import ROLE, write_audit, write_comparison
from viewer.core.retraining import Step, margins_of
from viewer.core.settings import Settings
from viewer.jobs import retrained
from viewer.library.job_row import JobState
from viewer.qt.job_runner import JobRunner
from viewer.qt.long_jobs import LongJobs
from viewer.qt.retraining.window import Places, RetrainDialog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from viewer.core.retraining import Run
    from viewer.jobs.queue import JobQueue


@dataclass
class Window:
    """A dialog over a played queue, and what a reader does with it."""

    qtbot: QtBot
    folder: Path
    queue: FakeQueue = field(default_factory=FakeQueue)
    promoted: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.runner = JobRunner()
        self.jobs = LongJobs(cast("JobQueue", self.queue))
        places = Places(
            self.folder / "trainings",
            self.folder / "models",
            "cpu",
            lambda: margins_of(Settings()),
            lambda named: named("Dr. A"),
            lambda: self.promoted.append(True),
        )
        self.dialog = RetrainDialog(self.jobs, self.runner, places, None)
        self.qtbot.addWidget(self.dialog)
        self.dialog.show()
        self.jobs.start()

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
        self.dialog.count(data)
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


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[Window]:
    made = Window(qtbot, tmp_path)
    yield made
    made.close()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    splits = (Split.TRAIN, Split.TRAIN, Split.VALIDATION, Split.TEST)
    rows = tuple(
        ManifestRow(f"{n}.dcm", f"P{n}", label=Label.NORMAL, split=split)
        for n, split in enumerate(splits)
    )
    folder = tmp_path / "data"
    folder.mkdir()
    write_manifest(Manifest(folder, rows))
    return folder


def test_data_that_cannot_be_read_start_nothing(window: Window, tmp_path: Path) -> None:
    window.dialog.count(tmp_path)
    window.wait(lambda: "manifest" in window.dialog.data.said.text())
    assert not window.dialog.foot.buttons["audit"].isEnabled()
    assert window.dialog.step is Step.DATA


def test_the_data_are_audited_before_anything_else(window: Window, data: Path) -> None:
    window.dialog.data.role.choose("classifier")
    window.dialog.data.part.choose(0.25)
    window.begun(data)
    job = window.queue.rows[window.job("audit")]
    assert job.spec["manifest"] == str(data)
    assert (job.spec["role"], job.spec["part"]) == ("classifier", 0.25)
    assert window.dialog.step is Step.AUDIT
    assert not window.dialog.steps[Step.TRAIN].isEnabled()
    assert retrained.read_run(window.run.folder).order == window.run.order


def test_red_blocks_until_a_reason_is_written(window: Window, data: Path) -> None:
    window.audited(data, Verdict.RED)
    assert set(window.dialog.foot.buttons) == {"override", "audit"}
    assert "blocked" in window.said
    window.dialog.override("because")
    assert "Say in a sentence" in window.said
    window.dialog.override("It is only tried out.")
    window.press("to_train")
    window.press("train")
    spec = window.queue.rows[window.job("train")].spec
    assert spec["override"] == "It is only tried out."


def test_auditing_again_asks_anew_and_forgets_the_reason(window: Window, data: Path) -> None:
    window.audited(data, Verdict.RED)
    window.dialog.override("It is only tried out.")
    window.wait(lambda: window.run.order.override)
    first = window.job("audit")
    window.press("audit")
    window.wait(lambda: window.job("audit") != first)
    assert window.queue.rows[window.job("audit")].spec["override"] == ""
    window.wait(lambda: not (window.run.folder / retrained.AUDIT).exists())


def test_the_curve_is_drawn_while_it_trains_and_the_job_is_steered(
    window: Window, data: Path
) -> None:
    window.audited(data, Verdict.GREEN)
    window.press("to_train")
    window.press("train")
    job = window.job("train")
    window.queue.change(job, state=JobState.RUNNING, done=1, of=9)
    window.wait(lambda: "pause" in window.dialog.foot.buttons)
    window.queue.tell(job, {"stage": "detector", "loss": 0.5, "done": 2, "of": 9})
    window.wait(lambda: window.run.curve)
    assert window.dialog.train.curve.widget.listDataItems()
    window.press("pause")
    window.wait(lambda: "resume" in window.dialog.foot.buttons)
    window.press("cancel")
    window.wait(lambda: "train" in window.dialog.foot.buttons)
    # It goes on where it was, and says so.
    assert window.dialog.foot.buttons["train"].text() == "Go on"


def test_a_failed_job_says_why_and_may_be_tried_again(window: Window, data: Path) -> None:
    window.audited(data, Verdict.GREEN)
    window.press("to_train")
    window.press("train")
    window.end("train", state=JobState.FAILED, sentence="The disk is full; make room.")
    window.wait(lambda: window.said == "The disk is full; make room.")
    assert "train" in window.dialog.foot.buttons


def compared(window: Window, data: Path, *, promoted: bool) -> str:
    """A run up to its last step; the key of its version."""
    window.audited(data, Verdict.GREEN)
    trained = make_packs(window.folder / "new")[ROLE]
    (window.run.folder / "card.json").write_bytes((trained / "card.json").read_bytes())
    window.dialog._read_again()
    window.wait(lambda: window.run.trained)
    window.dialog.go_to(Step.COMPARE)
    window.press("compare")
    spec = window.queue.rows[window.job("compare")].spec
    assert spec == {
        "trained": str(window.run.folder),
        "manifest": str(data),
        **margins_of(Settings()),
    }
    versions = Versions(window.folder / "models")
    key = versions.add(trained, Origin("", "", {}, "green")).key
    write_comparison(window.run.folder, key, promoted=promoted)
    window.end("compare")
    window.press("to_promote")
    return key


def test_a_model_is_promoted_and_one_press_goes_back(window: Window, data: Path) -> None:
    key = compared(window, data, promoted=True)
    window.press("promote")
    window.wait(lambda: window.promoted)
    versions = Versions(window.folder / "models")
    assert versions.live(ROLE) == key
    line = json.loads((window.folder / "models" / "history.jsonl").read_text().splitlines()[-1])
    assert line["who"] == "Dr. A"
    window.wait(lambda: ROLE in window.dialog.promote.backs)
    window.dialog.promote.backs[ROLE].click()
    window.wait(lambda: len(window.promoted) == 2)
    assert versions.live(ROLE) == SHIPPED


def test_what_the_gate_stopped_cannot_be_promoted(window: Window, data: Path) -> None:
    compared(window, data, promoted=False)
    window.wait(lambda: "stays out of use" in window.said)
    assert not window.dialog.foot.buttons


def test_a_training_of_before_is_opened_where_it_was(
    qtbot: QtBot, window: Window, data: Path
) -> None:
    window.audited(data, Verdict.AMBER)
    folder = window.run.folder
    later = Window(qtbot, window.folder)
    later.wait(lambda: later.dialog.choice.count() == 2)
    later.dialog.choice.setCurrentIndex(1)
    later.wait(lambda: later.dialog.run is not None)
    assert later.run.folder == folder
    assert later.dialog.step is Step.TRAIN
    later.close()


def test_everything_has_a_name(window: Window, data: Path) -> None:
    compared(window, data, promoted=True)
    assert nameless(window.dialog) == []
