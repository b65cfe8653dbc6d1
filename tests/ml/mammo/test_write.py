"""What we write, read back by us and judged by a validator that nobody here wrote."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import numpy as np
import pydicom
import pytest

from ml.mammo.codes import Laterality, PresentationIntent, ViewPosition
from ml.mammo.encode import TransferSyntax
from ml.mammo.mammogram import Window
from ml.mammo.pixels import read_pixels
from ml.mammo.read import read_mammogram
from ml.mammo.write import Identity, WrittenImage, uid_of, write_mammogram

if TYPE_CHECKING:
    from pathlib import Path

PIXELS = np.arange(48 * 40, dtype=np.uint16).reshape(48, 40)
# Synthetic Data is younger than this validator's dictionary.
KNOWN = "(0x0008,0x001c)"


def identity(**changes: str) -> Identity:
    plain = {
        "patient_id": "PHANTOM-1",
        "patient_name": "SYNTHETIC^PHANTOM",
        "study_instance_uid": uid_of("study", 1),
        "series_instance_uid": uid_of("series", 1),
        "sop_instance_uid": uid_of("image", 1),
    }
    return Identity(**(plain | changes))  # type: ignore[arg-type]


def image(**changes: object) -> WrittenImage:
    plain: dict[str, object] = {
        "laterality": Laterality.RIGHT,
        "view": ViewPosition.MLO,
        "identity": identity(),
        "pixel_mm": 0.1,
        "bits": 12,
        "derivation": "made by a test",
        "thickness_mm": 52.0,
        "window": Window(1000.0, 2000.0),
    }
    return WrittenImage(**(plain | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("syntax", list(TransferSyntax))
def test_what_is_written_is_read(syntax: TransferSyntax, tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    write_mammogram(path, PIXELS, image(), syntax)
    seen = read_mammogram(path)
    assert np.array_equal(read_pixels(seen), PIXELS)
    assert seen.laterality is not None
    assert seen.view is not None
    assert seen.orientation is not None
    assert seen.spacing is not None
    assert (seen.laterality.value, seen.view.value) == (Laterality.RIGHT, ViewPosition.MLO)
    assert (seen.orientation.row, seen.orientation.column) == ("P", "FL")
    assert seen.spacing.row_mm == 0.1
    assert seen.synthetic
    assert seen.alarms == ()
    assert seen.lossy is None


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    for name in "ab":
        write_mammogram(tmp_path / name, PIXELS, image())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_nothing_is_invented(tmp_path: Path) -> None:
    write_mammogram(tmp_path / "a.dcm", PIXELS, image())
    dataset = pydicom.dcmread(tmp_path / "a.dcm")
    for keyword in (
        "OrganDose",
        "KVP",
        "Exposure",
        "OperatorsName",
        "InstitutionName",
    ):
        assert not dataset.get(keyword), keyword
    assert dataset.ImageType[0] == "DERIVED"
    assert dataset[0x0008, 0x001C].value == "YES"


def test_an_identity_that_hides_what_it_is_is_refused() -> None:
    with pytest.raises(ValueError, match="must say so"):
        identity(patient_id="12345", patient_name="Smith^Jane")


def test_values_that_do_not_fit_their_bits_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        write_mammogram(tmp_path / "a.dcm", PIXELS + np.uint16(4000), image())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not shutil.which("dciodvfy"), reason="dicom3tools is not installed")
@pytest.mark.parametrize("view", [ViewPosition.CC, ViewPosition.MLO])
@pytest.mark.parametrize("intent", list(PresentationIntent))
def test_a_validator_finds_no_error(
    intent: PresentationIntent, view: ViewPosition, tmp_path: Path
) -> None:
    path = tmp_path / "a.dcm"
    made = image(intent=intent, view=view, window=None)
    write_mammogram(path, PIXELS, made, TransferSyntax.LITTLE_ENDIAN)
    done = subprocess.run(["dciodvfy", str(path)], check=False, capture_output=True, text=True)
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error")]
    assert "MammographyImageFor" in done.stderr, "it knew what it was judging"
    assert [line for line in errors if KNOWN not in line] == []
