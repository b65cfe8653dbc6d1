"""What lies below a folder, whatever it is."""

from __future__ import annotations

import errno
import os
import socket
import sys
import tracemalloc
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.fileset import FileSet

from ml.errors import ReadError
from ml.screen.ledger import LEDGER
from ml.screen.order import THUMBNAILS
from ml.screen.places import Place, place_of
from ml.screen.report import REPORT_HTML
from ml.screen.run import thumbnail_name
from ml.screen.walking import LONGEST_PLACE, walk
from tests.factories.dicom import file_bytes, make_dicom

if TYPE_CHECKING:
    from ml.screen.rows import Entry

Refused = list[tuple[str, ReadError]]


def made(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode("utf-8", "surrogateescape"))
    return folder


def archive_of(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), b"inside")
    return path


def walked(root: Path, leave_out: Path | None = None) -> tuple[list[Entry], Refused]:
    refused: Refused = []
    found = list(walk(root, leave_out, lambda place, error: refused.append((place, error))))
    return found, refused


def names(root: Path, leave_out: Path | None = None) -> list[str]:
    """Relative to the root; nothing may be refused."""
    found, refused = walked(root, leave_out)
    assert refused == []
    return [one.place.removeprefix(f"{root}").lstrip("/") for one in found]


def test_everything_is_found_in_the_order_of_names(tmp_path: Path) -> None:
    made(tmp_path, "b/2", "b/10", "b/inner/x.dcm", "a/deep/er/1", "c.dcm", "a.dcm", "B/1")
    assert names(tmp_path) == [
        *("a.dcm", "c.dcm", "B/1", "a/deep/er/1"),
        *("b/10", "b/2", "b/inner/x.dcm"),
    ]


def test_size_and_time_are_those_of_the_file(tmp_path: Path) -> None:
    file = made(tmp_path, "a.dcm") / "a.dcm"
    os.utime(file, ns=(5, 1_234_567_890_123_456_789))
    (entry,), _ = walked(tmp_path)
    assert (entry.size, entry.mtime_ns) == (5, file.stat().st_mtime_ns)


def test_a_time_far_off_is_one_that_a_database_takes(tmp_path: Path) -> None:
    file = made(tmp_path, "a.dcm") / "a.dcm"
    os.utime(file, ns=(0, 14_000_000_000_000_000_000))
    (entry,), _ = walked(tmp_path)
    assert entry.mtime_ns < 1 << 63


def test_hidden_files_and_the_results_are_left_out(tmp_path: Path) -> None:
    made(tmp_path, ".hidden/x.dcm", ".DS_Store", "._a.dcm", "a.dcm", "out/x.dcm", "in/out/x")
    assert names(tmp_path, tmp_path / "out") == ["a.dcm", "in/out/x"]


@pytest.mark.parametrize("mark", [LEDGER, REPORT_HTML])
def test_pictures_of_other_results_are_no_films(mark: str, tmp_path: Path) -> None:
    picture = thumbnail_name("/in/a.dcm")
    assert picture.startswith(f"{THUMBNAILS}/")
    made(tmp_path, f"earlier/{picture}", f"earlier/{mark}", "earlier/a.dcm", picture)
    met = {f"earlier/{mark}", "earlier/a.dcm", picture}
    assert set(names(tmp_path, tmp_path / "out")) == met


def test_results_may_lie_in_the_folder_itself(tmp_path: Path) -> None:
    made(tmp_path, LEDGER, thumbnail_name("/in/a.dcm"), "a.dcm")
    assert names(tmp_path, tmp_path) == ["a.dcm", LEDGER]


def test_a_link_to_a_folder_is_not_followed_and_one_to_a_file_is(tmp_path: Path) -> None:
    made(tmp_path / "in", "a/1.dcm")
    made(tmp_path / "elsewhere", "2.dcm")
    (tmp_path / "in" / "a" / "round").symlink_to(tmp_path / "in", target_is_directory=True)
    (tmp_path / "in" / "other").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (tmp_path / "in" / "a" / "2.dcm").symlink_to(tmp_path / "elsewhere" / "2.dcm")
    (tmp_path / "in" / "broken.dcm").symlink_to(tmp_path / "nothing")
    assert names(tmp_path / "in") == ["a/1.dcm", "a/2.dcm"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipes_and_devices_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path, "a.dcm")
    os.mkfifo(tmp_path / "pipe.dcm")
    (tmp_path / "null.dcm").symlink_to("/dev/null")
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind("door.dcm")
        assert names(tmp_path) == ["a.dcm"]


