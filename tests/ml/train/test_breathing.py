"""Where a training looks through images, it asks before each whether to go on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.control import Breathing, Control, Stopped
from ml.data import canvases as canvas_files
from ml.mammo.codes import FindingType
from ml.mammo.geometry import Box
from ml.mammo.prepare import FineCanvas, Wants
from ml.manifest import BoxRow, Label, Manifest, ManifestRow, Split
from ml.models.classifier import build_classifier
from ml.models.detector import build_detector
from ml.train import command
from ml.train.classifier import make_variants
from ml.train.command import _held_out
from ml.train.crops import CropSource
from ml.train.hard import with_hard
from tests.factories.truths import SMALL, bright_disc_canvases, make_item

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ml.data.canvases import CanvasSet, Pair

IMAGES = 4


class Breaths(Control):
    """Counts how often it is asked, and ends the work at one of them."""

    def __init__(self, last: int = 10**9) -> None:
        self.count, self._last = 0, last

    def breathe(self) -> None:
        self.count += 1
        if self.count >= self._last:
            raise Stopped


@pytest.fixture(scope="module")
def canvases(tmp_path_factory: pytest.TempPathFactory) -> CanvasSet:
    return bright_disc_canvases(tmp_path_factory.mktemp("canvases"), IMAGES)


@pytest.fixture
def whole(canvases: CanvasSet) -> CropSource:
    return CropSource(canvases, tuple(range(IMAGES)), SMALL.rows, SMALL.columns)


def test_before_each_variant_that_passes_the_trunk(whole: CropSource) -> None:
    control, model = Breaths(), build_classifier(pretrained=False)
    made = make_variants(model, whole, 2, 1, control)
    assert control.count == len(made.crops) == 2 * IMAGES
    with pytest.raises(Stopped):
        make_variants(model, whole, 2, 1, Breaths(last=3))


def test_before_each_image_that_a_detector_looks_through(whole: CropSource) -> None:
    control = Breaths()
    with_hard(whole, build_detector(), control=control)
    assert control.count == IMAGES
    with pytest.raises(Stopped):
        with_hard(whole, build_detector(), control=Breaths(last=2))


def test_before_each_image_that_measures(canvases: CanvasSet) -> None:
    control = Breaths()
    purposes = {Split.VALIDATION: canvases, Split.TEST: canvases}
    held_out = _held_out(purposes, control)
    assert len(list(held_out.validation)) == len(list(held_out.validation)) == IMAGES
    (test,) = held_out.tests.values()
    assert len(list(test)) == IMAGES
    assert control.count == 3 * IMAGES


def test_things_are_the_same_each_time() -> None:
    things = Breathing((number for number in range(3)), Control())
    assert list(things) == list(things) == [0, 1, 2]


@pytest.mark.parametrize("role", ["detector", "calcifications"])
def test_images_that_were_prepared_are_not_prepared_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    asked: list[str] = []

    def listed(_: Manifest, rows: Sequence[ManifestRow], wants: Wants) -> Iterator[Pair]:
        for row in rows:
            asked.append(row.path)
            lesion = row.path != "0"
            item = make_item(row.path, ((1.0, 1.0, 9.0, 9.0),) if lesion else ())
            item = replace(item, finding_types=(FindingType.CALCIFICATIONS,) * lesion)
            whole = np.full((SMALL.rows, SMALL.columns), int(row.path), np.uint16)
            yield whole, FineCanvas(whole, 1.0, 1.0) if wants.fine else None, item

    monkeypatch.setattr(command, "listed_pairs", listed)
    monkeypatch.setattr(canvas_files, "NOTED", 2)
    rows = tuple(ManifestRow(str(i), f"woman {i}", split=Split.TRAIN) for i in range(6))
    manifest, wants = Manifest(tmp_path, rows), Wants(SMALL, (), SMALL)
    with pytest.raises(Stopped):
        command._prepared(manifest, Split.TRAIN, tmp_path, wants, role, Breaths(last=4))
    assert asked == ["0", "1", "2", "3"][: len(asked)]
    asked.clear()
    made = command._prepared(manifest, Split.TRAIN, tmp_path, wants, role, Control())
    assert asked == ["2", "3", "4", "5"]
    assert [int(pixels[0, 0]) for pixels, _ in made.images()] == list(range(6))
    assert [item.image_id for item in made.items] == [f"{number}-image" for number in range(6)]
    asked.clear()
    (tmp_path / command.CHECKED).touch()
    command._prepared(manifest, Split.TRAIN, tmp_path, wants, role, Control())
    assert asked == [], "they are there"
    assert (tmp_path / command.CHECKED).exists()
    # Where the tables say something else now, what was prepared is of no use.
    box = BoxRow("3", Box(1, 1, 9, 9), FindingType.CALCIFICATIONS)
    labelled = (replace(rows[0], label=Label.NORMAL), *rows[1:])
    for changed in (replace(manifest, boxes=(box,)), replace(manifest, rows=labelled)):
        asked.clear()
        command._prepared(changed, Split.TRAIN, tmp_path, wants, role, Control())
        assert asked == ["0", "1", "2", "3", "4", "5"]
    assert not (tmp_path / command.CHECKED).exists(), "and may be copies of others"
    # Of another list, what was begun is of no use.
    asked.clear()
    with pytest.raises(Stopped):
        command._prepared(manifest, Split.TRAIN, tmp_path / "b", wants, role, Breaths(last=4))
    other = replace(manifest, rows=tuple(replace(row, patient_id="x") for row in rows))
    asked.clear()
    command._prepared(other, Split.TRAIN, tmp_path / "b", wants, role, Control())
    assert asked[0] == "0"
