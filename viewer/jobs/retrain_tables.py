"""Tables that the program writes for a training; those of the user stay as they are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from ml.errors import DataError
from ml.files import written_into
from ml.hashed import names_sha256, own_patient
from ml.manifest import Manifest, Source, Split, read_manifest, write_manifest
from ml.merging import FIRST
from ml.splits import held_out_names, host_of
from ml.texts import counted, translate
from ml.train.order import AUDIT
from viewer.core.retraining import HELPS_FOLDER, Made
from viewer.jobs.describe import batches_of
from viewer.jobs.generated import read_left
from viewer.jobs.retrained import read_run, write_order
from viewer.library.job_row import JobState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ml.manifest import ManifestRow
    from viewer.core.retraining import Run
    from viewer.library.job_row import JobRow

# A mended copy of the tables, within a training's folder.
MENDED = "mended"


def finished(rows: Sequence[JobRow]) -> tuple[Made, ...]:
    """The generations that are done and of which images are kept, the newest first."""
    done = (row for row in batches_of(rows) if row.state is JobState.DONE)
    found = (_made(row.title, Path(str(row.spec.get("out", "")))) for row in done)
    return tuple(made for made in found if made is not None)


def _made(title: str, folder: Path) -> Made | None:
    try:
        whole = read_manifest(folder)
    except DataError:
        return None
    unwanted = _unwanted(folder)
    kept = {row.path for row in whole.rows} - unwanted
    lesions = {box.path for box in whole.boxes} & kept
    return Made(title, str(folder), len(kept), len(lesions)) if kept else None


def _unwanted(folder: Path) -> set[str]:
    """What the reader does not keep of what the filters let through."""
    shots = read_left(folder).shots
    return {Path(shot.path).name for shot in shots if shot.passed and not shot.wanted}


def kept_of(generation: Path, place: Path) -> Path:
    """Where the tables of what is kept of a generation lie.

    In its own folder; where the reader does not keep all of it in a folder of its name in
    `place`: its own tables stay as they are.

    Raises
    ------
    DataError
        Where they cannot be read or written.
    """
    unwanted = _unwanted(generation)
    if not unwanted:
        return generation
    folder = place / generation.name
    whole = read_manifest(generation)
    _write(whole, [row for row in whole.rows if row.path not in unwanted], folder)
    return folder


@dataclass(frozen=True, slots=True)
class Mended:
    """A run with mended tables, and how many rows are not as they were.

    Attributes
    ----------
    moved, left_out
        Rows in another split, and rows that are not there any more.
    """

    run: Run
    moved: int
    left_out: int

    @property
    def sentence(self) -> str:
        """What was done."""
        moved = counted(
            "{count} image is for another purpose now",
            "{count} images are for another purpose now",
            self.moved,
        ).format(count=self.moved)
        left = counted(
            "{count} image is left out", "{count} images are left out", self.left_out
        ).format(count=self.left_out)
        copied = translate(
            "A mended copy of the tables lies with this training: {moved}, {left}. Your own "
            "tables are as they were."
        )
        return copied.format(moved=moved, left=left)


def mend(run: Run) -> Mended:
    """Write a copy of a run's tables in which no split holds what it must not.

    Of a patient in several splits every image goes where the strictest of them is, testing
    before validation, under whichever of her names it stands. Generated images are for
    training, and those of a patient who is held out, or painted into her breast, are left out.
    It is to be audited anew.

    Raises
    ------
    DataError
        Where the tables cannot be read or written.
    """
    whole = read_manifest(Path(run.order.manifest))
    splits = _splits(whole.rows)
    moved_to = [replace(row, split=_split(row, splits)) for row in whole.rows]
    hidden = held_out_names(row for row in moved_to if row.source is not Source.GENERATED)
    rows = [row for row in moved_to if not _tells_of(row, hidden)]
    were = {row.path: row.split for row in whole.rows}
    _write(whole, rows, run.folder / MENDED)
    write_order(replace(run.order, manifest=str(run.folder / MENDED), override=""))
    with written_into(run.folder):
        (run.folder / AUDIT).unlink(missing_ok=True)
        _put_aside(run.folder / HELPS_FOLDER)
    moved = sum(row.split is not were[row.path] for row in rows)
    return Mended(read_run(run.folder), moved, len(whole.rows) - len(rows))


def _put_aside(folder: Path) -> None:
    """What was found with the tables of before says nothing of the mended ones."""
    if folder.exists():
        numbers = (folder.with_name(f"{folder.name}-{number}") for number in count(1))
        folder.rename(next(each for each in numbers if not each.exists()))


def _splits(rows: Sequence[ManifestRow]) -> dict[str, Split]:
    """Where each patient belongs of whom an image that nobody generated has a split."""
    said: dict[str, set[Split]] = {}
    for row in rows:
        if row.split is not None and row.source is not Source.GENERATED:
            said.setdefault(own_patient(row.patient_id), set()).add(row.split)
    return {who: next(part for part in FIRST if part in parts) for who, parts in said.items()}


def _split(row: ManifestRow, splits: dict[str, Split]) -> Split | None:
    if row.source is Source.GENERATED:
        return Split.TRAIN
    return splits.get(own_patient(row.patient_id), row.split)


def _tells_of(row: ManifestRow, hidden: set[str]) -> bool:
    """Whether it would teach what a held-out patient's breast looks like."""
    made = row.source is Source.GENERATED
    return host_of(row) in hidden or (
        made and not hidden.isdisjoint(names_sha256(row.patient_id))
    )


def _write(whole: Manifest, rows: Sequence[ManifestRow], folder: Path) -> None:
    """Some rows of a table, with their boxes, in another folder; images stay where they are."""
    paths = {row.path for row in rows}
    placed = tuple(replace(row, file=str(whole.file_of(row).resolve())) for row in rows)
    boxes, hard = (
        tuple(box for box in some if box.path in paths) for some in (whole.boxes, whole.hard)
    )
    with written_into(folder):
        write_manifest(Manifest(folder, placed, boxes, hard))
