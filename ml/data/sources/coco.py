"""A COCO folder: JSON tables of images, categories and annotations, and the images.

A table's name says what it is for: ``instances_train.json``, ``val.json``. An image without an
annotation is normal; one that has a ``patient_id`` says whose it is.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ml.data.words import (
    Options,
    box_within,
    finding_type_of,
    label_of,
    published_split,
    worst,
)
from ml.errors import DataError
from ml.hashed import hashed_patient
from ml.manifest import BoxRow, Label, Manifest, ManifestRow, Source
from ml.texts import mark

if TYPE_CHECKING:
    from pathlib import Path


def coco(folder: Path, options: Options) -> Manifest:
    """The images and their boxes.

    Raises
    ------
    DataError
        There is no such table, it names what is not there, or no pattern for the patient.
    """
    tables = [*sorted(folder.glob("annotations/*.json")), *sorted(folder.glob("*.json"))]
    found = [(table, document) for table in tables if (document := _document(table))]
    if not found:
        raise DataError(mark("There is no COCO table (JSON) in that folder."))
    images: list[ManifestRow] = []
    boxes: list[BoxRow] = []
    for table, document in found:
        try:
            more_images, more_boxes = _images(folder, table, document, options)
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(
                mark("{table} is no COCO table: {why}."), table=table.name, why=str(error)
            ) from error
        images += more_images
        boxes += more_boxes
    return Manifest(folder, tuple(images), tuple(boxes))


def _document(table: Path) -> dict[str, Any] | None:
    try:
        document = json.loads(table.read_text("utf-8"))
    except ValueError as error:
        raise DataError(mark("{table} is no JSON."), table=table.name) from error
    wanted = {"images", "annotations", "categories"}
    return document if isinstance(document, dict) and wanted <= document.keys() else None


def _images(
    folder: Path, table: Path, document: dict[str, Any], options: Options
) -> tuple[list[ManifestRow], list[BoxRow]]:
    words = {kind["id"]: str(kind["name"]) for kind in document["categories"]}
    marks: dict[Any, list[dict[str, Any]]] = {}
    for annotation in document["annotations"]:
        marks.setdefault(annotation["image_id"], []).append(annotation)
    part = next((p for p in ("train", "val", "test") if p in table.stem.lower()), "")
    images: list[ManifestRow] = []
    boxes: list[BoxRow] = []
    for image in document["images"]:
        path = _path(folder, part, str(image["file_name"]))
        size = float(image["height"]), float(image["width"])
        found = [_box(path, row, words, size) for row in marks.get(image["id"], ())]
        kept = [box for box in found if box]
        patient = hashed_patient(
            "coco", str(image.get("patient_id") or options.patient_of(path))
        )
        label = worst(box.label for box in kept) if kept else Label.NORMAL
        split = published_split(part, patient)
        images.append(ManifestRow(path, patient, label=label, source=Source.REAL, split=split))
        boxes += kept
    return images, boxes


def _path(folder: Path, part: str, name: str) -> str:
    places = (folder, folder / "images", folder / part, folder / "images" / part)
    for place in places:
        if (place / name).is_file():
            return (place / name).relative_to(folder).as_posix()
    raise DataError(
        mark("The image {path} that a table names is not in that folder."), path=name
    )


def _box(
    path: str, annotation: dict[str, Any], words: dict[Any, str], size: tuple[float, float]
) -> BoxRow | None:
    column, row, width, height = (float(value) for value in annotation["bbox"])
    box = box_within((row, column, row + height, column + width), size)
    word = words[annotation["category_id"]]
    if box is None:
        return None
    return BoxRow(path, box, finding_type_of(word), label_of(word), extra={"class": word})