def test_a_folder_that_goes_away_hides_no_other(tmp_path: Path) -> None:
    made(tmp_path, "a/1", "b/2", "c/3")
    refused: Refused = []
    found: list[str] = []
    for entry in walk(tmp_path, None, lambda place, error: refused.append((place, error))):
        found.append(Path(entry.place).name)
        if entry.place.endswith("1"):
            (tmp_path / "b" / "2").unlink()
            (tmp_path / "b").rmdir()
    assert found == ["1", "3"]
    ((place, error),) = refused
    assert place == str(tmp_path / "b")
    assert f"b cannot be opened: {os.strerror(errno.ENOENT)}" in str(error)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read anything")
def test_a_folder_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    made(tmp_path, "a/1", "b/2")
    (tmp_path / "a").chmod(0)
    found, refused = walked(tmp_path)
    (tmp_path / "a").chmod(0o700)
    assert [Path(one.place).name for one in found] == ["2"]
    assert "a cannot be opened" in str(refused[0][1])


def test_a_root_that_is_gone_is_said_in_a_sentence(tmp_path: Path) -> None:
    root = made(tmp_path / "in", "a/1")
    begun = walk(root, None, lambda place, error: None)
    root.rename(tmp_path / "gone")
    with pytest.raises(ReadError, match="no folder, zip archive or DICOMDIR"):
        next(begun)


def test_members_of_archives_are_found(tmp_path: Path) -> None:
    made(tmp_path, "a.dcm", "z.dcm")
    inside = ("in/b.dcm", "in/ner/most/c.dcm", "odd !/ü\U0001f600 .dcm", "x.zip!/d.dcm", "IMG1")
    archive_of(tmp_path / "M.ZIP", *reversed(inside))
    found, refused = walked(tmp_path)
    assert refused == []
    places = [place_of(one.place) for one in found]
    archive = tmp_path / "M.ZIP"
    assert places[0] == Place(archive, "IMG1")
    assert {place.member for place in places if place.path == archive} == set(inside)
    assert [place.path.name for place in places if not place.member] == ["a.dcm", "z.dcm"]
    changed = {one.mtime_ns for one in found if place_of(one.place).member}
    assert changed == {archive.stat().st_mtime_ns}
    assert {one.size for one in found if place_of(one.place).member} == {6}
    assert [one.place for one in walked(archive)[0]] == [
        one.place for one in found if place_of(one.place).member
    ]


