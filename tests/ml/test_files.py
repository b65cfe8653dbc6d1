from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ml.files import replacing

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
