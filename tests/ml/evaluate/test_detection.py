from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.evaluate.detection import (
    RATES,
    detection_report,
    false_marks_at,
    false_marks_over_all,
    froc,
    froc_curve,
    sensitivity_at,
    threshold_at,
    threshold_over_all,
)
from ml.evaluate.figures import detector_figures
from ml.findings import OperatingPoint
from tests.factories.truths import make_marked

if TYPE_CHECKING:
    from ml.evaluate.outcomes import Marked

NORMALS = [make_marked("n1", scores=(0.9, 0.2)), make_marked("n2", scores=(0.5,))]
SICK = [make_marked("s1", found=(0.95, 0.4), scores=(0.99,)), make_marked("s2", found=(0.0,))]
# Lesions by the score that finds them (0: missed) and false marks, image by image.
IMAGES = (
    ((), (0.62, 0.31, 0.12)),
    ((0.91,), (0.4, 0.22)),
    ((), (0.55,)),
    ((0.77, 0.71), (0.35,)),
    ((0.0,), ()),
    ((), ()),
    ((0.48,), (0.47, 0.15)),
    ((), (0.83, 0.3)),
    ((0.66,), ()),
    ((0.0,), ()),
    ((), (0.28,)),
    ((0.58, 0.57), (0.11,)),
)
# Lesions found, and false marks, above a threshold, by coco-froc-analysis 0.2.15 (froc_point,
# middle in box) on these images. It counts every lesion of an image as found where there are as
# many marks; the images were chosen so that this is no error.
GOLDEN = (
    (0.1, 7, 13),
    (0.2, 7, 10),
    (0.29, 7, 8),
    (0.33, 7, 6),
    (0.45, 7, 4),
    (0.5, 6, 3),
    (0.56, 6, 2),
    (0.6, 4, 2),
    (0.7, 3, 1),
    (0.8, 1, 1),
    (0.9, 1, 0),
)


def test_the_threshold_lets_as_many_false_marks_through_as_allowed() -> None:
    for rate, threshold in ((0.5, 0.5), (1.0, 0.2), (1.5, 0.0)):
        assert threshold_at(NORMALS, rate) == pytest.approx(threshold)
        assert false_marks_at(NORMALS, threshold_at(NORMALS, rate)) <= rate


def test_marks_on_images_with_a_lesion_are_not_counted_as_false() -> None:
    assert threshold_at([*NORMALS, *SICK], 0.5) == threshold_at(NORMALS, 0.5)


def test_over_all_images_a_mark_beside_the_lesion_is_false() -> None:
    both = [*NORMALS, *SICK]
    assert false_marks_over_all(both, 0.5) == pytest.approx(3 / 4)
    assert false_marks_over_all(both, threshold_over_all(both, 0.5)) == pytest.approx(2 / 4)


def test_sensitivity_counts_lesions_not_images() -> None:
    assert sensitivity_at(SICK, 0.5) == pytest.approx(1 / 3)
    assert sensitivity_at(SICK, 0.4) == pytest.approx(2 / 3)
    assert sensitivity_at(SICK, 0.0) == pytest.approx(2 / 3), "a lesion never hit is missed"


def test_a_point_of_the_curve() -> None:
    assert froc([*NORMALS, *SICK], 0.5) == pytest.approx(1 / 3)
    assert froc([*NORMALS, *SICK], 1.0) == pytest.approx(2 / 3)


def test_undefined_figures_are_nan() -> None:
    assert math.isnan(threshold_at(SICK, 1.0))
    assert math.isnan(froc(NORMALS, 1.0))
    assert detector_figures(NORMALS, "normals", draws=20) == []


def test_lesions_that_can_be_seen_have_their_own_figures() -> None:
    """The faint one is neither found nor missed, and its image is not lesion-free."""
    faint, plain = (
        make_marked("s1", found=(0.95, 0.0), scores=(0.9,)),
        make_marked("s2", (0.4,)),
    )
    outcomes = [
        *NORMALS,
        replace(faint, item=replace(faint.item, detectability=(4.0, 1.0))),
        replace(plain, item=replace(plain.item, detectability=(2.0,))),
    ]
    figures = {f.name: f.value for f in detector_figures(outcomes, "made up", draws=50)}
    name = "sensitivity at 0.5 false marks per lesion-free image"
    assert figures[name] == pytest.approx(1 / 3, abs=1e-3)
    assert figures[f"{name}, lesions of d' 3 or more"] == 1.0


def golden_images():
    return [make_marked(f"p{i}", *marks) for i, marks in enumerate(IMAGES)]


@pytest.mark.parametrize(("threshold", "found", "false"), GOLDEN)
def test_froc_is_what_another_implementation_counts(
    threshold: float, found: int, false: int
) -> None:
    images = golden_images()
    assert sensitivity_at(images, threshold) == pytest.approx(found / 9)
    assert false_marks_over_all(images, threshold) == pytest.approx(false / len(images))


def brute_force(rate: float) -> float:
    """The best sensitivity of any threshold with few enough false marks, by trying them all."""
    normals = [false for found, false in IMAGES if not found]
    best = 0.0
    for threshold in np.arange(0.1, 1.0, 0.001):
        marks = sum(score >= threshold for false in normals for score in false)
        hits = sum(score >= threshold for found, _ in IMAGES for score in found)
        if marks <= rate * len(normals):
            best = max(best, hits / 9)
    return best


@pytest.mark.parametrize("rate", RATES)
def test_every_rate_is_the_best_threshold_of_all(rate: float) -> None:
    assert froc(golden_images(), rate) == pytest.approx(brute_force(rate))


def test_the_report_holds_every_rate_the_frozen_points_and_its_rule() -> None:
    point = OperatingPoint("half", 0.5, "validation")
    report = detection_report(golden_images(), [point], draws=50)
    free = report["froc_lesion_free"]
    assert isinstance(free, list)
    assert [each["false_marks"] for each in free] == [0.125, 0.25, 0.5, 1, 2, 4]
    (achieved,) = report["operating_points"]  # type: ignore[misc]
    assert achieved["sensitivity"]["value"] == pytest.approx(6 / 9, abs=1e-4)
    assert achieved["false_marks_per_lesion_free_image"]["value"] == pytest.approx(0.6)
    assert achieved["false_marks_per_image"]["value"] == pytest.approx(0.25)
    low, high = (achieved["sensitivity"][end] for end in ("low", "high"))
    assert low < 6 / 9 < high
    assert "middle lies in" in str(report["hit_rule"])
    assert (report["lesions"], report["lesion_free_images"]) == (9, 5)


def test_the_curve_rises() -> None:
    curve = froc_curve(golden_images())
    assert curve["false_marks"] == sorted(curve["false_marks"])
    assert curve["sensitivity"] == sorted(curve["sensitivity"])
    unmarked = [make_marked("n"), make_marked("s", found=(0.0,))]
    assert froc_curve(unmarked)["false_marks"] == [0.0], "no mark at all"
    assert froc_curve(NORMALS) == {"false_marks": [], "sensitivity": []}
    assert froc_curve(SICK) == {"false_marks": [], "sensitivity": []}


@pytest.mark.parametrize(
    "outcomes",
    [
        [make_marked("a", (), (0.6,)), make_marked("b")],
        [make_marked("a", (0.7,), (0.6,)), make_marked("b", (0.0,))],
        [make_marked("a")],
    ],
)
def test_what_the_data_do_not_define_is_left_empty(outcomes: list[Marked]) -> None:
    report = detection_report(outcomes, (OperatingPoint("half", 0.5, "test"),), draws=5)
    json.dumps(report, allow_nan=False)
