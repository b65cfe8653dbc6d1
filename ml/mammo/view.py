"""Which breast, which view, which way up: what is believed, and why."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ml.mammo.codes import Laterality, ViewModifier, ViewPosition
from ml.mammo.header import first_item, items, shared_item, text, texts
from ml.mammo.mammogram import Alarm, Evidence, Orientation
from ml.texts import mark

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# CID 4014 (PS3.16): SCT, then SRT; the Y-codes of two exaggerated views are older still.
VIEW_CODES = {
    "399162004": ViewPosition.CC,
    "R-10242": ViewPosition.CC,
    "399368009": ViewPosition.MLO,
    "R-10226": ViewPosition.MLO,
    "399260004": ViewPosition.ML,
    "R-10224": ViewPosition.ML,
    "399352003": ViewPosition.LM,
    "R-10228": ViewPosition.LM,
    "399099002": ViewPosition.LMO,
    "R-10230": ViewPosition.LMO,
    "399196006": ViewPosition.FB,
    "R-10244": ViewPosition.FB,
    "399188001": ViewPosition.SIO,
    "R-102D0": ViewPosition.SIO,
    "441555000": ViewPosition.ISO,
    "R-40AAA": ViewPosition.ISO,
    "399192008": ViewPosition.XCCL,
    "R-1024A": ViewPosition.XCCL,
    "Y-X1770": ViewPosition.XCCL,
    "399101009": ViewPosition.XCCM,
    "R-1024B": ViewPosition.XCCM,
    "Y-X1771": ViewPosition.XCCM,
    "127457009": ViewPosition.SPECIMEN,
    "G-8310": ViewPosition.SPECIMEN,
}
# CID 4015 (PS3.16).
MODIFIER_CODES = {
    "399163009": ViewModifier.MAGNIFICATION,
    "R-102D6": ViewModifier.MAGNIFICATION,
    "399055006": ViewModifier.SPOT,
    "R-102D7": ViewModifier.SPOT,
    "399161006": ViewModifier.CLEAVAGE,
    "R-102D2": ViewModifier.CLEAVAGE,
    "399011000": ViewModifier.AXILLARY_TAIL,
    "R-102D1": ViewModifier.AXILLARY_TAIL,
    "399197002": ViewModifier.ROLLED_LATERAL,
    "R-102D3": ViewModifier.ROLLED_LATERAL,
    "399226006": ViewModifier.ROLLED_MEDIAL,
    "R-102D4": ViewModifier.ROLLED_MEDIAL,
    "414493004": ViewModifier.ROLLED_INFERIOR,
    "R-102CA": ViewModifier.ROLLED_INFERIOR,
    "415670009": ViewModifier.ROLLED_SUPERIOR,
    "R-102C9": ViewModifier.ROLLED_SUPERIOR,
    "399209000": ViewModifier.IMPLANT_DISPLACED,
    "R-102D5": ViewModifier.IMPLANT_DISPLACED,
    "442581004": ViewModifier.NIPPLE_IN_PROFILE,
    "R-40AB3": ViewModifier.NIPPLE_IN_PROFILE,
    "441752004": ViewModifier.ANTERIOR_COMPRESSION,
    "P2-00161": ViewModifier.ANTERIOR_COMPRESSION,
    "442593008": ViewModifier.INFRAMAMMARY_FOLD,
    "R-40ABE": ViewModifier.INFRAMAMMARY_FOLD,
    "442580003": ViewModifier.AXILLARY_TISSUE,
    "R-40AB2": ViewModifier.AXILLARY_TISSUE,
    "399110001": ViewModifier.TANGENTIAL,
    "R-102C2": ViewModifier.TANGENTIAL,
}
# Longest first, so that XCCL is not taken for CC, nor LMLO for ML.
_WORDS = sorted((v.value for v in ViewPosition), key=len, reverse=True)
_IN_TEXT = re.compile(rf"(?:^|[^A-Z])([RL])?[ _-]?({'|'.join(_WORDS)})(?:$|[^A-Z])")
_SIDE_WORDS = re.compile(r"(?:^|[^A-Z])(RIGHT|LEFT)(?:$|[^A-Z])")
_LETTERS = re.compile(r"^[APRLHF]{1,3}$")


def find_view(
    dataset: Dataset,
) -> tuple[Evidence[ViewPosition] | None, tuple[ViewModifier, ...], tuple[Alarm, ...]]:
    """The view: View Code Sequence, View Position, Patient Orientation, then descriptions.

    Returns
    -------
    view, modifiers, alarms
        An alarm where two of them say different things.
    """
    found = [
        evidence
        for evidence in (
            _coded_view(dataset),
            _named_view(dataset, "ViewPosition", "View Position"),
            _named_view(dataset, "PatientOrientation", "Patient Orientation"),
            _view_by_letters(dataset),
            *_described_views(dataset),
        )
        if evidence is not None
    ]
    alarms: tuple[Alarm, ...] = ()
    if found and any(other.value is not found[0].value for other in found[1:]):
        alarms = (_disagreement(mark("View is not certain ({said})."), found),)
    return (found[0] if found else None), _modifiers(dataset), alarms


def find_laterality(
    dataset: Dataset,
) -> tuple[Evidence[Laterality] | None, tuple[Alarm, ...]]:
    """The breast: Image, Frame, plain Laterality, Patient Orientation, then descriptions.

    Where none of them says it, `ml.mammo.sides` asks the pixels.
    """
    found = [
        Evidence(Laterality(value.upper()), reason)
        for value, reason in (
            (text(dataset, "ImageLaterality"), "Image Laterality"),
            (_frame_laterality(dataset), "Frame Laterality"),
            (text(dataset, "Laterality"), "Laterality"),
            (_side_by_letters(dataset), "Patient Orientation"),
            (_described_side(dataset), "description"),
        )
        if value.upper() in ("R", "L", "B")
    ]
    if not found:
        found = _side_by_convention(dataset)
    alarms: tuple[Alarm, ...] = ()
    if found and any(other.value is not found[0].value for other in found[1:]):
        alarms = (_disagreement(mark("Laterality is not certain ({said})."), found),)
    if not found:
        return None, ()
    return found[0], alarms


def find_orientation(
    dataset: Dataset, laterality: Evidence[Laterality] | None
) -> tuple[Orientation | None, tuple[Alarm, ...]]:
    """Patient Orientation, where it holds letters; an alarm where they belong to no breast."""
    letters = texts(dataset, "PatientOrientation")
    if len(letters) != 2 or not all(_LETTERS.match(part) for part in letters):
        return None, ()
    orientation = Orientation(letters[0], letters[1], "Patient Orientation")
    side = laterality.value if laterality else None
    if side in (Laterality.RIGHT, Laterality.LEFT) and not _has_anterior(letters):
        return None, (
            Alarm(
                mark("Patient Orientation {letters} is not one of a mammogram: not turned."),
                (("letters", "\\".join(letters)),),
            ),
        )
    return orientation, ()


def _letters(dataset: Dataset) -> tuple[str, str] | None:
    """Patient Orientation with the direction towards the nipple or chest wall first."""
    said = texts(dataset, "PatientOrientation")
    if len(said) != 2 or not all(_LETTERS.match(part) for part in said):
        return None
    row, column = said
    if row[0] not in "AP" and column[0] in "AP":
        row, column = column, row
    return (row, column) if row[0] in "AP" else None


def _view_by_letters(dataset: Dataset) -> Evidence[ViewPosition] | None:
    """CC lies across the body, MLO leans; upright laterals could be ML or LM: not guessed."""
    letters = _letters(dataset)
    across = set(letters[1]) & set("RL") if letters else set[str]()
    if letters is None or not across:
        return None
    leans = bool(set(letters[1]) & set("FH"))
    view = ViewPosition.MLO if leans else ViewPosition.CC
    return Evidence(view, "Patient Orientation")


def _side_by_letters(dataset: Dataset) -> str:
    """The breast of an oblique view: down and inwards, however the image is turned."""
    letters = _letters(dataset)
    down = set(letters[1]) if letters else set[str]()
    if {"F", "L"} <= down or {"H", "R"} <= down:
        return "R"
    return "L" if {"F", "R"} <= down or {"H", "L"} <= down else ""


def _side_by_convention(dataset: Dataset) -> list[Evidence[Laterality]]:
    """The breast of a CC view that lies as it should, its medial side down.

    Only where nothing else says it: turned by half a circle, the same letters mean the other.
    """
    letters = _letters(dataset)
    side = {"L": Laterality.RIGHT, "R": Laterality.LEFT}.get(letters[1]) if letters else None
    return [Evidence(side, "Patient Orientation")] if side else []


def _has_anterior(letters: tuple[str, ...]) -> bool:
    return any(part[0] in "AP" for part in letters)


def _coded_view(dataset: Dataset) -> Evidence[ViewPosition] | None:
    code = first_item(dataset, "ViewCodeSequence")
    if code is None:
        code = first_item(shared_item(dataset, "XRay3DFrameTypeSequence"), "ViewCodeSequence")
    view = VIEW_CODES.get(text(code, "CodeValue")) if code is not None else None
    return Evidence(view, "View Code Sequence") if view else None


def _named_view(dataset: Dataset, keyword: str, reason: str) -> Evidence[ViewPosition] | None:
    name = text(dataset, keyword).upper()
    if name in ViewPosition.__members__:
        return Evidence(ViewPosition[name], reason)
    return None


def _described_views(dataset: Dataset) -> list[Evidence[ViewPosition]]:
    for keyword in (
        "SeriesDescription",
        "ProtocolName",
        "AcquisitionDeviceProcessingDescription",
    ):
        match = _IN_TEXT.search(text(dataset, keyword).upper())
        if match:
            return [Evidence(ViewPosition(match.group(2)), "description")]
    return []


def _described_side(dataset: Dataset) -> str:
    return describe_side(text(dataset, "SeriesDescription"))


def describe_view(description: str) -> str:
    """The view that a free text names, or empty."""
    match = _IN_TEXT.search(description.upper())
    return match.group(2) if match else ""


def describe_side(description: str) -> str:
    """``"R"`` or ``"L"`` as a free text names it, or empty."""
    described = description.upper()
    match = _IN_TEXT.search(described)
    if match and match.group(1):
        return match.group(1)
    words = _SIDE_WORDS.search(described)
    return words.group(1)[0] if words else ""


def _frame_laterality(dataset: Dataset) -> str:
    return text(shared_item(dataset, "FrameAnatomySequence") or _empty(), "FrameLaterality")


def _empty() -> Dataset:
    from pydicom.dataset import Dataset

    return Dataset()


def _modifiers(dataset: Dataset) -> tuple[ViewModifier, ...]:
    code = first_item(dataset, "ViewCodeSequence")
    sequences = [items(dataset, "ViewModifierCodeSequence")]
    sequences.append(items(code, "ViewModifierCodeSequence"))
    values = [MODIFIER_CODES.get(text(item, "CodeValue")) for seq in sequences for item in seq]
    return tuple(dict.fromkeys(value for value in values if value is not None))


def _disagreement(
    template: str, found: list[Evidence[ViewPosition]] | list[Evidence[Laterality]]
) -> Alarm:
    said = ", ".join(f"{evidence.reason}: {evidence.value.value}" for evidence in found)
    return Alarm(template, (("said", said),))
