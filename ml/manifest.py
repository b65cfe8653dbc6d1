"""The tables that data sets, screening and training share: `manifest.csv` and `boxes.csv`.

UTF-8, one header line, paths relative to the table with forward slashes. `hard_negatives.csv`,
of the form of `boxes.csv`, may stand beside them: places that look like a lesion and are none.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, TypeVar

from ml.errors import DataError
from ml.files import replacing
from ml.mammo.codes import BreastDensity, FindingType, Laterality, ViewPosition
from ml.mammo.geometry import Box
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

MANIFEST = "manifest.csv"
BOXES = "boxes.csv"
HARD = "hard_negatives.csv"
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
    "file",
)
BOX_COLUMNS = ("path", "frame", "row0", "col0", "row1", "col1", "finding_type", "label")
# Of a generated image, beside these: what was painted anew in it, lesion or sham.
EDITED_BOX = "edited_box"
# And into whose breast, hashed (`ml.hashed.name_sha256`).
HOST_PATIENT = "host_patient"
# Of a reader's correction: whether the machine's marks had been seen before it.
MARKS_SEEN = "marks_seen"
REQUIRED = ("path", "patient_id")
REQUIRED_OF_BOX = ("path", "row0", "col0", "row1", "col1")

Word = TypeVar("Word", bound=Enum)


class Label(Enum):
    """What an image, or a box in it, is known to show."""

    NORMAL = "normal"
    BENIGN = "benign"
    MALIGNANT = "malignant"


class Source(Enum):
    """Where an image comes from."""

    REAL = "real"
    PHANTOM = "phantom"
    GENERATED = "generated"


class Split(Enum):
    """What an image may be used for; a patient is in one split only."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


# In a sentence: an image for training.
PURPOSES = {
    Split.TRAIN: mark("for training"),
    Split.VALIDATION: mark("for validation"),
    Split.TEST: mark("for testing"),
}


class ReferenceStandard(Enum):
    """How the label is known."""

    PATHOLOGY = "pathology"
    FOLLOW_UP = "follow_up"
    CONSENSUS = "consensus"
    READER = "reader"
    SIMULATION = "simulation"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """One image.

    Attributes
    ----------
    path
        Relative to the manifest, with forward slashes.
    patient_id
        Never empty: splits are made by it.
    label
        None: not known. An image with boxes then shows lesions of which nobody knows the
        nature; one without boxes may show a lesion or not, and is never a normal one.
    file
        Where the image lies when it is not in the manifest's folder: an absolute path. `path`
        is then only its name in these tables. Empty: at `path`.
    extra
        Whatever else is known, by column name.
    """

    path: str
    patient_id: str
    laterality: Laterality | None = None
    view: ViewPosition | None = None
    label: Label | None = None
    source: Source | None = None
    split: Split | None = None
    density: BreastDensity | None = None
    reference_standard: ReferenceStandard = ReferenceStandard.NONE
    file: str = ""
    extra: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class BoxRow:
    """One lesion in one image.

    Attributes
    ----------
    path
        As in the manifest.
    box
        In stored pixels, half-open.
    frame
        From 1; None for a single image.
    extra
        Whatever else is known, by column name.
    """

    path: str
    box: Box
    finding_type: FindingType | None = None
    label: Label | None = None
    frame: int | None = None
    extra: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Manifest:
    """A folder's images and what is known of them.

    Attributes
    ----------
    folder
        What the paths are relative to.
    hard
        Hard negatives: places that were taken for a lesion and are none. What else their
        image shows is not said by them.
    """

    folder: Path
    rows: tuple[ManifestRow, ...]
    boxes: tuple[BoxRow, ...] = ()
    hard: tuple[BoxRow, ...] = ()

    def boxes_of(self, path: str) -> tuple[BoxRow, ...]:
        """The boxes of one image, in the order of the table."""
        return tuple(box for box in self.boxes if box.path == path)

    def hard_of(self, path: str) -> tuple[BoxRow, ...]:
        """The hard negatives of one image, in the order of the table."""
        return tuple(box for box in self.hard if box.path == path)

    def file_of(self, row: ManifestRow) -> Path:
        """Where an image lies."""
        return Path(row.file) if row.file else self.folder / row.path


def box_text(box: Box) -> str:
    """A box in one cell: ``"row0 col0 row1 col1"``."""
    return " ".join(f"{value:g}" for value in (box.row0, box.col0, box.row1, box.col1))


