"""Which breast and which view: every code, every place they are looked for, every conflict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydicom.dataset import Dataset
from pydicom.sr._cid_dict import cid_concepts
from pydicom.sr._concepts_dict import concepts
from pydicom.sr._snomed_dict import mapping

from ml.mammo.codes import ImageKind, Laterality, PresentationIntent, ViewModifier, ViewPosition
from ml.mammo.read import read_mammogram
from ml.mammo.view import MODIFIER_CODES, VIEW_CODES, describe_side, describe_view
from tests.factories import dicom
from tests.factories.dicom import make_dicom

if TYPE_CHECKING:
    from pathlib import Path

    from ml.mammo.mammogram import Mammogram

VIEWS, MODIFIERS = 4014, 4015
# What CID 4014 calls each view (PS3.16), by pydicom's keyword for the concept.
NAMES = {
    "CranioCaudal": ViewPosition.CC,
    "MedioLateralOblique": ViewPosition.MLO,
    "MedioLateral": ViewPosition.ML,
    "LateroMedial": ViewPosition.LM,
    "LateroMedialOblique": ViewPosition.LMO,
    "CaudoCranialFromBelow": ViewPosition.FB,
    "SuperolateralToInferomedialOblique": ViewPosition.SIO,
    "InferomedialToSuperolateralOblique": ViewPosition.ISO,
    "CranioCaudalExaggeratedLaterally": ViewPosition.XCCL,
    "CranioCaudalExaggeratedMedially": ViewPosition.XCCM,
}


def code(value: str, scheme: str = "SCT", modifiers: tuple[str, ...] = ()) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, "tested"
    if modifiers:
        item.ViewModifierCodeSequence = [code(each) for each in modifiers]
    return item


def read(path: Path, **header: Any) -> Mammogram:
    plain: dict[str, Any] = {
        "ViewPosition": None,
        "ImageLaterality": None,
        "PatientOrientation": None,
        "pixel_data": b"",
    }
    return read_mammogram(make_dicom(path / "a.dcm", **(plain | header)))


def sct_of(cid: int) -> dict[str, str]:
    """SNOMED CT value of each concept of a context group, by keyword, as pydicom lists it."""
    return {
        keyword: next(iter(concepts["SCT"][keyword]))
        for keyword in cid_concepts[cid].get("SCT", [])
    }


def test_every_view_of_the_standard_is_known() -> None:
    listed = sct_of(VIEWS)
    assert len(listed) >= 10
    assert {value for value in listed.values() if value not in VIEW_CODES} == set()
    for keyword, view in NAMES.items():
        found = [v for name, v in listed.items() if name.lower() == keyword.lower()]
        assert [VIEW_CODES[value] for value in found] == [view] * len(found), keyword


def test_every_modifier_of_the_standard_is_known() -> None:
    listed = sct_of(MODIFIERS)
    assert len(listed) >= 10
    assert {k: v for k, v in listed.items() if v not in MODIFIER_CODES} == {}


@pytest.mark.parametrize("table", [VIEW_CODES, MODIFIER_CODES])
def test_old_codes_mean_what_their_new_ones_mean(table: dict[str, object]) -> None:
    """SRT values as PS3.16 annex on SNOMED mapping pairs them with SCT."""
    old = {value: new for value, new in mapping["SRT"].items() if value in table}
    assert len(old) >= 8
    for value, new in old.items():
        assert table[value] is table.get(new), value


@pytest.mark.parametrize(
    ("value", "scheme", "view"),
    [
        ("399162004", "SCT", "CC"),
        ("R-10242", "SRT", "CC"),
        ("R-10242", "SNM3", "CC"),
        ("R-10226", "SNM3", "MLO"),
        ("399260004", "SCT", "ML"),
        ("R-10224", "SRT", "ML"),
    ],
)
def test_a_coded_view(value: str, scheme: str, view: str, tmp_path: Path) -> None:
    image = read(tmp_path, ViewCodeSequence=[code(value, scheme)])
    assert image.view is not None
    assert (image.view.value.value, image.view.reason) == (view, "View Code Sequence")


def test_modifiers(tmp_path: Path) -> None:
    sequence = [code("399162004", modifiers=("399163009", "399055006"))]
    image = read(tmp_path, ViewCodeSequence=sequence)
    assert image.view_modifiers == (ViewModifier.MAGNIFICATION, ViewModifier.SPOT)


def test_the_order_of_belief_and_an_alarm_on_conflict(tmp_path: Path) -> None:
    said = {
        "ViewCodeSequence": [code("399162004")],
        "ViewPosition": "MLO",
        "PatientOrientation": ["P", "FL"],
        "SeriesDescription": "R ML",
    }
    views, reasons = [], []
    for keyword in (*said, "nothing"):
        image = read(tmp_path, **said)
        views.append(image.view.value.value if image.view else None)
        reasons.append(image.view.reason if image.view else None)
        assert bool(
            [a for a in image.alarms if a.template.startswith("View is not certain")]
        ) is (len(said) > 1)
        said.pop(keyword, None)
    assert views == ["CC", "MLO", "MLO", "ML", None]
    assert reasons[:2] == ["View Code Sequence", "View Position"]
    assert reasons[2:4] == ["Patient Orientation", "description"]


@pytest.mark.parametrize(
    ("letters", "view", "side"),
    [
        (["P", "L"], "CC", "R"),
        (["A", "R"], "CC", "L"),
        (["P", "FL"], "MLO", "R"),
        (["A", "FL"], "MLO", "R"),
        (["A", "FR"], "MLO", "L"),
        (["P", "HR"], "MLO", "R"),
        (["HL", "P"], "MLO", "L"),
        (["P", "F"], None, None),
        (["L", "F"], None, None),
        (["CC", ""], "CC", None),
    ],
)
def test_letters(letters: list[str], view: str, side: str, tmp_path: Path) -> None:
    image = read(tmp_path, PatientOrientation=letters)
    assert (image.view.value.value if image.view else None) == view
    assert (image.laterality.value.value if image.laterality else None) == side


def test_a_view_where_the_letters_should_be(tmp_path: Path) -> None:
    """CBIS-DDSM writes the view into Patient Orientation."""
    image = read(tmp_path, PatientOrientation="MLO")
    assert image.view is not None
    assert image.view.value is ViewPosition.MLO
    assert image.orientation is None


def frame_laterality(value: str) -> list[Dataset]:
    anatomy, shared = Dataset(), Dataset()
    anatomy.FrameLaterality = value
    shared.FrameAnatomySequence = [anatomy]
    return [shared]


def test_the_order_of_belief_in_sides(tmp_path: Path) -> None:
    said: dict[str, Any] = {
        "ImageLaterality": "R",
        "SharedFunctionalGroupsSequence": frame_laterality("L"),
        "Laterality": "R",
        "PatientOrientation": ["A", "FR"],
        "SeriesDescription": "RIGHT",
    }
    found = []
    for keyword in (*said, "nothing"):
        image = read(tmp_path, **said)
        found.append(
            image.laterality and (image.laterality.value.value, image.laterality.reason)
        )
        conflict = [a for a in image.alarms if a.template.startswith("Laterality is not")]
        assert bool(conflict) is (len(said) > 1)
        said.pop(keyword, None)
    assert found == [
        ("R", "Image Laterality"),
        ("L", "Frame Laterality"),
        ("R", "Laterality"),
        ("L", "Patient Orientation"),
        ("R", "description"),
        None,
    ]


def test_a_view_of_both_breasts_is_no_side(tmp_path: Path) -> None:
    small = read(tmp_path, ImageLaterality="l").laterality
    assert small is not None
    assert small.value is Laterality.LEFT
    image = read(tmp_path, ImageLaterality="B")
    assert image.laterality is not None
    assert image.laterality.value is Laterality.BOTH


@pytest.mark.parametrize(
    ("text", "side", "view"),
    [
        ("R CC", "R", "CC"),
        ("LMLO", "L", "MLO"),
        ("left xccl", "L", "XCCL"),
        ("RIGHT BREAST", "R", ""),
        ("MAMMOGRAM", "", ""),
        ("accent", "", ""),
        ("R_ML_2", "R", "ML"),
    ],
)
def test_descriptions(text: str, side: str, view: str) -> None:
    assert (describe_side(text), describe_view(text)) == (side, view)


def test_kinds_and_intents(tmp_path: Path) -> None:
    film = {"SOPClassUID": dicom.SECONDARY_CAPTURE, "BodyPartExamined": "BREAST"}
    assert read(tmp_path, **film).kind is ImageKind.FILM
    assert read(tmp_path, SOPClassUID=dicom.TOMOSYNTHESIS).kind is ImageKind.TOMOSYNTHESIS
    raw = read(tmp_path, SOPClassUID=dicom.MG_RAW, PresentationIntentType="FOR PROCESSING")
    assert raw.intent is PresentationIntent.FOR_PROCESSING
    assert raw.alarms, "raw values are not made for reading"
    unsaid = read(tmp_path, SOPClassUID=dicom.MG_RAW, PresentationIntentType=None)
    assert unsaid.intent is PresentationIntent.FOR_PROCESSING


def test_spacing_with_magnification(tmp_path: Path) -> None:
    plain = read(tmp_path).spacing
    assert plain is not None
    assert plain.row_mm == 0.1
    enlarged = read(tmp_path, EstimatedRadiographicMagnificationFactor="2").spacing
    assert enlarged is not None
    assert (enlarged.row_mm, enlarged.column_mm, enlarged.magnification) == (0.05, 0.05, 2.0)
    only = read(tmp_path, ImagerPixelSpacing=None, PixelSpacing=["0.2", "0.3"]).spacing
    assert only is not None
    assert (only.row_mm, only.column_mm, only.reason) == (0.2, 0.3, "Pixel Spacing")
    assert read(tmp_path, ImagerPixelSpacing=None).spacing is None
    for wild in (["0", "0"], ["0.1", "-0.1"], ["1e30", "1e30"], ["0.1"], ["nan", "0.1"]):
        tags = {(0x0018, 0x1164): ("LO", wild)}
        assert read(tmp_path, ImagerPixelSpacing=None, tags=tags).spacing is None, wild


def test_padding(tmp_path: Path) -> None:
    padding = read(tmp_path, PixelPaddingValue=0, PixelPaddingRangeLimit=40).padding
    assert padding is not None
    assert (padding.low, padding.high) == (0, 40)
    assert read(tmp_path).padding is None
