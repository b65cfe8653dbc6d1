"""A list is read in the main window: what is opened, what is ready, what is kept of it."""

from __future__ import annotations

import zipfile
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSystemTrayIcon

from ml.exchange import image_facts
from ml.in_use import cards_in_use
from ml.mammo.codes import Laterality
from ml.mammo.read import read_mammogram
from ml.screen.ledger import Ledger, models_key, url_of
from ml.screen.ranking import Placed
from ml.screen.rows import Answer, Entry, Heading, Standing, State
from ml.screen.worklist import WORKLIST, write_worklist
from tests.factories.analyses import make_image_analysis
from tests.factories.breasts import LETTERS, make_view
from tests.factories.queues import make_row
from tests.factories.worklists import make_rank, make_worklist
from viewer.core.decision import outcome_of
from viewer.core.read_study import Status
from viewer.core.state import BLIND, RANKED
from viewer.jobs import screened
from viewer.library.job_row import JobState
from viewer.qt.screening.ended import EndTeller

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from ml.findings import ImageAnalysis
    from tests.gui.conftest import Reader
    from viewer.core.screening import Listed
    from viewer.qt.screening.window import ScreeningDialog

WOMEN = 4
GONE = "gone"
SAID = 0.25


def make_woman(folder: Path, number: int) -> list[Path]:
    return [
        make_view(
            folder / str(number),
            title,
            n,
            SOPInstanceUID=f"1.2.{number}.{n}",
            StudyInstanceUID=f"1.2.{number}",
            PatientID=f"WOMAN {number}",
        )
        for n, title in enumerate(LETTERS, 1)
    ]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Four women; the third lies in an archive, and an image of the fourth is cut."""
    folder = tmp_path / "archive"
    ranks = []
    for number in range(1, WOMEN + 1):
        paths = make_woman(folder, number)
        places = [str(path) for path in paths]
        if number == 3:
            archive = folder / "three.zip"
            with zipfile.ZipFile(archive, "w") as made:
                for path in paths:
                    made.write(path, f"deep/{path.name}")
                    path.unlink()
            places = [f"{archive}!/deep/{path.name}" for path in paths]
        if number == 4:
            paths[0].write_bytes(paths[0].read_bytes()[:-2000])
        ranks.append(
            make_rank(
                str(number),
                score=1 - number / 10,
                probability=1 - number / 10,
                places=tuple(Placed(place, "") for place in places),
            )
        )
    results = tmp_path / "results"
    results.mkdir()
    gone = make_rank(GONE, score=0.01, probability=0.01, places=(Placed("/gone.dcm", ""),))
    write_worklist(results / WORKLIST, make_worklist(*ranks, gone))
    return results


@pytest.fixture
def dialog(reader: Reader, archive: Path) -> ScreeningDialog:
    reader.window.show_screening()
    made = reader.window.screening
    assert made is not None
    made.open_results(archive)
    reader.wait(lambda: made.reading.listed is not None)
    return made


def listed(dialog: ScreeningDialog) -> Listed:
    assert dialog.reading.listed is not None
    return dialog.reading.listed


def open_first(reader: Reader, dialog: ScreeningDialog) -> None:
    dialog.press("next_unread")
    reader.wait(lambda: reader.state.study is not None and reader.state.study.uid == "1.2.1")
    reader.wait_for_pictures()


def is_ready(reader: Reader, dialog: ScreeningDialog, key: str) -> bool:
    """Whether a study is read and decoded behind the present one."""
    opener = dialog.reading.opener
    if not opener.is_ready(key):
        return False
    (study,) = opener.taken(key).studies
    return all(map(reader.window.images.is_settled, study.images))


def test_a_row_opens_and_the_next_study_is_there_at_once(
    reader: Reader, dialog: ScreeningDialog, qtbot: QtBot
) -> None:
    dialog.list.table.choose("1")
    qtbot.keyClick(dialog.list.table, Qt.Key.Key_Return)
    reader.wait(lambda: reader.state.study is not None)
    assert (reader.state.study.uid, reader.state.listed) == ("1.2.1", RANKED)  # type: ignore[union-attr]
    reader.wait_for_pictures()
    reader.wait(lambda: is_ready(reader, dialog, "2"))
    reader.press("PgDown")
    assert reader.state.study is not None
    assert reader.state.study.uid == "1.2.2"
    assert reader.window.canvas.is_complete
    assert listed(dialog).current == "2"
    assert [study.uid for study in reader.state.studies] == ["1.2.2"]
    reader.press("PgUp")
    assert reader.state.study.uid == "1.2.1"


def test_a_study_in_an_archive_is_opened(reader: Reader, dialog: ScreeningDialog) -> None:
    dialog.reading.open("3")
    reader.wait(lambda: reader.state.study is not None)
    reader.wait_for_pictures()
    assert reader.state.study is not None
    assert len(reader.state.study.images) == 4
    assert not reader.state.refusals


def test_what_is_damaged_ahead_is_told_when_it_is_opened(
    reader: Reader, dialog: ScreeningDialog
) -> None:
    dialog.reading.open("3")
    reader.wait(lambda: reader.state.study is not None)
    reader.wait(lambda: is_ready(reader, dialog, "4"))
    assert reader.state.refusals == ()
    reader.press("PgDown")
    assert reader.state.study is not None
    assert reader.state.study.uid == "1.2.4"
    (refusal,) = reader.state.refusals
    assert "ends in the middle" in refusal.sentence


def test_what_is_said_shows_in_the_list_and_says_how_it_was_read(
    reader: Reader, dialog: ScreeningDialog
) -> None:
    open_first(reader, dialog)
    reader.press("F6")
    reader.press("F7")
    assert listed(dialog).status("1") is Status.RECALLED
    library = reader.window.library
    assert library is not None
    reader.wait(lambda: len(library.outcomes_of("1.2.1")) == 2)
    (right, left) = library.outcomes_of("1.2.1")
    assert right.circumstances.listed == left.circumstances.listed == RANKED
    assert outcome_of((right, left), Laterality.RIGHT) is right
    assert "4 unread, 0 read, 1 recalled" in dialog.list.counts.text()
    dialog.press("next_unread")
    reader.wait(lambda: reader.state.study is not None and reader.state.study.uid == "1.2.2")
    reader.press("F5")
    assert listed(dialog).status("2") is Status.READ


def test_what_was_read_before_is_known_when_the_list_is_opened(
    reader: Reader, dialog: ScreeningDialog, archive: Path
) -> None:
    open_first(reader, dialog)
    reader.press("F5")
    library = reader.window.library
    assert library is not None
    reader.wait(lambda: bool(library.outcomes_of("1.2.1")))
    dialog.reading.leave()
    dialog.open_results(archive)
    reader.wait(lambda: dialog.reading.listed is not None)
    assert listed(dialog).status("1") is Status.READ
    assert listed(dialog).current == "1"


def test_her_place_is_known_before_it_is_written(
    reader: Reader, dialog: ScreeningDialog, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screened, "keep", lambda kept, places: None)
    open_first(reader, dialog)
    dialog.reading.leave()
    dialog.open_results(archive)
    reader.wait(lambda: dialog.reading.listed is not None)
    assert listed(dialog).current == "1"


def test_a_blind_list_keeps_the_machine_silent_until_the_reader_spoke(
    reader: Reader, dialog: ScreeningDialog
) -> None:
    dialog.orders.buttons[BLIND].click()
    open_first(reader, dialog)
    assert (reader.state.listed, reader.state.machine_shown) == (BLIND, False)
    reader.press("F5")
    assert not reader.state.machine_shown
    reader.press("F8")
    assert reader.state.machine_shown
    assert reader.state.outcomes[0].circumstances.listed == BLIND
    assert not reader.state.outcomes[0].circumstances.marks_shown


def test_who_looks_at_the_ranks_does_not_read_the_open_study_blind(
    reader: Reader, dialog: ScreeningDialog
) -> None:
    dialog.orders.buttons[BLIND].click()
    open_first(reader, dialog)
    dialog.orders.buttons[RANKED].click()
    assert (reader.state.listed, reader.state.machine_shown) == (RANKED, True)
    dialog.orders.buttons[BLIND].click()
    assert reader.state.listed == RANKED


def test_a_study_that_is_opened_otherwise_is_not_of_the_list(
    reader: Reader, dialog: ScreeningDialog, tmp_path: Path
) -> None:
    open_first(reader, dialog)
    reader.open(make_woman(tmp_path / "other", 9))
    assert reader.state.study is not None
    assert (reader.state.study.uid, reader.state.listed) == ("1.2.9", "")
    reader.press("PgDown")
    assert reader.state.study is not None
    assert reader.state.study.uid == "1.2.1"
    reader.wait(lambda: reader.state.listed == RANKED)
    reader.press("PgDown")
    assert listed(dialog).current == "2"


def test_the_same_row_again_opens_nothing_anew(reader: Reader, dialog: ScreeningDialog) -> None:
    open_first(reader, dialog)
    before = reader.state.study
    dialog.reading.open("1")
    assert reader.state.study is before


def test_the_images_are_closed_and_opened_again(
    reader: Reader, dialog: ScreeningDialog
) -> None:
    open_first(reader, dialog)
    reader.press("Ctrl+W")
    assert reader.state.study is None
    dialog.reading.open("1")
    assert reader.state.study is not None
    assert reader.state.listed == RANKED


def test_the_window_comes_up_by_its_key_and_goes_with_the_other(reader: Reader) -> None:
    reader.press("Ctrl+Shift+S")
    made = reader.window.screening
    assert made is not None
    assert made.isVisible()
    reader.press("Ctrl+Shift+S")
    assert reader.window.screening is made
    reader.window.close()
    assert not made.isVisible()


def test_the_end_is_told_once_wherever_the_reader_is(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[tuple[str, str]] = []
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda: True)
    monkeypatch.setattr(QSystemTrayIcon, "show", lambda _: None)
    monkeypatch.setattr(
        QSystemTrayIcon, "showMessage", lambda _, title, text, *__: shown.append((title, text))
    )
    jobs, window = reader.window.jobs, reader.window
    row = make_row(kind="screen", title="Screen women", state=JobState.RUNNING)
    news = {"studies": 400, "attention": 31}
    done = make_row(kind="screen", title="Screen women", state=JobState.DONE, news=news)
    cancelled = make_row(2, kind="screen", state=JobState.CANCELLED)
    jobs.changed.emit((row, make_row(2, kind="screen")))
    jobs.changed.emit((done, cancelled))
    jobs.changed.emit((done, cancelled))
    told = "The folder is screened: 400 studies, 31 of them not wholly analyzed."
    assert window.notice.sentence.text() == f"Screen women. {told}"
    assert shown == [("Screen women", told)]
    assert isinstance(window.screened, EndTeller)


def test_a_study_that_cannot_be_opened_does_not_end_the_list(
    reader: Reader, dialog: ScreeningDialog
) -> None:
    dialog.reading.open("4")
    reader.wait(lambda: reader.state.study is not None)
    reader.press("PgDown")
    assert listed(dialog).current == GONE
    reader.wait(lambda: "No image of this study" in reader.window.notice.sentence.text())
    reader.press("PgDown")
    assert reader.state.lane == "There is no further study in the list."
    reader.press("PgUp")
    assert listed(dialog).current == "4"
    assert reader.state.study is not None
    assert reader.state.study.uid == "1.2.4"


def test_keys_that_come_faster_than_disks_go_on_in_the_list(
    reader: Reader, dialog: ScreeningDialog
) -> None:
    dialog.press("next_unread")
    reader.window.step_study(1)
    reader.window.step_study(1)
    assert listed(dialog).current == "3"
    reader.wait(lambda: reader.state.study is not None)
    assert reader.state.study is not None
    assert reader.state.study.uid == "1.2.3"


def test_what_the_screening_said_is_shown_without_asking_the_models_again(
    reader: Reader, dialog: ScreeningDialog, archive: Path
) -> None:
    uses = {r: card.use for r, card in cards_in_use(reader.models.environment).items()}
    with closing(Ledger(url_of(archive), models_key(uses))) as ledger:
        for path in sorted((archive.parent / "archive" / "1").iterdir()):
            said = said_of_file(path)
            heading = Heading(
                Entry(str(path), 1, 1),
                Standing.IMAGE,
                sop_instance_uid=said.sop_instance_uid,
            )
            ledger.put_answer(heading, Answer(State.DONE, said), uses)
    open_first(reader, dialog)
    reader.wait(lambda: reader.state.analysis is not None)
    analysis, study, library = reader.state.analysis, reader.state.study, reader.window.library
    assert analysis is not None
    assert study is not None
    assert library is not None
    assert {image.lesion_score for image in analysis.images} == {SAID}
    assert library.analysis_of([image.sop_instance_uid for image in study.images], uses)


def said_of_file(path: Path) -> ImageAnalysis:
    """What no model says."""
    facts = image_facts(read_mammogram(path))
    return replace(
        make_image_analysis("RCC", lesion=SAID),
        sop_instance_uid=facts.sop_instance_uid,
        study_instance_uid=facts.study_instance_uid,
        laterality=facts.laterality,
        view=facts.view,
        rows=facts.rows,
        columns=facts.columns,
    )
