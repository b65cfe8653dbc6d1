"""Generated images as files: nobody can take them for a patient's."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pydicom
import pytest
from PIL import Image

import ml.synth.output as output
from ml.errors import DataError
from ml.mammo.codes import BreastDensity, FindingType, Laterality, ViewPosition
from ml.mammo.geometry import Box
from ml.mammo.pixels import read_pixels
from ml.mammo.read import read_mammogram
from ml.manifest import Label, Source, Split, edited_box, read_manifest
from ml.synth.output import Generated, Making, writing
from ml.synth.png_texts import with_texts
from ml.synth.prompts import Area, LesionKind, Prompt, Quadrant, prompt_text

if TYPE_CHECKING:
    from pathlib import Path

HEALTHY = Prompt("film", ViewPosition.MLO, Area.BIG, BreastDensity.C, Laterality.LEFT)
CLUSTER = replace(
    HEALTHY, lesion=LesionKind.CALCIFICATION_CLUSTER, quadrant=Quadrant.UPPER_OUTER
)
# Synthetic Data is younger than this validator's dictionary.
KNOWN = "(0x0008,0x001c)"


def generated(prompt: Prompt = HEALTHY, seed: int = 7, *boxes: Box) -> Generated:
    pixels = np.random.default_rng(seed).integers(0, 4096, (64, 48), np.uint16)
    making = Making("generator@0.1.0", "a" * 64, prompt, seed, 20, 4.5)
    return Generated(pixels, 0.8, making, boxes, painted=next(iter(boxes), None))


def test_what_is_generated_says_so_and_how(tmp_path: Path) -> None:
    with writing(tmp_path) as write:
        path = write.keep(generated())
    seen = read_mammogram(path)
    assert seen.synthetic
    assert seen.spacing is not None
    assert seen.spacing.row_mm == 0.8
    assert np.array_equal(read_pixels(seen), generated().pixels)
    header = pydicom.dcmread(path)
    assert header.ImageType[0] == "DERIVED"
    assert header[0x0008001C].value == "YES"
    assert "SYNTHETIC" in header.PatientID
    assert "SYNTHETIC" in str(header.PatientName)
    (tool,) = header.ContributingEquipmentSequence
    assert tool.ManufacturerModelName == "generator@0.1.0"
    for told in ("a" * 64, prompt_text(HEALTHY), "seed 7", "20 steps", "guidance 4.5"):
        assert told in tool.ContributionDescription
    invented = ("OrganDose", "EntranceDoseInmGy", "OperatorsName", "DetectorID", "KVP")
    assert not any(keyword in header for keyword in invented)


def test_every_image_is_a_study_of_nobody_else(tmp_path: Path) -> None:
    with writing(tmp_path) as write:
        headers = [pydicom.dcmread(write.keep(generated(seed=seed))) for seed in (1, 2)]
    for keyword in ("PatientID", "StudyInstanceUID", "SOPInstanceUID"):
        assert headers[0][keyword].value != headers[1][keyword].value


def test_the_tables_carry_truth_and_making(tmp_path: Path) -> None:
    box = Box(10, 5, 30, 25)
    with writing(tmp_path) as write:
        write.keep(generated())
        write.keep(generated(CLUSTER, 8, box))
    manifest = read_manifest(tmp_path)
    healthy, cluster = manifest.rows
    assert {row.source for row in manifest.rows} == {Source.GENERATED}
    assert {row.split for row in manifest.rows} == {Split.TRAIN}
    assert (healthy.label, cluster.label) == (Label.NORMAL, None)
    assert healthy.density is BreastDensity.C
    assert cluster.extra["prompt"] == prompt_text(CLUSTER)
    assert (healthy.extra["edited"], cluster.extra["edited"]) == ("no", "yes")
    assert (edited_box(healthy), edited_box(cluster)) == (None, box)
    (found,) = manifest.boxes
    assert (found.path, found.box) == (cluster.path, box)
    assert found.finding_type is FindingType.CALCIFICATIONS


def test_a_picture_lies_beside_each(tmp_path: Path) -> None:
    with writing(tmp_path) as write:
        path = write.keep(generated())
    picture = cv2.imread(str(path.with_suffix(".png")), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(picture >> 4, generated().pixels)


def test_a_picture_that_lies_alone_says_what_it_is(tmp_path: Path) -> None:
    with writing(tmp_path) as write:
        path = write.keep(generated())
    with Image.open(path.with_suffix(".png")) as picture:
        picture.load()
        told = dict(picture.info)
    assert told["Software"] == "mammoscope"
    assert told["Description"].startswith("SYNTHETIC")
    assert (told["Prompt"], told["Seed"]) == (prompt_text(HEALTHY), "7")
    assert (told["Model"], told["Model SHA-256"]) == ("generator@0.1.0", "a" * 64)
    assert "20 steps; guidance 4.5" in told["Comment"]


def test_a_text_may_hold_any_letter(tmp_path: Path) -> None:
    _, encoded = cv2.imencode(".png", np.zeros((2, 2), np.uint16))
    (tmp_path / "a.png").write_bytes(with_texts(encoded.tobytes(), {"Comment": "Brust ü 乳"}))
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.info["Comment"] == "Brust ü 乳"


def test_finished_images_survive_an_end_before_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(DataError, match="No space left"), writing(tmp_path) as write:  # noqa: PT012
        write.keep(generated())
        monkeypatch.setattr(output, "write_mammogram", full)
        write.keep(generated(seed=8))
    assert [row.path for row in read_manifest(tmp_path).rows] == ["00001.dcm"]
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "00001.dcm",
        "00001.png",
        "boxes.csv",
        "journal.jsonl",
        "manifest.csv",
        "order.json",
    ]


def test_a_data_set_is_not_written_over(tmp_path: Path) -> None:
    with writing(tmp_path) as write:
        write.keep(generated())
    with pytest.raises(DataError, match="empty folder"), writing(tmp_path):
        pass


@pytest.mark.skipif(not shutil.which("dciodvfy"), reason="dicom3tools is not installed")
def test_a_validator_finds_nothing(tmp_path: Path) -> None:
    with writing(tmp_path) as write:
        path = write.keep(generated(CLUSTER, 8, Box(10, 5, 30, 25)))
    done = subprocess.run(["dciodvfy", str(path)], check=False, capture_output=True, text=True)
    said = (done.stdout + done.stderr).splitlines()
    errors = [line for line in said if line.startswith("Error") and KNOWN not in line]
    assert errors == []
