"""From a start to the window: what is asked once, what further starts bring, and declining."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QDialog

import viewer.app as app
from viewer.core.first_run import is_accepted
from viewer.core.home import find_home
from viewer.core.settings import Settings, read_settings, write_settings
from viewer.core.start import Start
from viewer.qt.dialogs.first_run import FirstRunDialog
from viewer.qt.incoming import Incoming
from viewer.qt.main_window import MainWindow

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

Opened = list[tuple[list[Path], bool]]
WAIT_MS = 20


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, qapp: QApplication) -> Opened:
    """What windows are asked to open, in place of opening it; the application is as it was."""
    asked: Opened = []

    def keep(window: MainWindow, paths: list[Path], *, together: bool = False) -> None:
        if paths:
            asked.append((list(paths), together))

    monkeypatch.setattr(MainWindow, "open_paths", keep)
    monkeypatch.setattr(app, "make_application", lambda: qapp)
    return asked


def when(kind: type, deed: Callable[..., object]) -> QTimer:
    """Do something with a window as soon as there is one."""
    timer = QTimer()

    def look() -> None:
        for each in QApplication.topLevelWidgets():
            if isinstance(each, kind) and each.isVisible():
                timer.stop()
                deed(each)
                return

    timer.timeout.connect(look)
    timer.start(WAIT_MS)
    return timer


def accept_all(dialog: FirstRunDialog) -> None:
    for _ in range(3):
        dialog.on.click()


def test_who_declines_sees_no_window(qtbot: QtBot, opened: Opened) -> None:
    timer = when(FirstRunDialog, lambda dialog: dialog.reject())
    assert app.run(Start()) == 0
    timer.stop()
    assert opened == []
    assert not find_home().settings.exists()
    assert not any(isinstance(each, MainWindow) for each in QApplication.topLevelWidgets())


def test_a_first_start_asks_then_opens_the_sample_and_offers_the_tour(
    qtbot: QtBot, opened: Opened
) -> None:
    offered: list[bool] = []

    def leave(window: MainWindow) -> None:
        offered.append(window.tour is not None and window.tour.isVisible())
        window.close()

    timers = (when(FirstRunDialog, accept_all), when(MainWindow, leave))
    assert app.run(Start()) == 0
    assert not any(timer.isActive() for timer in timers)
    assert is_accepted(read_settings(find_home().settings)[0])
    assert offered == [True]
    (sample,) = opened
    assert len(sample[0]) == 4


def test_a_later_start_asks_nothing_and_further_files_come_to_its_window(
    qtbot: QtBot, opened: Opened
) -> None:
    write_settings(Settings(accepted="1 2026-11-30"), find_home().settings)
    files, more = (Path("/a.dcm"),), (Path("/b.dcm"), Path("/c.dcm"))

    def ask(window: MainWindow) -> None:
        assert window.tour is None
        application = QApplication.instance()
        assert application is not None
        incoming = application.findChildren(Incoming)[-1]
        incoming.ask(Start())
        incoming.ask(Start(more, together=True))
        assert not [d for d in window.findChildren(QDialog) if d.isVisible()]
        window.close()

    timer = when(MainWindow, ask)
    assert app.run(Start(files)) == 0
    assert not timer.isActive()
    assert opened == [([*files], False), ([*more], True)]
