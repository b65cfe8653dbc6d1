"""What the machine says, worked with by hand: threshold, rows, boxes, and the tool bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QSlider, QToolButton

from viewer.core.commands import COMMANDS
from viewer.core.state import AnalysisPhase
from viewer.qt import palette
from viewer.qt.cards import FindingButton

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.gui.conftest import Reader
    from viewer.core.state import SessionState

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def opened(reader: Reader, study: list[Path]) -> Reader:
    reader.open(study)
    reader.wait_for_pictures()
    reader.wait_for_analysis()
    assert reader.state.analysis_phase is AnalysisPhase.DONE
    return reader


def rows(reader: Reader) -> list[FindingButton]:
    panel = reader.window.diagnosis
    return [row for row in panel.findChildren(FindingButton) if row.isVisible()]


def boxes_are_drawn(reader: Reader) -> bool:
    """Whether the canvas holds the machine's own color, which no gray picture does."""
    pixels = reader.window.canvas.grab().toImage()
    return any(
        pixels.pixelColor(column, row).name() == palette.MACHINE.lower()
        for row in range(pixels.height())
        for column in range(0, pixels.width(), 3)
    )


def test_the_threshold_hides_boxes_and_rows_and_brings_them_back(opened: Reader) -> None:
    slider = opened.window.diagnosis.findChild(QSlider, "threshold")
    assert slider is not None
    first = len(rows(opened))
    assert first
    assert boxes_are_drawn(opened)
    QTest.keyClick(slider, Qt.Key.Key_End)
    assert opened.state.threshold == 1
    assert not rows(opened)
    assert not boxes_are_drawn(opened)
    QTest.keyClick(slider, Qt.Key.Key_Home)
    assert opened.state.threshold == 0
    opened.wait(lambda: len(rows(opened)) >= first)
    assert boxes_are_drawn(opened)
    (reset,) = (
        button
        for button in opened.window.diagnosis.findChildren(QPushButton)
        if button.accessibleName() == "Operating point"
    )
    QTest.mouseClick(reset, LEFT)
    assert opened.state.threshold is None
    opened.wait(lambda: len(rows(opened)) == first)


def test_a_control_with_the_focus_keeps_its_arrow_keys(opened: Reader) -> None:
    """Left, right and Home are commands too: they must not be taken from a slider or a list."""
    slider = opened.window.diagnosis.findChild(QSlider, "threshold")
    assert slider is not None
    before = (opened.state.viewports, slider.value())
    QTest.keyClick(slider, Qt.Key.Key_Right)
    assert (opened.state.viewports, slider.value()) == (before[0], before[1] + 1)
    thumbnails = opened.window.thumbnails.list
    thumbnails.setCurrentRow(0)
    QTest.keyClick(thumbnails, Qt.Key.Key_Right)
    assert thumbnails.currentRow() == 1
    assert opened.state.viewports == before[0]
    opened.press("Right")
    assert opened.state.viewports != before[0]
    opened.window.canvas.setFocus()
    for each in (thumbnails, opened.window.work_list.studies):
        QTest.mouseClick(each.viewport(), LEFT, pos=each.visualItemRect(each.item(0)).center())
        assert not each.hasFocus(), "after a click the arrows still pan the images"


def test_a_click_on_a_row_centres_its_box(opened: Reader) -> None:
    canvas = opened.window.canvas
    QTest.keyClick(canvas, Qt.Key.Key_Plus)
    row = rows(opened)[-1]
    key = row.key
    QTest.mouseClick(row, LEFT)
    assert opened.state.selected == key
    assert row.isChecked()
    analysis = opened.state.analysis
    assert analysis is not None
    image = next(i for i in analysis.images if i.sop_instance_uid == key.sop_instance_uid)
    index = next(
        i
        for i, viewport in enumerate(opened.state.viewports)
        if viewport.image and viewport.image.sop_instance_uid == key.sop_instance_uid
    )
    box = image.findings[key.index].box
    middle = (
        canvas.width() * (0.25, 0.75)[index % 2],
        canvas.height() * (0.25, 0.75)[index // 2],
    )

    def is_centred() -> bool:
        place = canvas.position_of(index, box.center)
        return place is not None and (
            abs(place.x() - middle[0]) < 6 and abs(place.y() - middle[1]) < 6
        )

    opened.wait(is_centred)


def test_the_blind_switch_hides_boxes_until_the_reveal(
    reader: Reader, study: list[Path]
) -> None:
    reader.press("Ctrl+B")
    reader.open(study)
    reader.wait_for_pictures()
    reader.wait_for_analysis()
    assert not boxes_are_drawn(reader)
    assert not rows(reader)
    QTest.mouseClick(button_of(reader, "reveal"), LEFT)
    assert boxes_are_drawn(reader)
    assert rows(reader)


@pytest.mark.parametrize(
    ("command", "what"),
    [
        ("tool_zoom", lambda state: state.tool),
        ("tool_pan", lambda state: state.tool),
        ("tool_loupe", lambda state: state.tool),
        ("tool_length", lambda state: state.tool),
        ("invert", lambda state: state.viewports[0].presentation.inverted),
        ("one_to_one", lambda state: state.viewports[0].camera),
        ("linked", lambda state: state.linked),
        ("heat_map", lambda state: state.heat_map_shown),
        ("blind_first_read", lambda state: state.blind_first_read),
    ],
)
def test_a_button_of_the_tool_bar_does_it_by_mouse(
    opened: Reader, command: str, what: Callable[[SessionState], object]
) -> None:
    before = what(opened.state)
    QTest.mouseClick(button_of(opened, command), LEFT)
    assert what(opened.state) != before


def test_fit_and_reset_by_mouse(opened: Reader) -> None:
    cameras = [viewport.camera for viewport in opened.state.viewports]
    for command in ("fit", "reset"):
        QTest.mouseClick(button_of(opened, "one_to_one"), LEFT)
        assert [viewport.camera for viewport in opened.state.viewports] != cameras
        QTest.mouseClick(button_of(opened, command), LEFT)
        assert [viewport.camera for viewport in opened.state.viewports] == cameras


def button_of(reader: Reader, command: str) -> QToolButton:
    title = next(each.title for each in COMMANDS if each.id == command)
    (button,) = (
        each
        for each in reader.window.findChildren(QToolButton)
        if each.accessibleName() == title
    )
    return button
