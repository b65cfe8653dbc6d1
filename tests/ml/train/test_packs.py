"""What a new card says of how its model's scores lie."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ml.distribution import QUANTILES
from ml.registry import GRAPH, GRAPH_WEIGHTS, WEIGHTS
from ml.train.packs import HeldOut, _with_judgements, _with_marks, distribution_of
from tests.factories.packs import make_card
from tests.factories.truths import make_item, make_judged, make_marked

FILES = dict.fromkeys((WEIGHTS, GRAPH, GRAPH_WEIGHTS), "a" * 64)
HELD_OUT = HeldOut("validation", (), {})


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


def test_a_detectors_card_keeps_its_best_marks_in_the_first_test() -> None:
    card = make_card("detector", FILES)
    seen = [make_marked("v", (0.9,)), make_marked("w", (), (0.3, 0.1))]
    tests = {
        "films": [
            make_marked("a", (0.8, 0.0), (0.6,)),
            make_marked("b"),
            make_marked("c", (), (0.4,)),
        ],
        "others": [make_marked("d", (0.2,))],
    }
    kept = _with_marks(card, seen, tests, HELD_OUT).distribution
    assert kept is not None
    assert kept.data == "films"
    assert set(kept.with_lesion.quantiles) == {0.8}
    # An image without a mark scores nothing.
    assert (kept.without.quantiles[0], kept.without.quantiles[-1]) == (0.0, 0.4)


def test_a_classifiers_card_keeps_its_scores_in_the_first_test() -> None:
    card = make_card("classifier", FILES)
    seen = [make_judged("v", 0.7, lesion=True), make_judged("w", 0.2, lesion=False)]
    tests = {
        "films": [make_judged("a", 0.6, lesion=True), make_judged("b", 0.1, lesion=False)],
        "others": [make_judged("d", 0.9, lesion=True)],
    }
    kept = _with_judgements(card, seen, tests, HELD_OUT).distribution
    assert kept is not None
    assert kept.data == "films"
    assert set(kept.with_lesion.quantiles) == {0.6}
    assert set(kept.without.quantiles) == {0.1}
