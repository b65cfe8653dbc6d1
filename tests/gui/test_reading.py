"""At the images: every gesture by mouse and by key, boxes, rows, and the blind first read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel

from ml.mammo.codes import Laterality
from tests.factories.breasts import make_four_views, make_view
from tests.factories.dicom import JPEG_2000
from viewer.core.annotations import corners_of
from viewer.core.commands import COMMANDS
from viewer.core.state import AnalysisPhase, Impression, Tool

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np

    from tests.gui.conftest import Reader
    from viewer.core.state import SessionState

KEYS = {command.id: command.keys[0] for command in COMMANDS if command.keys}
LEFT, RIGHT, MIDDLE = (
    Qt.MouseButton.LeftButton,
    Qt.MouseButton.RightButton,
    Qt.MouseButton.MiddleButton,
)


@pytest.fixture
def opened(reader: Reader, study: list[Path]) -> Reader:
    reader.open(study)
    reader.wait_for_pictures()
    reader.wait_for_analysis()
    assert reader.state.analysis_phase is AnalysisPhase.DONE
    return reader


def drag(reader: Reader, start: QPoint, by: tuple[int, int], button: Qt.MouseButton) -> None:
    canvas = reader.window.canvas
    end = start + QPoint(*by)
    QTest.mousePress(canvas, button, pos=start)
    QTest.mouseMove(canvas, start + QPoint(by[0] // 2, by[1] // 2))
    QTest.mouseMove(canvas, end)
    QTest.mouseRelease(canvas, button, pos=end)


def on_breast(reader: Reader, index: int = 0) -> QPoint:
    place = reader.window.canvas.position_of(index, (300, 250))
    assert place is not None
    return place


def windows(reader: Reader) -> list[Any]:
    return list(reader.window.canvas.current_windows().values())


def zooms(state: SessionState) -> list[float]:
    return [viewport.camera.zoom for viewport in state.viewports]


def offsets(state: SessionState) -> list[tuple[float, float]]:
    return [
        (viewport.camera.offset_rows, viewport.camera.offset_columns)
        for viewport in state.viewports
    ]


def test_a_drag_changes_the_window_of_all_and_undo_brings_it_back(opened: Reader) -> None:
    before = windows(opened)
    drag(opened, on_breast(opened), (60, -40), LEFT)
    after = windows(opened)
    assert all(a.width > b.width for a, b in zip(after, before, strict=True))
    opened.press(KEYS["undo"])
    assert windows(opened) == before


def test_unlinked_only_the_image_under_the_hand_changes(opened: Reader) -> None:
    opened.press(KEYS["linked"])
    before = windows(opened)
    drag(opened, on_breast(opened, 2), (60, 0), LEFT)
    after = windows(opened)
    assert [a != b for a, b in zip(after, before, strict=True)] == [False, False, True, False]


def test_zoom_and_pan_by_mouse(opened: Reader) -> None:
    drag(opened, on_breast(opened), (0, -60), RIGHT)
    assert all(zoom > 1 for zoom in zooms(opened.state))
    before = offsets(opened.state)
    drag(opened, on_breast(opened), (40, 30), MIDDLE)
    assert offsets(opened.state) != before
    opened.press(KEYS["fit"])
    assert zooms(opened.state) == [1.0] * 4


def test_the_wheel_zooms_about_the_cursor(opened: Reader) -> None:
    canvas, place = opened.window.canvas, on_breast(opened)
    event = QWheelEvent(
        QPointF(place),
        QPointF(canvas.mapToGlobal(place)),
        QPoint(),
        QPoint(0, 240),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(canvas, event)
    assert zooms(opened.state)[0] > 1
    moved = on_breast(opened) - place
    assert max(abs(moved.x()), abs(moved.y())) <= 2, "the place under the cursor stays there"


@pytest.mark.parametrize(
    ("command", "what"),
    [
        ("zoom_in", zooms),
        ("zoom_out", zooms),
        ("pan_left", offsets),
        ("pan_right", offsets),
        ("pan_up", offsets),
        ("pan_down", offsets),
        ("one_to_one", zooms),
        ("one_up", lambda state: state.one_up),
        ("next_viewport", lambda state: state.active),
        ("previous_viewport", lambda state: state.active),
        ("linked", lambda state: state.linked),
        ("tool_zoom", lambda state: state.tool),
        ("tool_pan", lambda state: state.tool),
        ("tool_loupe", lambda state: state.tool),
        ("tool_length", lambda state: state.tool),
        ("brighter", lambda state: state.viewports[0].presentation),
        ("darker", lambda state: state.viewports[0].presentation),
        ("more_contrast", lambda state: state.viewports[0].presentation),
        ("less_contrast", lambda state: state.viewports[0].presentation),
        ("auto_window", lambda state: state.viewports[0].presentation),
        ("preset_dense", lambda state: state.viewports[0].presentation),
        ("preset_fatty", lambda state: state.viewports[0].presentation),
        ("preset_soft", lambda state: state.viewports[0].presentation),
        ("invert", lambda state: state.viewports[0].presentation.inverted),
        ("raw_air", lambda state: state.viewports[0].presentation.raw_air),
        ("heat_map", lambda state: state.heat_map_shown),
        ("next_finding", lambda state: state.selected),
        ("blind_first_read", lambda state: state.blind_first_read),
    ],
)
def test_every_gesture_has_a_key(
    opened: Reader, command: str, what: Callable[[SessionState], object]
) -> None:
    before = what(opened.state)
    opened.press(KEYS[command])
    assert what(opened.state) != before


def test_reset_undoes_all_of_it(opened: Reader) -> None:
    for command in ("zoom_in", "pan_left", "invert", "brighter"):
        opened.press(KEYS[command])
    opened.press(KEYS["reset"])
    assert zooms(opened.state) == [1.0] * 4
    assert offsets(opened.state) == [(0.0, 0.0)] * 4
    assert not any(viewport.presentation.inverted for viewport in opened.state.viewports)


def test_one_to_one_shows_a_screen_pixel_for_each_stored_one(opened: Reader) -> None:
    opened.press(KEYS["one_to_one"])
    shown = opened.window.canvas.scene().of_index(opened.state.active)
    assert shown is not None
    assert shown.placement is not None
    assert shown.placement.ratio == pytest.approx(1.0)


def test_a_length_is_measured_in_mm(opened: Reader) -> None:
    opened.press(KEYS["tool_length"])
    assert opened.state.tool is Tool.LENGTH
    drag(opened, on_breast(opened), (0, 50), LEFT)
    (length,) = opened.state.lengths
    shown = opened.window.canvas.scene().of_index(0)
    assert shown is not None
    assert shown.placement is not None
    rows = length.end[0] - length.start[0]
    assert rows * shown.placement.ratio == pytest.approx(50, abs=1)


def test_the_images_own_windows_and_presets(reader: Reader, tmp_path: Path) -> None:
    own = {
        "WindowCenter": ["2000", "1500"],
        "WindowWidth": ["3000", "800"],
        "WindowCenterWidthExplanation": ["NORMAL", "HARDER"],
    }
    reader.open(make_four_views(tmp_path, **own))
    reader.wait_for_pictures()
    assert windows(reader)[0].width == 3000
    reader.press(KEYS["next_voi"])
    assert windows(reader)[0].width == 800


def test_full_pixels_are_waited_for(reader: Reader, tmp_path: Path) -> None:
    """JPEG 2000 shows a preview first; 1:1, loupe and measuring wait for the rest."""
    import imagecodecs

    def encode(frame: np.ndarray) -> bytes:
        return bytes(
            imagecodecs.jpeg2k_encode(frame, level=0, codecformat="j2k", bitspersample=12)
        )

    previews: list[bool] = []
    images = reader.window.images
    images.arrived.connect(lambda image: previews.append(images.picture(image).preview))  # type: ignore[union-attr]
    jobs: list[tuple[Any, ...]] = []
    submit = images._submit  # pyright: ignore[reportPrivateUsage]
    images._submit = lambda *job: jobs.append(job)  # type: ignore[method-assign]
    path = make_view(tmp_path, "RCC", 1, syntax=JPEG_2000, encode=encode)
    reader.open([path])
    reader.wait(lambda: len(jobs) == 2)
    submit(*jobs[0])
    reader.wait(lambda: len(previews) == 1)
    assert previews == [True]
    canvas = reader.window.canvas
    assert not canvas.is_complete
    before = zooms(reader.state)
    reader.press(KEYS["one_to_one"])
    reader.press(KEYS["loupe_here"])
    reader.press(KEYS["tool_length"])
    drag(reader, on_breast(reader), (0, 50), LEFT)
    assert zooms(reader.state) == before
    assert not canvas.has_loupe
    assert reader.state.lengths == ()
    submit(*jobs[1])
    reader.wait(lambda: canvas.is_complete)
    assert zooms(reader.state) != before, "what was asked for happens when the pixels are here"


def test_marks_that_stand_on_an_image(reader: Reader, tmp_path: Path) -> None:
    header = {
        "LossyImageCompression": "01",
        "LossyImageCompressionRatio": "12",
        "ImagerPixelSpacing": None,
    }
    reader.open(make_four_views(tmp_path, **header))
    reader.wait_for_pictures()
    image = reader.state.viewports[0].image
    assert image is not None
    assert corners_of(image).marks == ("LOSSY 12:1",)
    ratios = [e.placement.ratio for e in reader.window.canvas.scene().shown if e.placement]
    assert len(set(ratios)) == 1, "without spacing, the same pixel scale"


def words_of(reader: Reader) -> str:
    panel = reader.window.diagnosis
    return " ".join(label.text() for label in panel.findChildren(QLabel) if label.isVisible())


def test_boxes_and_rows_find_each_other(opened: Reader) -> None:
    assert opened.state.analysis is not None
    canvas = opened.window.canvas
    image = opened.state.analysis.images[0]
    box = image.findings[0].box
    index = next(
        i
        for i, viewport in enumerate(opened.state.viewports)
        if viewport.image and viewport.image.sop_instance_uid == image.sop_instance_uid
    )
    place = canvas.position_of(index, box.center)
    assert place is not None
    QTest.mouseClick(canvas, LEFT, pos=place)
    finding_key = opened.state.selected
    assert finding_key is not None
    assert finding_key.sop_instance_uid == image.sop_instance_uid
    opened.press(KEYS["next_finding"])
    assert opened.state.selected not in (None, finding_key)
    opened.wait(lambda: any(offset != (0.0, 0.0) for offset in offsets(opened.state)))


def test_the_panel_says_what_the_models_said(opened: Reader) -> None:
    words = words_of(opened)
    for said in (
        "Right breast",
        "Left breast",
        "Research use only",
        "tiny-detector 0.1.0",
        "half",
    ):
        assert said in words


def test_a_blind_first_read_hides_the_machine(reader: Reader, study: list[Path]) -> None:
    reader.press(KEYS["blind_first_read"])
    reader.open(study)
    reader.wait_for_pictures()
    reader.wait_for_analysis()
    assert not reader.state.machine_shown
    words = words_of(reader)
    for hidden in ("score", "probability", "Density", "tiny-detector", "operating point"):
        assert hidden not in words
    pixels = reader.window.canvas.grab().toImage()
    orange = [
        pixels.pixelColor(column, row).red() > 200
        and pixels.pixelColor(column, row).blue() < 90
        for row in range(0, pixels.height(), 7)
        for column in range(0, pixels.width(), 7)
    ]
    assert not any(orange), "no box, no heat map"
    reader.press(KEYS["impression_right_recall"])
    assert not reader.state.machine_shown, "the other breast was not read yet"
    reader.press(KEYS["impression_left_normal"])
    assert reader.state.machine_shown
    assert reader.state.reading.before == {
        Laterality.RIGHT: Impression.RECALL,
        Laterality.LEFT: Impression.NORMAL,
    }
    assert reader.state.reading.revealed_at
    assert "probability" in words_of(reader)
    reader.press(KEYS["impression_left_recall"])
    assert reader.state.reading.before[Laterality.LEFT] is Impression.NORMAL
    assert reader.state.reading.after[Laterality.LEFT] is Impression.RECALL


def test_the_reveal_key_reveals_at_once(reader: Reader, study: list[Path]) -> None:
    reader.press(KEYS["blind_first_read"])
    reader.open(study)
    reader.wait_for_analysis()
    reader.press(KEYS["reveal"])
    assert reader.state.machine_shown
    assert reader.state.reading.before == {}
    assert reader.state.reading.revealed_at


def test_the_switch_is_remembered(reader: Reader) -> None:
    assert not reader.window.preferences.settings.blind_first_read
    reader.press(KEYS["blind_first_read"])
    reader.wait(lambda: reader.window.preferences.settings.blind_first_read)


def test_presets_are_parts_of_the_breasts_own_range(opened: Reader) -> None:
    seen = {}
    for command in ("auto_window", "preset_dense", "preset_fatty", "preset_soft"):
        opened.press(KEYS[command])
        seen[command] = windows(opened)[0]
    whole = seen["auto_window"]
    assert seen["preset_dense"].width < whole.width < seen["preset_soft"].width
    assert seen["preset_fatty"].center < whole.center < seen["preset_dense"].center
    assert seen["preset_soft"].center == whole.center


def test_presets_of_inverted_values_show_the_same_tissue(
    reader: Reader, tmp_path: Path
) -> None:
    from tests.factories.breasts import make_breast

    pixels = 4095 - make_breast("right")
    header = {"PhotometricInterpretation": "MONOCHROME1"}
    reader.open([make_view(tmp_path, "RCC", 1, pixels=pixels, **header)])
    reader.wait_for_pictures()
    reader.press(KEYS["auto_window"])
    whole = windows(reader)[0]
    reader.press(KEYS["preset_dense"])
    assert windows(reader)[0].center < whole.center, "dense tissue has the low values"
