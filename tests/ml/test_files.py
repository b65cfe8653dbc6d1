from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest

from ml.files import replacing, reserve, telling_full

if TYPE_CHECKING:
    from pathlib import Path


def half_written(path: Path) -> None:
    with replacing(path) as fresh:
        fresh.write_text("ne")
        raise OSError("the disk is full")


def test_a_file_takes_its_place_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    path.write_text("old")
    with replacing(path) as fresh:
        fresh.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_what_breaks_off_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    path.write_text("old")
    with pytest.raises(OSError, match="full"):
        half_written(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_told_whatever_a_library_calls_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write() -> None:
        with telling_full(tmp_path):
            raise RuntimeError("basic_ios::clear: iostream error")

    with pytest.raises(RuntimeError, match="iostream"):
        write()
    monkeypatch.setattr("ml.files.FULL_BYTES", 1 << 62)
    with pytest.raises(OSError, match="No space left") as told:
        write()
    assert told.value.errno == errno.ENOSPC


def test_room_is_reserved_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "canvases"
    path.write_bytes(b"ab")
    reserve(path, 1, 4)
    assert path.read_bytes() == b"ab\0\0\0"
    with pytest.raises(OSError, match=r"large|space"):
        reserve(path, 0, 1 << 60)
