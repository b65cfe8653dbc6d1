"""The window of a retraining: step by step, with a queue that a test plays."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QFrame, QLabel, QPushButton

from ml.audit.report import Verdict
from ml.manifest import Label, Manifest, ManifestRow, Source, Split, write_manifest
from ml.train.order import HelpsOrder, Mode, TrainingOrder
from ml.versions import SHIPPED, Origin, Versions
from tests.factories.packs import make_packs
from tests.factories.retrainings import Window, put_data, texts_of
from tests.gui.test_accessibility import nameless
from tests.viewer.jobs.test_retrained import REMARK, ROLE, write_comparison
from viewer.core.retraining import Point, Run, Step, margins_of
from viewer.core.settings import Settings
from viewer.jobs import retrained
from viewer.library.job_row import JobState
from viewer.qt.retraining.pages import TrainPage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[Window]:
    made = Window(qtbot, tmp_path)
    yield made
    made.close()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return put_data(tmp_path / "data")


def test_data_that_cannot_be_read_start_nothing(window: Window, tmp_path: Path) -> None:
    window.dialog.chosen.add(tmp_path)
    window.wait(lambda: "manifest" in window.dialog.data.said.text())
    assert not window.dialog.foot.buttons["audit"].isEnabled()
    assert window.dialog.step is Step.DATA


def test_data_are_added_and_taken_out(window: Window, data: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    write_manifest(Manifest(other, (ManifestRow("x.dcm", "X", split=Split.TRAIN),)))
    chosen = window.dialog.chosen
    chosen.add(data)
    chosen.add(other)
    window.wait(lambda: chosen.sets == (data, other))
    assert chosen.counted is not None
    assert chosen.counted.images == 5
    chosen.add(tmp_path / "nothing")
    window.wait(lambda: "manifest" in window.dialog.data.said.text())
    assert chosen.sets == (data, other), "what cannot be read changes nothing"
    out = window.dialog.data.findChildren(QPushButton)
    next(b for b in out if b.accessibleName() == "Take out data").click()
    window.wait(lambda: chosen.sets == (other,))
    out = window.dialog.data.findChildren(QPushButton)
    next(b for b in out if b.accessibleName() == "Take out other").click()
    window.wait(lambda: not chosen.sets)
    assert not window.dialog.foot.buttons["audit"].isEnabled()


def test_corrections_are_written_and_added(window: Window, data: Path) -> None:
    window.corrections = data
    window.dialog.data.corrections.click()
    window.wait(lambda: window.dialog.chosen.sets == (data,))


def test_without_a_library_there_are_no_corrections(window: Window) -> None:
    window.dialog.data.corrections.click()
    window.wait(lambda: "library" in window.dialog.data.said.text())


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


def drawn_of(page: TrainPage) -> list[int]:
    """How many points each part of the curve draws."""
    return [len(item.getData()[0]) for item in page.curve.widget.getPlotItem().items]


def test_of_a_long_training_no_more_is_drawn_than_there_is_room_for(qtbot: QtBot) -> None:
    page = TrainPage()
    qtbot.addWidget(page)
    page.resize(1200, 700)
    page.show()
    points = tuple(
        Point(n, 5000, "patches" if n <= 2000 else "classifier", 1 / n) for n in range(1, 5001)
    )
    page.show_run(Run(TrainingOrder("data", "out", ROLE), curve=points))
    dots, lines = drawn_of(page)[::2], drawn_of(page)[1::2]
    assert dots == lines
    room = page.curve.widget.width()
    assert room / 5 < sum(dots) <= room / 3
    ends = [item.getData()[0][[0, -1]].tolist() for item in page.curve.widget.listDataItems()]
    assert ends[0] == [1, 2000], "the first and the last are among them"
    assert ends[-1] == [2001, 5000]
    page.show_run(Run(TrainingOrder("data", "other", ROLE), curve=points[-9:]))
    assert drawn_of(page) == [9, 9], "another training is drawn anew"


def test_a_failed_job_says_why_and_may_be_tried_again(window: Window, data: Path) -> None:
    window.audited(data, Verdict.GREEN)
    window.press("to_train")
    window.press("train")
    window.end("train", state=JobState.FAILED, sentence="The disk is full; make room.")
    window.wait(lambda: window.said == "The disk is full; make room.")
    assert "train" in window.dialog.foot.buttons


def compared(window: Window, data: Path, *, promoted: bool, standing: str = "not worse") -> str:
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
    write_comparison(window.run.folder, key, promoted=promoted, standing=standing)
    window.end("compare")
    window.wait(lambda: REMARK in texts_of(window.dialog.compare.left))
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


def test_the_way_back_stays_open_though_the_model_in_use_is_gone(
    window: Window, data: Path
) -> None:
    key = compared(window, data, promoted=True)
    window.press("promote")
    window.wait(lambda: ROLE in window.dialog.promote.backs)
    versions = Versions(window.folder / "models")
    shutil.rmtree(versions.place(ROLE, key))
    window.dialog._read_versions()
    gone = "is not among the versions any more"
    window.wait(lambda: any(gone in text for text in texts_of(window.dialog.promote.left)))
    window.dialog.promote.backs[ROLE].click()
    window.wait(lambda: versions.live(ROLE) == SHIPPED)


def test_a_training_that_cannot_be_read_leaves_the_one_before(
    window: Window, data: Path
) -> None:
    window.audited(data, Verdict.GREEN)
    shown, dialog = window.run.folder, window.dialog
    bad = shown.with_name("2020-01-01-detector-1")
    bad.mkdir()
    (bad / retrained.ORDER).write_text("{")
    dialog._read_runs()
    window.wait(lambda: dialog.choice.findData(str(bad)) > 0)
    dialog.choice.setCurrentIndex(dialog.choice.findData(str(bad)))
    assert dialog.choice.currentData() == str(shown), "the buttons act on that one"
    window.wait(lambda: "cannot be read" in window.said)
    assert window.run.folder == shown
    assert dialog.choice.currentData() == str(shown)


def test_what_is_read_late_is_of_no_other_training(window: Window, data: Path) -> None:
    window.audited(data, Verdict.GREEN)
    first = window.run
    other = replace(first.order, out=str(first.folder.with_name("other")), role="classifier")
    second = retrained.begin(other, [data])
    window.dialog.open_run(second.folder)
    window.wait(lambda: window.run.folder == second.folder)
    assert window.dialog.data.role.value == "classifier", "the next one begins like it"
    window.dialog._take_run(first)
    window.dialog._override_of(first, "It is only tried out.")
    assert window.run.folder == second.folder
    window.dialog._opened(first)
    assert window.run.folder == second.folder


def test_a_finished_training_is_there_though_its_data_are_away(
    window: Window, data: Path
) -> None:
    key = compared(window, data, promoted=True)
    folder = window.run.folder
    data.rename(data.with_name("unplugged"))
    window.dialog._choose_run(0)
    window.dialog.open_run(folder)
    window.wait(lambda: window.dialog.run is not None)
    assert window.run.counted is None
    window.dialog.go_to(Step.PROMOTE)
    window.press("promote")
    window.wait(lambda: Versions(window.folder / "models").live(ROLE) == key)
    window.wait(lambda: not window.dialog.foot.buttons)
    window.dialog.go_to(Step.COMPARE)
    assert list(window.dialog.foot.buttons) == ["to_promote"], "it is in use"


def test_too_few_to_tell_is_not_called_worse(window: Window, data: Path) -> None:
    compared(window, data, promoted=False, standing="too few to tell")
    window.wait(lambda: window.dialog.compare.findChild(QFrame, "verdict"))
    card = window.dialog.compare.findChild(QFrame, "verdict")
    assert card.property("verdict") == "amber"
    assert "Too few to tell" in card.accessibleName()


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


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Two real images for training, and three that a generator made."""
    purposes = (Split.TRAIN, Split.TRAIN, Split.VALIDATION, Split.TEST, *[Split.TRAIN] * 3)
    rows = tuple(
        ManifestRow(
            f"{n}.dcm",
            f"P{n}",
            label=Label.NORMAL,
            split=split,
            source=Source.REAL if n < 4 else Source.GENERATED,
        )
        for n, split in enumerate(purposes)
    )
    folder = tmp_path / "mixed"
    folder.mkdir()
    write_manifest(Manifest(folder, rows))
    return folder


