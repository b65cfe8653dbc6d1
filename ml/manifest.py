"""The tables that data sets, screening and training share: `manifest.csv` and `boxes.csv`.

UTF-8, paths relative to the table. Columns that this version does not know are kept aside.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ml.errors import DataError
from ml.mammo.codes import BreastDensity, FindingType, Laterality, ViewPosition
from ml.mammo.geometry import Box
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

MANIFEST, BOXES = "manifest.csv", "boxes.csv"
LABELS = ("normal", "benign", "malignant")
SOURCES = ("real", "phantom", "generated")
STANDARDS = ("pathology", "follow_up", "consensus", "reader", "simulation", "none")
SPLITS = ("train", "validation", "test", "")
COLUMNS = (
    "path",
    "patient_id",
    "laterality",
    "view",
    "label",
    "source",
    "split",
    "density",
    "reference_standard",
)
BOX_COLUMNS = ("path", "frame", "row0", "col0", "row1", "col1", "finding_type", "label")


@dataclass(frozen=True, slots=True)
class BoxRow:
    """One lesion of one image; `frame` counts from 1, None for a single image."""

    box: Box
    finding_type: FindingType
    label: str
    frame: int | None = None


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """One image.

    Attributes
    ----------
    path
        Relative to the table's folder, with forward slashes.
    label
        normal, benign or malignant.
    source
        real, phantom or generated.
    split
        train, validation, test, or empty.
    reference_standard
        pathology, follow_up, consensus, reader, simulation or none.
    boxes
        From `boxes.csv`.
    other
        Whatever else the table knows, by column.
    """

    path: str
    patient_id: str
    laterality: Laterality | None
    view: ViewPosition | None
    label: str
    source: str
    split: str = ""
    density: BreastDensity | None = None
    reference_standard: str = "none"
    boxes: tuple[BoxRow, ...] = ()
    other: Mapping[str, str] = field(default_factory=dict[str, str])


def write_manifest(folder: Path, rows: Iterable[ManifestRow]) -> None:
    """Write both tables, whole or not at all."""
    kept = list(rows)
    extra = tuple(dict.fromkeys(name for row in kept for name in row.other))
    _write_table(folder / MANIFEST, (*COLUMNS, *extra), (_to_cells(row) for row in kept))
    boxes = (_box_to_cells(row.path, box) for row in kept for box in row.boxes)
    _write_table(folder / BOXES, BOX_COLUMNS, boxes)


def read_manifest(path: Path) -> tuple[ManifestRow, ...]:
    """Read a manifest and the boxes beside it.

    Parameters
    ----------
    path
        The table, or its folder.

    Raises
    ------
    DataError
        Names the row that does not say what it must.
    """
    table = path / MANIFEST if path.is_dir() else path
    boxes: dict[str, list[BoxRow]] = {}
    if (table.parent / BOXES).is_file():
        for number, cells in enumerate(_cells(table.parent / BOXES, BOX_COLUMNS), 2):
            boxes.setdefault(cells["path"], []).append(_box(cells, number))
    rows = tuple(
        _row(cells, number, boxes) for number, cells in enumerate(_cells(table, COLUMNS), 2)
    )
    strangers = set(boxes) - {row.path for row in rows}
    if strangers:
        raise DataError(
            mark("{file} names {path}, which the manifest does not."),
            file=BOXES,
            path=min(strangers),
        )
    return rows


def _write_table(
    path: Path, columns: tuple[str, ...], rows: Iterable[Mapping[str, str]]
) -> None:
    temporary = path.with_suffix(".part")
    with temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    temporary.replace(path)


def _cells(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="")
            missing = set(columns) - set(reader.fieldnames or ())
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            mark("{file} cannot be read: {why}."), file=path.name, why=type(error).__name__
        ) from error
    if missing:
        raise DataError(
            mark("{file} lacks the column {column}."), file=path.name, column=min(missing)
        )
    return rows


def _to_cells(row: ManifestRow) -> dict[str, str]:
    return {
        **row.other,
        "path": row.path,
        "patient_id": row.patient_id,
        "laterality": row.laterality.value if row.laterality else "",
        "view": row.view.value if row.view else "",
        "label": row.label,
        "source": row.source,
        "split": row.split,
        "density": row.density.value if row.density else "",
        "reference_standard": row.reference_standard,
    }


def _box_to_cells(path: str, row: BoxRow) -> dict[str, str]:
    box = row.box
    return {
        "path": path,
        "frame": "" if row.frame is None else str(row.frame),
        "row0": f"{box.row0:g}",
        "col0": f"{box.col0:g}",
        "row1": f"{box.row1:g}",
        "col1": f"{box.col1:g}",
        "finding_type": row.finding_type.value,
        "label": row.label,
    }


def _row(cells: dict[str, str], number: int, boxes: dict[str, list[BoxRow]]) -> ManifestRow:
    def one_of(name: str, allowed: tuple[str, ...]) -> str:
        if cells[name] not in allowed:
            raise _wrong(MANIFEST, number, name, cells[name])
        return cells[name]

    if not cells["path"] or not cells["patient_id"]:
        raise _wrong(MANIFEST, number, "path" if not cells["path"] else "patient_id", "")
    try:
        laterality = Laterality(cells["laterality"]) if cells["laterality"] else None
        view = ViewPosition(cells["view"]) if cells["view"] else None
        density = BreastDensity(cells["density"]) if cells["density"] else None
    except ValueError as error:
        raise _wrong(MANIFEST, number, "laterality, view or density", str(error)) from error
    return ManifestRow(
        path=cells["path"],
        patient_id=cells["patient_id"],
        laterality=laterality,
        view=view,
        label=one_of("label", LABELS),
        source=one_of("source", SOURCES),
        split=one_of("split", SPLITS),
        density=density,
        reference_standard=one_of("reference_standard", STANDARDS),
        boxes=tuple(boxes.get(cells["path"], ())),
        other={name: value for name, value in cells.items() if name not in COLUMNS},
    )


def _box(cells: dict[str, str], number: int) -> BoxRow:
    try:
        box = Box(*(float(cells[name]) for name in ("row0", "col0", "row1", "col1")))
        frame = int(cells["frame"]) if cells["frame"] else None
        return BoxRow(box, FindingType(cells["finding_type"]), cells["label"], frame)
    except ValueError as error:
        raise _wrong(BOXES, number, "row0 to finding_type", str(error)) from error


def _wrong(file: str, number: int, column: str, value: str) -> DataError:
    return DataError(
        mark('Row {row} of {file}: "{value}" is no value for {column}.'),
        row=number,
        file=file,
        value=value,
        column=column,
    )
