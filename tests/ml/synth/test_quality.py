"""The report: what it is made of, that it comes back, and that it refuses to say nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

import ml.synth.comparing as comparing
import ml.synth.quality as quality
from ml.control import NOBODY
from ml.errors import DataError
from ml.hashed import name_sha256
from ml.mammo.codes import BreastDensity, Laterality, ViewPosition
from ml.manifest import ManifestRow, Source, read_manifest, write_manifest
from ml.phantom.dataset import write_phantoms
from ml.synth.comparing import LEAST, QualityReport
from ml.synth.features import IMAGENET, spaces
from ml.synth.quality import Pictures, measure, measure_folder

if TYPE_CHECKING:
    from pathlib import Path


class Means:
    """A space of few numbers, quickly seen."""

    name = "means"

    def __call__(self, images: list[np.ndarray]) -> np.ndarray:
        rows = [image.reshape(4, -1).mean(1) for image in images]
        return np.asarray(rows, np.float64).reshape(len(rows), 4)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality, "spaces", lambda: [Means()])
    monkeypatch.setattr(quality.DensityEstimator, "installed", lambda: None)


def pictures(seed: int, count: int = LEAST) -> Pictures:
    """Half discs with a wedge where they are MLO."""
    rng = np.random.default_rng(seed)
    images, rows = [], []
    y, x = np.mgrid[:256, :256]
    for number in range(count):
        view = ViewPosition.MLO if number % 2 else ViewPosition.CC
        shape = ((y - 128) ** 2 + x**2 < rng.uniform(70, 110) ** 2) * 0.5
        if view is ViewPosition.MLO:
            shape = np.maximum(shape, (x + y < 120) * 0.9)
        noise = rng.normal(0, 0.02, (256, 256)) * (shape > 0)
        images.append(np.clip(shape + noise, 0, 1).astype(np.float32))
        woman = f"{seed}-{number // 2}"
        rows.append(
            ManifestRow(f"{number}", woman, Laterality.LEFT, view, density=BreastDensity.B)
        )
    return Pictures(images, tuple(rows))


@pytest.mark.usefixtures("quick")
def test_a_report_comes_back_as_it_was() -> None:
    report = measure(pictures(1), pictures(2), pictures(3), NOBODY)
    again = QualityReport.from_json(json.loads(json.dumps(report.to_json())))
    assert again == report
    assert report.counts == {"generated": LEAST, "training": LEAST, "held-out": LEAST}
    figures = {(figure.name, figure.data): figure for figure in report.figures}
    assert figures["side as asked", "generated"].value == 1
    assert figures["view as asked", "held-out"].value > 0.9
    for name in ("KID, means", "precision, means", "told from real, means"):
        assert (name, "generated") in figures
        assert (name, "held-out, by halves") in figures
    for figure in report.figures:
        assert np.isfinite([figure.value, figure.low, figure.high]).all()
    assert report.table().count("\n|") == len(report.figures) + 2
    with pytest.raises(DataError, match="measure again"):
        QualityReport.from_json({"counts": 3})


@pytest.mark.usefixtures("quick")
def test_copies_are_told() -> None:
    taught = pictures(2)
    report = measure(taught, taught, pictures(3), NOBODY)
    ratio = next(f for f in report.figures if f.name.startswith("nearest training over"))
    assert ratio.high < 0.1
    # Without what was taught nothing is said of copies, and nothing is made up.
    none = measure(taught, pictures(2, 0), pictures(3), NOBODY)
    assert not any(figure.name.startswith("nearest") for figure in none.figures)


@pytest.mark.usefixtures("quick")
def test_too_few_images_say_nothing() -> None:
    with pytest.raises(DataError, match="only 5 are generated"):
        measure(pictures(1, 5), pictures(2), pictures(3), NOBODY)


@pytest.mark.usefixtures("quick")
def test_a_folder_is_measured_against_a_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "LEAST", 4)
    monkeypatch.setattr(quality, "_in_space", lambda *_: [])
    made = write_phantoms(tmp_path / "made", 2, 1, pixel_mm=0.5)
    rows = tuple(
        replace(row, source=Source.GENERATED, extra={"edited": "no"}) for row in made.rows
    )
    write_manifest(replace(made, rows=rows, boxes=()))
    known = write_phantoms(tmp_path / "known", 3, 2, pixel_mm=0.5)
    taught = [name_sha256(known.rows[0].patient_id)]
    out = measure_folder(tmp_path / "made", tmp_path / "known", taught, NOBODY)
    report = QualityReport.from_json(json.loads(out.read_text("utf-8")))
    assert report.counts == {"generated": 8, "training": 4, "held-out": 8}
    assert (tmp_path / "made" / quality.PAGE).read_text("utf-8") == report.table()
    assert len(read_manifest(tmp_path / "made").rows) == 8


def test_an_imagenet_network_sees_every_image() -> None:
    (space, *_) = spaces()
    assert space.name == IMAGENET
    images = pictures(1, 3).images
    seen = space(images)
    assert seen.shape == (3, 1280)
    np.testing.assert_allclose(space(images[:1])[0], seen[0], atol=1e-4)
    assert space([]).shape == (0, 1280)
