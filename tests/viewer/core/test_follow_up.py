"""How long a breast was followed up, by its dates."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from tests.factories.words import make_outcome
from viewer.core.decision import Proof
from viewer.core.follow_up import (
    as_counted,
    counted_months,
    lack_of_follow_up,
    months_between,
)

STUDY = "20260101"


@pytest.mark.parametrize(
    ("study", "visit", "months"),
    [
        ("2026-01-01", "2026-01-02", 0),
        ("2025-01-15", "2026-01-14", 11),
        ("2025-01-15", "2026-01-15", 12),
        ("2024-02-29", "2025-02-28", 12),
        ("2025-08-31", "2026-02-27", 5),
        ("2025-08-31", "2026-02-28", 6),
        ("2026-01-15", "2026-01-14", -1),
    ],
)
def test_months_are_whole(study: str, visit: str, months: int) -> None:
    assert months_between(date.fromisoformat(study), date.fromisoformat(visit)) == months


def test_days_that_are_not_known_count_nothing() -> None:
    assert counted_months(STUDY, "2027-02-03") == 13
    for study, visit in (("", "2026-01-02"), ("soon", "2026-01-02"), (STUDY, "")):
        assert counted_months(study, visit) is None


def test_a_follow_up_is_no_longer_than_its_dates_allow() -> None:
    outcome = replace(make_outcome(), proof_date="2026-01-02", follow_up_months=12)
    assert as_counted(outcome, STUDY).follow_up_months == 0
    assert as_counted(outcome, "20260103").follow_up_months == 0, "before the study"
    assert as_counted(outcome, "20240101").follow_up_months == 12, "no longer than was said"
    unsaid = replace(outcome, follow_up_months=None)
    assert as_counted(unsaid, "20240101").follow_up_months == 24
    assert as_counted(outcome, "") is outcome
    tissue = replace(outcome, proof=Proof.PATHOLOGY, follow_up_months=None)
    assert as_counted(tissue, STUDY) is tissue


def test_a_contradiction_is_told_with_what_to_do() -> None:
    said = lack_of_follow_up(STUDY, date(2026, 1, 2), 12)
    assert said == (
        "From the study of 2026-01-01 to this date it is 0 months: correct the date, or leave "
        "the months empty."
    )
    assert "is 1 month:" in lack_of_follow_up(STUDY, date(2026, 2, 3), 12)
    assert "is 24 months:" in lack_of_follow_up(STUDY, date(2028, 1, 1), 12)
    assert "before the study" in lack_of_follow_up(STUDY, date(2025, 12, 31), None)
    assert "give the months" in lack_of_follow_up("", date(2026, 1, 2), None)


def test_what_agrees_or_is_left_to_be_counted_is_fine() -> None:
    for study, months in ((STUDY, 13), (STUDY, None), ("", 14)):
        assert lack_of_follow_up(study, date(2027, 2, 3), months) == ""
