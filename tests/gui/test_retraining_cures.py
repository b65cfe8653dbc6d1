"""What the window of a retraining does about what an audit found; generations that it adds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QWidget

from ml.audit.report import AuditReport, Check, Sentence, Verdict
from ml.manifest import Manifest, ManifestRow, Source, Split, write_manifest
from tests.factories.queues import make_row
from tests.factories.retrainings import Window, put_data, texts_of
from tests.gui.test_accessibility import nameless
from viewer.core import audit_words
from viewer.core.audit_words import Deed
from viewer.core.retraining import Step
from viewer.jobs import retrained
from viewer.library.job_row import JobState
from viewer.qt.retraining.open import plan_images
from viewer.qt.studio.window import Places as StudioPlaces
from viewer.qt.studio.window import StudioDialog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[Window]:
    made = Window(qtbot, tmp_path)
    yield made
    made.close()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return put_data(tmp_path / "data")


def put_generation(window: Window, title: str = "Generate 2") -> Path:
    """A finished generation that the queue knows."""
    folder = window.folder / "generated" / "2026-11-29-seed-1"
    folder.mkdir(parents=True)
    rows = tuple(
        ManifestRow(f"{n}.dcm", f"S{n}", source=Source.GENERATED, split=Split.TRAIN)
        for n in range(2)
    )
    write_manifest(Manifest(folder, rows))
    spec = {"out": str(folder)}
    row = make_row(90, kind="generate", title=title, state=JobState.DONE, spec=spec)
    window.queue.put(row)
    return folder


def test_finished_generations_are_offered_among_the_data(window: Window, data: Path) -> None:
    made = window.dialog.data.made
    assert not made.isEnabled()
    assert "No generation is finished" in made.toolTip()
    folder = put_generation(window)
    window.wait(made.isEnabled)
    (action,) = made.menu().actions()
    assert action.text() == "Generate 2 · 2 images, 0 of them with a lesion"
    window.dialog.chosen.add(data)
    action.trigger()
    window.wait(lambda: window.dialog.chosen.sets == (data, folder))
    assert nameless(window.dialog) == []


def audited_as(window: Window, data: Path, *names: str) -> None:
    """A run whose audit found these things, each with a cure of its own."""
    window.begun(data)
    checks = tuple(
        Check(
            Sentence.of(name, question="lesion or none"),
            Verdict.RED,
            Sentence.of("Said."),
            Sentence.of(f"Cure {number}."),
        )
        for number, name in enumerate(names)
    )
    report = AuditReport("data", 4, 3, checks)
    (window.run.folder / retrained.AUDIT).write_text(json.dumps(report.to_json()))
    window.end("audit")
    window.wait(lambda: window.run.audit is not None)


def test_a_cure_that_the_program_can_do_has_a_button(window: Window, data: Path) -> None:
    folder = put_generation(window)
    window.wait(window.dialog.data.made.isEnabled)
    audited_as(window, data, audit_words.ONE_SOURCE, audit_words.CODEC)
    cures = window.dialog.audit.cures
    assert list(cures) == [("Cure 0.", Deed.PLAN), ("Cure 0.", Deed.USE)]
    assert nameless(window.dialog) == []
    cures["Cure 0.", Deed.PLAN].click()
    assert window.planned == [data]
    (action,) = cures["Cure 0.", Deed.USE].menu().actions()
    action.trigger()
    window.wait(lambda: window.dialog.chosen.sets == (data, folder))
    assert window.dialog.step is Step.DATA
    first = window.run.folder
    window.press("audit")
    window.wait(lambda: window.run.folder != first)
    assert window.run.order.manifest == str(window.run.folder / "data")


def test_splits_are_mended_in_a_copy_that_is_audited_anew(window: Window, data: Path) -> None:
    audited_as(window, data, audit_words.PATIENTS)
    before = (data / "manifest.csv").read_bytes()
    first = window.job("audit")
    window.dialog.audit.cures["Cure 0.", Deed.MEND].click()
    window.wait(lambda: window.job("audit") != first)
    mended = str(window.run.folder / "mended")
    assert window.queue.rows[window.job("audit")].spec["manifest"] == mended
    assert window.run.order.manifest == mended
    assert (data / "manifest.csv").read_bytes() == before
    said = texts_of(window.dialog.audit.left)
    assert any("A mended copy of the tables" in text for text in said)


def test_tables_that_a_job_works_with_are_not_mended(window: Window, data: Path) -> None:
    audited_as(window, data, audit_words.PATIENTS)
    window.dialog.override("It is only tried out.")
    window.press("to_train")
    window.press("train")
    window.job("train")
    window.dialog.go_to(Step.AUDIT)
    window.dialog.audit.cures["Cure 0.", Deed.MEND].click()
    window.wait(lambda: "cancel it first" in window.said)
    assert not (window.run.folder / "mended").exists()


class Over(QWidget):
    """A window over which a studio is opened."""

    def __init__(self, studio: StudioDialog) -> None:
        super().__init__()
        self.studio = studio
        self.shown = 0

    def show_studio(self) -> None:
        self.shown += 1
        self.studio.setParent(self)


def test_the_studio_counts_what_the_data_lack(qtbot: QtBot, window: Window, data: Path) -> None:
    places = StudioPlaces((window.folder / "generator",), window.folder / "generated", "cpu")
    over = Over(StudioDialog(window.jobs, window.runner, places, lambda _: None, None))
    qtbot.addWidget(over)
    plan_images(over, data)
    assert over.shown == 1
    window.wait(lambda: str(data) in over.studio.figures.name.text())
