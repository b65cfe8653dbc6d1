from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.evaluate.outcomes import marked
from ml.evaluate.precision import (
    average_precisions,
    match_image,
    overlaps,
    torchmetrics_precisions,
)
from ml.infer.detections import Detections
from tests.factories.truths import make_item

if TYPE_CHECKING:
    from ml.evaluate.outcomes import Marked


def scattered(seed: int, images: int = 30) -> list[Marked]:
    """Marks that lie more or less on the lesions, and others that do not."""
    rng = np.random.default_rng(seed)
    made: list[Marked] = []
    for number in range(images):
        corners = rng.uniform(0, 200, (rng.integers(0, 4), 2))
        boxes = np.hstack([corners, corners + rng.uniform(15, 40, corners.shape)])
        near = np.repeat(boxes, 2, 0) + rng.normal(0, 3, (2 * len(boxes), 4))
        far = rng.uniform(0, 200, (rng.integers(0, 3), 2))
        marks = np.vstack([near, np.hstack([far, far + 25])]).astype(np.float32)
        scores = np.sort(rng.random(len(marks)).astype(np.float32))[::-1]
        marks = marks[rng.permutation(len(marks))]
        seen = Detections(marks, np.zeros(len(marks), np.int64), scores)
        item = make_item(
            f"p{number}",
            tuple((float(a), float(b), float(c), float(d)) for a, b, c, d in boxes),
        )
        made.append(marked(item, seen))
    return made


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_our_arrays_say_what_torchmetrics_says(seed: int) -> None:
    outcomes = scattered(seed)
    ours = average_precisions([match_image(outcome) for outcome in outcomes])
    assert 0.1 < ours["mAP50-95"] < ours["mAP50"] < 0.95, "a case that tells them apart"
    assert ours == pytest.approx(torchmetrics_precisions(outcomes), abs=1e-6)


def test_overlap_is_intersection_over_union() -> None:
    one = np.array([[0, 0, 10, 10], [0, 0, 0, 0]], np.float32)
    other = np.array([[0, 5, 10, 15], [20, 20, 30, 30]], np.float32)
    assert overlaps(one, other) == pytest.approx(np.array([[1 / 3, 0], [0, 0]]))


def test_without_lesions_there_is_no_precision() -> None:
    outcomes = [marked(make_item(), Detections(*(np.zeros(s) for s in ((0, 4), 0, 0))))]  # type: ignore[arg-type]
    for found in (
        average_precisions([match_image(outcomes[0])]),
        torchmetrics_precisions(outcomes),
    ):
        assert all(map(math.isnan, found.values()))
