from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.evaluate.outcomes import judge_images, mark_images, marked
from ml.infer.detections import Detections
from ml.infer.on_cpu import CpuEngine
from ml.registry import read_pack
from tests.factories.packs import SPEC, make_packs
from tests.factories.truths import make_item

if TYPE_CHECKING:
    from pathlib import Path


def marks(*boxes: tuple[float, float, float, float]) -> Detections:
    scores = np.linspace(0.9, 0.5, len(boxes)).astype(np.float32)
    corners = np.array(boxes, np.float32).reshape(-1, 4)
    return Detections(corners, np.zeros(len(boxes), np.int64), scores)


def test_a_mark_hits_where_its_middle_lies_in_the_lesion() -> None:
    item = make_item(boxes=((10, 10, 20, 20),))
    seen = marked(item, marks((0, 0, 8, 8), (14, 14, 40, 24), (16, 16, 18, 18)))
    assert seen.hits.tolist() == [False, False, True]
    assert seen.lesion_scores == pytest.approx([0.5])


def test_the_best_of_several_hits_counts() -> None:
    seen = marked(make_item(boxes=((0, 0, 9, 9),)), marks((2, 2, 4, 4), (3, 3, 5, 5)))
    assert seen.lesion_scores == pytest.approx([0.9])


def test_a_mark_may_hit_two_lesions_that_overlap() -> None:
    item = make_item(boxes=((0, 0, 9, 9), (1, 1, 20, 20)))
    assert (marked(item, marks((2, 2, 4, 4))).lesion_scores > 0).all()


def test_without_marks_nothing_is_found() -> None:
    seen = marked(make_item(boxes=((0, 0, 9, 9),)), marks())
    assert seen.lesion_scores.tolist() == [0.0]
    assert seen.scores.size == seen.hits.size == 0


def test_without_lesions_every_mark_is_false() -> None:
    seen = marked(make_item(), marks((2, 2, 4, 4)))
    assert seen.lesion_scores.size == 0
    assert seen.hits.tolist() == [False]


def test_both_models_are_run_as_in_use(tmp_path: Path) -> None:
    folders = make_packs(tmp_path)
    load = CpuEngine("f32").load
    image = (np.full((SPEC.rows, SPEC.columns), 32768, np.uint16), make_item())
    (one,) = mark_images(load(read_pack(folders["detector"])), [image])
    (other,) = judge_images(load(read_pack(folders["classifier"])), [image])
    assert one.scores == pytest.approx([0.45, 0.3], abs=1e-3)
    assert other.said.lesion == pytest.approx(0.5, abs=1e-3)
