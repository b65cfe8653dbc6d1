from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QLabel, QSlider, QWidget

from ml.mammo.codes import Laterality
from ml.mammo.mammogram import Alarm
from tests.factories.analyses import make_analysis, make_study
from viewer.core.state import (
    AnalysisPhase,
    FindingKey,
    Impression,
    Reading,
    Refusal,
    SessionState,
)
from viewer.qt.cards import FindingButton, ScoreBar
from viewer.qt.panels.diagnosis import DiagnosisPanel
from viewer.qt.session import Session

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

NOW = "2026-01-01T10:00:00Z"
RIGHT, LEFT = Laterality.RIGHT, Laterality.LEFT
ALARM = Alarm("Different Patient IDs: {count}.", (("count", "4"),))
DONE = SessionState(
    study=make_study(alarms=(ALARM,)),
    analysis=make_analysis(),
    analysis_phase=AnalysisPhase.DONE,
)
BLIND = replace(DONE, blind_first_read=True)


class Shown:
    """A panel on a session of its own."""

    def __init__(self, qtbot: QtBot, state: SessionState) -> None:
        self.session = Session()
        self.put(state)
        self.panel = DiagnosisPanel(self.session, now=lambda: NOW)
        qtbot.addWidget(self.panel)
        self.panel.resize(320, 900)
        self.panel.show()

    def put(self, state: SessionState) -> None:
        self.session.apply(lambda _: state)

    def words(self) -> str:
        """All that can be read, heard or hovered."""
        told: list[str] = []
        for each in self.panel.findChildren(QWidget):
            if not each.isVisibleTo(self.panel):
                continue
            told += [each.accessibleName(), each.toolTip()]
            if isinstance(each, QLabel | QAbstractButton):
                told.append(each.text())
        return "\n".join(told)

    def press(self, name: str) -> None:
        self.button(name).click()

    def button(self, name: str) -> QAbstractButton:
        named = [
            each
            for each in self.panel.findChildren(QAbstractButton)
            if each.isVisibleTo(self.panel) and each.accessibleName().startswith(name)
        ]
        assert len(named) == 1, name
        return named[0]

    def findings(self) -> list[FindingButton]:
        each = self.panel.findChildren(FindingButton)
        return [button for button in each if button.isVisibleTo(self.panel)]


@pytest.fixture
def shown(qtbot: QtBot) -> Shown:
    return Shown(qtbot, DONE)


def test_the_panel_tells_verdicts_scores_findings_and_models(shown: Shown):
    words = shown.words()
    for part in (
        *("Different Patient IDs: 4.", "Right breast", "above operating point", "0.63"),
        *("at operating point", "Mass · RCC", "Calcifications · LMLO", "B 0.57"),
        *("detector 1.2.0", "OpenVINO bf16", "Research use only"),
    ):
        assert part in words
    assert "probab" not in words


