"""CBIS-DDSM as The Cancer Imaging Archive publishes it, or as its JPEG copy.

Four tables, one row an abnormality; folders such as ``Mass-Training_P_00001_LEFT_CC`` with the
film and ``..._CC_1`` with the first abnormality's mask and crop, in either order. The JPEG
copy has the same tables in ``csv`` and the images in ``jpeg/<series UID>``. DICOM's own
Patient ID differs from film to film: the woman is the table's. One film with masses and
calcifications stands there twice; here it is one image with all its boxes. A woman who is in a
training table and in a test table is for testing.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from ml.data.words import (
    box_within,
    density_of,
    finding_type_of,
    image_size,
    label_of,
    laterality_of,
    published_split,
    read_table,
    view_of,
    worst,
)
from ml.errors import DataError
from ml.hashed import hashed_patient
from ml.manifest import BoxRow, Manifest, ManifestRow, ReferenceStandard, Source
from ml.texts import mark

if TYPE_CHECKING:
    from pathlib import Path

    from ml.mammo.geometry import Box

TABLES = {
    f"{kind}_case_description_{part}_set.csv": part
    for kind in ("mass", "calc")
    for part in ("train", "test")
}
IMAGE, MASK = "image file path", "ROI mask file path"
REQUIRED = ("patient_id", "left or right breast", "image view", "pathology", IMAGE, MASK)
FOLDER = re.compile(r"(Mass|Calc)-(Training|Test)_P_\d+_(LEFT|RIGHT)_(CC|MLO)(_\d+)?")


def cbis_ddsm(folder: Path) -> Manifest:
    """The films and the boxes around their masks.

    Raises
    ------
    DataError
        It is not that collection, or a film that a table names is missing.
    """
    rows = _table_rows(folder)
    folders = {path.name: path for path in folder.rglob("*_P_*") if FOLDER.fullmatch(path.name)}
    testing = {row["patient_id"] for row in rows if row["part"] == "test"}
    rows.sort(key=_film_of)
    films: list[ManifestRow] = []
    boxes: list[BoxRow] = []
    for _, group in groupby(rows, _film_of):
        lesions = list(group)
        image = _largest(folder, folders, lesions[0][IMAGE])
        path = image.relative_to(folder).as_posix()
        part = "test" if lesions[0]["patient_id"] in testing else "train"
        films.append(_film(path, part, lesions))
        size = image_size(image)
        for lesion in lesions:
            box = mask_box(_largest(folder, folders, lesion[MASK]), size)
            if box:
                boxes.append(_box(path, lesion, box))
    return Manifest(folder, tuple(films), tuple(boxes))


def _table_rows(folder: Path) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for name, part in TABLES.items():
        table = next(iter(sorted(folder.rglob(name))), None)
        if table:
            rows += [{**row, "part": part} for row in read_table(table, REQUIRED)]
    if not rows:
        raise DataError(
            mark("There is no {table} in that folder; name the folder that holds the tables."),
            table=next(iter(TABLES)),
        )
    return rows


def _film_of(row: dict[str, str]) -> tuple[str, str, str]:
    return row["patient_id"], row["left or right breast"], row["image view"]


def _film(path: str, part: str, lesions: list[dict[str, str]]) -> ManifestRow:
    first = lesions[0]
    patient = hashed_patient("cbis-ddsm", first["patient_id"])
    return ManifestRow(
        path=path,
        patient_id=patient,
        laterality=laterality_of(first["left or right breast"]),
        view=view_of(first["image view"]),
        label=worst(label_of(lesion["pathology"]) for lesion in lesions),
        source=Source.REAL,
        split=published_split(part, patient),
        # The table of calcifications writes the column with a blank.
        density=density_of(first.get("breast_density") or first.get("breast density", "")),
        reference_standard=ReferenceStandard.PATHOLOGY,
        extra={"collection": "CBIS-DDSM"},
    )


def _box(path: str, lesion: dict[str, str], box: Box) -> BoxRow:
    shape = lesion.get("mass shape", "")
    kind = finding_type_of(shape) or finding_type_of(lesion.get("abnormality type", "mass"))
    told = (lesion.get("mass margins", ""), lesion.get("calc type", ""))
    return BoxRow(
        path=path,
        box=box,
        finding_type=kind,
        label=label_of(lesion["pathology"]),
        extra={
            "descriptor": " ".join(filter(None, told)).lower(),
            "subtlety": lesion.get("subtlety", ""),
        },
    )


def _largest(folder: Path, folders: dict[str, Path], cell: str) -> Path:
    """The file that a cell names; of a mask and its crop the mask, which is the larger."""
    parts = cell.strip().split("/")
    if parts[0] in folders:
        found = sorted(folders[parts[0]].rglob("*.dcm"))
    else:
        found = sorted(folder.glob(f"jpeg/{parts[-2] if len(parts) > 1 else '-'}/*.jp*g"))
    if not found:
        raise DataError(
            mark("The image {path} that a table names is not in that folder."), path=parts[0]
        )
    return max(found, key=lambda path: np.prod(image_size(path)))


def mask_box(path: Path, size: tuple[int, int]) -> Box | None:
    """The extent of a mask on a film of this size; None where the mask is empty or a crop."""
    mask = _mask(path)
    rows, columns = np.nonzero(mask > mask.max() / 2) if mask.max() else ((), ())
    # A mask that was scanned at another scale is scaled; a crop has another shape.
    scale = size[0] / mask.shape[0], size[1] / mask.shape[1]
    if len(rows) == 0 or abs(scale[0] / scale[1] - 1) > 0.02:
        return None
    return box_within(
        (
            float(np.min(rows)) * scale[0],
            float(np.min(columns)) * scale[1],
            float(np.max(rows) + 1) * scale[0],
            float(np.max(columns) + 1) * scale[1],
        ),
        size,
    )


def _mask(path: Path) -> np.ndarray:
    try:
        if path.suffix.lower() == ".dcm":
            from pydicom import dcmread

            return dcmread(path).pixel_array
        from PIL import Image

        with Image.open(path) as picture:
            return np.asarray(picture.convert("L"))
    except (OSError, ValueError, RuntimeError, AttributeError) as error:
        raise DataError(mark("{path} is no image."), path=path.name) from error
