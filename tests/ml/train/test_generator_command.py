"""From a manifest to a generator's pack: who may teach, what is told, and going on."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import pytest

from ml.cli import main as cli
from ml.control import Stopped
from ml.errors import DataError
from ml.hashed import name_sha256
from ml.manifest import Source, Split, read_manifest, write_manifest
from ml.phantom.dataset import write_phantoms
from ml.places import MODELS_VARIABLE
from ml.synth.known import read_known
from ml.synth.pack import read_generator
from ml.train import generator_data
from ml.train.generator_data import rows_to_teach
from ml.train.order import TrainingOrder
from ml.train.run import run
from tests.ml.synth.test_making import Watch

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantoms")
    manifest = write_phantoms(folder, 4, 34, pixel_mm=0.4)
    women = list(dict.fromkeys(row.patient_id for row in manifest.rows))
    rows = tuple(
        replace(row, split=Split.TEST if row.patient_id == women[0] else Split.TRAIN)
        for row in manifest.rows
    )
    write_manifest(replace(manifest, rows=rows))
    return folder


@pytest.fixture(autouse=True)
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A training would begin with the generator that comes with the program."""
    monkeypatch.setenv(MODELS_VARIABLE, str(tmp_path / "nothing"))


def spec(phantoms: Path, out: Path) -> dict[str, object]:
    return {
        "manifest": str(phantoms),
        "out": str(out),
        "device": "cpu",
        "part": 1e-4,
        "sample_every": 2,
    }


def test_a_generator_is_taught_stopped_and_taught_on(phantoms: Path, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        run(spec(phantoms, tmp_path), first := Watch(stop_after=3))
    assert (tmp_path / "breasts.pt").exists()
    assert not (tmp_path / "generator").exists()
    watch = Watch()
    run(spec(phantoms, tmp_path), watch)
    assert "test" in watch.sentences[0]
    pack = read_generator(tmp_path / "generator")
    assert watch.news[-1] == {"pack": str(pack.folder)}
    assert watch.told[-1] == (4, 4)
    patients = {row.patient_id: row.split for row in read_manifest(phantoms).rows}
    known = {name_sha256(p) for p, split in patients.items() if split is Split.TRAIN}
    assert set(pack.card.training_patients) == known
    # These phantoms are too coarse for pieces, and it says so.
    assert not pack.paints
    assert pack.card.piece_mm is None
    assert any("paints none" in sentence for sentence in watch.sentences)
    kept = read_known(pack.folder)
    assert kept is not None
    assert len(kept.pictures) == 12
    (*_, sample) = [n for n in (*first.news, *watch.news) if "thumbnail" in n]
    assert cv2.imread(str(sample["thumbnail"])).shape[:2] == (256, 256)
    manifest = read_manifest(phantoms)
    fewer = tmp_path / "fewer.csv"
    fewer.write_text("\n".join((phantoms / "manifest.csv").read_text().splitlines()[:-1]))
    assert len(read_manifest(fewer).rows) == len(manifest.rows) - 1
    with pytest.raises(DataError, match="other images"):
        run({**spec(phantoms, tmp_path), "manifest": str(fewer)})


@pytest.mark.slow
def test_a_generator_begins_with_the_installed_one(
    phantoms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = tmp_path / "models"
    monkeypatch.setenv(MODELS_VARIABLE, str(models))
    run(spec(phantoms, models))
    before = read_generator(models / "generator")
    run(spec(phantoms, tmp_path / "out"), watch := Watch())
    after = read_generator(tmp_path / "out" / "generator")
    # The autoencoder is kept, and no step is spent on it.
    assert watch.told[-1] == (2, 2)
    vae = "vae/diffusion_pytorch_model.safetensors"
    assert after.card.files[vae] == before.card.files[vae]
    assert after.weights_sha256 != before.weights_sha256
    assert f"It began with the weights of {before.card.key}" in after.card.data
    assert after.card.training_patients == before.card.training_patients
    run({**spec(phantoms, tmp_path / "anew"), "from_scratch": True}, watch := Watch())
    assert watch.told[-1] == (4, 4)
    manifest = read_manifest(phantoms)
    shutil.copytree(phantoms, tmp_path / "set")
    rows = tuple(replace(row, split=Split.TEST) for row in manifest.rows)
    write_manifest(replace(manifest, folder=tmp_path / "set", rows=rows))
    with pytest.raises(DataError, match="trained on the patient"):
        run(spec(tmp_path / "set", tmp_path / "other"))


def test_held_out_and_generated_images_teach_nothing(phantoms: Path) -> None:
    manifest = read_manifest(phantoms)
    rows = rows_to_teach(manifest, Watch())
    assert {row.split for row in rows} == {Split.TRAIN}
    for change in ({"split": Split.TEST}, {"source": Source.GENERATED}, {"density": None}):
        changed = tuple(replace(row, **change) for row in manifest.rows)
        with pytest.raises(DataError, match="Only 0 images may teach"):
            rows_to_teach(replace(manifest, rows=changed), watch := Watch())
        assert watch.sentences


def test_a_held_out_image_teaches_nothing_under_another_name(
    phantoms: Path, tmp_path: Path
) -> None:
    manifest = read_manifest(phantoms)
    held_out = next(row for row in manifest.rows if row.split is Split.TEST)
    shutil.copytree(phantoms, tmp_path / "set")
    shutil.copyfile(tmp_path / "set" / held_out.path, tmp_path / "set" / "copy.dcm")
    copy = replace(held_out, path="copy.dcm", patient_id="SOMEBODY-ELSE", split=Split.TRAIN)
    rows = (*manifest.rows, copy)
    write_manifest(replace(manifest, folder=tmp_path / "set", rows=rows))
    with pytest.raises(DataError, match="the same image in two splits"):
        run(spec(tmp_path / "set", tmp_path / "out"))
    assert not (tmp_path / "out" / "autoencoder.pt").exists()


@pytest.mark.slow
def test_lesions_are_learnt_from_fine_pixels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = write_phantoms(tmp_path / "fine", 3, 34)
    rows = tuple(replace(row, split=Split.TRAIN) for row in manifest.rows)
    write_manifest(replace(manifest, rows=rows))
    monkeypatch.setattr(generator_data, "MOST_CUTS", 1)
    run(spec(tmp_path / "fine", tmp_path / "out"))
    assert read_generator(tmp_path / "out" / "generator").paints


@pytest.mark.parametrize(
    "change", [{"part": 0}, {"device": "abacus"}, {"manifest": 3}, {"sede": 1}]
)
def test_an_order_that_cannot_be_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    with pytest.raises(DataError, match="cannot be carried out"):
        TrainingOrder.from_json({**spec(tmp_path, tmp_path), **change})


def test_the_command_says_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["train", "generator", "--manifest", str(tmp_path / "no.csv")]
    assert cli([*given, "--out", str(tmp_path / "out")]) == 1
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert cli(["train", "generator"]) == 2
    assert not sys.stderr.isatty()
