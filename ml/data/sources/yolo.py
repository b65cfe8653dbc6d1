"""A YOLO folder: ``data.yaml``, ``images`` and beside it ``labels`` with one text an image.

A line is a class and a box as middle and size, or a polygon, all in shares of the image. An
image without a label text, or with an empty one, is normal. Whether a lesion is malignant is
known only where a class says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from ml.data.words import (
    PICTURES,
    Options,
    box_within,
    finding_type_of,
    image_size,
    label_of,
    published_split,
    worst,
)
from ml.errors import DataError
from ml.hashed import hashed_patient
from ml.manifest import BoxRow, Label, Manifest, ManifestRow, Source
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TABLE = "data.yaml"


def yolo(folder: Path, options: Options) -> Manifest:
    """The images and their boxes.

    Raises
    ------
    DataError
        It is no such folder, a line that is no box, or no pattern for the patient.
    """
    document = _document(folder / TABLE)
    names = document.get("names", {})
    words = dict(enumerate(names)) if isinstance(names, list) else dict(names)
    images: list[ManifestRow] = []
    boxes: list[BoxRow] = []
    for part, image in _listed(folder, document):
        path = image.relative_to(folder).as_posix()
        found = _boxes(path, image, words)
        patient = hashed_patient("yolo", options.patient_of(path))
        label = worst(box.label for box in found) if found else Label.NORMAL
        split = published_split(part, patient)
        images.append(ManifestRow(path, patient, label=label, source=Source.REAL, split=split))
        boxes += found
    return Manifest(folder, tuple(images), tuple(boxes))


def _document(path: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError:
        raise DataError(mark("There is no {table} in that folder."), table=path.name) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DataError(mark("{table} is no YAML."), table=path.name) from error
    if not isinstance(document, dict) or not isinstance(document.get("names"), dict | list):
        raise DataError(mark("{table} does not name its classes."), table=path.name)
    return document


def _listed(folder: Path, document: dict[str, Any]) -> Iterator[tuple[str, Path]]:
    """Each part's images; parts are folders below the one that holds the document."""
    for part in ("train", "val", "test"):
        said = document.get(part) or ()
        for place in [said] if isinstance(said, str) else said:
            # Exports often say ../train/images where train lies beside the document.
            here = folder / str(place).replace("../", "").lstrip("./")
            if not here.is_dir():
                raise DataError(
                    mark("{table} names {path}, which is no folder here."),
                    table=TABLE,
                    path=str(place),
                )
            yield from (
                (part, path)
                for path in sorted(here.rglob("*"))
                if path.suffix.lower() in PICTURES
            )


def _boxes(path: str, image: Path, words: dict[Any, Any]) -> list[BoxRow]:
    parts = list(image.parts)
    if "images" in parts:
        parts[len(parts) - 1 - parts[::-1].index("images")] = "labels"
    text = type(image)(*parts).with_suffix(".txt")
    if not text.exists():
        return []
    size = image_size(image)
    lines = [line.split() for line in text.read_text("utf-8").splitlines() if line.strip()]
    return [_box(path, text.name, line, size, words) for line in lines]


def _box(
    path: str, table: str, line: list[str], size: tuple[int, int], words: dict[Any, Any]
) -> BoxRow:
    try:
        kind, places = int(line[0]), [float(value) for value in line[1:]]
        word = str(words[kind])
        r0, c0, r1, c1 = _corners(places)
    except (ValueError, KeyError, IndexError) as error:
        raise DataError(
            mark("{table}: '{line}' is no box of a class that data.yaml names."),
            table=table,
            line=" ".join(line),
        ) from error
    box = box_within((r0 * size[0], c0 * size[1], r1 * size[0], c1 * size[1]), size)
    if box is None:
        raise DataError(
            mark("{table}: '{line}' is no box of a class that data.yaml names."),
            table=table,
            line=" ".join(line),
        )
    return BoxRow(path, box, finding_type_of(word), label_of(word), extra={"class": word})


def _corners(places: list[float]) -> tuple[float, float, float, float]:
    if len(places) == 4:
        x, y, width, height = places
        return y - height / 2, x - width / 2, y + height / 2, x + width / 2
    if len(places) < 6 or len(places) % 2:
        raise ValueError(places)
    return min(places[1::2]), min(places[::2]), max(places[1::2]), max(places[::2])
