"""`mammoscope import-dataset`: a manifest from a collection or one's own images."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from ml.data.sources.cbis_ddsm import cbis_ddsm
from ml.data.sources.coco import coco
from ml.data.sources.dicom_table import dicom_table
from ml.data.sources.inbreast import inbreast
from ml.data.sources.vindr_mammo import vindr_mammo
from ml.data.sources.yolo import yolo
from ml.data.words import Options
from ml.errors import DataError
from ml.manifest import Manifest, write_manifest
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FORMS: dict[str, Callable[[Path, Options], Manifest]] = {
    "cbis-ddsm": lambda folder, _: cbis_ddsm(folder),
    "vindr-mammo": lambda folder, _: vindr_mammo(folder),
    "inbreast": lambda folder, _: inbreast(folder),
    "yolo": yolo,
    "coco": coco,
    "csv": lambda folder, _: dicom_table(folder),
}


def main(form: str, folder: Path, out: Path, *, patient: str = "") -> None:
    """Write ``manifest.csv`` and ``boxes.csv`` into `out`, and say what is in them.

    Raises
    ------
    DataError
        The folder is not of that form, or does not lie in `out`.
    """
    manifest = import_dataset(form, folder, out, Options(patient))
    write_manifest(manifest)
    patients = len({row.patient_id for row in manifest.rows})
    labels = Counter(row.label.value if row.label else "no label" for row in manifest.rows)
    told = ", ".join(f"{count} {word}" for word, count in sorted(labels.items()))
    sys.stdout.write(
        f"{len(manifest.rows)} images of {patients} patients ({told}), "
        f"{len(manifest.boxes)} boxes\n"
    )


def import_dataset(form: str, folder: Path, out: Path, options: Options) -> Manifest:
    """Read a collection; its paths are relative to `out`, and each patient has one split.

    Raises
    ------
    DataError
        As `main`.
    """
    if not folder.is_dir():
        raise DataError(mark("There is no folder {folder}."), folder=folder.name)
    inner, outer = folder.resolve(), out.resolve()
    if not inner.is_relative_to(outer) or not outer.is_dir():
        raise DataError(
            mark(
                "A manifest names its images relative to itself: give --out the folder of the "
                "images, or one above it."
            )
        )
    read = FORMS[form](inner, options)
    if not read.rows:
        raise DataError(mark("There is no image in that folder."))
    splits: dict[str, set[object]] = {}
    for row in read.rows:
        splits.setdefault(row.patient_id, set()).add(row.split)
    if any(len(parts) > 1 for parts in splits.values()):
        raise DataError(
            mark("A patient has images in two parts of that collection; mend its parts first.")
        )
    lead = inner.relative_to(outer).as_posix()
    lead = "" if lead == "." else f"{lead}/"
    return Manifest(
        outer,
        tuple(replace(row, path=lead + row.path) for row in read.rows),
        tuple(replace(box, path=lead + box.path) for box in read.boxes),
    )
