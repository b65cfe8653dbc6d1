"""The words around an image: who, how, and how it is shown. PixelMed's order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ml.mammo.codes import ImageKind, PresentationIntent
from ml.mammo.mammogram import LookupTable, Window
from ml.texts import translate
from viewer.core.hanging import title_of

if TYPE_CHECKING:
    from ml.mammo.geometry import Affine
    from ml.mammo.mammogram import Acquisition, Mammogram, Voi


@dataclass(frozen=True, slots=True)
class Corners:
    """Lines of text for the side away from the chest wall.

    Attributes
    ----------
    title
        ``"RCC"``, shown large.
    top
        Patient and study.
    marks
        What must be known: lossy, for processing, partial, implant. That an image is synthetic
        is a tag of its own, which the canvas draws over everything.
    bottom
        How the image was made.
    """

    title: str
    top: tuple[str, ...]
    marks: tuple[str, ...]
    bottom: tuple[str, ...]


def corners_of(image: Mammogram) -> Corners:
    """The words that do not change while an image is looked at."""
    patient = image.patient
    # Research sets write the one into the other.
    name = "" if patient.name == patient.patient_id else _name(patient.name)
    who = " ".join(part for part in (patient.patient_id, name) if part)
    born = " ".join(
        part for part in (patient.sex, day(patient.birth_date), _age(patient.age)) if part
    )
    if born == patient.sex:  # one letter is no line
        who, born = f"{who} {born}".strip(), ""
    top = (who, _when(image), born, _study(image))
    return Corners(
        title_of(image),
        tuple(line for line in top if line),
        marks_of(image),
        tuple(line for line in _acquisition(image.acquisition) if line),
    )


def marks_of(image: Mammogram) -> tuple[str, ...]:
    """What the reader must see on the image itself, in capitals."""
    found: list[str] = []
    if image.lossy is not None:
        ratio = image.lossy.ratio
        lossy = translate("LOSSY")
        found.append(f"{lossy} {ratio:.0f}:1" if ratio else lossy)
    if image.intent is PresentationIntent.FOR_PROCESSING:
        found.append(translate("FOR PROCESSING"))
    if image.kind is ImageKind.PICTURE:
        found.append(translate("NOT DICOM"))
    if image.partial_view:
        found.append(translate("PARTIAL"))
    if image.implant:
        found.append(translate("IMPLANT"))
    return tuple(found)


def view_line(voi: Voi | None, *, inverted: bool) -> str:
    """The window in words: ``"W 3200 C 2000 · LINEAR"``."""
    if isinstance(voi, Window):
        text = f"W {voi.width:.0f} C {voi.center:.0f} · {voi.function.value}"
    elif isinstance(voi, LookupTable):
        text = translate("VOI LUT")
    else:
        text = translate("full range")
    named = getattr(voi, "explanation", "")
    parts = (text, named, translate("inverted") if inverted else "")
    return " · ".join(part for part in parts if part)


def scale_line(image: Mammogram, ratio: float, *, common_mm: bool) -> str:
    """The zoom in words: ``"0.31 : 1 · 0.16 mm"`` a screen pixel, or ``"no scale"``."""
    if image.spacing is None or not common_mm:
        return f"{ratio:.2f} : 1 · {translate('no scale')}"
    mm = (image.spacing.row_mm * image.spacing.column_mm) ** 0.5 / ratio
    return f"{ratio:.2f} : 1 · {mm:.3f} mm"


def edge_letters(image: Mammogram, upright: Affine) -> tuple[str, str, str, str]:
    """Patient directions at the viewport's left, right, top and bottom; empty where unknown."""
    if image.orientation is None:
        return "", "", "", ""
    # Where stored rows lead (to the right) and columns (down), and where those lie now.
    row, column = image.orientation.row, image.orientation.column
    if upright.rr == 0:
        row, column = column, row
        to_right, down = upright.cr > 0, upright.rc > 0
    else:
        to_right, down = upright.cc > 0, upright.rr > 0
    left, right = (_opposite(row), row) if to_right else (row, _opposite(row))
    top, bottom = (_opposite(column), column) if down else (column, _opposite(column))
    return left, right, top, bottom


_OPPOSITE = {"A": "P", "P": "A", "L": "R", "R": "L", "H": "F", "F": "H"}


def _opposite(letters: str) -> str:
    return "".join(_OPPOSITE.get(letter, "") for letter in letters)


def _when(image: Mammogram) -> str:
    acquisition = image.acquisition
    date = day(acquisition.date or image.study_date)
    time = acquisition.time
    clock = f"{time[:2]}:{time[2:4]}" if len(time) >= 4 else ""
    return " ".join(part for part in (date, clock) if part)


def _study(image: Mammogram) -> str:
    number = "" if image.instance_number is None else f"#{image.instance_number}"
    return " ".join(part for part in (image.accession_number, number) if part)


def _acquisition(made: Acquisition) -> tuple[str, ...]:
    maker = " ".join(
        part for part in (made.manufacturer, made.model, made.serial_number) if part
    )
    anode = "/".join(part for part in (made.filter, made.anode) if part)
    setting = (
        anode,
        _value(made.compression_force_n, "N"),
        _value(made.thickness_mm, "mm"),
        _value(made.angle_deg, "°"),
    )
    exposure = (
        _value(made.kvp, "kVp"),
        _value(made.exposure_mas, "mAs"),
        _value(made.exposure_ms, "ms"),
        _value(made.organ_dose_mgy, "mGy", digits=2),
    )
    return (
        maker,
        made.institution,
        " · ".join(part for part in setting if part),
        " · ".join(part for part in exposure if part),
        made.operator,
    )


def _value(value: float | None, unit: str, digits: int = 0) -> str:
    return "" if value is None else f"{value:.{digits}f} {unit}"


def _name(name: str) -> str:
    return " ".join(part for part in name.replace("^", " ").split() if part)


def day(text: str) -> str:
    """A DA value as it is shown: ``"2016-10-04"``."""
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}" if len(text) >= 8 else text


def _age(text: str) -> str:
    digits = text.rstrip("YMWD").lstrip("0")
    return f"{digits}{text[-1]}" if digits and text[-1:] in "YMWD" else ""
