"""The list of reads over a real library: what was said, what is entered, what is written."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QImage
from PySide6.QtPdf import QPdfDocument
from PySide6.QtPrintSupport import QPrintDialog

from ml.hashed import own_patient
from ml.mammo.codes import Laterality
from ml.mammo.read import read_mammogram
from ml.manifest import Split, read_manifest
from tests.factories.breasts import make_four_views
from tests.factories.words import READER, make_decision, make_outcome
from viewer.core.decision import AssessmentCategory, Proof, Standing, Truth
from viewer.library.library import Library, RecentStudy
from viewer.qt.dialogs.outcome import Known, OutcomeDialog
from viewer.qt.dialogs.outcomes import OutcomesDialog
from viewer.qt.job_runner import JobRunner
from viewer.qt.preferences import Preferences
from viewer.qt.reads import Reads
from viewer.qt.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

RIGHT, LATER = Laterality.RIGHT, "2026-03-01T00:00:00Z"


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """One study with a rejected and an accepted mark and a recall, and one of nobody."""
    made = Library(tmp_path / "library.sqlite")
    images = [read_mammogram(path) for path in make_four_views(tmp_path / "study")]
    files = {image.sop_instance_uid: str(image.path) for image in images}
    uid = images[0].study_instance_uid
    made.remember_study(RecentStudy(uid, str(tmp_path / "study"), "P1 (4)", LATER, files))
    right = [
        image for image in images if image.laterality and image.laterality.value.value == "R"
    ]
    first = replace(make_decision(), sop_instance_uid=right[0].sop_instance_uid)
    second = replace(first, sop_instance_uid=right[1].sop_instance_uid, mark="m2")
    wrong = replace(second, standing=Standing.REJECTED)
    unknown = replace(make_outcome(), proof=None, truth=None, proof_date="")
    recall = replace(unknown, assessment=None, follow_up_months=None)
    words = [(uid, "a", first), (uid, "b", wrong), (uid, "c", recall)]
    made.add_words([*words, ("synthetic:9", "d", replace(recall, recall=True))])
    yield made
    made.close()


@pytest.fixture
def reads(tmp_path: Path, library: Library) -> Iterator[Reads]:
    settings = tmp_path / "settings.toml"
    settings.write_text(f'reader = "{READER}"\n', encoding="utf-8")
    session = Session()
    runner = JobRunner()
    made = Reads(session, Preferences(session, settings), runner, library, now=lambda: LATER)
    yield made
    runner.close()


@pytest.fixture
def dialog(qtbot: QtBot, reads: Reads) -> OutcomesDialog:
    made = OutcomesDialog(reads, lambda _: None, lambda _: None, None)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(lambda: made.list.topLevelItemCount() == 2)
    return made


def test_what_is_entered_is_kept_and_counts(
    qtbot: QtBot, dialog: OutcomesDialog, library: Library
) -> None:
    uids = [study.uid for study in dialog.shown]
    dialog.list.setCurrentItem(
        dialog.list.topLevelItem(next(i for i, uid in enumerate(uids) if ":" not in uid))
    )
    study = dialog.chosen
    assert study is not None
    assert "PPV1: none yet; 0 of 0, 1 unknown" in dialog.text()
    assert "1 synthetic" in dialog.text()
    dialog.ask(Laterality.RIGHT)
    form = dialog.findChild(OutcomeDialog)
    assert form is not None
    proof = (Proof.PATHOLOGY, Truth.MALIGNANT)
    form._known(Known(AssessmentCategory.SUSPICIOUS, proof, "2026-02-01", None))
    form.reject()
    qtbot.waitUntil(lambda: "PPV3: 100.0 %" in dialog.text())
    last = library.outcomes_of(study.uid)[-1]
    assert (last.recall, last.truth, last.circumstances.at) == (True, Truth.MALIGNANT, LATER)
    dialog.first.setText("yesterday")
    dialog.first.editingFinished.emit()
    assert "year-month-day" in dialog.sentence.text()
    dialog.first.setText("2030-01-01")
    dialog.first.editingFinished.emit()
    assert dialog.shown == ()
    assert not dialog.buttons["csv"].isEnabled()


def ask(dialog: OutcomesDialog) -> OutcomeDialog:
    """The form of the right breast of the study that shows somebody."""
    uids = [study.uid for study in dialog.shown]
    index = next(i for i, uid in enumerate(uids) if ":" not in uid)
    dialog.list.setCurrentItem(dialog.list.topLevelItem(index))
    dialog.ask(Laterality.RIGHT)
    form = dialog.findChild(OutcomeDialog)
    assert form is not None
    return form


def follow(form: OutcomeDialog, day: str, months: str) -> None:
    form.proof.setCurrentIndex(form.proof.findData(Proof.FOLLOW_UP))
    form.truth.setCurrentIndex(form.truth.findData(Truth.BENIGN))
    form.day.setText(day)
    form.months.setText(months)
    form.accept()


def test_a_follow_up_is_held_against_the_date_in_the_files(
    qtbot: QtBot, reads: Reads, dialog: OutcomesDialog, library: Library
) -> None:
    form = ask(dialog)
    study = dialog.chosen
    assert study is not None
    assert form.months.text() == "", "what nobody said is not claimed"
    qtbot.waitUntil(lambda: reads.study_date(study) == "20260102")
    follow(form, "2026-01-03", "12")
    assert "From the study of 2026-01-02" in form.problem.text()
    follow(form, "2026-01-01", "")
    assert "before the study" in form.problem.text()
    follow(form, "2026-02-20", "")
    qtbot.waitUntil(lambda: library.outcomes_of(study.uid)[-1].follow_up_months == 1)


def test_what_was_said_while_the_form_was_open_stays(
    qtbot: QtBot, dialog: OutcomesDialog, library: Library
) -> None:
    form = ask(dialog)
    study = dialog.chosen
    assert study is not None
    (before,) = (one for one in library.outcomes_of(study.uid) if one.laterality is RIGHT)
    assessed = replace(before, recall=False, assessment=AssessmentCategory.SUSPICIOUS)
    library.add_words([(study.uid, "meanwhile", assessed)])
    form.proof.setCurrentIndex(form.proof.findData(Proof.PATHOLOGY))
    form.truth.setCurrentIndex(form.truth.findData(Truth.MALIGNANT))
    form.day.setText("2026-02-20")
    form.accept()
    qtbot.waitUntil(lambda: library.outcomes_of(study.uid)[-1].proof is Proof.PATHOLOGY)
    told = library.outcomes_of(study.uid)[-1]
    assert (told.recall, told.assessment) == (False, AssessmentCategory.SUSPICIOUS)


def test_where_no_date_is_known_the_months_must_be_said(
    qtbot: QtBot, dialog: OutcomesDialog, library: Library, tmp_path: Path
) -> None:
    for path in (tmp_path / "study").iterdir():
        path.unlink()
    form = ask(dialog)
    study = dialog.chosen
    assert study is not None
    follow(form, "2026-01-03", "")
    assert "give the months of follow-up" in form.problem.text()
    follow(form, "2026-01-03", "12")
    qtbot.waitUntil(lambda: library.outcomes_of(study.uid)[-1].follow_up_months == 12)


def test_the_data_set_believes_no_months_that_the_dates_contradict(
    qtbot: QtBot, reads: Reads, library: Library, tmp_path: Path
) -> None:
    (uid,) = (study.uid for study in library.read_studies() if ":" not in study.uid)
    claimed = replace(make_outcome(), proof_date="2026-01-03", follow_up_months=12)
    library.add_words([(uid, "claimed", claimed)])
    for months, labels in ((12, [None] * 2), (13, ["benign"] * 2)):
        if months == 13:
            long = replace(claimed, proof_date="2027-02-02", follow_up_months=13)
            library.add_words([(uid, "long", long)])
        with qtbot.waitSignal(reads.told):
            reads.write_corrections(tmp_path / str(months))
        rows = read_manifest(tmp_path / str(months)).rows
        assert [row.label and row.label.value for row in rows] == labels


def test_the_corrections_are_a_data_set(qtbot: QtBot, reads: Reads, tmp_path: Path) -> None:
    with qtbot.waitSignal(reads.told) as told:
        reads.write_corrections(tmp_path / "own")
    assert "2 images in own: findings: 1, hard negatives: 1, images with a" in told.args[0]
    manifest = read_manifest(tmp_path / "own")
    assert [row.split for row in manifest.rows] == [Split.TRAIN] * 2
    assert all(manifest.file_of(row).is_file() for row in manifest.rows)
    assert all(row.label is None for row in manifest.rows)
    with qtbot.waitSignal(reads.told) as told:
        reads.save(tmp_path / "page.txt", "text")
    assert (tmp_path / "page.txt").read_text("utf-8") == "text"


def test_corrections_name_no_patient_and_are_of_the_image_that_was_read(
    qtbot: QtBot, reads: Reads, tmp_path: Path
) -> None:
    with qtbot.waitSignal(reads.told):
        reads.write_corrections(tmp_path / "own")
    manifest = read_manifest(tmp_path / "own")
    files = [manifest.file_of(row) for row in manifest.rows]
    name = read_mammogram(files[0]).patient.patient_id
    assert {row.patient_id for row in manifest.rows} == {own_patient(name)}
    assert own_patient(name) != name
    assert name not in (tmp_path / "own" / "manifest.csv").read_text("utf-8")
    # Another image lies there now: nobody said anything of it.
    shutil.copyfile(files[1], files[0])
    with qtbot.waitSignal(reads.told) as told:
        reads.write_corrections(tmp_path / "again")
    assert "1 image in again" in told.args[0]
    (row,) = read_manifest(tmp_path / "again").rows
    assert read_manifest(tmp_path / "again").file_of(row) == files[1]


def test_a_folder_with_another_data_set_is_left_alone(
    qtbot: QtBot, reads: Reads, tmp_path: Path
) -> None:
    (tmp_path / "manifest.csv").write_text("path,patient_id\n", "utf-8")
    with qtbot.waitSignal(reads.told) as told:
        reads.write_corrections(tmp_path)
    assert "holds another data set" in told.args[0]


def test_the_figures_are_printed_dark_on_white(
    qtbot: QtBot, dialog: OutcomesDialog, tmp_path: Path
) -> None:
    dialog.buttons["print"].click()
    asked = dialog.findChild(QPrintDialog)
    assert asked is not None
    asked.printer().setOutputFileName(str(tmp_path / "reads.pdf"))
    asked.done(QPrintDialog.DialogCode.Accepted)
    printed = QPdfDocument()
    assert printed.load(str(tmp_path / "reads.pdf")) == QPdfDocument.Error.None_
    said = printed.getAllText(0).text()
    assert "Outcomes of my reads" in said
    assert "PPV1" in said
    page = printed.render(0, QSize(600, 800)).convertToFormat(QImage.Format.Format_ARGB32)
    # Paper is where nothing is: what is printed is dark.
    darkest = min(
        page.pixelColor(x, y).lightness()
        for x in range(0, 600, 2)
        for y in range(800)
        if page.pixelColor(x, y).alpha() > 200
    )
    assert darkest < 60
