"""A synthetic image says so on the screen, whatever is done to it, and stays apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtTest import QTest

from tests.factories.breasts import make_four_views, make_view
from viewer.qt import palette
from viewer.qt.canvas.marks import TAG_PX

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtGui import QImage

    from tests.gui.conftest import Reader

# A tag holds at least so many pixels of its own colour.
FILLED = 60 * TAG_PX / 2


def tags(reader: Reader) -> list[int]:
    """Pixels of the tag's colour in each viewport that is shown."""
    canvas = reader.window.canvas
    pixels = canvas.grab().toImage()
    ratio = pixels.width() / canvas.width()
    return [
        coloured(pixels.copy(*(round(v * ratio / canvas.devicePixelRatioF()) for v in box)))
        for box in (
            (s.slot.col0, s.slot.row0, s.slot.size[1], s.slot.size[0])
            for s in canvas.scene().shown
        )
    ]


def coloured(pixels: QImage) -> int:
    return sum(
        pixels.pixelColor(x, y).name() == palette.MACHINE
        for y in range(min(pixels.height(), 80))
        for x in range(pixels.width())
    )


@pytest.fixture
def synthetic(reader: Reader, tmp_path: Path) -> Reader:
    name = "SYNTHETIC^GENERATED"
    reader.open(make_four_views(tmp_path / "made", PatientName=name))
    reader.wait_for_pictures()
    return reader


def test_every_view_of_a_synthetic_study_has_its_tag(synthetic: Reader) -> None:
    assert [count > FILLED for count in tags(synthetic)] == [True] * 4


@pytest.mark.parametrize("keys", ["1", "+", "I", "A", "O", "Shift+L", "Ctrl+3", "H", "Ctrl+B"])
def test_no_command_takes_the_tag_away(synthetic: Reader, keys: str) -> None:
    synthetic.press(keys)
    QTest.qWait(20)
    assert all(count > FILLED for count in tags(synthetic))


def test_the_loupe_does_not_hide_the_tag(synthetic: Reader) -> None:
    from PySide6.QtCore import QPointF

    canvas = synthetic.window.canvas
    canvas._loupe = QPointF(60, 40)
    canvas.update()
    assert all(count > FILLED for count in tags(synthetic))


def test_a_real_study_has_no_tag(reader: Reader, study: list[Path]) -> None:
    reader.open(study)
    reader.wait_for_pictures()
    assert not any(count > FILLED for count in tags(reader))


@pytest.mark.parametrize("together", [False, True])
def test_a_synthetic_image_with_a_patients_uids_is_a_study_of_its_own(
    reader: Reader, study: list[Path], tmp_path: Path, together: bool
) -> None:
    made = make_view(tmp_path / "made", "RCC", 1, PatientName="SYNTHETIC^GENERATED")
    reader.open([*study, made], together=together)
    assert [(s.synthetic, len(s.images)) for s in reader.state.studies] == [
        (False, 4),
        (True, 1),
    ]
    reader.press("Ctrl+T")
    assert [s.synthetic for s in reader.state.studies] == [False, True]
    reader.wait_for_pictures()
    assert not any(count > FILLED for count in tags(reader))
    reader.press("PgDown")
    reader.wait_for_pictures()
    assert [count > FILLED for count in tags(reader)] == [True]


def test_opening_a_synthetic_image_leaves_the_patient_on_the_list(
    reader: Reader, study: list[Path], tmp_path: Path
) -> None:
    reader.open(study)
    reader.open([make_view(tmp_path / "made", "RCC", 1, PatientName="SYNTHETIC^GENERATED")])
    assert [s.synthetic for s in reader.state.studies] == [True, False]
