"""The gate: what it lets through, what it holds back, and how often it errs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ml.evaluate import gate
from ml.evaluate.bootstrap import Estimate
from ml.evaluate.gate import (
    ERROR,
    Compared,
    Margins,
    Standing,
    compare_classifiers,
    compare_detectors,
    decide,
    level_after,
)
from tests.factories.truths import make_judged, make_marked

POINT = 0.5
POINTS = (POINT, POINT)


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "DRAWS", 400)
    monkeypatch.setattr(gate, "LEAST_BEYOND", 1)


def judged(found: int, lesions: int, let_go: int, healthy: int):
    """The first so many of the ill are called, the first so many of the healthy let go."""
    ill = [
        make_judged(f"ill {n}", 0.9 if n < found else 0.1, lesion=True) for n in range(lesions)
    ]
    well = [
        make_judged(f"well {n}", 0.1 if n < let_go else 0.9, lesion=False)
        for n in range(healthy)
    ]
    return [*ill, *well]


def test_the_same_model_is_not_worse_than_itself() -> None:
    live = judged(80, 100, 90, 100)
    compared = compare_classifiers(live, live, POINTS, Margins())
    assert [one.standing for one in compared] == [Standing.NOT_WORSE] * 2
    assert [one.name for one in compared] == ["Sensitivity", "Specificity"]
    assert [one.patients for one in compared] == [100, 100]
    decision = decide(compared, audit_is_green=True)
    assert decision.promoted
    assert not decision.reasons


def test_a_better_model_is_better_and_a_worse_one_worse() -> None:
    live, new = judged(60, 100, 90, 100), judged(80, 100, 60, 100)
    sensitivity, specificity = compare_classifiers(new, live, POINTS, Margins())
    assert sensitivity.standing is Standing.BETTER
    assert sensitivity.gain.value == pytest.approx(0.2)
    assert specificity.standing is Standing.WORSE
    decision = decide((sensitivity, specificity), audit_is_green=True)
    assert not decision.promoted
    (reason,) = decision.reasons
    assert reason.startswith("Specificity: 0.900 in use, 0.600 new; it is worse")


def test_each_model_keeps_its_own_operating_point() -> None:
    live = judged(60, 100, 90, 100)
    sensitivity, _ = compare_classifiers(live, live, (0.05, POINT), Margins())
    assert (sensitivity.live, sensitivity.new) == (0.6, 1.0)


def test_too_few_lesions_are_said_with_the_number_that_is_needed() -> None:
    # One lost in twelve: the limit reaches far beyond the margin, the other end holds 0.
    live, new = judged(10, 12, 90, 100), judged(9, 12, 90, 100)
    margins = Margins(sensitivity=0.1)
    sensitivity, _ = compare_classifiers(new, live, POINTS, margins)
    assert sensitivity.standing is Standing.TOO_FEW
    low, value = sensitivity.gain.low, sensitivity.gain.value
    assert sensitivity.needed == math.ceil(12 * ((value - low) / (value + 0.1)) ** 2)
    assert sensitivity.needed > 12
    assert f"some {sensitivity.needed} are needed" in sensitivity.sentence()
    # As many as were said, and it is let through.
    times = math.ceil(sensitivity.needed / 12) + 1
    more, before = judged(9 * times, 12 * times, 9, 10), judged(10 * times, 12 * times, 9, 10)
    assert compare_classifiers(more, before, POINTS, margins)[0].standing is Standing.NOT_WORSE


def test_without_a_single_lesion_nothing_is_told() -> None:
    live = judged(0, 0, 90, 100)
    sensitivity, _ = compare_classifiers(live, live, POINTS, Margins())
    assert (sensitivity.standing, sensitivity.needed) == (Standing.TOO_FEW, None)
    assert "too few to tell anything" in sensitivity.sentence()


def test_fewer_false_marks_are_a_gain() -> None:
    def marked(marks: int):
        ill = [make_marked(f"ill {n}", (0.9,)) for n in range(40)]
        return [*ill, *(make_marked(f"well {n}", (), (0.9,) * marks) for n in range(40))]

    sensitivity, marks = compare_detectors(marked(0), marked(1), POINTS, Margins())
    assert sensitivity.standing is Standing.NOT_WORSE
    assert (marks.live, marks.new, marks.gain.value) == (1.0, 0.0, 1.0)
    assert marks.standing is Standing.BETTER
    assert (
        compare_detectors(marked(1), marked(0), POINTS, Margins())[1].standing is Standing.WORSE
    )


def test_no_model_passes_an_audit_that_is_not_green_or_without_a_comparison() -> None:
    live = judged(80, 100, 90, 100)
    compared = compare_classifiers(live, live, POINTS, Margins())
    assert decide(compared, audit_is_green=False).reasons == (
        "The audit of the training data was not green.",
    )
    assert not decide((), audit_is_green=True).promoted


def test_a_test_part_that_is_used_again_asks_for_more() -> None:
    assert level_after(1) == pytest.approx(1 - 2 * ERROR)
    assert level_after(10) == pytest.approx(1 - 2 * ERROR / 10)
    new, live = judged(82, 100, 90, 100), judged(84, 100, 90, 100)
    once, often = (
        compare_classifiers(new, live, POINTS, Margins(), uses)[0] for uses in (1, 20)
    )
    assert often.gain.low < once.gain.low


def test_each_standing_has_its_sentence() -> None:
    gain = Estimate(0.0, -0.1, 0.1)
    for standing in Standing:
        for needed in (None, 7) if standing is Standing.TOO_FEW else (None,):
            one = Compared("Sensitivity", 0.8, 0.8, gain, 0.05, 12, standing, needed)
            said = one.sentence()
            assert said.startswith("Sensitivity: 0.800 in use, 0.800 new")
            assert "{" not in said


@pytest.mark.slow
def test_a_worse_model_passes_as_rarely_as_was_chosen() -> None:
    """Exactly at the margin, one of forty passes: the error that was chosen, not more."""
    rng = np.random.default_rng(1)
    margin, lesions, trials = 0.1, 150, 400
    passed = 0
    for _ in range(trials):
        live, new = rng.random(lesions) < 0.8, rng.random(lesions) < 0.8 - margin
        sets = [
            [
                make_judged(f"ill {n}", 0.9 if found else 0.1, lesion=True)
                for n, found in enumerate(each)
            ]
            for each in (new, live)
        ]
        found = compare_classifiers(sets[0], sets[1], POINTS, Margins(margin), 1)[0]
        passed += found.standing in (Standing.NOT_WORSE, Standing.BETTER)
    # Binomial, 400 of 0.025: 99.9 % lie at 20 or less.
    assert passed <= 20