def test_whether_synthetic_images_help_is_asked_and_told(window: Window, mixed: Path) -> None:
    mode = window.dialog.data.mode
    assert [mode.itemData(n) for n in range(mode.count())] == ["", *(m.value for m in Mode)]
    mode.setCurrentIndex(mode.findData("oversampled"))
    window.audited(mixed, Verdict.GREEN)
    assert window.run.order.mode == "oversampled"
    window.press("to_train")
    window.press("helps")
    job = window.job("helps")
    spec = window.queue.rows[job].spec
    order = HelpsOrder.from_json(spec)
    assert order.doses == (0.5, 1.0), "two doses have images enough"
    assert order.out == str(window.run.folder / "helps")
    window.queue.change(job, state=JobState.RUNNING, done=1, of=9)
    window.wait(lambda: "pause" in window.dialog.foot.buttons)
    window.press("pause")
    window.wait(lambda: "resume" in window.dialog.foot.buttons)
    told = {"words": "synthetic images only", "figure": "sensitivity"}
    found = {
        "sentence": "Synthetic images harm here.",
        "comparisons": [{**told, "verdict": "harms", "sentence": "It harms."}],
    }
    Path(order.out).mkdir()
    (Path(order.out) / "helps.json").write_text(json.dumps(found))
    window.end("helps")
    window.wait(lambda: window.run.helps)
    shown = [each.text() for each in window.dialog.train.findChildren(QLabel)]
    assert {"Synthetic images harm here.", "synthetic images only", "It harms."} <= set(shown)
    assert "train" in window.dialog.foot.buttons
    assert nameless(window.dialog) == []


