"""Several data sets as one, to train on folders, corrections and synthetic images together.

Nothing is copied: the merged tables say where each image lies. A column, `DATA_SET`, says which
set it came from, so that an audit sees a label that goes with it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ml.files import written_into
from ml.manifest import Manifest, ReferenceStandard, read_manifest, write_manifest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from ml.manifest import BoxRow, ManifestRow

DATA_SET = "data_set"
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

    A patient is who her name says, whichever set names her: so no patient of two sets is taught
    and tested. An image that several sets name is one image: its row and its boxes are those
    of the set that knows its label best, the first of those that know it alike; the hard
    negatives of all of them count.
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
    for (name, one), row in named:
        place = one.file_of(row).resolve()
        kept = best[place]
        hard += _moved(one.hard_of(row.path), kept)
        if _joined(name, row.path) == kept:
            told: Mapping[str, str] = {**row.extra, DATA_SET: name}
            rows.append(replace(row, path=kept, file=str(place), extra=told))
            boxes += _moved(one.boxes_of(row.path), kept)
    return Manifest(folder, tuple(rows), tuple(boxes), tuple(hard))


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
