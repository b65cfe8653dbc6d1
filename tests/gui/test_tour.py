"""The tour of the main window: it points, takes no focus, and goes when it is told to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QApplication, QLabel

from viewer.core.commands import command_keys
from viewer.core.tour import OFFER, STEPS, Place
from viewer.jobs.models import ModelProcess
from viewer.qt.job_runner import JobRunner
from viewer.qt.main_window import MainWindow
from viewer.qt.preferences import Preferences
from viewer.qt.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from viewer.qt.tour import Tour


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    session = Session()
    preferences = Preferences(session, tmp_path / "settings.toml")
    made = MainWindow(session, preferences, JobRunner(), ModelProcess())
    qtbot.addWidget(made)
    made.resize(1366, 768)
    made.show()
    yield made
    made.close()


def start(window: MainWindow, *, offered: bool = False) -> Tour:
    window.start_tour(offered=offered)
    assert window.tour is not None
    return window.tour


def rect_of(window: MainWindow, name: str) -> QRect:
    widget = getattr(window, name)
    return QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())


def test_a_window_starts_without_a_tour(window: MainWindow) -> None:
    assert window.tour is None


def test_help_starts_it_and_next_leads_through_to_the_end(window: MainWindow) -> None:
    window.commands.actions["tour"].trigger()
    tour = window.tour
    assert tour is not None
    for _ in STEPS:
        assert tour.isVisible()
        assert tour.accessibleName()
        assert "{" not in tour.accessibleDescription()
        tour.on.click()
    assert not tour.isVisible()
    assert not tour.frame.isVisible()


def test_an_offer_is_asked_first_and_can_be_put_off(window: MainWindow) -> None:
    tour = start(window, offered=True)
    assert tour.accessibleName() == OFFER.title
    assert not tour.frame.isVisible()
    tour.ending.click()
    assert not tour.isVisible()


def test_back_goes_back_but_not_to_the_offer(window: MainWindow) -> None:
    tour = start(window, offered=True)
    tour.on.click()
    assert not tour.back.isEnabled()
    tour.on.click()
    tour.back.click()
    assert tour.accessibleName() == STEPS[0].title


def test_it_hides_no_image_and_takes_no_focus(window: MainWindow) -> None:
    window.canvas.setFocus()
    tour = start(window)
    for _ in STEPS[:-1]:
        assert not tour.geometry().intersects(rect_of(window, "canvas"))
        tour.on.click()
    assert QApplication.focusWidget() is not tour
    assert tour.frame.testAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)


def test_it_frames_what_it_speaks_of_and_only_with_lines(window: MainWindow) -> None:
    tour = start(window)
    places = {Place.CANVAS: "canvas", Place.DIAGNOSIS: "diagnosis", Place.TOOLS: "tool_bar"}
    for step in STEPS:
        assert tour.frame.isVisible()
        if step.place in places:
            assert tour.frame.geometry() == rect_of(window, places[step.place])
            assert not tour.frame.mask().contains(tour.frame.rect().center())
        tour.on.click()


def test_it_stays_in_its_corner_when_the_window_changes(window: MainWindow) -> None:
    tour = start(window)
    window.resize(1200, 700)
    QApplication.processEvents()
    assert window.rect().contains(tour.geometry())


def test_escape_ends_it(qtbot: QtBot, window: MainWindow) -> None:
    tour = start(window)
    qtbot.keyClick(window.canvas, Qt.Key.Key_Escape)
    assert not tour.isVisible()


def test_every_step_names_keys_that_there_are() -> None:
    keys = command_keys()
    assert 6 <= len(STEPS) <= 8
    for step in STEPS:
        assert "{" not in step.told(keys)


def test_every_card_is_as_high_as_its_words(window: MainWindow) -> None:
    tour = start(window)
    for _ in STEPS:
        for label in tour.findChildren(QLabel):
            assert label.height() >= label.heightForWidth(label.width())
        tour.on.click()
