from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from ml.evaluate.bootstrap import interval

if TYPE_CHECKING:
    from collections.abc import Sequence

Case = tuple[str, float]


def patient(case: Case) -> str:
    return case[0]


def mean(cases: Sequence[Case]) -> float:
    return float(np.mean([value for _, value in cases]))


def test_the_interval_of_a_mean_is_the_textbook_one() -> None:
    values = np.random.default_rng(1).normal(5, 2, 200)
    low, high = interval([(str(i), v) for i, v in enumerate(values)], patient, mean)
    half = 1.96 * values.std(ddof=1) / np.sqrt(len(values))
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.06)


def test_copies_of_a_patients_images_do_not_narrow_it() -> None:
    values = np.random.default_rng(2).normal(0, 1, 40)
    alone = interval([(str(i), v) for i, v in enumerate(values)], patient, mean)
    copied = interval(
        [(str(i), v) for i, v in enumerate(values) for _ in range(8)], patient, mean
    )
    assert copied == pytest.approx(alone)


def test_draws_that_define_nothing_are_left_out() -> None:
    cases = [("a", 1.0), ("b", 2.0)]
    low, high = interval(cases, patient, lambda c: math.nan if len({*c}) < 2 else mean(c))
    assert (low, high) == (1.5, 1.5)
    assert all(map(math.isnan, interval(cases, patient, lambda _: math.nan, draws=5)))


def test_of_one_patient_there_is_no_interval() -> None:
    low, high = interval([("a", 1.0), ("a", 2.0)], patient, mean, draws=20)
    assert math.isnan(low)
    assert math.isnan(high)


def test_the_interval_is_scipys_over_the_patients() -> None:
    """Women of three images each: scipy draws their means, we draw them with their images."""
    values = np.random.default_rng(8).gamma(2, 1, (60, 3))
    cases = [(str(i), float(value)) for i, row in enumerate(values) for value in row]
    known = stats.bootstrap(
        (values.mean(1),),
        np.mean,
        n_resamples=4000,
        method="percentile",
        rng=np.random.default_rng(9),
    ).confidence_interval
    ours = interval(cases, patient, mean, draws=4000)
    assert ours == pytest.approx((known.low, known.high), abs=0.02)
