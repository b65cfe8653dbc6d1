"""Which unread cases are proposed, and why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.factories.analyses import make_image_analysis
from viewer.core.teaching import (
    Unread,
    at_even_odds,
    most_teaching,
    most_worth,
    probability_at,
    why,
    worth_of,
)

POINT = 0.02


def image(title: str, probability: float | None):
    return replace(make_image_analysis(title), lesion_probability=probability)


def case(uid: str, *probabilities: float | None) -> Unread:
    pairs = zip(("RCC", "RMLO", "LCC", "LMLO"), probabilities, strict=False)
    return Unread(uid, uid, uid, tuple(image(title, value) for title, value in pairs))


def test_the_operating_point_becomes_even_odds() -> None:
    assert at_even_odds(POINT, POINT) == pytest.approx(0.5)
    assert at_even_odds(0.0, POINT) < 0.001
    assert at_even_odds(1.0, POINT) > 0.999
    assert at_even_odds(0.0, 0.0) == pytest.approx(0.5)


def test_a_case_at_the_point_teaches_more_than_one_that_is_plain() -> None:
    near = worth_of(case("a", POINT, POINT).images, POINT)
    high, low = (worth_of(case("a", p, p).images, POINT) for p in (0.9, 0.0001))
    assert near is not None
    assert high is not None
    assert low is not None
    assert (near.doubt, near.dispute) == pytest.approx((1.0, 0.0))
    assert max(high.total, low.total) < 0.05


def test_views_that_disagree_teach() -> None:
    worth = worth_of(case("a", 0.9, 0.0001).images, POINT)
    assert worth is not None
    assert worth.dispute > 0.95
    assert worth.doubt < 0.05
    assert why(worth) == "The views disagree"


def test_two_images_of_one_view_are_one_view() -> None:
    twice = (image("RCC", 0.9), image("RCC", 0.0001))
    worth = worth_of(twice, POINT)
    assert worth is not None
    assert worth.dispute == 0


def test_the_better_breast_decides() -> None:
    worth = worth_of(case("a", 0.9, 0.9, POINT, POINT).images, POINT)
    assert worth is not None
    assert worth.side.value == "L"
    assert why(worth) == "Near the operating point"
    assert why(replace(worth, dispute=0.6)).endswith("and the views disagree")
    assert why(replace(worth, doubt=0.1)) == "Further from the operating point"


def test_without_a_calibrated_probability_nothing_is_ranked() -> None:
    assert worth_of(case("a", None, None).images, POINT) is None
    proposed = most_teaching([case("a", None)], POINT, lambda _: "p")
    assert (proposed.cases, proposed.without) == ((), 1)


def test_what_a_breast_can_teach_at_most_is_never_less_than_it_does() -> None:
    for high in (0.0001, POINT / 2, POINT, 0.1, 0.9):
        for low in (0.0, high / 3, high):
            worth = worth_of(case("a", high, low).images, POINT)
            assert worth is not None
            assert worth.total <= most_worth([high], POINT) + 1e-9
    assert most_worth([0.9, POINT], POINT) == most_worth([POINT], POINT)
    assert most_worth([], POINT) == 0


def test_one_study_of_a_patient_and_none_whose_files_are_away() -> None:
    patients = {"best": "p", "second": "p", "third": "q", "gone": None, "last": "r"}
    cases = [
        case(name, value, value)
        for name, value in zip(patients, (0.02, 0.03, 0.04, 0.05, 0.1), strict=True)
    ]
    asked: list[str] = []

    def patient_of(unread: Unread) -> str | None:
        asked.append(unread.uid)
        return patients[unread.uid]

    proposed = most_teaching(reversed(cases), POINT, patient_of)
    assert [each.case.uid for each in proposed.cases] == ["best", "third", "last"]
    assert proposed.away == 1
    asked.clear()
    assert len(most_teaching(cases, POINT, patient_of, most=1).cases) == 1
    assert asked == ["best"], "files are read for the head of the list only"


def test_a_score_becomes_the_calibrations_probability() -> None:
    assert probability_at(0.5, 1.0, 0.0) == pytest.approx(0.5)
    assert probability_at(0.3, 1.0, 0.0) == pytest.approx(0.3)
    assert probability_at(0.3, 2.0, -1.0) < probability_at(0.31, 2.0, -1.0)
