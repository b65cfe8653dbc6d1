"""The window of a screening over a queue that a test plays: screen, sort, keep the place."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from ml.screen.worklist import WORKLIST, write_worklist
from tests.factories.queues import FakeQueue
from tests.factories.worklists import make_few, make_rank, make_summary, make_worklist
from tests.gui.test_accessibility import nameless, out_of_reach
from viewer.core.read_study import Status
from viewer.core.screening import Part
from viewer.core.screening_words import Column
from viewer.core.state import BLIND, RANKED
from viewer.jobs import screened
from viewer.library.job_row import JobState
from viewer.qt.images import Images
from viewer.qt.job_runner import JobRunner
from viewer.qt.long_jobs import LongJobs
from viewer.qt.screening.opening import StudyOpener
from viewer.qt.screening.reading import ListReading
from viewer.qt.screening.window import Places, ScreeningDialog
from viewer.qt.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from ml.screen.worklist import WorkList
    from viewer.core.screening import Listed
    from viewer.jobs.queue import JobQueue


@dataclass
class Window:
    """A dialog over a played queue, and what a reader does with it."""

    qtbot: QtBot
    folder: Path
    blind: bool = False
    queue: FakeQueue = field(default_factory=FakeQueue)

    def __post_init__(self) -> None:
        self.runner, session = JobRunner(), Session()
        self.jobs = LongJobs(cast("JobQueue", self.queue))
        self.places = Places(
            self.folder / "screening",
            self.folder / "places",
            lane=lambda: "cuda:0",
            pattern=lambda: "P_[0-9]+",
            reads_blind=lambda: self.blind,
            bring_up=lambda: None,
        )
        opener = StudyOpener(session, Images(self.runner, 10**8), self.runner)
        reading = ListReading(session, self.runner, opener, self.places.kept, None)
        opener.setParent(reading)
        self.dialog = ScreeningDialog(self.jobs, self.runner, reading, self.places)
        self.qtbot.addWidget(self.dialog)
        self.dialog.show()
        self.jobs.start()

    def close(self) -> None:
        self.dialog.close()
        self.runner.close()
        self.jobs.close()

    def wait(self, holds: Callable[[], object]) -> None:
        self.qtbot.waitUntil(lambda: bool(holds()))

    def choose(self, name: str = "women") -> Path:
        """Choose a folder; give where its results will go."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        self.dialog.order.put_folder(str(folder))
        self.wait(lambda: self.dialog.order.places[1])
        return self.folder / "screening" / self.dialog.order.places[1].rpartition("/")[2]

    def press(self, name: str) -> None:
        self.wait(lambda: name in self.dialog.foot.buttons)
        self.dialog.foot.buttons[name].click()

    def begun(self) -> tuple[int, Path]:
        """Start a screening; give its number and where its results go."""
        results = self.choose()
        self.press("start")
        self.wait(lambda: self.jobs.rows)
        return self.jobs.rows[0].id, results

    def end(self, number: int, results: Path, work: WorkList) -> None:
        write_worklist(results / WORKLIST, work)
        news = {"phase": "done", "report": "r", "studies": len(work.studies), "attention": 2}
        self.queue.change(number, state=JobState.DONE, news=news)

    def listed_in(self, name: str, work: WorkList) -> Path:
        """A list that was made before, and that is open."""
        results = self.folder / name
        results.mkdir(exist_ok=True)
        write_worklist(results / WORKLIST, work)
        self.dialog.open_results(results)
        self.wait(lambda: self.dialog.reading.results == results)
        return results

    @property
    def listed(self) -> Listed:
        assert self.dialog.reading.listed is not None
        return self.dialog.reading.listed

    @property
    def keys(self) -> list[str]:
        return [line.key for line in self.listed.shown]

    @property
    def said(self) -> str:
        return self.dialog.foot.sentence.text()


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[Window]:
    made = Window(qtbot, tmp_path)
    yield made
    made.close()


def words(window: Window) -> str:
    """All that the summary says."""
    labels = window.dialog.summary.findChildren(QLabel)
    return "\n".join(each.text() for each in labels if each.isVisibleTo(window.dialog))


def test_nothing_is_screened_before_a_folder_is_chosen(window: Window) -> None:
    assert "Choose a folder" in window.dialog.invitation.text()
    assert not window.dialog.foot.buttons["start"].isEnabled()
    window.choose()
    assert window.dialog.foot.buttons["start"].isEnabled()


def test_a_folder_is_screened_into_a_place_of_its_own(window: Window) -> None:
    _, results = window.begun()
    (wish,) = window.queue.wishes
    kind, title, spec, lane = wish.values
    assert (wish.name, kind, title, lane) == ("submit", "screen", "Screen women", "cuda:0")
    assert isinstance(spec, dict)
    assert (spec["folder"], spec["out"]) == (str(window.folder / "women"), str(results))
    assert spec["patient_pattern"] == "P_[0-9]+"
    assert results.name.startswith("women-")
    assert (results / screened.ORDER).exists()


