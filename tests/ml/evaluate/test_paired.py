from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.evaluate.classification import area_under_curve
from ml.evaluate.paired import paired_difference
from tests.factories.truths import make_judged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ml.evaluate.outcomes import Judged

WOMEN = 60


def area(judged: Sequence[Judged]) -> float:
    return area_under_curve(judged, lambda o: o.said.lesion, lambda o: o.item.lesion)


def judged(skill: float, hardness: Sequence[float]) -> list[Judged]:
    """One image a woman, every other one with a lesion; its hardness is the same to all."""
    images = []
    for number, hard in enumerate(hardness):
        lesion = number % 2 == 0
        score = 1 / (1 + np.exp(-(skill * lesion + hard)))
        one = make_judged(f"woman {number}", float(score), lesion=lesion)
        images.append(replace(one, item=replace(one.item, image_id=f"image {number}")))
    return images


HARDNESS = np.random.default_rng(20261123).normal(size=WOMEN).tolist()


def test_a_model_is_no_better_than_itself() -> None:
    once = judged(1.0, HARDNESS)
    found = paired_difference(once, list(reversed(once)), area, draws=50)
    assert (found.value, found.low, found.high) == (0, 0, 0)


def test_what_is_hard_for_both_does_not_blur_the_difference() -> None:
    better, worse = judged(1.3, HARDNESS), judged(1.0, HARDNESS)
    found = paired_difference(better, worse, area, draws=400)
    assert found.value == pytest.approx(area(better) - area(worse))
    # A pair says that the first is better, where each one's own interval is far wider.
    assert 0 < found.low < found.high < 0.2


def test_other_images_are_refused() -> None:
    with pytest.raises(ValueError, match="same images"):
        paired_difference(judged(1.0, HARDNESS), judged(1.0, HARDNESS[:-1]), area)
