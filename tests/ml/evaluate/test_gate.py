"""The gate: what it lets through, what it holds back, and how often it errs."""

from __future__ import annotations

import pytest
from scipy.stats import binom, poisson

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
from ml.evaluate.needed import FEWEST
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
    assert [one.needed for one in compared] == [None, None]
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
    assert sensitivity.needed is not None
    assert sensitivity.needed > 12
    assert "12 patients are too few to tell" in sensitivity.sentence()
    assert f"some {sensitivity.needed} are needed" in sensitivity.sentence()
    # As many as were said, as good as the one in use, and it is let through at the next use.
    more = judged(sensitivity.needed - 9, sensitivity.needed, 9, 10)
    again, _ = compare_classifiers(more, more, POINTS, margins, 2)
    assert again.standing is Standing.NOT_WORSE


def test_where_a_loss_is_seen_the_number_is_not_what_is_missing() -> None:
    # Twenty lost in four hundred: two equal models would have been told so by fewer.
    live, new = judged(380, 400, 90, 100), judged(360, 400, 90, 100)
    sensitivity, _ = compare_classifiers(new, live, POINTS, Margins(0.06))
    assert sensitivity.standing is Standing.TOO_FEW
    assert sensitivity.needed is not None
    assert sensitivity.needed <= 400
    assert "are needed" not in sensitivity.sentence()
    assert "this one may well be worse" in sensitivity.sentence()


@pytest.mark.parametrize("lesions", [1, 2, 5, FEWEST - 1])
def test_a_few_lesions_show_nothing_however_they_fall(lesions: int) -> None:
    none, every = judged(0, lesions, 100, 100), judged(lesions, lesions, 100, 100)
    for new, live in ((every, every), (every, none), (none, every)):
        sensitivity, specificity = compare_classifiers(new, live, POINTS, Margins())
        assert sensitivity.standing is Standing.TOO_FEW
        assert sensitivity.needed is not None
        assert sensitivity.needed > FEWEST
        assert specificity.standing is Standing.NOT_WORSE
        assert not decide((sensitivity, specificity), audit_is_green=True).promoted


def test_many_lesions_of_few_women_are_few() -> None:
    def found(women: int, lesions: int):
        ill = [make_marked(f"ill {n}", (0.9,) * lesions) for n in range(women)]
        return [*ill, *(make_marked(f"well {n}", ()) for n in range(100))]

    few, many = found(5, 40), found(200, 1)
    assert compare_detectors(few, few, POINTS, Margins())[0].standing is Standing.TOO_FEW
    assert compare_detectors(many, many, POINTS, Margins())[0].standing is Standing.NOT_WORSE


def test_without_a_single_lesion_it_is_said_how_many_are_needed() -> None:
    live = judged(0, 0, 90, 100)
    sensitivity, _ = compare_classifiers(live, live, POINTS, Margins())
    assert sensitivity.standing is Standing.TOO_FEW
    assert sensitivity.needed is not None
    assert sensitivity.needed > 100
    said = sensitivity.sentence()
    assert said.startswith("Sensitivity: too few to tell, for it is measured on nobody.")
    assert f"Some {sensitivity.needed} patients" in said


def test_fewer_false_marks_are_a_gain() -> None:
    def marked(marks: int):
        ill = [make_marked(f"ill {n}", (0.9,)) for n in range(90)]
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


def test_no_model_passes_that_was_trained_on_red_data_for_whatever_reason() -> None:
    live = judged(80, 100, 90, 100)
    compared = compare_classifiers(live, live, POINTS, Margins())
    decision = decide(compared, audit_is_green=True, overrides=("Only to try.",))
    assert not decision.promoted
    (reason,) = decision.reasons
    assert reason.endswith("an audit was red, for this reason: Only to try.")


def test_a_test_part_that_is_used_again_asks_for_more() -> None:
    new, live = judged(82, 100, 90, 100), judged(84, 100, 90, 100)
    once, often = (
        compare_classifiers(new, live, POINTS, Margins(), uses)[0] for uses in (1, 20)
    )
    assert often.gain.low < once.gain.low


def test_all_uses_together_err_no_more_often_than_was_chosen() -> None:
    errors = [(1 - level_after(use)) / 2 for use in range(1, 2001)]
    assert errors == sorted(errors, reverse=True)
    # The rest of the series lies under 6 / pi**2 / 2000 of it.
    assert ERROR * (1 - 1 / 2000) < sum(errors) < ERROR


def test_each_standing_has_its_sentence() -> None:
    gain = Estimate(0.0, -0.1, 0.1)
    for standing in Standing:
        for needed in (7, 70) if standing is Standing.TOO_FEW else (None,):
            one = Compared("Sensitivity", 0.8, 0.8, gain, 0.05, 12, standing, needed)
            said = one.sentence()
            assert said.startswith("Sensitivity: 0.800 in use, 0.800 new")
            assert "{" not in said
            assert needed is None or f"some {needed}" in said


@pytest.mark.parametrize("lesions", [5, 20, 60, 110, 150])
@pytest.mark.parametrize("views", [1, 2])
def test_a_worse_model_passes_no_more_often_than_was_chosen(lesions: int, views: int) -> None:
    """It misses all that the one in use misses, and one lesion in twenty more: the margin.

    How many it misses is binomial, so that the error is a sum and no draw.
    """

    def found(missed: int):
        return [
            make_judged(f"ill {n}", 0.1 if n < missed else 0.9, lesion=True)
            for n in range(lesions)
            for _ in range(views)
        ]

    live = found(0)
    passed = [
        compare_classifiers(found(missed), live, POINTS, Margins(), 1)[0].standing
        in (Standing.NOT_WORSE, Standing.BETTER)
        for missed in range(min(lesions, 12))
    ]
    error = sum(binom.pmf(missed, lesions, 0.05) for missed, one in enumerate(passed) if one)
    assert error <= ERROR
    # It does let through what loses nothing, once there are enough.
    assert passed[0] is (lesions >= 110)


@pytest.mark.parametrize("images", [5, 20, 60, 110])
def test_a_model_with_more_false_marks_passes_no_more_often_than_was_chosen(
    images: int,
) -> None:
    def marked(more: int):
        return [make_marked(f"well {n}", (), (0.9,) * (n < more)) for n in range(images)]

    live = marked(0)
    passed = [
        compare_detectors(marked(more), live, POINTS, Margins(), 1)[1].standing
        is Standing.NOT_WORSE
        for more in range(min(images, 20))
    ]
    error = sum(poisson.pmf(more, 0.1 * images) for more, one in enumerate(passed) if one)
    assert error <= ERROR
    assert passed[0] is (images >= 60)
