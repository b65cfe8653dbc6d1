"""The studio and the list of jobs without a mouse."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton, QWidget

from tests.factories.queues import FakeQueue, make_row
from tests.factories.studios import Studio, make_card, put_image, start
from viewer.jobs.describe import ACTIONS
from viewer.library.job_row import JobState
from viewer.qt.dialogs.jobs import JobsDialog
from viewer.qt.long_jobs import LongJobs
from viewer.qt.studio.window import Places

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

    from viewer.jobs.queue import JobQueue

Key = Qt.Key
IMAGES = 5


@pytest.fixture
def queue() -> FakeQueue:
    return FakeQueue()


@pytest.fixture
def studio(qtbot: QtBot, tmp_path: Path, queue: FakeQueue) -> Iterator[Studio]:
    pack = make_card(tmp_path / "pack")
    made = Studio(qtbot, queue, Places((pack,), tmp_path / "generated", "cpu"))
    made.ready()
    folder = start(made, queue)
    for number in range(1, IMAGES + 1):
        queue.tell(1, put_image(folder, f"{number:05d}"))
    qtbot.waitUntil(lambda: len(made.batch.shots) == IMAGES)
    made.dialog.resize(1280, 720)
    come_forward(qtbot, made.dialog)
    yield made
    made.close()


def come_forward(qtbot: QtBot, window: QWidget) -> None:
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)


def press(qtbot: QtBot, *keys: Key) -> None:
    for key in keys:
        focused = QApplication.focusWidget()
        assert focused is not None
        qtbot.keyClick(focused, key)


def walk(qtbot: QtBot, first: QWidget) -> list[QWidget]:
    """Where the tab key leads, until it is back."""
    first.setFocus(Qt.FocusReason.TabFocusReason)
    reached: list[QWidget] = []
    while len(reached) < 100:
        focused = QApplication.focusWidget()
        assert focused is not None
        if focused in reached:
            break
        reached.append(focused)
        qtbot.keyClick(focused, Key.Key_Tab)
    return reached


def test_the_tab_key_walks_through_the_studio_from_left_to_right(
    qtbot: QtBot, studio: Studio
) -> None:
    dialog = studio.dialog
    order, foot = dialog.order, dialog.foot
    reached = walk(qtbot, dialog.change)
    wanted = [
        *(order.chips["vendor", "alpha"], order.chips["view", "MLO"]),
        *(order.chips["density", "high"], order.chips["lesion", "mass"], order.sentence),
        *(order.count, order.seed, order.steps, order.guidance, order.add, order.balance),
        *(dialog.shots, foot.steer, foot.cancel, foot.save),
    ]
    places = [reached.index(each) for each in wanted]
    assert places == sorted(places)


def test_arrows_choose_a_word(qtbot: QtBot, studio: Studio) -> None:
    chips = studio.dialog.order.chips
    chips["density", "high"].setFocus()
    press(qtbot, Key.Key_Right)
    assert chips["density", "very high"].isChecked()
    assert "very high density" in studio.dialog.order.sentence.toPlainText()


def test_arrows_move_between_images_and_space_keeps(qtbot: QtBot, studio: Studio) -> None:
    view = studio.dialog.shots
    view.setFocus()
    assert view.currentIndex().row() == 0
    press(qtbot, Key.Key_Right, Key.Key_Space)
    assert view.currentIndex().row() == 1
    assert [shot.kept for shot in studio.batch.shots] == [True, False, True, True, True]
    press(qtbot, Key.Key_Space)
    assert len(studio.batch.kept) == IMAGES
    press(qtbot, Key.Key_End)
    assert view.currentIndex().row() == IMAGES - 1
    press(qtbot, Key.Key_Home, Key.Key_Down)
    assert view.currentIndex().row() > 1


def test_enter_opens_an_image_and_nothing_else(qtbot: QtBot, studio: Studio) -> None:
    view = studio.dialog.shots
    view.setFocus()
    press(qtbot, Key.Key_Right, Key.Key_Return)
    assert [path.name for (path,) in studio.opened] == ["00002.dcm"]
    assert studio.dialog.isVisible()


def test_the_image_that_the_keyboard_is_at_is_seen(qtbot: QtBot, studio: Studio) -> None:
    view = studio.dialog.shots
    at = view.visualRect(view.shots.index(0)).topLeft()
    studio.dialog.order.add.setFocus()
    before = view.viewport().grab().toImage()
    view.setFocus()
    after = view.viewport().grab().toImage()
    frame = [(at.x() + 4, at.y() + 40 + step) for step in range(20)]
    assert all(after.pixelColor(*point) != before.pixelColor(*point) for point in frame)


def test_images_that_come_do_not_move_the_one_that_is_looked_at(
    qtbot: QtBot, studio: Studio, queue: FakeQueue
) -> None:
    view = studio.dialog.shots
    view.setFocus()
    view.setCurrentIndex(view.shots.index(1))
    folder = Path(studio.batch.folder)
    for number in range(IMAGES + 1, IMAGES + 40):
        queue.tell(1, put_image(folder, f"{number:05d}"))
    qtbot.waitUntil(lambda: view.shots.rowCount() == IMAGES + 39)
    assert view.currentIndex().row() == 1
    assert view.viewport().rect().contains(view.visualRect(view.currentIndex()))


ROWS = (
    make_row(1, state=JobState.RUNNING, done=14, of=40),
    make_row(2, title="Second"),
    make_row(3, title="Third", state=JobState.FAILED),
)


@pytest.fixture
def jobs(qtbot: QtBot) -> Iterator[tuple[JobsDialog, FakeQueue]]:
    queue = FakeQueue(*ROWS)
    made = LongJobs(cast("JobQueue", queue))
    dialog = JobsDialog(made, None)
    qtbot.addWidget(dialog)
    dialog.show()
    made.start()
    qtbot.waitUntil(lambda: dialog.list.topLevelItemCount() == len(ROWS))
    come_forward(qtbot, dialog)
    yield dialog, queue
    dialog.close()
    made.close()


def test_the_list_of_jobs_is_where_the_keyboard_begins(
    qtbot: QtBot, jobs: tuple[JobsDialog, FakeQueue]
) -> None:
    dialog, _ = jobs
    assert QApplication.focusWidget() is dialog.list
    press(qtbot, Key.Key_Down)
    assert dialog.chosen is not None
    assert dialog.chosen.id == 2


def test_every_button_that_fits_is_reached_from_the_list(
    qtbot: QtBot, jobs: tuple[JobsDialog, FakeQueue]
) -> None:
    dialog, _ = jobs
    for row in range(len(ROWS)):
        dialog.list.setCurrentItem(dialog.list.topLevelItem(row))
        reached = walk(qtbot, dialog.list)
        fits = [dialog.buttons[name] for name in ACTIONS if dialog.buttons[name].isEnabled()]
        assert [each for each in fits if each not in reached] == []
        assert dialog.log in reached


def test_a_job_is_paused_and_removed_by_keys(
    qtbot: QtBot, jobs: tuple[JobsDialog, FakeQueue]
) -> None:
    dialog, queue = jobs
    dialog.buttons["pause"].setFocus()
    press(qtbot, Key.Key_Space)
    qtbot.waitUntil(lambda: queue.rows[1].state is JobState.PAUSED)
    dialog.list.setFocus()
    press(qtbot, Key.Key_End, Key.Key_Delete)
    qtbot.waitUntil(lambda: 3 not in queue.rows)
    assert isinstance(dialog.remove_all, QPushButton)
    press(qtbot, Key.Key_Delete)
    assert {1, 2} <= set(queue.rows)