def edited_box(row: ManifestRow) -> Box | None:
    """What was painted anew in a generated image; None where nobody says.

    Raises
    ------
    DataError
        Where the cell holds no box.
    """
    said = row.extra.get(EDITED_BOX, "")
    if not said:
        return None
    try:
        row0, col0, row1, col1 = map(float, said.split())
        return Box(row0, col0, row1, col1)
    except ValueError as error:
        raise DataError(
            mark("{path}: {column} is {said}; it must be four numbers: row0 col0 row1 col1."),
            path=row.path,
            column=EDITED_BOX,
            said=said,
        ) from error


def read_manifest(path: Path) -> Manifest:
    """Read a manifest, and the boxes and hard negatives beside it.

    Parameters
    ----------
    path
        The table, or the folder that holds ``manifest.csv``.

    Raises
    ------
    DataError
        A table or a row that does not say what it must; names the file and the line.
    """
    table = path / MANIFEST if path.is_dir() else path
    rows = tuple(_manifest_row(cells) for cells in _cells(table, REQUIRED))
    _check_unique(table, rows)
    known = {row.path for row in rows}
    boxes, hard = (_box_rows(table.with_name(name), known) for name in (BOXES, HARD))
    return Manifest(table.parent, rows, boxes, hard)


def write_manifest(manifest: Manifest) -> None:
    """Write ``manifest.csv`` and ``boxes.csv`` into the manifest's folder.

    And ``hard_negatives.csv`` where there are any; where there are none, it is taken away.
    Each table is replaced in one step. ``read_manifest`` of the folder gives an equal value.
    """
    # A folder that holds its images needs no column for where else they are.
    elsewhere = any(row.file for row in manifest.rows)
    columns = COLUMNS if elsewhere else COLUMNS[: COLUMNS.index("file")]
    _write(
        manifest.folder / MANIFEST,
        (*columns, *_extra_columns(manifest.rows)),
        map(_manifest_cells, manifest.rows),
    )
    _write(
        manifest.folder / BOXES,
        (*BOX_COLUMNS, *_extra_columns(manifest.boxes)),
        map(_box_cells, manifest.boxes),
    )
    if not manifest.hard:
        (manifest.folder / HARD).unlink(missing_ok=True)
        return
    _write(
        manifest.folder / HARD,
        (*BOX_COLUMNS, *_extra_columns(manifest.hard)),
        map(_box_cells, manifest.hard),
    )


@dataclass(frozen=True, slots=True)
class _Cells:
    """One line of a table, and where it stands."""

    table: str
    line: int
    values: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.values.get(column, "")

    def error(self, template: str, **values: str) -> DataError:
        return DataError(template, table=self.table, line=self.line, **values)

    def word(self, column: str, kind: type[Word]) -> Word | None:
        said = self[column]
        if not said:
            return None
        try:
            return kind(said)
        except ValueError:
            raise self.error(
                mark("{table}, line {line}: {column} is {said}; it must be one of: {words}."),
                column=column,
                said=said,
                words=", ".join(str(member.value) for member in kind),
            ) from None

    def number(self, column: str) -> float:
        try:
            value = float(self[column])
        except ValueError:
            value = float("nan")
        if not abs(value) < float("inf"):
            raise self.error(
                mark("{table}, line {line}: {column} is {said}; it must be a number."),
                column=column,
                said=self[column] or "''",
            )
        return value

    def relative_path(self) -> str:
        """The path column; refused where it is empty or leads out of the folder."""
        said = self["path"]
        parts = PurePosixPath(said).parts
        absolute = PurePosixPath(said).is_absolute() or bool(PureWindowsPath(said).anchor)
        if not parts or absolute or ".." in parts or {"\\", "\0"} & set(said):
            raise self.error(
                mark(
                    "{table}, line {line}: the path {said} must be relative to the table, "
                    "with forward slashes."
                ),
                said=said or "''",
            )
        return said

    def absolute_path(self, column: str) -> str:
        """A path that says where something lies on this machine, or nothing."""
        said = self[column]
        absolute = PurePosixPath(said).is_absolute() or bool(PureWindowsPath(said).anchor)
        if said and (not absolute or "\0" in said):
            raise self.error(
                mark("{table}, line {line}: {column} is {said}; it must be a whole path."),
                column=column,
                said=said,
            )
        return said

    def extra(self, columns: Iterable[str]) -> dict[str, str]:
        named = set(columns)
        return {key: value for key, value in self.values.items() if key not in named and value}


def _cells(table: Path, required: Sequence[str]) -> Iterator[_Cells]:
    try:
        yield from _lines(table, required)
    except csv.Error as error:
        raise DataError(
            mark("{table} is no CSV table: {why}."), table=table.name, why=str(error)
        ) from error


