"""Holm's procedure against a table worked by hand."""

from __future__ import annotations

import math

import pytest

from ml.evaluate.holm import holm


def test_a_table_worked_by_hand() -> None:
    """0.01 x 4; 0.02 x 3; 0.03 x 2, and 0.04 x 1 which may not end below the one before it."""
    assert holm([0.03, 0.01, 0.04, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])


def test_what_is_likely_stays_below_one() -> None:
    assert holm([0.9, 0.6]) == (1.0, 1.0)
    assert holm([0.2]) == (0.2,)
    assert holm([]) == ()


def test_equal_values_end_equal() -> None:
    assert holm([0.02, 0.02, 0.5]) == pytest.approx([0.06, 0.06, 0.5])


def test_a_comparison_that_could_not_be_made_was_asked_all_the_same() -> None:
    first, second, third = holm([0.01, math.nan, 0.04])
    assert (first, third) == pytest.approx((0.03, 0.08))
    assert math.isnan(second)


def test_what_is_no_probability_is_refused() -> None:
    with pytest.raises(ValueError, match=r"outside 0\.\.1"):
        holm([0.1, 1.2])