def test_a_folder_that_is_gone_is_told_and_nothing_is_queued(window: Window) -> None:
    window.choose("gone")
    (window.folder / "gone").rmdir()
    window.press("start")
    window.wait(lambda: "not there any more" in window.said)
    assert window.queue.wishes == []


def test_the_work_is_paused_resumed_and_cancelled(window: Window) -> None:
    number, _ = window.begun()
    news = {"phase": "analyzing", "images_a_minute": 240.0}
    window.queue.change(number, state=JobState.RUNNING, done=30, of=120, news=news, eta_s=22.0)
    window.wait(lambda: "240 images a minute · 22 s left" in window.said)
    assert "The list appears here once" in window.dialog.invitation.text()
    window.press("pause")
    window.press("resume")
    window.press("cancel")
    window.wait(lambda: "cancelled" in window.said)
    assert [wish.name for wish in window.queue.wishes] == [
        *("submit", "pause", "resume", "cancel")
    ]
    assert window.dialog.foot.buttons["start"].isEnabled()


def test_what_was_screened_is_read_when_it_is_done(window: Window) -> None:
    number, results = window.begun()
    window.end(number, results, make_few())
    window.wait(lambda: window.dialog.reading.listed is not None)
    assert len(window.keys) == 6
    window.wait(lambda: "6 studies, 2 of them not wholly analyzed" in window.said)
    window.wait(lambda: window.dialog.choice.findData(str(results)) > 0)
    assert "Images" in words(window)
    assert "Half of this folder's images score" in words(window)


def test_a_list_that_is_written_again_keeps_the_readers_place(window: Window) -> None:
    number, results = window.begun()
    window.end(number, results, make_few())
    window.wait(lambda: window.dialog.reading.listed is not None)
    window.dialog.reading.open("0.7")
    window.queue.change(number, state=JobState.RUNNING)
    more = make_worklist(*make_few().studies, make_rank("new", score=0.95, probability=0.95))
    write_worklist(results / WORKLIST, more)
    window.queue.tell(number, {"phase": "done", "studies": 7, "attention": 2})
    window.wait(lambda: "new" in window.keys)
    assert window.listed.current == "0.7"
    assert window.dialog.list.table.chosen == "0.7"


def test_the_place_the_order_and_the_filters_are_there_the_next_time(
    window: Window, qtbot: QtBot
) -> None:
    results = window.listed_in("results", make_few())
    window.dialog.orders.buttons[BLIND].click()
    window.dialog.reading.open("0.3")
    window.dialog.list.text.setText("woman")
    window.wait(lambda: window.listed.view.text == "woman")
    window.dialog.list.sort_by(Column.DATE)
    window.dialog.close()
    window.wait(lambda: screened.kept_of(results, window.places.kept))
    again = Window(qtbot, window.folder)
    again.wait(lambda: again.dialog.reading.listed is not None)
    view = again.listed.view
    assert (view.order, view.text, view.column) == (BLIND, "woman", Column.DATE)
    assert again.listed.current == "0.3"
    assert again.dialog.list.text.text() == "woman"
    assert again.dialog.order.places == ("/a folder", str(results))
    again.close()


def test_read_blind_no_word_of_the_models_is_in_the_window(window: Window) -> None:
    window.listed_in("results", make_few())
    assert window.dialog.summary.report.isVisible()
    window.dialog.orders.buttons[BLIND].click()
    assert window.listed.view.order == BLIND
    assert not window.dialog.summary.report.isVisible()
    told = words(window)
    assert "Scores are hidden" in told
    assert "operating point" not in told
    assert "Half of" not in told
    assert not window.dialog.list.part.isVisible()
    assert window.dialog.list.table.lines.bands() == ()
    columns = window.dialog.list.column
    assert columns.findText("Score") == -1
    window.dialog.orders.buttons[RANKED].click()
    assert columns.findText("Score") > 0


def test_who_reads_blind_first_gets_blind_lists(qtbot: QtBot, tmp_path: Path) -> None:
    window = Window(qtbot, tmp_path, blind=True)
    assert window.dialog.orders.buttons[BLIND].isChecked()
    window.listed_in("results", make_few())
    assert window.listed.view.order == BLIND
    window.close()


def test_the_order_may_be_chosen_before_there_is_a_list(window: Window) -> None:
    window.dialog.orders.buttons[BLIND].click()
    window.listed_in("results", make_few())
    assert window.listed.view.order == BLIND