def test_what_is_hidden_or_nothing_in_an_archive_is_left_out(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.mkdir("folder")
    with zipfile.ZipFile(archive, "a") as packed:
        for name in (".hid/x", "__MACOSX/._x", "a/.x", "DICOMDIR", "a/DicomDir", "a/..", "b"):
            packed.writestr(zipfile.ZipInfo(name), b"")
    assert names(archive) == ["!/b"]


def test_a_member_without_a_name_is_left_out(tmp_path: Path) -> None:
    archive = archive_of(tmp_path / "a.zip", "x", "y.dcm")
    # zipfile ends a name at its first zero.
    archive.write_bytes(archive.read_bytes().replace(b"x", b"\0"))
    assert names(archive) == ["!/y.dcm"]


def test_names_that_lead_out_lead_nowhere(tmp_path: Path) -> None:
    root = tmp_path / "in"
    root.mkdir()
    archive_of(root / "a.zip", "../up.dcm", "/rooted.dcm", "a/../../b.dcm")
    before = sorted(tmp_path.rglob("*"))
    found, _ = walked(root)
    assert len(found) == 3
    for one in found:
        with place_of(one.place).opened() as copy:
            assert copy.read_bytes() == b"inside"
    assert sorted(tmp_path.rglob("*")) == before
    assert not Path("/rooted.dcm").exists()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_two_members_with_one_name_there_is_the_one_that_is_taken_out(
    tmp_path: Path,
) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("a.dcm", b"first")
        packed.writestr("a.dcm", b"second one")
    (entry,), _ = walked(archive)
    with place_of(entry.place).opened() as copy:
        assert copy.stat().st_size == entry.size == len(b"second one")


def test_a_broken_archive_is_refused_and_hides_no_other(tmp_path: Path) -> None:
    made(tmp_path, "a.zip", "b.dcm")
    whole = archive_of(tmp_path / "c.zip", "x.dcm").read_bytes()
    (tmp_path / "d.zip").write_bytes(whole[:-10])
    (tmp_path / "e.zip").write_bytes(b"")
    found, refused = walked(tmp_path)
    assert [place_of(one.place).name for one in found] == ["b.dcm", "x.dcm"]
    assert [Path(place).name for place, _ in refused] == ["a.zip", "d.zip", "e.zip"]
    assert all("no zip archive that can be read" in str(error) for _, error in refused)
    with pytest.raises(ReadError, match=r"a\.zip is no zip archive"):
        walked(tmp_path / "a.zip")


def test_a_name_that_is_no_text_comes_back(tmp_path: Path) -> None:
    odd = os.fsdecode(b"\xff\xfe.dcm")
    try:
        made(tmp_path, odd)
    except OSError:
        pytest.skip("this disk has no such names")
    (entry,), _ = walked(tmp_path)
    with place_of(entry.place).opened() as opened:
        assert opened.read_bytes() == b"\xff\xfe.dcm"


def test_a_name_that_no_database_takes_is_refused(tmp_path: Path) -> None:
    archive = archive_of(tmp_path / "a.zip", "ü" * 20_000 + ".dcm", "b.dcm")
    found, refused = walked(tmp_path)
    assert [place_of(one.place).member for one in found] == ["b.dcm"]
    ((place, error),) = refused
    assert place.startswith(f"{archive}!/ü")
    assert len(place.encode()) <= LONGEST_PLACE
    assert "too long a name" in str(error)


def make_disc(folder: Path) -> Path:
    files = FileSet()
    for number in (1, 2, 3):
        dataset = pydicom.dcmread(
            make_dicom(folder / f"{number}.dcm", SOPInstanceUID=f"1.2.{number}")
        )
        dataset.StudyDate, dataset.StudyTime, dataset.StudyID = "20260101", "120000", "1"
        dataset.SeriesNumber, dataset.InstanceNumber, dataset.AccessionNumber = 1, 1, ""
        files.add(dataset)
    files.write(folder / "disc")
    return folder / "disc"


def test_a_dicomdir_gives_what_it_lists(tmp_path: Path) -> None:
    disc = make_disc(tmp_path)
    made(disc, "other.dcm")
    found, refused = walked(disc / "DICOMDIR")
    assert refused == []
    uids = {pydicom.dcmread(one.place).SOPInstanceUID for one in found}
    assert uids == {"1.2.1", "1.2.2", "1.2.3"}
    # A folder is walked as it is; its DICOMDIR is none of the images.
    assert len(names(disc)) == 4


def test_what_a_dicomdir_lists_and_is_not_there_is_refused(tmp_path: Path) -> None:
    disc = make_disc(tmp_path)
    first, second, _ = sorted(
        path for path in disc.rglob("*") if path.is_file() and path.name != "DICOMDIR"
    )
    first.unlink()
    second.unlink()
    second.mkdir()
    found, refused = walked(disc / "DICOMDIR")
    assert len(found) == 1
    assert [place for place, _ in refused] == [str(first)]


def test_a_dicomdir_is_not_followed_out_of_its_folder(tmp_path: Path) -> None:
    make_dicom(tmp_path / "secret.dcm")
    disc = tmp_path / "disc"
    disc.mkdir()
    for listed in (["..", "secret.dcm"], ["a\0b"]):
        record, index = Dataset(), Dataset()
        record.DirectoryRecordType, record.ReferencedFileID = "IMAGE", listed
        index.SOPClassUID, index.SOPInstanceUID = "1.2.840.10008.1.3.10", "1.2.3"
        index.DirectoryRecordSequence = [record]
        (disc / "DICOMDIR").write_bytes(file_bytes(index))
        with pytest.raises(ReadError, match="DICOMDIR"):
            walked(disc / "DICOMDIR")


@pytest.mark.parametrize("content", [b"", b"no DICOM", bytes(4000)])
def test_a_dicomdir_that_is_none_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "DICOMDIR").write_bytes(content)
    with pytest.raises(ReadError, match="DICOMDIR"):
        walked(tmp_path / "DICOMDIR")


def test_what_is_no_folder_is_said_in_a_sentence(tmp_path: Path) -> None:
    made(tmp_path, "a.dcm")
    for root in (tmp_path / "a.dcm", tmp_path / "none", tmp_path / "none.zip"):
        with pytest.raises(ReadError, match=root.name):
            walked(root)


def test_memory_does_not_grow_with_the_number_of_files(tmp_path: Path) -> None:
    for folder in range(100):
        made(tmp_path, *(f"{folder:03}/{number:03}" for number in range(30)))
    tracemalloc.start()
    count = sum(1 for _ in walk(tmp_path, None, lambda place, error: None))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 3000
    assert peak < 100 * sys.getsizeof(str(tmp_path)) * 10
