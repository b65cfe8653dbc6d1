"""What an archive lists is read once for all its members, and anew where it changed."""

from __future__ import annotations

import os
import threading
import zipfile
from typing import TYPE_CHECKING

import pytest

from ml.errors import ReadError
from ml.screen import archives
from ml.screen.places import Place
from ml.screen.preparing import glances
from ml.screen.rows import Standing
from ml.screen.walking import walk
from tests.factories.breasts import make_view

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def none_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_kept", {})


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """One for each time that the list of an archive is read."""
    met: list[object] = []
    plain = zipfile.ZipFile._RealGetContents  # type: ignore[attr-defined]

    def counted(archive: zipfile.ZipFile) -> None:
        met.append(archive.filename)
        plain(archive)

    monkeypatch.setattr(zipfile.ZipFile, "_RealGetContents", counted)
    return met


def zipped(path: Path, **members: str) -> Path:
    with zipfile.ZipFile(path, "w") as written:
        for name, content in members.items():
            written.writestr(zipfile.ZipInfo(name), content)
    return path


def read(path: Path, member: str) -> str:
    with Place(path, member).opened() as copy:
        return copy.read_text()


def test_many_members_need_one_reading(tmp_path: Path, readings: list[object]) -> None:
    names = [f"m{number}" for number in range(50)]
    path = zipped(tmp_path / "a.zip", **{name: f"content of {name}" for name in names})
    readings.clear()
    for name in (*names, *reversed(names)):
        assert read(path, name) == f"content of {name}"
    assert len(readings) == 1


def test_many_images_are_glanced_at_with_one_reading(
    tmp_path: Path, readings: list[object]
) -> None:
    view = make_view(tmp_path, "RCC").read_bytes()
    path = tmp_path / "disc.zip"
    with zipfile.ZipFile(path, "w") as written:
        for number in range(20):
            written.writestr(f"{number:02}.dcm", view)
    entries = list(walk(path, None, lambda place, error: pytest.fail(f"{place} {error}")))
    readings.clear()
    found = [glances(entries[at : at + 5], "") for at in range(0, 20, 5)]
    assert {one.standing for page in found for one in page.headings} == {Standing.IMAGE}
    assert len(readings) == 1


def test_an_archive_that_is_written_anew_is_read_anew(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", a="old", b="old")
    assert read(path, "a") == "old"
    zipped(path, c="longer than it was", a="new and longer")
    assert read(path, "a") == "new and longer"
    assert read(path, "c") == "longer than it was"
    with pytest.raises(ReadError, match="cannot be taken out"):
        read(path, "b")


def test_another_archive_of_the_same_size_and_time_in_its_place_is_read_anew(
    tmp_path: Path,
) -> None:
    path = zipped(tmp_path / "a.zip", aa="one", b="two")
    other = zipped(tmp_path / "other.zip", b="TWO", aa="ONE")
    was = path.stat()
    assert read(path, "b") == "two"
    os.utime(other, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert other.stat().st_size == was.st_size
    other.replace(path)
    assert (read(path, "b"), read(path, "aa")) == ("TWO", "ONE")


def test_an_archive_that_grows_behind_its_list_is_read_anew(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", a="one")
    assert read(path, "a") == "one"
    with zipfile.ZipFile(path, "a") as more:
        more.writestr("b", "two")
    assert (read(path, "b"), read(path, "a")) == ("two", "one")


def test_an_archive_that_is_gone_is_forgotten_and_found_again(
    tmp_path: Path, readings: list[object]
) -> None:
    path = zipped(tmp_path / "a.zip", a="one")
    assert read(path, "a") == "one"
    away = path.rename(tmp_path / "away.zip")
    with pytest.raises(FileNotFoundError):
        read(path, "a")
    assert archives._kept == {}
    away.rename(path)
    assert read(path, "a") == "one"


def test_a_bad_member_does_not_cost_the_list(tmp_path: Path, readings: list[object]) -> None:
    path = zipped(tmp_path / "a.zip", a="one" * 50, b="two")
    content = bytearray(path.read_bytes())
    content[40] ^= 1
    path.write_bytes(content)
    readings.clear()
    for _ in range(3):
        with pytest.raises(ReadError, match="cannot be taken out"):
            read(path, "a")
        assert read(path, "b") == "two"
    assert len(readings) == 1


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="looks into Linux's /proc")  # noqa: PTH112
def test_no_file_stays_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for number in range(6):
        path = zipped(tmp_path / f"{number}.zip", a="one")
        assert read(path, "a") == "one"
        with pytest.raises(ReadError):
            read(path, "none")
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_the_last_few_are_kept(tmp_path: Path, readings: list[object]) -> None:
    paths = [zipped(tmp_path / f"{number}.zip", a=str(number)) for number in range(6)]
    for path in (*paths, paths[2], *paths[3:]):
        assert read(path, "a") == path.stem
    assert list(archives._kept) == paths[2:]
    readings.clear()
    for path in paths[2:]:
        read(path, "a")
    assert not readings
    read(paths[0], "a")
    assert (len(readings), list(archives._kept)) == (1, [*paths[3:], paths[0]])


def test_long_lists_push_others_out_and_the_longest_stays_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MOST_MEMBERS", 10)
    small = [zipped(tmp_path / f"{n}.zip", a="1", b="2", c="3") for n in range(3)]
    for path in small:
        read(path, "a")
    assert list(archives._kept) == small
    many = {f"m{number}": "x" for number in range(7)}
    middle = zipped(tmp_path / "middle.zip", **many)
    read(middle, "m1")
    assert list(archives._kept) == [small[2], middle]
    huge = zipped(tmp_path / "huge.zip", **many, **{f"n{n}": "x" for n in range(7)})
    read(huge, "n1")
    assert list(archives._kept) == [huge]


def test_several_threads_do_not_read_in_each_others_place(tmp_path: Path) -> None:
    members = {f"m{number}": f"{number} " * 5000 for number in range(40)}
    path = zipped(tmp_path / "a.zip", **members)
    wrong: list[str] = []

    def all_of_them() -> None:
        wrong.extend(name for name, said in members.items() if read(path, name) != said)

    threads = [threading.Thread(target=all_of_them) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert list(archives._kept) == [path]
