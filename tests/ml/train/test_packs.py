"""What a new card says of how its model's scores lie."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ml.distribution import QUANTILES
from ml.train.packs import distribution_of
from tests.factories.truths import make_item


def test_scores_are_kept_by_truth_and_counted_by_patient() -> None:
    box = ((0.0, 0.0, 8.0, 8.0),)
    scored = [
        (make_item("a"), 0.1),
        (make_item("a"), 0.3),
        (make_item("b"), 0.2),
        (make_item("b", box), 0.7),
        # Nobody knows what this one is: it is of neither kind.
        (replace(make_item("c"), unknown=True), 0.99),
    ]
    made = distribution_of(scored, "simulated, test")
    assert made.data == "simulated, test"
    assert (made.without.images, made.without.patients) == (3, 2)
    assert (made.with_lesion.images, made.with_lesion.patients) == (1, 1)
    assert len(made.without.quantiles) == QUANTILES
    assert made.without.share_to(0.2) == pytest.approx(0.5)
    assert set(made.with_lesion.quantiles) == {0.7}


def test_data_without_a_lesion_give_an_empty_part() -> None:
    made = distribution_of([(make_item("a"), 0.1)], "x")
    assert made.with_lesion.quantiles == ()
