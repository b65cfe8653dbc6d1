"""Long jobs in the window: the list, what may be done, what an earlier run left."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from PySide6.QtWidgets import QDialog

from tests.factories.queues import FakeQueue, make_row
from tests.gui.test_accessibility import nameless, out_of_reach
from viewer.core.errors import LibraryError
from viewer.jobs import describe
from viewer.jobs.models import ModelProcess
from viewer.library.job_row import JobState, LogLine
from viewer.qt.dialogs.jobs import JobsDialog
from viewer.qt.job_runner import JobRunner
from viewer.qt.long_jobs import LongJobs
from viewer.qt.main_window import MainWindow
from viewer.qt.preferences import Preferences
from viewer.qt.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from viewer.jobs.queue import JobQueue

ROWS = (
    make_row(1, state=JobState.RUNNING, done=14, of=40, eta_s=150.0, memory_bytes=2**30),
    make_row(2, title="Second"),
    make_row(3, title="Third"),
    make_row(4, state=JobState.FAILED, lane="cuda:0", sentence="There is no graphics card."),
)


@pytest.fixture
def queue() -> FakeQueue:
    return FakeQueue(*ROWS)


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, queue: FakeQueue) -> Iterator[MainWindow]:
    session = Session()
    preferences = Preferences(session, tmp_path / "settings.toml")
    jobs = LongJobs(cast("JobQueue", queue))
    made = MainWindow(session, preferences, JobRunner(), ModelProcess(), None, jobs)
    qtbot.addWidget(made)
    made.show()
    made.jobs.start()
    qtbot.waitUntil(lambda: len(made.jobs.rows) == len(queue.rows))
    yield made
    made.close()
    assert queue.closed


@pytest.fixture
def dialog(window: MainWindow, qtbot: QtBot) -> JobsDialog:
    window.commands.actions["jobs"].trigger()
    (made,) = window.findChildren(JobsDialog)
    qtbot.waitUntil(lambda: made.list.topLevelItemCount() == len(ROWS))
    return made


def choose(dialog: JobsDialog, row: int) -> None:
    item = dialog.list.topLevelItem(row)
    assert item is not None
    dialog.list.setCurrentItem(item)


def test_the_bottom_line_says_what_runs_and_what_comes_next(window: MainWindow) -> None:
    text = window.lane.long.text()
    assert text == "CPU lane: Generate 8 14 of 40 · 2 min left · next: Second"
    assert window.lane.bar.isVisible()


def test_every_job_is_listed_with_its_state(dialog: JobsDialog) -> None:
    first = dialog.list.topLevelItem(0)
    assert first is not None
    told = [first.text(column) for column in range(7)]
    assert told == ["Generate 8", "CPU", "running", "", "14 of 40", "2 min left", "1.0 GiB"]


def test_names_and_keyboard(dialog: JobsDialog) -> None:
    assert nameless(dialog) == []
    assert out_of_reach(dialog) == []


@pytest.mark.parametrize(
    ("row", "button", "wish", "values"),
    [
        (0, "pause", "pause", (1,)),
        (0, "cancel", "cancel", (1,)),
        (1, "down", "move", (2, 1)),
        (2, "up", "move", (3, 0)),
        (3, "retry", "retry", (4, None)),
        (3, "retry_on_cpu", "retry", (4, "cpu")),
        (3, "remove", "remove_ended", (4,)),
    ],
)
def test_a_button_asks_the_queue(
    qtbot: QtBot,
    dialog: JobsDialog,
    queue: FakeQueue,
    row: int,
    button: str,
    wish: str,
    values: tuple[object, ...],
) -> None:
    choose(dialog, row)
    assert dialog.buttons[button].isEnabled()
    dialog.buttons[button].click()
    qtbot.waitUntil(lambda: any(w.name == wish and w.values == values for w in queue.wishes))


def test_a_paused_job_is_resumed(qtbot: QtBot, dialog: JobsDialog, queue: FakeQueue) -> None:
    queue.change(1, state=JobState.PAUSED)
    qtbot.waitUntil(lambda: dialog.buttons["resume"].isEnabled())
    assert not dialog.buttons["pause"].isEnabled()
    dialog.buttons["resume"].click()
    qtbot.waitUntil(lambda: queue.rows[1].state is JobState.QUEUED)


def test_the_sentence_and_the_log_of_a_job(
    qtbot: QtBot, dialog: JobsDialog, queue: FakeQueue
) -> None:
    queue.lines[4] = (LogLine("2026-01-01T10:00:00Z", "Memory ran out."),)
    choose(dialog, 3)
    assert dialog.sentence.text() == "There is no graphics card."
    qtbot.waitUntil(lambda: "Memory ran out." in dialog.log.toPlainText())


def test_a_full_disk_is_told(qtbot: QtBot, dialog: JobsDialog, queue: FakeQueue) -> None:
    queue.error = LibraryError("The disk is full.")
    dialog.buttons["pause"].click()
    qtbot.waitUntil(lambda: dialog.sentence.text() == "The disk is full.")


def test_interrupted_jobs_are_offered_by_a_line_and_no_window(
    qtbot: QtBot, window: MainWindow, queue: FakeQueue
) -> None:
    bar = window.resume_bar
    assert not bar.isVisible()
    queue.put(make_row(9, state=JobState.PAUSED, interrupted=True))
    qtbot.waitUntil(bar.isVisible)
    assert [d for d in window.findChildren(QDialog) if d.isVisible()] == []
    assert "“Generate 8” was interrupted" in bar.sentence.text()
    assert nameless(bar) == []
    bar.go_on.click()
    qtbot.waitUntil(lambda: not bar.isVisible())
    assert queue.rows[9].state is JobState.QUEUED


def test_what_is_put_off_stays_in_the_list(
    qtbot: QtBot, window: MainWindow, queue: FakeQueue
) -> None:
    queue.put(make_row(9, state=JobState.PAUSED, interrupted=True))
    qtbot.waitUntil(window.resume_bar.isVisible)
    window.resume_bar.later.click()
    assert not window.resume_bar.isVisible()
    assert describe.interrupted_of(window.jobs.rows)


def test_nothing_starts_before_there_is_something_to_see(qtbot: QtBot, tmp_path: Path) -> None:
    queue, session = FakeQueue(), Session()
    jobs = LongJobs(cast("JobQueue", queue))
    preferences = Preferences(session, tmp_path / "settings.toml")
    window = MainWindow(session, preferences, JobRunner(), ModelProcess(), None, jobs)
    qtbot.addWidget(window)
    assert not queue.started
    window.show()
    qtbot.waitUntil(lambda: queue.started)
    window.close()
