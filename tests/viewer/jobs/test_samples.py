from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.errors import DataError
from ml.files import write_json
from viewer.core.samples import Sample, SampleImage
from viewer.jobs.samples import read_samples

if TYPE_CHECKING:
    from pathlib import Path


def write_sample(folder: Path, done: int, found: int) -> None:
    """A table and its pictures, as a training of a detector writes them."""
    import cv2

    folder.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, object]] = []
    for number, lesions in enumerate((1, 1, 0, 0), 1):
        name = f"detector-{done:05d}-{number}.png"
        cv2.imwrite(str(folder / name), np.full((480, 300), 40 * number, np.uint8))
        said = {"found": min(found, lesions), "wrong": 1 - lesions, "score": None}
        rows.append({"picture": name, "lesions": lesions, "lesion": bool(lesions), **said})
    table = {"stage": "detector", "done": done, "images": rows}
    write_json(folder / f"detector-{done:05d}.json", table)


def test_samples_are_read_the_earliest_first(tmp_path: Path) -> None:
    assert read_samples(tmp_path / "nothing") == ()
    for done in (1000, 500):
        write_sample(tmp_path, done, found=1)
    early, late = read_samples(tmp_path)
    assert (early.done, late.done) == (500, 1000)
    picture = tmp_path / "detector-00500-3.png"
    assert early.images[2] == SampleImage(picture, 0, False, found=0, wrong=1)
    assert isinstance(late, Sample)


def test_a_damaged_table_is_told(tmp_path: Path) -> None:
    (tmp_path / "detector-00500.json").write_text('{"stage": "detector"}')
    with pytest.raises(DataError, match=r"detector-00500\.json of the training cannot be read"):
        read_samples(tmp_path)
