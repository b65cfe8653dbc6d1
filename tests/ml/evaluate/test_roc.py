from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from ml.evaluate.roc import area_under_roc, delong

TRUTHS = np.arange(40) % 3 == 0
SCORES = np.array(
    [
        [0.6, 0.46, 0.35, 0.42, 0.31, 0.2, 0.61, 0.67, 0.3, 0.48],
        [0.5, 0.47, 0.62, 0.21, 0.39, 0.74, 0.13, 0.31, 0.22, 0.14],
        [0.03, 0.55, 0.15, 0.45, 0.63, 0.36, 0.0, 0.49, 0.39, 0.42],
        [0.29, 0.3, 0.2, 0.44, 0.61, 0.24, 0.59, 0.58, 0.28, 0.58],
    ]
).ravel()
# Area and DeLong's 95 % interval of these by confidenceinterval 1.0.5 (roc_auc_score).
GOLDEN = (0.80906594, 0.6650453977090294, 0.9530864782827919)


def test_delong_is_what_another_implementation_gives() -> None:
    found = delong([str(i) for i in range(40)], SCORES, TRUTHS)
    assert (found.value, found.low, found.high) == pytest.approx(GOLDEN, abs=1e-7)


def test_copies_of_a_patients_images_do_not_narrow_it() -> None:
    """The interval over images would shrink to half; over patients it hardly moves."""
    patients = [str(i) for i in range(40)] * 4
    found = delong(patients, np.tile(SCORES, 4), np.tile(TRUTHS, 4))
    assert (found.value, found.low, found.high) == pytest.approx(GOLDEN, abs=1e-7)


def test_images_of_both_kinds_in_one_patient_move_together() -> None:
    rng = np.random.default_rng(5)
    shift = np.repeat(rng.normal(0, 1, 60), 2)
    truths = np.arange(120) % 2 == 0
    scores = shift + truths * 0.8 + rng.normal(0, 0.2, 120)
    paired = delong([str(i // 2) for i in range(120)], scores, truths)
    alone = delong([str(i) for i in range(120)], scores, truths)
    assert paired.high - paired.low < 0.8 * (alone.high - alone.low)


def test_the_area_is_scikit_learns() -> None:
    scores = np.round(np.random.default_rng(2).random(60), 1)
    truths = np.arange(60) % 4 == 0
    assert area_under_roc(scores, truths) == pytest.approx(roc_auc_score(truths, scores))


@pytest.mark.parametrize("truths", [[True] * 4, [False] * 4, [True, False, False, False]])
def test_what_data_cannot_define_is_nan(truths: list[bool]) -> None:
    found = delong(list("abcd"), np.array([0.4, 0.1, 0.2, 0.9]), np.array(truths))
    assert math.isnan(found.low)


def test_perfect_order_gives_no_interval_of_width_zero() -> None:
    found = delong(list("abcd"), np.array([0.9, 0.8, 0.2, 0.1]), np.array([1, 1, 0, 0], bool))
    assert found.value == 1
    assert math.isnan(found.low)
    assert found.to_json() == {"value": 1.0, "low": None, "high": None}