def test_filters_say_what_they_hide_and_are_taken_away(window: Window, qtbot: QtBot) -> None:
    window.listed_in("results", make_few())
    panel = window.dialog.list
    qtbot.keyClicks(panel.text, "woman 0.9")
    qtbot.keyClick(panel.text, Qt.Key.Key_Return)
    assert window.keys == ["0.9"]
    assert panel.hides.text() == (
        "The filter hides 5 studies, 5 of them unread, 2 not wholly analyzed."
    )
    assert panel.show_all.isVisible()
    panel.show_all.click()
    assert len(window.keys) == 6
    assert panel.text.text() == ""
    assert not panel.show_all.isVisible()
    panel.part.setCurrentIndex(panel.part.findData(Part.RANKED))
    assert window.keys == ["0.9", "0.7", "0.3", "0.1"]
    panel.part.setCurrentIndex(0)
    panel.status.setCurrentIndex(panel.status.findData(Status.RECALLED))
    assert window.keys == []


def test_a_column_is_sorted_from_its_title_and_from_the_keyboard(window: Window) -> None:
    window.listed_in("results", make_few())
    panel = window.dialog.list
    for column, falling in ((Column.SCORE, False), (Column.SCORE, True), (None, False)):
        panel.table.horizontalHeader().sectionClicked.emit(5)
        assert (window.listed.view.column, window.listed.view.falling) == (column, falling)
    panel.column.setCurrentIndex(panel.column.findData(Column.SCORE))
    assert window.keys[2:] == ["0.1", "0.3", "0.7", "0.9"]
    panel.falling.click()
    assert window.keys[2:] == ["0.9", "0.7", "0.3", "0.1"]
    assert window.keys[:2] == ["damaged", "partial"]


def test_all_that_is_to_be_known_of_a_study_stands_under_the_list(window: Window) -> None:
    window.listed_in("results", make_few())
    window.dialog.list.table.choose("damaged")
    told = "WOMAN damaged · 2026-01-02\nx.dcm: The file is damaged."
    assert window.dialog.list.remarks.text() == told
    window.dialog.list.table.choose("0.9")
    assert window.dialog.list.remarks.text().endswith("At or above the operating point.")
    window.dialog.orders.buttons[BLIND].click()
    assert window.dialog.list.table.chosen == "0.9"
    assert window.dialog.list.remarks.text() == "WOMAN 0.9 · 2026-01-02"


def test_a_study_whose_files_are_gone_is_told_and_the_next_one_follows(window: Window) -> None:
    window.listed_in("results", make_few())
    window.dialog.press("next_unread")
    assert window.listed.current == "damaged"
    window.wait(lambda: "No image of this study can be opened" in window.said)
    window.dialog.press("next")
    assert window.listed.current == "partial"
    window.dialog.press("previous")
    window.dialog.press("previous")
    assert window.said == "There is no further study in the list."


def test_a_folder_without_a_list_is_told(window: Window, tmp_path: Path) -> None:
    window.dialog.open_results(tmp_path)
    window.wait(lambda: "holds no list of a screening" in window.said)
    assert window.dialog.reading.listed is None


def test_another_folder_shows_its_own_list_or_none(window: Window) -> None:
    first = window.listed_in("first", make_few())
    second = window.folder / "second"
    second.mkdir()
    write_worklist(second / WORKLIST, make_worklist(make_rank("only")))
    window.dialog.order.put_results(str(second))
    window.wait(lambda: window.dialog.reading.results == second)
    assert window.keys == ["only"]
    window.choose("new")
    window.wait(lambda: window.dialog.reading.listed is None)
    assert "Choose a folder" in window.dialog.invitation.text()
    window.dialog.order.put_results(str(first))
    window.wait(lambda: window.dialog.reading.results == first)


def test_failed_images_are_tried_again_where_there_are_some(window: Window) -> None:
    work = replace(make_few(), summary=make_summary(failed=3))
    window.listed_in("results", work)
    window.press("retry_failed")
    window.wait(lambda: "not there any more" in window.said)
    (window.folder / "women").mkdir()
    window.listed_in("results", replace(work, folder=str(window.folder / "women")))
    window.dialog.order.show_places(
        str(window.folder / "women"), str(window.folder / "results")
    )
    window.press("retry_failed")
    window.wait(lambda: window.queue.wishes)
    spec = window.queue.wishes[0].values[2]
    assert isinstance(spec, dict)
    assert spec["retry_failed"] is True


def test_every_control_has_a_name_and_the_keyboard_reaches_it(window: Window) -> None:
    assert nameless(window.dialog) == []
    assert out_of_reach(window.dialog) == []
    window.listed_in("results", make_few())
    window.dialog.list.text.setText("woman 0.9")
    window.dialog.list.table.choose("0.9")
    assert nameless(window.dialog) == []
    assert out_of_reach(window.dialog) == []


def test_a_list_of_before_there_were_summaries_is_shown(window: Window) -> None:
    window.listed_in("results", replace(make_few(), summary=None))
    assert "written before summaries were" in words(window)
