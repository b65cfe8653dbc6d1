"""Several data sets as one, to train on folders, corrections and synthetic images together.

Nothing is copied: the merged tables say where each image lies. A column, `DATA_SET`, says which
set it came from, so that an audit sees a label that goes with it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ml.files import written_into
from ml.hashed import own_patient
from ml.manifest import Manifest, ReferenceStandard, Split, read_manifest, write_manifest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from ml.manifest import BoxRow, ManifestRow

DATA_SET = "data_set"
# Where a patient of several sets belongs: the first of these that any of them says.
FIRST = (Split.TEST, Split.VALIDATION, Split.TRAIN)
# How sure a label is: of an image that two sets name, the surer row counts.
SURENESS = (
    ReferenceStandard.NONE,
    ReferenceStandard.READER,
    ReferenceStandard.CONSENSUS,
    ReferenceStandard.FOLLOW_UP,
    ReferenceStandard.SIMULATION,
    ReferenceStandard.PATHOLOGY,
)


def merge(sets: Sequence[Path], folder: Path) -> Manifest:
    """Read data sets and write them as one.

    Parameters
    ----------
    sets
        Tables, or the folders that hold them.
    folder
        Gets the tables; made where it is not there.

    Raises
    ------
    DataError
        Where a set cannot be read, or the folder cannot be written.
    """
    one = merged([read_manifest(path) for path in sets], folder)
    with written_into(folder):
        write_manifest(one)
    return one


def merged(sets: Sequence[Manifest], folder: Path) -> Manifest:
    """Data sets as one, whose tables are to stand in `folder`.

    A patient is who her name says, whichever set names her (`ml.hashed.own_patient`), and no
    patient of two sets is taught and tested. One that is held out in a set is held out of all:
    what another set would teach of her is left out. One that a set teaches, and none holds out,
    is taught in all, whatever her hash says. What one set says of a patient twice stays, for an
    audit to tell.

    An image that several sets name is one image: its row and its boxes are those of the set
    that knows its label best, the first of those that know it alike; the hard negatives of all
    of them count.
    """
    names = _names(sets)
    named = [(where, row) for where in zip(names, sets, strict=True) for row in where[1].rows]
    best: dict[Path, str] = {}
    sure: dict[Path, int] = {}
    for (name, one), row in named:
        place = one.file_of(row).resolve()
        if place not in sure or SURENESS.index(row.reference_standard) > sure[place]:
            best[place] = _joined(name, row.path)
            sure[place] = SURENESS.index(row.reference_standard)
    rows: list[ManifestRow] = []
    boxes: list[BoxRow] = []
    hard: list[BoxRow] = []
    # One that was merged before says itself whence each of its images came.
    inner: dict[str, str] = {}
    for (name, one), row in named:
        place = one.file_of(row).resolve()
        kept = best[place]
        hard += _moved(one.hard_of(row.path), kept)
        if _joined(name, row.path) == kept:
            told: Mapping[str, str] = {**row.extra, DATA_SET: name}
            if DATA_SET in row.extra:
                inner[kept] = row.extra[DATA_SET]
            rows.append(replace(row, path=kept, file=str(place), extra=told))
            boxes += _moved(one.boxes_of(row.path), kept)
    settled = tuple(
        replace(row, extra={**row.extra, DATA_SET: inner.get(row.path, row.extra[DATA_SET])})
        for row in _settled(rows, [(name, row) for (name, _), row in named])
    )
    paths = {row.path for row in settled}
    left = (tuple(box for box in some if box.path in paths) for some in (boxes, hard))
    return Manifest(folder, settled, *left)


def _settled(
    rows: Sequence[ManifestRow], said: Sequence[tuple[str, ManifestRow]]
) -> tuple[ManifestRow, ...]:
    """Each patient of several sets in one split, under one name.

    Parameters
    ----------
    said
        Every row of every set, with the set's name: also of images that are in another's words.
    """
    known = {row.patient_id for _, row in said}
    # A plain Patient ID in one set is a patient of ours in another.
    names = {name: own if (own := own_patient(name)) in known else name for name in known}
    parts: dict[str, dict[str, set[Split]]] = {}
    for name, row in said:
        of_set = parts.setdefault(names[row.patient_id], {}).setdefault(name, set())
        of_set |= {row.split} if row.split else set()
    settled: list[ManifestRow] = []
    for row in rows:
        who = names[row.patient_id]
        if (placed := _placed(replace(row, patient_id=who), parts[who])) is not None:
            settled.append(placed)
    return tuple(settled)


def _placed(row: ManifestRow, of_sets: Mapping[str, set[Split]]) -> ManifestRow | None:
    """The row in its patient's split; None where it may not be there."""
    said = set[Split]().union(*of_sets.values())
    split = next((part for part in FIRST if part in said), None)
    own = of_sets[row.extra[DATA_SET]]
    if len(of_sets) == 1 or split is None or row.split is split:
        return row
    if row.split is not None:
        return row if split in own else None
    reader = row.reference_standard is ReferenceStandard.READER
    return None if reader and split is not Split.TRAIN else replace(row, split=split)


def _joined(name: str, path: str) -> str:
    return f"{name}/{path}"


def _moved(boxes: Sequence[BoxRow], path: str) -> Iterator[BoxRow]:
    return (replace(box, path=path) for box in boxes)


def _names(sets: Sequence[Manifest]) -> list[str]:
    """The folders' names, with a number where two are called alike."""
    found: list[str] = []
    for one in sets:
        plain = one.folder.resolve().name or "data"
        name, number = plain, 1
        while name in found:
            number += 1
            name = f"{plain}-{number}"
        found.append(name)
    return found
