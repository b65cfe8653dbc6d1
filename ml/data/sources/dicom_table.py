"""A plain folder of images with one CSV that names them, as people keep their own.

A row is an image, or a lesion of it. Columns may be called as usual: ``path``, ``file``,
``filename`` or ``image``; ``patient_id`` or ``patient``, else the DICOM header's;
``laterality``, ``view``, ``density``, ``split``; ``label``, ``pathology`` or ``birads``; a box
as ``x0 y0 x1 y1``, ``xmin ymin xmax ymax`` or ``x y width height``; ``finding_type``,
``lesion_class`` or ``type``.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from ml.data.words import (
    IMAGES,
    box_within,
    density_of,
    finding_type_of,
    label_of,
    label_of_birads,
    laterality_of,
    number,
    published_split,
    read_table,
    view_of,
    worst,
)
from ml.errors import DataError
from ml.hashed import own_patient
from ml.manifest import BoxRow, Manifest, ManifestRow, Source
from ml.texts import mark

if TYPE_CHECKING:
    from pathlib import Path

    from ml.mammo.codes import BreastDensity
    from ml.mammo.geometry import Box
    from ml.manifest import Label

PATHS = ("path", "file", "filename", "file_name", "image")
PATIENTS = ("patient_id", "patient", "patientid")
CORNERS = (("y0", "x0", "y1", "x1"), ("ymin", "xmin", "ymax", "xmax"))
SIZED = ("y", "x", "height", "width")
OURS = frozenset({"manifest.csv", "boxes.csv"})
KINDS = ("finding_type", "lesion_class", "type")


def dicom_table(folder: Path) -> Manifest:
    """The images that the folder's table names.

    Raises
    ------
    DataError
        No table or several, or one that names what is not there.
    """
    tables = [path for path in sorted(folder.glob("*.csv")) if path.name not in OURS]
    if len(tables) != 1:
        raise DataError(
            mark("That folder must hold one CSV table that names its images, not {count}."),
            count=len(tables),
        )
    table = tables[0].name
    rows = [{k.lower(): v for k, v in row.items()} for row in read_table(tables[0])]
    if not rows or not _first(rows[0], PATHS):
        raise DataError(
            mark("{table} lacks the column {columns}."), table=table, columns=PATHS[0]
        )
    rows.sort(key=_path_of)
    images: list[ManifestRow] = []
    boxes: list[BoxRow] = []
    for said, group in groupby(rows, _path_of):
        lesions = list(group)
        path = _found(folder, said)
        images.append(_image(folder, path, lesions))
        boxes += [
            BoxRow(path, box, finding_type_of(_first(row, KINDS)), _label(row))
            for row in lesions
            if (box := _box(row, table))
        ]
    return Manifest(folder, tuple(images), tuple(boxes))


def _first(row: dict[str, str], columns: tuple[str, ...]) -> str:
    return next((row[name] for name in columns if row.get(name)), "")


def _path_of(row: dict[str, str]) -> str:
    return _first(row, PATHS).replace("\\", "/")


def _found(folder: Path, said: str) -> str:
    places = [said, *(f"{said}{ending}" for ending in sorted(IMAGES))]
    for place in places:
        path = (folder / place).resolve()
        if path.is_file() and path.is_relative_to(folder.resolve()):
            return path.relative_to(folder.resolve()).as_posix()
    raise DataError(
        mark("The image {path} that a table names is not in that folder."), path=said or "''"
    )


def _image(folder: Path, path: str, lesions: list[dict[str, str]]) -> ManifestRow:
    row = lesions[0]
    patient = own_patient(_first(row, PATIENTS) or _of_header(folder / path))
    return ManifestRow(
        path=path,
        patient_id=patient,
        laterality=laterality_of(row.get("laterality", "")),
        view=view_of(row.get("view", "")),
        label=worst(_label(lesion) for lesion in lesions),
        source=Source.REAL,
        split=published_split(row.get("split", ""), patient),
        density=_density(row.get("density", "")),
    )


def _density(said: str) -> BreastDensity | None:
    # Words such as "fatty-glandular" are other scales, and end in letters of this one.
    return density_of(said) if len(said) == 1 or "dens" in said.lower()[:4] else None


def _of_header(path: Path) -> str:
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError

    try:
        name = str(dcmread(path, stop_before_pixels=True).get("PatientID", ""))
    except (OSError, InvalidDicomError):
        name = ""
    if not name:
        raise DataError(
            mark("{path} names no patient; add a column patient_id to the table."),
            path=path.name,
        )
    return name


def _label(row: dict[str, str]) -> Label | None:
    said = _first(row, ("label", "pathology"))
    return label_of(said) if said else label_of_birads(_first(row, ("birads", "bi-rads")))


def _box(row: dict[str, str], table: str) -> Box | None:
    for names in CORNERS:
        if row.get(names[0]):
            r0, c0, r1, c1 = (number(row, name, table) for name in names)
            return box_within((r0, c0, r1, c1))
    if not (row.get("x") and row.get("width")):
        return None
    r0, c0, rows, columns = (number(row, name, table) for name in SIZED)
    return box_within((r0, c0, r0 + rows, c0 + columns))
