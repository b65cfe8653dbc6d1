"""Painting into full-size images: the mask is kept, the place is the one that was asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.data.sources.phantoms import as_mammogram
from ml.errors import DataError
from ml.mammo.codes import BreastDensity, Laterality, PresentationIntent, ViewPosition
from ml.mammo.mammogram import LookupTable, PixelSpacing
from ml.mammo.prepare import FINE, prepare
from ml.phantom.phantom import Phantom, make_phantom
from ml.phantom.vendors import VENDORS
from ml.phantom.woman import draw_woman
from ml.synth.lesions import nipple_row, paint_lesion, place_of
from ml.synth.pipeline import Sampling
from ml.synth.prompts import Area, LesionKind, Prompt, Quadrant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ml.control import Control

HEALTHY = Prompt("alpha", ViewPosition.MLO, Area.BIG, BreastDensity.B, Laterality.RIGHT)
MASS = replace(HEALTHY, lesion=LesionKind.MASS, quadrant=Quadrant.UPPER_OUTER)


@dataclass(frozen=True)
class Brush:
    """Paints one grey level."""

    level: float

    def paint(
        self,
        pieces: NDArray[np.float32],
        masks: NDArray[np.bool_],
        prompts: Sequence[Prompt],
        seeds: Sequence[int],
        sampling: Sampling,
        control: Control,
    ) -> NDArray[np.float32]:
        return np.where(masks, np.float32(self.level), pieces)


@lru_cache
def phantom(maker: int = 0, view: ViewPosition = ViewPosition.MLO) -> Phantom:
    woman = draw_woman(20261124, lesion_rate=0.0)
    return make_phantom(woman, Laterality.RIGHT, view, vendor=VENDORS[maker])


@pytest.mark.parametrize("maker", [0, 2], ids=["MONOCHROME2", "MONOCHROME1"])
def test_a_bright_lesion_is_bright_and_nothing_else_changes(maker: int) -> None:
    made = phantom(maker)
    image = as_mammogram(made)
    painted = paint_lesion(Brush(1.0), made.pixels, image, MASS, 3, Sampling())  # type: ignore[arg-type]
    changed = painted.pixels != made.pixels
    assert painted.pixels.dtype == made.pixels.dtype
    assert changed.any()
    assert not changed[~painted.mask].any()
    brighter = painted.pixels.astype(int) - made.pixels
    assert (
        (brighter[changed] < 0).all() if made.vendor.inverted else (brighter[changed] > 0).all()
    )
    # Prepared again, the mask shows what was painted.
    again = prepare(painted.pixels, image, FINE)
    middle = again.to_stored.inverse().point(*painted.box.center)
    assert again.pixels[int(middle[0]), int(middle[1])] > 60_000


def test_the_box_is_that_of_the_mask() -> None:
    made = phantom()
    painted = paint_lesion(
        Brush(0.9),
        made.pixels,
        as_mammogram(made),
        MASS,
        4,
        Sampling(),  # type: ignore[arg-type]
    )
    rows, columns = np.nonzero(painted.mask)
    box = painted.box
    assert (box.row0, box.row1) == (rows.min(), rows.max() + 1)
    assert (box.col0, box.col1) == (columns.min(), columns.max() + 1)
    assert 50 <= max(box.size) <= 200, "6 to 16 mm, a little longer than wide"


def test_the_same_seed_paints_the_same_place() -> None:
    made = phantom()
    image = as_mammogram(made)
    boxes = [
        paint_lesion(Brush(0.9), made.pixels, image, MASS, seed, Sampling()).box  # type: ignore[arg-type]
        for seed in (1, 1, 2)
    ]
    assert boxes[0] == boxes[1] != boxes[2]


@pytest.mark.parametrize("view", [ViewPosition.CC, ViewPosition.MLO])
@pytest.mark.parametrize("quadrant", list(Quadrant))
def test_a_place_lies_in_the_half_that_its_view_shows(
    view: ViewPosition, quadrant: Quadrant
) -> None:
    made = phantom(view=view)
    canvas = prepare(made.pixels, as_mammogram(made), FINE).pixels
    prompt = replace(MASS, view=view, quadrant=quadrant)
    word = "upper" if view is ViewPosition.MLO else "outer"
    for seed in range(5):
        box = place_of(canvas, prompt, np.random.default_rng(seed))
        above = box.center[0] < nipple_row(canvas)
        assert above == (word in quadrant.value)
        assert canvas[int(box.row0) : int(box.row1), int(box.col0) : int(box.col1)].all()


def test_a_sham_may_lie_anywhere_in_the_tissue() -> None:
    made = phantom()
    painted = paint_lesion(
        Brush(0.5),
        made.pixels,
        as_mammogram(made),
        HEALTHY,
        5,
        Sampling(),  # type: ignore[arg-type]
    )
    assert (painted.pixels != made.pixels).any()


def test_without_room_it_says_so() -> None:
    canvas = np.zeros((2048, 1280), np.uint16)
    canvas[:30, :30] = 1
    with pytest.raises(DataError, match="no room in this breast"):
        place_of(canvas, MASS, np.random.default_rng(0))


@pytest.mark.parametrize(
    "changes",
    [
        {"spacing": PixelSpacing(0.2, 0.2, "test")},
        {"spacing": None},
        {"intent": PresentationIntent.FOR_PROCESSING},
        {"modality": LookupTable(np.arange(4096, dtype=np.uint16), 0, 12)},
    ],
)
def test_what_cannot_be_painted_is_refused(changes: dict) -> None:
    made = phantom()
    image = replace(as_mammogram(made), **changes)
    with pytest.raises(DataError, match="painted"):
        paint_lesion(Brush(0.5), made.pixels, image, MASS, 1, Sampling())  # type: ignore[arg-type]
