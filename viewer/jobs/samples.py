"""The live samples that a training left in its folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ml.errors import DataError
from ml.texts import mark
from viewer.core.samples import Sample, SampleImage

if TYPE_CHECKING:
    from pathlib import Path


def read_samples(folder: Path) -> tuple[Sample, ...]:
    """All samples, the earliest first; none where the folder is not there.

    Raises
    ------
    DataError
        Where a table is not what it should be.
    """
    tables = folder.glob("*.json")
    return tuple(sorted(map(_sample, tables), key=lambda sample: sample.done))


def _sample(table: Path) -> Sample:
    try:
        told = json.loads(table.read_text("utf-8"))
        images = tuple(_image(table.parent, row) for row in told["images"])
        return Sample(str(told["stage"]), int(told["done"]), images)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            mark("{name} of the training cannot be read; begin another training."),
            detail=str(error),
            name=table.name,
        ) from error


def _image(folder: Path, row: dict[str, object]) -> SampleImage:
    values = dict(row)
    picture = folder / str(values.pop("picture"))
    return SampleImage(picture, **values)  # type: ignore[arg-type]
