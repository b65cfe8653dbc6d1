from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ml.errors import DataError, ModelError
from ml.evaluate import command
from ml.manifest import Source, write_manifest
from ml.phantom.dataset import write_phantoms
from tests.factories.packs import make_packs, rewrite_card

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def packs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    folders = make_packs(tmp_path / "models")
    monkeypatch.setattr(command, "default_packs", lambda: folders)
    monkeypatch.setenv("MAMMOSCOPE_DEVICE", "cpu")
    return folders


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantoms")
    manifest = write_phantoms(folder, 3, 4, pixel_mm=0.5)
    rows = tuple(
        replace(row, source=Source.GENERATED if number < 4 else row.source)
        for number, row in enumerate(manifest.rows)
    )
    write_manifest(replace(manifest, rows=rows))
    return folder


@pytest.mark.usefixtures("packs")
def test_every_source_is_measured_by_itself(phantoms: Path, tmp_path: Path) -> None:
    command.main(phantoms, None, tmp_path / "figures.json")
    models = json.loads((tmp_path / "figures.json").read_text())["models"]
    assert set(models) == {"tiny-detector@0.1.0", "tiny-classifier@0.1.0"}
    figures = [figure for found in models.values() for figure in found]
    assert {figure["data"].rpartition(", ")[2] for figure in figures} <= {
        "phantom",
        "generated",
    }
    assert any(figure["n"] == 2 and figure["data"].endswith("phantom") for figure in figures)


def test_a_patient_who_was_trained_on_is_refused(
    phantoms: Path, packs: dict[str, Path], tmp_path: Path
) -> None:
    patient = command.read_manifest(phantoms).rows[-1].patient_id
    digest = hashlib.sha256(patient.encode()).hexdigest()
    rewrite_card(packs["classifier"], training_patients=[digest])
    with pytest.raises(DataError, match="leave her out"):
        command.main(phantoms, "tiny-classifier", tmp_path / "figures.json")
    assert not (tmp_path / "figures.json").exists()
    command.main(phantoms, "tiny-detector@0.1.0", tmp_path / "figures.json")


@pytest.mark.usefixtures("packs")
def test_an_unknown_model_is_said(phantoms: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="models list"):
        command.main(phantoms, "no-such@1", tmp_path / "figures.json")
