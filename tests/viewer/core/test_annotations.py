from __future__ import annotations

from dataclasses import replace

import pytest

from ml.mammo.codes import ImageKind, PresentationIntent, ViewModifier
from ml.mammo.mammogram import (
    Acquisition,
    LossyCompression,
    Orientation,
    Patient,
    PixelSpacing,
    Window,
)
from tests.factories.analyses import make_image
from viewer.core.annotations import corners_of, edge_letters, marks_of, scale_line, view_line
from viewer.core.layout import pose_of

IMAGE = make_image("RCC")


def test_patient_and_acquisition_stand_in_order():
    image = replace(
        IMAGE,
        patient=Patient("P1", "DOE^JANE", "19600102", "064Y", "F"),
        acquisition=Acquisition(
            date="20260102",
            time="101112",
            manufacturer="Maker",
            kvp=28,
            exposure_mas=90.4,
            thickness_mm=51,
            compression_force_n=100,
            organ_dose_mgy=1.234,
            anode="TUNGSTEN",
            filter="RHODIUM",
        ),
        view_modifiers=(ViewModifier.IMPLANT_DISPLACED,),
    )
    corners = corners_of(image)
    assert corners.title == "RCC ID"
    assert corners.top == ("P1 DOE JANE", "2026-01-02 10:11", "F 1960-01-02 64Y")
    assert corners.bottom == (
        "Maker",
        "RHODIUM/TUNGSTEN · 100 N · 51 mm",
        "28 kVp · 90 mAs · 1.23 mGy",
    )


def test_a_name_that_repeats_the_id_is_shown_once():
    image = replace(IMAGE, patient=Patient("P_1", "P_1"))
    assert corners_of(image).top[0] == "P_1"


@pytest.mark.parametrize(
    ("change", "mark"),
    [
        ({"lossy": LossyCompression(12.04)}, "LOSSY 12:1"),
        ({"lossy": LossyCompression(None)}, "LOSSY"),
        ({"intent": PresentationIntent.FOR_PROCESSING}, "FOR PROCESSING"),
        ({"kind": ImageKind.PICTURE}, "NOT DICOM"),
        ({"partial_view": True}, "PARTIAL"),
        ({"implant": True}, "IMPLANT"),
    ],
)
def test_what_must_be_known_is_marked(change, mark):
    assert marks_of(replace(IMAGE, **change)) == (mark,)
    assert marks_of(IMAGE) == ()


def test_scale_in_words():
    image = replace(IMAGE, spacing=PixelSpacing(0.1, 0.1, "test"))
    assert scale_line(image, 0.5, common_mm=True) == "0.50 : 1 · 0.200 mm"
    assert scale_line(image, 0.5, common_mm=False) == "0.50 : 1 · no scale"
    assert scale_line(IMAGE, 0.5, common_mm=True) == "0.50 : 1 · no scale"


def test_window_in_words():
    assert view_line(Window(2000, 3200), inverted=False) == "W 3200 C 2000 · LINEAR"
    text = view_line(Window(2000, 3200, explanation="soft"), inverted=True)
    assert text == "W 3200 C 2000 · LINEAR · soft · inverted"
    assert view_line(None, inverted=False) == "full range"


@pytest.mark.parametrize(
    ("row", "column"), [("P", "L"), ("A", "L"), ("P", "R"), ("L", "P"), ("R", "A")]
)
def test_letters_follow_the_turned_image(row, column):
    image = replace(IMAGE, orientation=Orientation(row, column, "test"))
    # However a right CC is stored, it hangs nipple to the left, lateral side up.
    assert edge_letters(image, pose_of(image).upright) == ("A", "P", "R", "L")


def test_unknown_orientation_shows_no_letters():
    assert edge_letters(IMAGE, pose_of(IMAGE).upright) == ("", "", "", "")