def _lines(table: Path, required: Sequence[str]) -> Iterator[_Cells]:
    # Strict, so that a quote that never ends is told instead of swallowing the table.
    reader = csv.DictReader(io.StringIO(_text(table), newline=""), strict=True)
    missing = [name for name in required if name not in (reader.fieldnames or ())]
    if missing:
        raise DataError(
            mark("{table} lacks the column {columns}."),
            table=table.name,
            columns=", ".join(missing),
        )
    for values in reader:
        stripped = {key: value.strip() for key, value in values.items() if key and value}
        cells = _Cells(table.name, reader.line_num, stripped)
        if None in values:
            raise cells.error(mark("{table}, line {line}: more values than columns."))
        yield cells


def _text(table: Path) -> str:
    try:
        # A byte order mark is what spreadsheets put before UTF-8.
        return table.read_text("utf-8-sig")
    except FileNotFoundError:
        raise DataError(mark("There is no {table} in that folder."), table=table.name) from None
    except UnicodeDecodeError as error:
        raise DataError(
            mark("{table} is not UTF-8; save it as CSV in UTF-8."), table=table.name
        ) from error
    except OSError as error:
        raise DataError(
            mark("{table} cannot be opened: {why}."), table=table.name, why=error.strerror
        ) from error


def _manifest_row(cells: _Cells) -> ManifestRow:
    if not cells["patient_id"]:
        raise cells.error(mark("{table}, line {line}: patient_id is empty."))
    standard = cells.word("reference_standard", ReferenceStandard)
    return ManifestRow(
        path=cells.relative_path(),
        patient_id=cells["patient_id"],
        laterality=cells.word("laterality", Laterality),
        view=cells.word("view", ViewPosition),
        label=cells.word("label", Label),
        source=cells.word("source", Source),
        split=cells.word("split", Split),
        density=cells.word("density", BreastDensity),
        reference_standard=standard or ReferenceStandard.NONE,
        file=cells.absolute_path("file"),
        extra=cells.extra(COLUMNS),
    )


def _box_rows(table: Path, known: set[str]) -> tuple[BoxRow, ...]:
    if not table.exists():
        return ()
    return tuple(_box_row(cells, known) for cells in _cells(table, REQUIRED_OF_BOX))


def _box_row(cells: _Cells, known: set[str]) -> BoxRow:
    path = cells.relative_path()
    if path not in known:
        raise cells.error(
            mark("{table}, line {line}: {path} is not in the manifest."), path=path
        )
    return BoxRow(
        path=path,
        box=_box(cells),
        finding_type=cells.word("finding_type", FindingType),
        label=cells.word("label", Label),
        frame=_frame(cells),
        extra=cells.extra(BOX_COLUMNS),
    )


def _box(cells: _Cells) -> Box:
    row0, col0, row1, col1 = (cells.number(name) for name in REQUIRED_OF_BOX[1:])
    if row1 <= row0 or col1 <= col0:
        raise cells.error(mark("{table}, line {line}: the box ends before it begins."))
    return Box(row0, col0, row1, col1)


def _frame(cells: _Cells) -> int | None:
    said = cells["frame"]
    if not said:
        return None
    if not said.isascii() or not said.isdigit() or int(said) < 1:
        raise cells.error(
            mark("{table}, line {line}: frame is {said}; frames count from 1."), said=said
        )
    return int(said)


def _check_unique(table: Path, rows: Sequence[ManifestRow]) -> None:
    seen: set[str] = set()
    for row in rows:
        if row.path in seen:
            raise DataError(
                mark("{table} names {path} twice."), table=table.name, path=row.path
            )
        seen.add(row.path)


def _extra_columns(rows: Iterable[ManifestRow | BoxRow]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(column for row in rows for column in row.extra))


def _word(value: Enum | None) -> str:
    return "" if value is None else str(value.value)


def _manifest_cells(row: ManifestRow) -> dict[str, str]:
    return {
        "path": row.path,
        "patient_id": row.patient_id,
        "laterality": _word(row.laterality),
        "view": _word(row.view),
        "label": _word(row.label),
        "source": _word(row.source),
        "split": _word(row.split),
        "density": _word(row.density),
        "reference_standard": _word(row.reference_standard),
        **({"file": row.file} if row.file else {}),
        **row.extra,
    }


def _box_cells(row: BoxRow) -> dict[str, str]:
    box = row.box
    return {
        "path": row.path,
        "frame": "" if row.frame is None else str(row.frame),
        "row0": _number(box.row0),
        "col0": _number(box.col0),
        "row1": _number(box.row1),
        "col1": _number(box.col1),
        "finding_type": _word(row.finding_type),
        "label": _word(row.label),
        **row.extra,
    }


def _number(value: float) -> str:
    """As short as it can be and still be read back as the same number."""
    return repr(int(value)) if value == int(value) else repr(float(value))


def _write(table: Path, columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    with replacing(table) as fresh:
        fresh.write_text(text.getvalue(), "utf-8", newline="")