def test_bars_are_drawn_for_both_breasts_with_their_operating_point(shown: Shown):
    bars = shown.panel.findChildren(ScoreBar)
    assert [bar.accessibleName() for bar in bars] == [
        "Right breast: lesion score 0.63, operating point 0.42",
        "Left breast: lesion score 0.42, operating point 0.42",
    ]
    picture = bars[0].grab().toImage()
    middle = picture.height() // 2
    inside = picture.pixelColor(picture.width() // 5, middle)
    outside = picture.pixelColor(picture.width() * 4 // 5, middle)
    assert inside.red() > 200
    assert outside.red() < 80


def test_a_click_on_a_row_selects_its_finding(shown: Shown):
    shown.press("Calcifications · LMLO")
    assert shown.session.state.selected == FindingKey("1.2.3.LMLO", 0)
    assert [button.isChecked() for button in shown.findings()] == [False, True]


def test_a_row_that_is_clicked_again_stays_selected_and_is_centred_again(shown: Shown):
    chosen: list[FindingKey] = []
    shown.panel.finding_chosen.connect(chosen.append)
    for _ in range(2):
        shown.press("Mass · RCC")
        assert shown.findings()[0].isChecked()
    assert chosen == [FindingKey("1.2.3.RCC", 0)] * 2


def test_a_box_that_was_clicked_emphasizes_its_row_and_keeps_the_widgets(shown: Shown):
    before = shown.findings()
    shown.put(replace(DONE, selected=FindingKey("1.2.3.RCC", 0)))
    assert shown.findings() == before
    assert [button.isChecked() for button in before] == [True, False]


def test_the_threshold_slider_hides_and_shows_findings(shown: Shown):
    slider = shown.panel.findChild(QSlider, "threshold")
    assert slider is not None
    assert slider.value() == 42
    slider.setValue(10)
    assert shown.session.state.threshold == 0.10
    assert len(shown.findings()) == 3
    slider.setValue(90)
    assert shown.findings() == []
    shown.press("Operating point")
    assert shown.session.state.threshold is None
    assert slider.value() == 42


def test_a_blind_panel_hides_the_whole_diagnosis(qtbot: QtBot):
    words = Shown(qtbot, BLIND).words()
    for part in (
        "0.63",
        "operating point",
        "Mass",
        "1.2.0",
        "Density",
        "OpenVINO",
        "Threshold",
    ):
        assert part not in words
    assert "Different Patient IDs: 4." in words
    assert "Research use only" in words


def test_blind_again_leaves_nothing_of_the_machine_behind(shown: Shown):
    shown.put(BLIND)
    words = shown.words()
    assert "0.63" not in words
    assert "Mass" not in words


def test_both_impressions_reveal_the_diagnosis(qtbot: QtBot):
    shown = Shown(qtbot, BLIND)
    shown.press("Impression, Right: Recall")
    assert "0.63" not in shown.words()
    shown.press("Impression, Left: Normal")
    assert "0.63" in shown.words()
    reading = shown.session.state.reading
    assert dict(reading.before) == {RIGHT: Impression.RECALL, LEFT: Impression.NORMAL}
    assert reading.revealed_at == NOW


def test_the_reveal_button_shows_the_diagnosis(qtbot: QtBot):
    shown = Shown(qtbot, BLIND)
    shown.press("Reveal")
    assert shown.session.state.reading.revealed_at == NOW
    assert "0.63" in shown.words()


def test_a_second_thought_stands_beside_the_first(shown: Shown):
    before = MappingProxyType({RIGHT: Impression.RECALL, LEFT: Impression.NORMAL})
    shown.put(replace(BLIND, reading=Reading(before, revealed_at=NOW)))
    shown.press("Impression, Right: Normal")
    assert shown.session.state.reading.before[RIGHT] is Impression.RECALL
    assert shown.session.state.reading.after[RIGHT] is Impression.NORMAL
    assert shown.button("Impression, Right: Normal").isChecked()
    recall = shown.button("Impression, Right: Recall")
    assert not recall.isChecked()
    assert "before" in recall.toolTip()


def test_pressing_an_impression_twice_keeps_it(shown: Shown):
    for _ in range(2):
        shown.press("Impression, Right: Normal")
        assert shown.button("Impression, Right: Normal").isChecked()


def test_a_breast_without_images_has_no_impression_to_press(qtbot: QtBot):
    shown = Shown(qtbot, replace(DONE, study=make_study(("LCC", "LMLO"))))
    assert not shown.button("Impression, Right: Normal").isEnabled()
    assert shown.button("Impression, Left: Normal").isEnabled()


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (SessionState(), "No study is open."),
        (
            SessionState(study=make_study(), analysis_phase=AnalysisPhase.WAITING),
            "Analyzing",
        ),
    ],
)
def test_without_an_analysis_the_panel_says_why(qtbot: QtBot, state: SessionState, text: str):
    assert text in Shown(qtbot, state).words()


def test_a_failed_analysis_is_said_and_can_be_tried_again(qtbot: QtBot):
    failed = SessionState(
        study=make_study(), analysis_phase=AnalysisPhase.FAILED, analysis_error="No memory."
    )
    shown = Shown(qtbot, failed)
    assert "No memory." in shown.words()
    with qtbot.waitSignal(shown.panel.retry_requested):
        shown.press("Try again")


def test_refused_images_and_files_are_told(qtbot: QtBot):
    refusals = (Refusal(Path("a.dcm"), "It is short."),)
    analysis = make_analysis(refused="A spot view.")
    shown = Shown(qtbot, replace(DONE, analysis=analysis, refusals=refusals))
    assert "RMLO: A spot view." in shown.words()
    assert "not opened: 1" in shown.words()
    with qtbot.waitSignal(shown.panel.refused_files_requested):
        shown.press("Which, and why")


def test_a_probability_is_called_one(qtbot: QtBot):
    words = Shown(qtbot, replace(DONE, analysis=make_analysis(validated=True))).words()
    assert "lesion, probability" in words
    assert "lesion, score" not in words


def test_focus_stays_on_a_finding_when_the_threshold_moves(qtbot: QtBot, shown: Shown):
    shown.panel.activateWindow()
    qtbot.waitUntil(shown.panel.isActiveWindow)
    shown.findings()[0].setFocus()
    shown.put(replace(DONE, threshold=0.6))
    assert [button.text() for button in shown.findings()] == ["Mass · RCC"]
    assert shown.findings()[0].hasFocus()


def test_every_control_has_a_name_and_is_reached_by_the_keyboard(shown: Shown):
    for control in [
        *shown.panel.findChildren(QAbstractButton),
        *shown.panel.findChildren(QSlider),
    ]:
        assert control.accessibleName(), control
        assert control.focusPolicy() & Qt.FocusPolicy.TabFocus
