"""What published collections have in common: tables, BI-RADS words, patients without names."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ml.errors import DataError
from ml.mammo.codes import BreastDensity, FindingType, Laterality, ViewPosition
from ml.mammo.geometry import Box
from ml.manifest import Label, Split
from ml.splits import split_by_patient
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

PICTURES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff"})
IMAGES = PICTURES | {".dcm", ".dicom"}
# In the order in which they are looked for: a "mass with calcifications" is a mass.
_FINDINGS = (
    (re.compile(r"distort|\barch\b"), FindingType.ARCHITECTURAL_DISTORTION),
    (re.compile(r"asymm?et|assym|\basym\b"), FindingType.ASYMMETRY),
    (re.compile(r"mass|nodul|\bcirc\b|\bspic\b|\bmisc\b"), FindingType.MASS),
    (re.compile(r"calc|cluster"), FindingType.CALCIFICATIONS),
)
_SEVERITY = (Label.NORMAL, Label.BENIGN, Label.MALIGNANT)


@dataclass(frozen=True, slots=True)
class Options:
    """What a form may need to be told.

    Attributes
    ----------
    patient
        Pattern that finds the patient in an image's path: its first group.
    """

    patient: str = ""

    def patient_of(self, path: str) -> str:
        """The patient that a path names.

        Raises
        ------
        DataError
            No pattern, or none that fits.
        """
        if not self.patient:
            raise DataError(
                mark(
                    "Nothing says which images are of one patient; give a pattern that finds "
                    "the patient in a path, such as --patient '(P[0-9]+)'."
                )
            )
        try:
            found = re.search(self.patient, path)
        except re.error as error:
            raise DataError(
                mark("{pattern} is no pattern: {why}."), pattern=self.patient, why=str(error)
            ) from error
        if not found:
            raise DataError(
                mark("The pattern finds no patient in {path}; give one that fits."), path=path
            )
        return found.group(1) if found.groups() else found.group()


def published_split(word: str, patient_id: str) -> Split | None:
    """The part that a collection's own word names; None where it names none.

    Where only training and test are told apart, some training patients are to validate.
    """
    word = word.strip().lower()
    if word.startswith("val"):
        return Split.VALIDATION
    if word.startswith("test"):
        return Split.TEST
    if not word.startswith("train"):
        return None
    by_hash = split_by_patient(patient_id)
    return Split.VALIDATION if by_hash is Split.VALIDATION else Split.TRAIN


def read_table(
    path: Path, required: Sequence[str] = (), delimiter: str = ","
) -> list[dict[str, str]]:
    """A published table; its column names and values without blanks around them.

    Raises
    ------
    DataError
        There is none, or it lacks a column.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as table:
            reader = csv.DictReader(table, delimiter=delimiter)
            columns = [name.strip() for name in reader.fieldnames or ()]
            rows = [
                {str(key).strip(): (value or "").strip() for key, value in row.items() if key}
                for row in reader
            ]
    except FileNotFoundError:
        raise DataError(mark("There is no {table} in that folder."), table=path.name) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            mark("{table} is no CSV table: {why}."), table=path.name, why=str(error)
        ) from error
    missing = [name for name in required if name not in columns]
    if missing:
        raise DataError(
            mark("{table} lacks the column {columns}."),
            table=path.name,
            columns=", ".join(missing),
        )
    return rows


def number(row: dict[str, str], column: str, table: str) -> float:
    """A table's number.

    Raises
    ------
    DataError
        It is none.
    """
    try:
        value = float(row[column])
    except (KeyError, ValueError):
        value = float("nan")
    if not abs(value) < float("inf"):
        raise DataError(
            mark("{table}: {column} of an image is {said}; it must be a number."),
            table=table,
            column=column,
            said=row.get(column) or "''",
        )
    return value


def box_within(
    corners: tuple[float, float, float, float], size: tuple[float, float] | None = None
) -> Box | None:
    """A box from two opposite corners (row, column, row, column); None where it is empty.

    Parameters
    ----------
    size
        Rows and columns of the image, where they are known.
    """
    r0, r1 = sorted((corners[0], corners[2]))
    c0, c1 = sorted((corners[1], corners[3]))
    rows, columns = size or (float("inf"), float("inf"))
    box = Box(r0, c0, r1, c1).clipped(rows, columns)
    return box if box.area > 0 else None


def finding_type_of(words: str) -> FindingType | None:
    """What a collection's words name; None for what is no lesion of the four kinds."""
    lower = words.lower().replace("_", " ")
    return next((kind for pattern, kind in _FINDINGS if pattern.search(lower)), None)


def label_of_birads(said: str) -> Label | None:
    """1 is normal, 2 and 3 benign, 4 to 6 malignant; None where it says nothing of the kind.

    BI-RADS is what a reader thought, so the row's reference standard is the reader.
    """
    found = re.search(r"[1-6]", said)
    if not found:
        return None
    grade = int(found.group())
    return _SEVERITY[0 if grade == 1 else 1 if grade <= 3 else 2]


def label_of(words: str) -> Label | None:
    """Label that a word such as ``BENIGN_WITHOUT_CALLBACK`` or ``cancer`` means."""
    lower = words.lower()
    if "malig" in lower or "cancer" in lower:
        return Label.MALIGNANT
    if "benign" in lower:
        return Label.BENIGN
    return Label.NORMAL if "normal" in lower and "abnormal" not in lower else None


def worst(labels: Iterable[Label | None]) -> Label | None:
    """The gravest of some labels; None where none is known."""
    known = [label for label in labels if label is not None]
    return max(known, key=_SEVERITY.index) if known else None


def density_of(said: str) -> BreastDensity | None:
    """Density from ``C``, ``DENSITY C`` or the older 1 to 4."""
    last = said.strip().upper()[-1:]
    last = dict(zip("1234", "ABCD", strict=True)).get(last, last)
    return BreastDensity(last) if last in "ABCD" and last else None


def laterality_of(said: str) -> Laterality | None:
    """Side from ``LEFT`` or ``L``."""
    first = said.strip().upper()[:1]
    return Laterality(first) if first and first in "LR" else None


def view_of(said: str) -> ViewPosition | None:
    """View from its abbreviation."""
    upper = said.strip().upper()
    return next((view for view in ViewPosition if view.value == upper), None)


def image_size(path: Path) -> tuple[int, int]:
    """Rows and columns, from the header alone.

    Raises
    ------
    DataError
        It is no image.
    """
    try:
        return _SIZES.get(path.suffix.lower(), _dicom_size)(path)
    except (OSError, AttributeError, ValueError, TypeError) as error:
        raise DataError(mark("{path} is no image."), path=path.name) from error


def _dicom_size(path: Path) -> tuple[int, int]:
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError

    try:
        header = dcmread(path, stop_before_pixels=True, specific_tags=["Rows", "Columns"])
    except InvalidDicomError as error:
        raise DataError(mark("{path} is no image."), path=path.name) from error
    return int(header.Rows), int(header.Columns)


def _picture_size(path: Path) -> tuple[int, int]:
    from PIL import Image

    with Image.open(path) as picture:
        return picture.height, picture.width


_SIZES: dict[str, Callable[[Path], tuple[int, int]]] = dict.fromkeys(PICTURES, _picture_size)