def test_it_is_not_asked_where_nothing_is_synthetic(window: Window, data: Path) -> None:
    window.audited(data, Verdict.GREEN)
    window.press("to_train")
    window.wait(lambda: "train" in window.dialog.foot.buttons)
    assert "helps" not in window.dialog.foot.buttons


def test_why_it_could_not_be_said_whether_it_helps(window: Window, mixed: Path) -> None:
    window.audited(mixed, Verdict.GREEN)
    window.press("to_train")
    window.press("helps")
    window.end("helps", state=JobState.FAILED, sentence="The disk is full; make room.")
    window.wait(lambda: window.said == "The disk is full; make room.")
    assert "helps" in window.dialog.foot.buttons


def test_everything_has_a_name(window: Window, data: Path) -> None:
    compared(window, data, promoted=True)
    assert nameless(window.dialog) == []


def test_a_dose_is_asked_for_where_a_mode_has_one(window: Window, mixed: Path) -> None:
    page = window.dialog.data
    assert not page.dose.isVisible()
    page.mode.setCurrentIndex(page.mode.findData("mixed"))
    assert page.dose.isVisible()
    window.dialog.chosen.add(mixed)
    window.wait(lambda: "1.5" in page.enough.text())
    page.dose.setValue(9)
    assert page.dose.value() == 1.5, "there are no images for more"
    page.dose.setValue(0.5)
    assert nameless(window.dialog) == []
    window.press("audit")
    assert window.queue.rows[window.job("audit")].spec["dose"] == 0.5
    page.mode.setCurrentIndex(page.mode.findData("oversampled"))
    assert not page.dose.isVisible()
    assert page.asked_dose == TrainingOrder("", "").dose, "the mode has none"


def test_without_synthetic_images_a_mode_of_them_says_so(window: Window, data: Path) -> None:
    page = window.dialog.data
    page.mode.setCurrentIndex(page.mode.findData("synthetic_only"))
    window.dialog.chosen.add(data)
    window.wait(lambda: "no synthetic images" in page.enough.text())
