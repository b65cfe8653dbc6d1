from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.fileset import FileSet

from ml.errors import ReadError
from ml.mammo.scan import find_images
from tests.factories.dicom import file_bytes, make_dicom

if TYPE_CHECKING:
    from pathlib import Path

# In no particular order of names.
NAMES = ("b", "a", "c")


def three(folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    return [
        make_dicom(folder / f"{name}.dcm", SOPInstanceUID=f"1.2.{i}")
        for i, name in enumerate(NAMES, 1)
    ]


def names(paths: list[Path]) -> list[str]:
    return [image.path.name for image in find_images(paths).images]


def test_a_folder_is_read_by_name_and_files_in_their_order(tmp_path: Path) -> None:
    files = three(tmp_path / "study" / "deeper")
    assert names([tmp_path]) == ["a.dcm", "b.dcm", "c.dcm"]
    assert names(files) == ["b.dcm", "a.dcm", "c.dcm"]


def test_no_image_comes_twice(tmp_path: Path) -> None:
    files = three(tmp_path)
    assert names([files[0], tmp_path, *files]) == ["b.dcm", "a.dcm", "c.dcm"]


def test_hidden_files_are_left_alone(tmp_path: Path) -> None:
    three(tmp_path)
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "x").write_bytes(b"no image")
    (tmp_path / ".DS_Store").write_bytes(b"no image")
    assert find_images([tmp_path]).refused == ()


def test_what_only_lies_beside_images_is_not_told(tmp_path: Path) -> None:
    three(tmp_path)
    for name in ("manifest.csv", "readme.txt", "viewer.exe"):
        (tmp_path / name).write_bytes(b"no image")
    for name in ("IMG00001", "1.2.3.4", "x.dcm", "film.png"):
        (tmp_path / name).write_bytes(b"no image")
    make_dicom(tmp_path / "odd.bak", Rows=0)
    found = find_images([tmp_path])
    told = {path.name for path, _ in found.refused}
    assert told == {"IMG00001", "1.2.3.4", "x.dcm", "film.png", "odd.bak"}
    assert len(found.images) == 3
    chosen = find_images([tmp_path / "manifest.csv"])
    assert [path.name for path, _ in chosen.refused] == ["manifest.csv"]


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    found = find_images([tmp_path / "gone", *three(tmp_path)])
    assert len(found.images) == 3
    ((path, error),) = found.refused
    assert path.name == "gone"
    assert isinstance(error, ReadError)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    three(tmp_path)
    assert "no file or folder" in str(find_images([tmp_path / "pipe"]).refused[0][1])
    assert len(find_images([tmp_path]).images) == 3


def make_dicomdir(folder: Path) -> Path:
    files = FileSet()
    for path in three(folder / "in"):
        dataset = pydicom.dcmread(path)
        dataset.StudyDate, dataset.StudyTime, dataset.StudyID = "20260101", "120000", "1"
        dataset.SeriesNumber, dataset.InstanceNumber, dataset.AccessionNumber = 1, 1, ""
        files.add(dataset)
    files.write(folder / "disc")
    return folder / "disc"


def test_a_dicomdir_lists_its_images(tmp_path: Path) -> None:
    disc = make_dicomdir(tmp_path)
    (disc / "autorun.exe").write_bytes(b"MZ")
    for opened in (disc, disc / "DICOMDIR"):
        found = find_images([opened])
        assert len(found.images) == 3
        assert found.refused == ()


def test_a_dicomdir_that_lists_a_file_which_is_gone(tmp_path: Path) -> None:
    disc = make_dicomdir(tmp_path)
    files = sorted(p for p in disc.rglob("*") if p.is_file() and p.name != "DICOMDIR")
    files[0].unlink()
    found = find_images([disc])
    assert (len(found.images), len(found.refused)) == (2, 1)


def test_a_dicomdir_is_not_followed_out_of_its_folder(tmp_path: Path) -> None:
    make_dicom(tmp_path / "secret.dcm")
    disc = tmp_path / "disc"
    disc.mkdir()
    record = Dataset()
    record.DirectoryRecordType = "IMAGE"
    record.ReferencedFileID = ["..", "secret.dcm"]
    index = Dataset()
    index.SOPClassUID, index.SOPInstanceUID = "1.2.840.10008.1.3.10", "1.2.3"
    index.DirectoryRecordSequence = [record]
    (disc / "DICOMDIR").write_bytes(file_bytes(index))
    found = find_images([disc])
    assert found.images == ()
    assert "outside its own folder" in str(found.refused[0][1])


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read anything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    files = three(tmp_path)
    files[0].chmod(0)
    found = find_images([tmp_path])
    assert (len(found.images), len(found.refused)) == (2, 1)


def test_a_synthetic_image_does_not_stand_in_for_the_real_one_of_its_uid(
    tmp_path: Path,
) -> None:
    for name in ("A^REAL", "SYNTHETIC^GENERATED"):
        make_dicom(tmp_path / f"{name[0]}.dcm", SOPInstanceUID="1.2.9", PatientName=name)
    assert sorted(image.synthetic for image in find_images([tmp_path]).images) == [False, True]
