"""Every control has a name that can be read aloud, and the keyboard reaches it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QHeaderView,
    QLineEdit,
    QPlainTextEdit,
    QScrollBar,
    QTabBar,
    QWidget,
)

from tests.factories.analyses import make_analysis, make_study
from viewer.core import actions
from viewer.core.state import Reading, Refusal
from viewer.jobs.models import ModelProcess
from viewer.qt.canvas.canvas import Canvas
from viewer.qt.job_runner import JobRunner
from viewer.qt.main_window import MainWindow
from viewer.qt.preferences import Preferences
from viewer.qt.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

CONTROLS = (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QTabBar,
    Canvas,
)
DIALOGS = ("settings", "shortcuts", "about", "show_refused")


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    session = Session()
    preferences = Preferences(session, tmp_path / "settings.toml")
    preferences.settings = replace(preferences.settings, analysis_on_open=False)
    made = MainWindow(session, preferences, JobRunner(), ModelProcess())
    qtbot.addWidget(made)
    made.show()
    yield made
    made.close()


def put_results(window: MainWindow) -> None:
    """Open a study whose files do not exist: its pictures stay empty, its words are there."""
    study = make_study()
    refusal = Refusal(Path("a.dcm"), "It is short.")
    window.session.apply(lambda state: actions.open_studies(state, (study,), (refusal,)))
    analysis = make_analysis(refused="A spot view.")
    window.session.apply(lambda state: actions.set_analysis(state, study, analysis))


def controls_of(widget: QWidget) -> list[QWidget]:
    """What a user may operate; the parts that Qt makes inside a control are Qt's own."""
    every = [widget, *widget.findChildren(QWidget)]
    return [
        each
        for each in every
        if isinstance(each, CONTROLS)
        and not isinstance(each, QScrollBar | QHeaderView)
        and not each.objectName().startswith("qt_")
        and not isinstance(each.parent(), QAbstractSpinBox | QComboBox)
        and each.isVisibleTo(widget)
    ]


def nameless(widget: QWidget) -> list[str]:
    return [repr(each) for each in controls_of(widget) if not each.accessibleName()]


def out_of_reach(widget: QWidget) -> list[str]:
    return [
        f"{each.accessibleName()}: {each!r}"
        for each in controls_of(widget)
        if not each.focusPolicy() & Qt.FocusPolicy.TabFocus
    ]


def test_every_control_of_the_window_has_a_name(window: MainWindow):
    assert nameless(window) == []
    put_results(window)
    assert len(controls_of(window)) > 20
    assert nameless(window) == []


def test_every_control_of_the_window_is_reached_by_the_keyboard(window: MainWindow):
    put_results(window)
    assert out_of_reach(window) == []


def test_a_blind_window_keeps_names_and_reach(window: MainWindow):
    put_results(window)
    window.session.apply(lambda state: replace(state, blind_first_read=True, reading=Reading()))
    assert nameless(window) == []
    assert out_of_reach(window) == []


@pytest.mark.parametrize("name", DIALOGS)
def test_every_control_of_a_dialog_has_a_name_and_is_reached(window: MainWindow, name: str):
    put_results(window)
    window.commands.actions[name].trigger()
    (dialog,) = (each for each in window.findChildren(QDialog) if each.isVisible())
    assert controls_of(dialog)
    assert nameless(dialog) == []
    assert out_of_reach(dialog) == []
    dialog.close()


def test_the_tab_key_walks_through_the_window(qtbot: QtBot, window: MainWindow):
    put_results(window)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    reached: list[QWidget] = []
    for _ in range(100):
        focused = QApplication.focusWidget()
        assert focused is not None
        if focused in reached:
            break
        reached.append(focused)
        qtbot.keyClick(focused, Qt.Key.Key_Tab)
    panels = (window.canvas, window.work_list, window.diagnosis)
    for panel in panels:
        assert any(panel is each or panel.isAncestorOf(each) for each in reached), panel


def test_every_menu_entry_says_what_it_does(window: MainWindow):
    for action in window.commands.actions.values():
        assert action.text()
        assert action.toolTip()
