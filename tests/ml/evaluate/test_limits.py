"""Limits of paired differences: what is published of them, and what they say of few cases."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from ml.evaluate.limits import (
    design_effect,
    effective,
    gain_of,
    rate_limit,
    share_limit,
    share_score,
)
from ml.evaluate.needed import FEWEST, POWER, patients_needed
from ml.evaluate.pairs import Pairs, false_marks, images_told, lesions_found
from tests.factories.truths import make_judged, make_marked

TAIL = 0.025


def pairs(new, live, *, cases_each: int = 1, rates: bool = False) -> Pairs:
    """So many cases of each woman, one after the other."""
    patients = tuple(f"woman {n // cases_each}" for n in range(len(new)))
    return Pairs(patients, np.array(new, float), np.array(live, float), rates)


def test_tangos_interval_is_the_published_one() -> None:
    """Airway hyper-responsiveness (Bentur 2009), as Fagerland, Lydersen and Laake (2013) give
    it in BMC Medical Research Methodology 13:91."""
    assert share_limit(1, 7, 21, TAIL) == pytest.approx(-0.517, abs=5e-4)
    assert -share_limit(7, 1, 21, TAIL) == pytest.approx(-0.026, abs=5e-4)


@pytest.mark.parametrize(
    ("better", "worse", "cases"), [(3, 5, 20), (0, 4, 60), (9, 1, 12), (2, 2, 9)]
)
def test_the_score_is_that_of_the_likeliest_table(better: int, worse: int, cases: int) -> None:
    for difference in (-0.4, -0.05, 0.0, 0.2):

        def unlikely(lost: float, difference: float = difference) -> float:
            shares = (lost + difference, lost, 1 - 2 * lost - difference)
            counts = (better, worse, cases - better - worse)
            return -sum(
                n * math.log(max(p, 1e-300)) for n, p in zip(counts, shares, strict=True) if n
            )

        ends = (max(0.0, -difference), (1 - difference) / 2)
        lost = minimize_scalar(unlikely, bounds=ends, method="bounded").x
        error = math.sqrt(cases * (2 * lost + difference - difference**2))
        score = (better - worse - cases * difference) / error
        assert share_score(better, worse, cases, difference) == pytest.approx(score, abs=2e-2)


def test_where_nothing_differs_the_limits_are_known() -> None:
    # Wilson's interval of none in n; of counts the rule of three (Hanley 1983).
    squared = 1.959964**2
    for cases in (1, 30, 400):
        assert share_limit(0, 0, cases, TAIL) == pytest.approx(-squared / (cases + squared))
        assert rate_limit(0, 0, cases, TAIL) == pytest.approx(math.log(TAIL) / cases)
    assert share_limit(0, 7, 7, TAIL) == -1
    # Garwood's limits of ten, 4.795 and 18.39.
    assert rate_limit(10, 0, 1, TAIL) == pytest.approx(
        10 - math.hypot(10 - 4.795, 3.689), abs=1e-2
    )
    assert rate_limit(0, 10, 1, TAIL) == pytest.approx(-18.39, abs=1e-2)


def test_cases_that_are_alike_within_a_woman_count_once() -> None:
    missed = np.arange(60) < 6
    once = pairs(1 - missed, np.ones(60))
    twice = pairs(1 - np.repeat(missed, 2), np.ones(120), cases_each=2)
    apart = pairs(1 - np.tile(missed, 2), np.ones(120))
    assert design_effect(once) == design_effect(apart) == 1
    assert design_effect(twice) == pytest.approx(2, rel=0.01)
    assert effective(twice) == pytest.approx(effective(once), rel=0.01)
    # Nothing is known of how alike they are: as if wholly so.
    same = pairs(np.ones(120), np.ones(120), cases_each=4)
    assert effective(same) == (0, 0, 30)
    marks = pairs(np.zeros(120), np.zeros(120), cases_each=4, rates=True)
    assert effective(marks) == (0, 0, 30)


def test_marks_that_come_in_heaps_count_less() -> None:
    heap = pairs([12, *[0] * 59], np.zeros(60), rates=True)
    each = pairs([1] * 12 + [0] * 48, np.zeros(60), rates=True)
    assert design_effect(each) == pytest.approx(1, abs=0.1)
    assert design_effect(heap) > 8
    assert gain_of(heap, 0.95, 400).low < gain_of(each, 0.95, 400).low < -0.2


def test_the_more_cautious_limit_counts() -> None:
    rng = np.random.default_rng(0)
    for rates in (False, True):
        new, live = rng.integers(0, 2, (2, 80))
        some = pairs(new, live, rates=rates)
        found = gain_of(some, 0.95, 2000)
        better, worse, cases = effective(some)
        limit = rate_limit if rates else share_limit
        low, high = limit(better, worse, cases, TAIL), -limit(worse, better, cases, TAIL)
        assert low < found.value < high
        assert found.low <= low + 1e-9
        assert found.high >= high - 1e-9
    nothing = gain_of(pairs([], []), 0.95, 10)
    assert all(map(math.isnan, (nothing.value, nothing.low, nothing.high)))


def test_the_bootstrap_counts_where_it_is_the_wider_one() -> None:
    # One woman has half of all lesions: the draws know whether she is among them.
    patients = ("one",) * 60 + tuple(f"woman {n}" for n in range(60))
    missed = np.array([0.0] * 60 + [1.0] * 60)
    some = Pairs(patients, 1 - missed, np.ones(120))
    better, worse, cases = effective(some)
    assert gain_of(some, 0.95, 2000).low < share_limit(better, worse, cases, TAIL) - 0.01


@pytest.mark.parametrize("rates", [False, True])
@pytest.mark.parametrize("differ", [0, 3, 12])
def test_as_many_as_are_needed_tell_equal_models_four_times_in_five(
    differ: int, rates: bool
) -> None:
    new = [1] * differ + [0] * (60 - differ)
    margin = 0.1 if rates else 0.05
    needed = patients_needed(pairs(new, [0] * 60, rates=rates), margin, TAIL)
    assert needed > FEWEST
    rng, share = np.random.default_rng(5), (differ + 1) / 70 / 2
    passed = 0
    for _ in range(400):
        if rates:
            better, worse = rng.poisson(needed * share, 2)
            low = rate_limit(better, worse, needed, TAIL)
        else:
            better, worse, _ = rng.multinomial(needed, (share, share, 1 - 2 * share))
            low = share_limit(better, worse, needed, TAIL)
        passed += low >= -margin
    # Binomial, 400 of 0.8: 99.9 % lie at 295 or more, and some is wasted on whole numbers.
    assert 400 * POWER - 25 <= passed <= 400 * 0.95


def test_there_is_always_a_number_and_it_grows_with_what_is_asked() -> None:
    nobody = pairs([], [])
    usual = patients_needed(nobody, 0.05, TAIL)
    assert usual > FEWEST
    assert patients_needed(nobody, 0.05, TAIL / 4) > usual
    assert patients_needed(nobody, 0.02, TAIL) > usual
    assert patients_needed(nobody, 0.0, TAIL) > 100_000
    # Two cases a woman that are wholly alike: as many women, not half of them.
    few, each = pairs([1] * 40, [1] * 40), pairs([1] * 80, [1] * 80, cases_each=2)
    assert patients_needed(each, 0.05, TAIL) == patients_needed(few, 0.05, TAIL)


def test_each_model_is_held_against_its_own_threshold() -> None:
    new = [make_marked("ill", (0.6, 0.0)), make_marked("well", (), (0.6, 0.2))]
    live = [make_marked("ill", (0.3, 0.3)), make_marked("well", (), (0.3,))]
    found = lesions_found(new, live, (0.5, 0.2))
    assert (found.new.tolist(), found.live.tolist()) == ([1, 0], [1, 1])
    assert found.gains.tolist() == [0, -1]
    # A threshold of nothing does not hit what no mark hits.
    assert lesions_found(new, live, (0.0, 0.2)).new.tolist() == [1, 0]
    marks = false_marks(new, live, (0.1, 0.5))
    assert (marks.new.tolist(), marks.live.tolist(), marks.gains.tolist()) == ([2], [0], [-2])
    said = [make_judged("ill", 0.6, lesion=True), make_judged("well", 0.6, lesion=False)]
    ill, well = (images_told(said, said, (0.5, 0.7), lesion=each) for each in (True, False))
    assert (ill.new.tolist(), ill.live.tolist()) == ([1], [0])
    assert (well.new.tolist(), well.live.tolist()) == ([0], [1])
    with pytest.raises(ValueError, match="same images"):
        lesions_found(new, live[:1], (0.5, 0.5))
