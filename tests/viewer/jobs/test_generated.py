"""What a generation left, read and saved; its writer is the real one."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.errors import DataError
from ml.mammo.geometry import Box
from ml.manifest import read_manifest
from ml.synth.output import Generated, Making, writing
from ml.synth.prompts import read_prompt
from viewer.jobs.generated import NOT_KEPT, read_left, save_shots, write_not_kept

if TYPE_CHECKING:
    from pathlib import Path

MASS = (
    "a alpha mammogram in MLO view with medium area and high density, left breast, "
    "with a mass in the upper outer quadrant"
)


def image(seed: int) -> Generated:
    making = Making("tiny@1", "a" * 64, read_prompt(MASS, ("alpha",)), seed, 20, 3.0)
    return Generated(np.full((64, 64), 700, np.uint16), 0.8, making, (Box(1, 2, 30, 40),))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "made"
    with writing(made) as write:
        write.keep(image(1), 1)
        write.refuse(image(2), 2, "The breast's outline is broken.")
        write.keep(image(3), 2)
    return made


def test_all_that_was_made_is_found(folder: Path) -> None:
    shots = read_left(folder).shots
    assert [(shot.number, shot.passed, shot.reason) for shot in shots] == [
        (1, True, ""),
        (2, False, "The breast's outline is broken."),
        (2, True, ""),
    ]
    assert shots[1].path == str(folder / "rejected" / "00002-1.dcm")
    assert all(shot.prompt == MASS for shot in shots)


def test_a_folder_that_has_not_begun_holds_nothing(tmp_path: Path) -> None:
    assert read_left(tmp_path / "none").shots == ()


def test_what_is_not_kept_is_read_again(folder: Path) -> None:
    write_not_kept(folder, ["00002.dcm", "00002-1.dcm"])
    shots = read_left(folder).shots
    # What the filters refused is never kept anyway.
    assert [shot.wanted for shot in shots] == [True, True, False]
    write_not_kept(folder, [])
    assert all(shot.wanted for shot in read_left(folder).shots)


@pytest.mark.parametrize("content", ["", "{", "3", '"00001.dcm"'])
def test_a_list_of_choices_that_cannot_be_read_is_none(folder: Path, content: str) -> None:
    (folder / NOT_KEPT).write_text(content)
    assert all(shot.wanted for shot in read_left(folder).shots)


def test_saving_all_gives_the_tables_of_the_generation(folder: Path, tmp_path: Path) -> None:
    kept = [shot.path for shot in read_left(folder).shots if shot.kept]
    assert save_shots(folder, kept, tmp_path / "chosen") == 2
    made, saved = read_manifest(folder), read_manifest(tmp_path / "chosen")
    assert (saved.rows, saved.boxes) == (made.rows, made.boxes)
    names = sorted(path.name for path in (tmp_path / "chosen").iterdir())
    pictures = ["00001.dcm", "00001.png", "00002.dcm", "00002.png"]
    assert names == [*pictures, "boxes.csv", "manifest.csv"]


def test_what_was_refused_is_never_saved(folder: Path, tmp_path: Path) -> None:
    paths = [shot.path for shot in read_left(folder).shots if not shot.passed]
    assert save_shots(folder, paths, tmp_path / "chosen") == 0


def test_a_full_disk_leaves_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy, copied = shutil.copy2, list[str]()

    def fail(source: Path, target: Path) -> None:
        copied.append(target.name)
        if len(copied) > 2:
            raise OSError(28, "No space left on device")
        copy(source, target)

    monkeypatch.setattr(shutil, "copy2", fail)
    with pytest.raises(DataError, match="No space left"):
        save_shots(folder, [s.path for s in read_left(folder).shots], tmp_path / "chosen")
    assert not (tmp_path / "chosen").exists()


def test_a_folder_with_something_in_it_is_refused(folder: Path) -> None:
    with pytest.raises(DataError, match="not empty"):
        save_shots(folder, [], folder)
