from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pydicom
import pytest

from ml.errors import DataError, ModelError
from ml.evaluate import command
from ml.evaluate.versus import part_of
from ml.manifest import Source, write_manifest
from ml.phantom.dataset import write_phantoms
from ml.places import OWN_MODELS_VARIABLE
from ml.versions import Origin, Versions
from tests.factories.packs import make_packs, rewrite_card

if TYPE_CHECKING:
    from pathlib import Path


SYNTHETIC = (0x0008, 0x001C)


def sha256(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


@pytest.fixture
def packs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    folders = make_packs(tmp_path / "models")
    monkeypatch.setattr(command, "packs_in_use", lambda: folders)
    monkeypatch.setenv("MAMMOSCOPE_DEVICE", "cpu")
    return folders


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantoms")
    manifest = write_phantoms(folder, 3, 4, pixel_mm=0.5)
    rows = tuple(
        replace(row, source=Source.REAL if number < 4 else row.source)
        for number, row in enumerate(manifest.rows)
    )
    for row in rows:
        if row.source is Source.REAL:
            dataset = pydicom.dcmread(folder / row.path)
            dataset[SYNTHETIC].value, dataset.PatientName = "NO", "Woman"
            dataset.save_as(folder / row.path)
    write_manifest(replace(manifest, rows=rows))
    return folder


@pytest.mark.usefixtures("packs")
def test_every_source_is_measured_by_itself(phantoms: Path, tmp_path: Path) -> None:
    done: list[tuple[int, int]] = []
    out = tmp_path / "figures.json"
    command.main(phantoms, None, out, progress=lambda *told: done.append(told), draws=20)
    document = json.loads(out.read_text())
    assert set(document["models"]) == {"tiny-detector@0.1.0", "tiny-classifier@0.1.0"}
    for model in document["models"].values():
        counts = {name: part["images"] for name, part in model["data"].items()}
        assert counts == {"real": 4, "phantom": 8}
        assert model["data"]["phantom"]["patients"] == 2
        assert all(f["data"].endswith("phantom") for f in model["data"]["phantom"]["figures"])
    assert done[-1] == (24, 24)
    assert "tiny-detector@0.1.0" in out.with_suffix(".html").read_text("utf-8")


def test_an_own_version_is_measured_before_it_is_in_use(
    packs: dict[str, Path], phantoms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = Versions(tmp_path / "own")
    monkeypatch.setenv(OWN_MODELS_VARIABLE, str(versions.folder))
    key = versions.add(packs["detector"], Origin("", "")).key
    out = tmp_path / "figures.json"
    command.main(phantoms, key, out, draws=20)
    assert list(json.loads(out.read_text())["models"]) == [key]
    part = part_of(command.read_manifest(phantoms).rows)
    assert versions.tests(part) == 1, "the gate knows that they were asked"
    # What it was taught it is not measured on, either.
    woman = command.read_manifest(phantoms).rows[0].patient_id
    rewrite_card(versions.place("detector", key), training_patients=[sha256(woman)])
    with pytest.raises(DataError, match="was trained on a patient"):
        command.main(phantoms, key, out, draws=20)
    with pytest.raises(ModelError, match="no such model"):
        command.main(phantoms, "own-detector@7", out, draws=20)
    assert versions.tests(part) == 1, "a refusal asks nobody"
    command.main(phantoms, "tiny-detector", out, draws=20)
    assert versions.tests(part) == 1, "nobody promotes the program's own"


@pytest.mark.usefixtures("packs")
def test_no_table_makes_a_synthetic_image_real(phantoms: Path, tmp_path: Path) -> None:
    manifest = command.read_manifest(phantoms)
    shutil.copytree(phantoms, tmp_path / "set")
    for source in (Source.REAL, None):
        rows = tuple(replace(row, source=source) for row in manifest.rows)
        write_manifest(replace(manifest, folder=tmp_path / "set", rows=rows))
        with pytest.raises(DataError, match="its header says that it is synthetic"):
            command.main(tmp_path / "set", None, tmp_path / "figures.json")


@pytest.mark.usefixtures("packs")
def test_nothing_is_measured_on_generated_images(phantoms: Path, tmp_path: Path) -> None:
    manifest = command.read_manifest(phantoms)
    first, *others = manifest.rows
    made = replace(first, source=Source.GENERATED)
    folder = replace(manifest, folder=tmp_path)
    write_manifest(replace(folder, rows=(made, *others), boxes=()))
    with pytest.raises(DataError, match="generated image"):
        command.main(tmp_path, None, tmp_path / "figures.json")
    assert not list(tmp_path.glob("figures*"))


def test_calcifications_are_measured_in_fine_pixels_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = make_packs(tmp_path / "models", fine=True)
    monkeypatch.setattr(command, "packs_in_use", lambda: folders)
    monkeypatch.setenv("MAMMOSCOPE_DEVICE", "cpu")
    coarse = write_phantoms(tmp_path / "coarse", 1, 4, pixel_mm=0.5)
    sharp = write_phantoms(tmp_path / "sharp", 1, 4, pixel_mm=0.1)
    for manifest, images in ((coarse, []), (sharp, [4])):
        out = tmp_path / "figures.json"
        command.main(manifest.folder, "tiny-calcifications", out, draws=5)
        (model,) = json.loads(out.read_text())["models"].values()
        assert [part["images"] for part in model["data"].values()] == images
    command.main(sharp.folder, "tiny-detector", out, draws=5)
    (model,) = json.loads(out.read_text())["models"].values()
    assert model["data"]["phantom"]["images"] == 4


def test_a_classifier_is_measured_with_the_marks_that_it_counts(
    phantoms: Path, packs: dict[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "figures.json"
    found = []
    for weights in ({}, {"lesion": 1.0}):
        rewrite_card(packs["classifier"], mark_weights=weights)
        command.main(phantoms, "tiny-classifier", out, draws=5)
        (model,) = json.loads(out.read_text())["models"].values()
        found.append(model["data"]["phantom"]["classification"]["image"]["lesion"]["brier"])
    assert found[0] != found[1]
    patient = command.read_manifest(phantoms).rows[-1].patient_id
    rewrite_card(packs["detector"], training_patients=[sha256(patient)])
    with pytest.raises(DataError, match=r"tiny-detector.*leave her out"):
        command.main(phantoms, "tiny-classifier", out)


def test_the_other_detectors_patients_are_refused_too(
    phantoms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = make_packs(tmp_path / "models", fine=True)
    monkeypatch.setattr(command, "packs_in_use", lambda: folders)
    patient = command.read_manifest(phantoms).rows[-1].patient_id
    rewrite_card(folders["calcifications"], training_patients=[sha256(patient)])
    with pytest.raises(DataError, match=r"tiny-calcifications.*leave her out"):
        command.main(phantoms, "tiny-detector", tmp_path / "figures.json")


@pytest.mark.usefixtures("packs")
def test_the_page_never_takes_the_place_of_the_figures(phantoms: Path, tmp_path: Path) -> None:
    out = tmp_path / "figures.html"
    command.main(phantoms, "tiny-classifier", out, draws=5)
    assert json.loads(out.read_text())["schema"] == 1
    assert sorted(path.name for path in tmp_path.glob("*.html*")) == [
        "figures.html",
        "figures.html.html",
    ]


def test_a_patient_who_was_trained_on_is_refused(
    phantoms: Path, packs: dict[str, Path], tmp_path: Path
) -> None:
    patient = command.read_manifest(phantoms).rows[-1].patient_id
    rewrite_card(packs["classifier"], training_patients=[sha256(patient)])
    with pytest.raises(DataError, match="leave her out"):
        command.main(phantoms, "tiny-classifier", tmp_path / "figures.json")
    assert not list(tmp_path.glob("figures*"))
    command.main(phantoms, "tiny-detector@0.1.0", tmp_path / "figures.json", draws=5)


@pytest.mark.parametrize("part", ["path", "name", "stem"])
def test_an_image_that_was_trained_on_is_refused(
    phantoms: Path, packs: dict[str, Path], tmp_path: Path, part: str
) -> None:
    path = PurePosixPath(command.read_manifest(phantoms).rows[-1].path)
    name = {"path": str(path), "name": path.name, "stem": path.stem}[part]
    rewrite_card(packs["detector"], training_images=[sha256(name)])
    with pytest.raises(DataError, match="an image of this name"):
        command.main(phantoms, "tiny-detector", tmp_path / "figures.json")


def test_what_a_parent_was_trained_on_is_refused_too(
    phantoms: Path, packs: dict[str, Path], tmp_path: Path
) -> None:
    patient = command.read_manifest(phantoms).rows[0].patient_id
    rewrite_card(packs["detector"], training_patients=[sha256(patient)])
    rewrite_card(packs["classifier"], parents=["tiny-detector@0.1.0"])
    with pytest.raises(DataError, match=r"tiny-classifier.*leave her out"):
        command.main(phantoms, "tiny-classifier", tmp_path / "figures.json")


@pytest.mark.usefixtures("packs")
def test_an_unknown_model_is_said(phantoms: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="models list"):
        command.main(phantoms, "no-such@1", tmp_path / "figures.json")
