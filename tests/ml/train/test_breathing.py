"""Where a training looks through images, it asks before each whether to go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ml.control import Breathing, Control, Stopped
from ml.manifest import Split
from ml.models.classifier import build_classifier
from ml.models.detector import build_detector
from ml.train.classifier import make_variants
from ml.train.command import _held_out
from ml.train.crops import CropSource
from ml.train.hard import with_hard
from tests.factories.truths import SMALL, bright_disc_canvases

if TYPE_CHECKING:
    from ml.data.canvases import CanvasSet

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
