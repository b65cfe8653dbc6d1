"""The reader's word: accept, reject, retype, pull, draw; undone, redone, there again later."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from ml.mammo.codes import FindingType, Laterality
from ml.mammo.geometry import Box
from tests.factories.breasts import make_four_views, make_view
from tests.gui.conftest import READER, Reader
from viewer.core import actions, deciding
from viewer.core.commands import command_keys
from viewer.core.decision import AssessmentCategory, Deed, Proof, Standing, Truth, outcome_of
from viewer.core.marks import Mark, mark_of, marks_of
from viewer.core.state import AnalysisPhase, FindingKey, Impression, Tool
from viewer.jobs.models import ModelProcess
from viewer.library.library import Library
from viewer.qt.dialogs.outcome import OutcomeDialog
from viewer.qt.dialogs.reader import ReaderDialog
from viewer.qt.finding_line import FindingLine
from viewer.qt.job_runner import JobRunner
from viewer.qt.main_window import MainWindow
from viewer.qt.memory import Memory
from viewer.qt.preferences import Preferences
from viewer.qt.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

# The offscreen platform says so of every menu.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")

KEYS = command_keys()
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def opened(reader: Reader, study: list[Path]) -> Reader:
    reader.open(study)
    reader.wait_for_pictures()
    reader.wait_for_analysis()
    assert reader.state.analysis_phase is AnalysisPhase.DONE
    return reader


def uid(reader: Reader, index: int = 0) -> str:
    image = reader.state.viewports[index].image
    assert image is not None
    return image.sop_instance_uid


def selected(reader: Reader) -> Mark:
    mark = mark_of(reader.state, reader.state.selected)
    assert mark is not None
    return mark


def choose_finding(reader: Reader) -> Mark:
    """The first finding, selected, and brought to the middle."""
    reader.press(KEYS["next_finding"])
    reader.qtbot.wait(1)
    return selected(reader)


def place(reader: Reader, stored: tuple[float, float]) -> QPoint:
    point = reader.window.canvas.position_of(reader.state.active, stored)
    assert point is not None
    return point


def drag(reader: Reader, start: QPoint, by: tuple[int, int]) -> None:
    canvas, end = reader.window.canvas, start + QPoint(*by)
    QTest.mousePress(canvas, LEFT, pos=start)
    QTest.mouseMove(canvas, start + QPoint(by[0] // 2, by[1] // 2))
    QTest.mouseMove(canvas, end)
    QTest.mouseRelease(canvas, LEFT, pos=end)


def choose_type(reader: Reader, number: int) -> None:
    menu = reader.window.deciding.menu
    assert menu is not None
    menu.actions()[number].trigger()
    close_menu(reader)


def close_menu(reader: Reader) -> None:
    window = reader.window
    assert window.deciding.menu is not None
    window.deciding.menu.close()
    reader.wait(lambda: window.deciding.menu is None)
    # The offscreen platform does not hand the keyboard back.
    window.activateWindow()
    reader.wait(window.isActiveWindow)


def shots_differ(reader: Reader, act: Callable[[], object]) -> bool:
    before = reader.window.canvas.grab().toImage()
    act()
    return before != reader.window.canvas.grab().toImage()


def test_accepted_and_rejected_by_key_undone_and_redone(opened: Reader) -> None:
    choose_finding(opened)
    assert shots_differ(opened, lambda: opened.press(KEYS["accept"]))
    assert selected(opened).standing is Standing.ACCEPTED
    assert shots_differ(opened, lambda: opened.press(KEYS["reject"]))
    assert selected(opened).standing is Standing.REJECTED
    opened.press(KEYS["undo"])
    assert selected(opened).standing is Standing.ACCEPTED
    opened.press(KEYS["undo"])
    assert selected(opened).standing is Standing.OPEN
    for _ in range(2):
        opened.press(KEYS["redo"])
    assert selected(opened).standing is Standing.REJECTED
    assert [each.deed for each in opened.state.decisions] == [
        *(Deed.ACCEPTED, Deed.REJECTED, Deed.UNDONE, Deed.UNDONE),
        *(Deed.REDONE, Deed.REDONE),
    ]
    about = opened.state.decisions[0].circumstances
    assert (about.reader, about.marks_shown) == (READER, True)
    opened.press(KEYS["take_away"])
    assert selected(opened).standing is Standing.OPEN


def test_a_new_type_by_the_small_menu(opened: Reader) -> None:
    before = choose_finding(opened)
    opened.press(KEYS["retype"])
    others = [kind for kind in FindingType if kind is not before.finding_type]
    choose_type(opened, list(FindingType).index(others[-1]))
    mark = selected(opened)
    assert (mark.finding_type, mark.is_retyped) == (others[-1], True)
    assert mark.standing is Standing.ACCEPTED


def test_an_edge_is_pulled_and_the_middle_moved_by_mouse(opened: Reader) -> None:
    before = choose_finding(opened).box
    drag(opened, place(opened, (before.row1, before.center[1])), (0, 40))
    pulled = selected(opened).box
    assert pulled.row1 > before.row1
    assert (pulled.row0, pulled.col0, pulled.col1) == pytest.approx(
        (before.row0, before.col0, before.col1), abs=1
    )
    drag(opened, place(opened, pulled.center), (-30, 20))
    moved = selected(opened).box
    assert moved.size == pytest.approx(pulled.size, abs=1)
    assert moved.row0 > pulled.row0
    assert len(opened.state.decisions) == 2, "one step each, not one a pixel"
    opened.press(KEYS["undo"])
    opened.press(KEYS["undo"])
    assert selected(opened).box == before


def test_what_is_in_the_hand_is_dropped_by_escape(opened: Reader) -> None:
    before, canvas = choose_finding(opened), opened.window.canvas
    start = place(opened, before.box.center)
    QTest.mousePress(canvas, LEFT, pos=start)
    QTest.mouseMove(canvas, start + QPoint(40, 0))
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    QTest.mouseRelease(canvas, LEFT, pos=start + QPoint(40, 0))
    assert opened.state.decisions == ()
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert opened.state.selected is None, "the next drag does what the tool says"


@pytest.mark.parametrize(
    ("command", "change"),
    [
        ("mark_left", lambda a, b: a.size == b.size and a != b),
        ("mark_right", lambda a, b: a.size == b.size and a != b),
        ("mark_up", lambda a, b: a.row0 > b.row0),
        ("mark_down", lambda a, b: a.row0 < b.row0),
        ("mark_wider", lambda a, b: a.size[1] < b.size[1]),
        ("mark_narrower", lambda a, b: a.size[1] > b.size[1]),
        ("mark_taller", lambda a, b: a.row1 < b.row1),
        ("mark_shorter", lambda a, b: a.row1 > b.row1),
    ],
)
def test_a_box_is_moved_and_resized_by_key(
    opened: Reader, command: str, change: Callable[[Box, Box], bool]
) -> None:
    image = uid(opened)
    key = FindingKey(image, -1, "m")
    drawn = deciding.drawn(
        opened.state, (image, None), Box(100, 100, 200, 200), FindingType.MASS, "", "m"
    )
    assert drawn is not None
    opened.window.session.apply(lambda state: deciding.add_decision(state, drawn))
    opened.window.session.apply(lambda state: actions.select_finding(state, key))
    before = selected(opened).box
    opened.press(KEYS[command])
    assert change(before, selected(opened).box)


def test_a_box_is_drawn_and_named_and_removed(opened: Reader) -> None:
    opened.press(KEYS["tool_draw"])
    assert opened.state.tool is Tool.DRAW
    start = opened.window.canvas.position_of(0, (330, 60))
    assert start is not None
    count = len(marks_of(opened.state, uid(opened)))
    drag(opened, start, (40, 50))
    assert opened.state.decisions == (), "what it is was not said yet"
    choose_type(opened, 3)
    mark = selected(opened)
    assert (mark.standing, mark.finding_type) == (Standing.DRAWN, FindingType.ASYMMETRY)
    assert mark.said is None
    opened.press(KEYS["take_away"])
    assert len(marks_of(opened.state, uid(opened))) == count
    opened.press(KEYS["undo"])
    assert len(marks_of(opened.state, uid(opened))) == count + 1


def test_a_box_that_is_not_named_is_not_drawn(opened: Reader) -> None:
    opened.press(KEYS["draw_here"])
    close_menu(opened)
    assert opened.state.decisions == ()
    opened.press(KEYS["draw_here"])
    choose_type(opened, 1)
    assert selected(opened).finding_type is FindingType.CALCIFICATIONS


def test_the_panel_lists_them_with_the_same_buttons(opened: Reader) -> None:
    mark = choose_finding(opened)
    (line,) = (
        each
        for each in opened.window.diagnosis.findChildren(FindingLine)
        if each.row.key == mark.key and each.isVisible()
    )
    line.buttons[Deed.ACCEPTED].setFocus()
    line.buttons[Deed.ACCEPTED].click()
    (line,) = (
        each
        for each in opened.window.diagnosis.findChildren(FindingLine)
        if each.row.key == mark.key and each.isVisible()
    )
    assert "accepted" in line.row.accessibleName()
    assert line.buttons[Deed.ACCEPTED].isChecked()
    assert line.focused() is Deed.ACCEPTED


def test_blind_her_own_marks_are_drawn_and_the_machines_are_not(
    reader: Reader, study: list[Path]
) -> None:
    reader.press(KEYS["blind_first_read"])
    reader.open(study)
    reader.wait_for_pictures()
    reader.wait_for_analysis()
    reader.press(KEYS["draw_here"])
    choose_type(reader, 0)
    about = reader.state.decisions[0].circumstances
    assert (about.marks_shown, about.marks_seen) == (False, False)
    assert len(reader.window.diagnosis.findChildren(FindingLine)) == 1
    reader.press(KEYS["impression_right_recall"])
    reader.press(KEYS["impression_left_normal"])
    assert reader.state.machine_shown
    outcome = outcome_of(reader.state.outcomes, Laterality.LEFT)
    assert outcome is not None
    assert (outcome.recall, outcome.circumstances.marks_shown) == (False, False)


def test_the_outcome_of_a_breast_is_asked_and_shown(reader: Reader, tmp_path: Path) -> None:
    opened = reader
    opened.open(make_four_views(tmp_path / "study", StudyDate="20241220"))
    opened.wait_for_pictures()
    opened.press(KEYS["outcome_right"])
    dialog = opened.window.findChild(OutcomeDialog)
    assert isinstance(dialog, OutcomeDialog)
    dialog.assessment.setCurrentIndex(dialog.assessment.findData(AssessmentCategory.MALIGNANT))
    dialog.proof.setCurrentIndex(dialog.proof.findData(Proof.FOLLOW_UP))
    dialog.accept()
    assert dialog.problem.isVisible(), "what it was is missing"
    dialog.truth.setCurrentIndex(dialog.truth.findData(Truth.BENIGN))
    dialog.day.setText("2026-02-30")
    dialog.accept()
    assert dialog.isVisible(), "no such day"
    for day, months, sentence in (
        ("2024-12-19", "", "before the study of 2024-12-20"),
        ("2999-01-01", "", "lies ahead"),
        ("2024-12-21", "12", "it is 0 months: correct the date"),
        ("2024-12-21", "0", "from 1 to 600"),
    ):
        dialog.day.setText(day)
        dialog.months.setText(months)
        dialog.accept()
        assert sentence in dialog.problem.text()
        assert dialog.isVisible()
    assert opened.state.outcomes == ()
    dialog.day.setText("2026-02-20")
    dialog.months.clear()
    dialog.accept()
    outcome = outcome_of(opened.state.outcomes, Laterality.RIGHT)
    assert outcome is not None
    assert (outcome.assessment, outcome.truth) == (AssessmentCategory.MALIGNANT, Truth.BENIGN)
    assert outcome.follow_up_months == 14
    known = opened.window.diagnosis._impressions._known[Laterality.RIGHT].text()
    assert known == "BI-RADS 5 · benign, follow-up 2026-02-20 (14 months)"


def test_an_outcome_is_kept_of_the_study_that_it_was_asked_of(
    reader: Reader, tmp_path: Path
) -> None:
    first = make_four_views(tmp_path / "first", StudyInstanceUID="1.2.1", PatientID="first")
    second = make_four_views(tmp_path / "second", StudyInstanceUID="1.2.2", PatientID="second")
    reader.open(first)
    reader.wait_for_pictures()
    asked = reader.state.study
    assert asked is not None
    reader.press(KEYS["outcome_right"])
    dialog = reader.window.findChild(OutcomeDialog)
    assert isinstance(dialog, OutcomeDialog)
    dialog.assessment.setCurrentIndex(dialog.assessment.findData(AssessmentCategory.MALIGNANT))
    # As the window of screenings does it, which the form does not block.
    reader.open(second)
    reader.wait_for_pictures()
    assert reader.state.study is not None
    assert reader.state.study.uid != asked.uid
    dialog.accept()
    assert dialog.isVisible()
    assert "Another study is open now" in dialog.problem.text()
    assert reader.state.outcomes == ()
    reader.open(first)
    reader.wait_for_pictures()
    dialog.accept()
    assert not dialog.isVisible()
    outcome = outcome_of(reader.state.outcomes, Laterality.RIGHT)
    assert outcome is not None
    assert outcome.assessment is AssessmentCategory.MALIGNANT


# Closed and opened again


@pytest.fixture
def start(qtbot: QtBot, tmp_path: Path, packs: Path) -> Iterator[Callable[[], Reader]]:
    """Start the program anew, on the library and the settings that the one before left."""
    opened: list[tuple[MainWindow, Library]] = []

    def leave() -> None:
        while opened:
            window, library = opened.pop()
            window.close()
            library.close()

    def begin() -> Reader:
        leave()
        session = Session()
        preferences = Preferences(session, tmp_path / "settings.toml")
        models = ModelProcess(environment={"MAMMOSCOPE_MODELS": str(packs)})
        library, runner = Library(tmp_path / "library.sqlite"), JobRunner()
        window = MainWindow(session, preferences, runner, models, library)
        Memory(session, library, parent=window, runner=runner)
        opened.append((window, library))
        qtbot.addWidget(window)
        window.resize(1400, 900)
        window.show()
        window.activateWindow()
        return Reader(qtbot, window, models)

    yield begin
    leave()


def open_analyzed(reader: Reader, paths: list[Path]) -> None:
    reader.open(paths)
    reader.wait_for_pictures()
    reader.wait_for_analysis()


def read_blind(reader: Reader) -> None:
    """Turn the switch, once a window that was just made has the keyboard."""
    reader.wait(reader.window.isActiveWindow)
    reader.press(KEYS["blind_first_read"])
    reader.wait(lambda: reader.state.blind_first_read)


def marks_seen_by_drawing(reader: Reader) -> tuple[bool, bool]:
    """Whether the marks are shown, and were seen, when she draws a finding now."""
    before = len(reader.state.decisions)
    reader.press(KEYS["draw_here"])
    choose_type(reader, 0)
    reader.wait(lambda: len(reader.state.decisions) > before)
    about = reader.state.decisions[-1].circumstances
    return about.marks_shown, about.marks_seen


@pytest.fixture
def named(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text(f'reader = "{READER}"\n', encoding="utf-8")


@pytest.mark.usefixtures("named")
def test_marks_that_were_only_looked_at_in_an_earlier_session_were_seen(
    start: Callable[[], Reader], study: list[Path]
) -> None:
    first = start()
    open_analyzed(first, study)
    assert first.state.machine_shown
    again = start()
    read_blind(again)
    open_analyzed(again, study)
    assert marks_seen_by_drawing(again) == (False, True)


@pytest.mark.usefixtures("named")
def test_an_earlier_outcome_says_that_marks_were_seen(
    start: Callable[[], Reader], study: list[Path], tmp_path: Path
) -> None:
    first = start()
    open_analyzed(first, study)
    first.press(KEYS["impression_right_recall"])
    assert first.state.outcomes[0].circumstances.marks_seen
    again = start()
    # As libraries are that an earlier version of the program wrote.
    with closing(sqlite3.connect(tmp_path / "library.sqlite")) as connection:
        connection.execute("UPDATE readings SET seen_before = 0")
        connection.commit()
    read_blind(again)
    open_analyzed(again, study)
    again.wait(lambda: bool(again.state.outcomes))
    assert marks_seen_by_drawing(again) == (False, True)


def test_marks_stay_seen_when_the_study_is_left_and_opened_again(
    opened: Reader, study: list[Path], tmp_path: Path
) -> None:
    open_analyzed(opened, [make_view(tmp_path / "other", "RCC", 9, StudyInstanceUID="1.2.9")])
    opened.press(KEYS["blind_first_read"])
    open_analyzed(opened, study)
    assert marks_seen_by_drawing(opened) == (False, True)


def test_a_study_that_was_never_shown_with_marks_is_still_unseen(
    opened: Reader, tmp_path: Path
) -> None:
    opened.press(KEYS["blind_first_read"])
    open_analyzed(opened, [make_view(tmp_path / "other", "RCC", 9, StudyInstanceUID="1.2.9")])
    assert marks_seen_by_drawing(opened) == (False, False)


def rows(path: Path) -> list[tuple[str, str, int]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(
            "SELECT standing, reader, synthetic FROM decisions ORDER BY number"
        ).fetchall()


def test_the_name_is_asked_once_and_all_comes_back(
    start: Callable[[], Reader], study: list[Path], tmp_path: Path
) -> None:
    first = start()
    first.open(study)
    first.wait_for_pictures()
    first.wait_for_analysis()
    choose_finding(first)
    first.press(KEYS["accept"])
    assert first.state.decisions == (), "who says so is not known yet"
    dialog = first.window.findChild(ReaderDialog)
    assert isinstance(dialog, ReaderDialog)
    dialog.accept()
    assert dialog.isVisible(), "a name is needed"
    dialog.name.setText("  Dr.  B. ")
    dialog.accept()
    assert [each.circumstances.reader for each in first.state.decisions] == ["Dr. B."]
    first.press(KEYS["draw_here"])
    choose_type(first, 2)
    first.press(KEYS["impression_right_recall"])
    said = first.state.decisions
    again = start()
    assert rows(tmp_path / "library.sqlite") == [
        ("accepted", "Dr. B.", 0),
        ("drawn", "Dr. B.", 0),
    ]
    again.open(study)
    again.wait(lambda: again.state.decisions == said)
    again.wait_for_analysis()
    image = said[0].sop_instance_uid
    assert marks_of(again.state, image)[0].standing is Standing.ACCEPTED
    outcome = outcome_of(again.state.outcomes, Laterality.RIGHT)
    assert outcome is not None
    assert outcome.recall is True
    assert again.state.reading.after == {Laterality.RIGHT: Impression.RECALL}


def test_cancelled_nothing_is_said(start: Callable[[], Reader], study: list[Path]) -> None:
    reader = start()
    reader.open(study)
    reader.wait_for_pictures()
    reader.press(KEYS["draw_here"])
    choose_type(reader, 0)
    dialog = reader.window.findChild(ReaderDialog)
    assert isinstance(dialog, ReaderDialog)
    dialog.reject()
    assert reader.state.decisions == ()
    assert reader.window.preferences.settings.reader == ""
