"""The summary beside a list: counts, and scores beside those of the model's card."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.factories.worklists import make_few, make_summary
from viewer.core.screening_summary import facts_of, made_text, scores_text, shares_of
from viewer.core.state import BLIND, RANKED


def test_the_counts_that_are_nought_are_left_out() -> None:
    facts = dict(facts_of(make_summary(images=12345), RANKED))
    assert facts["Images"] == "12,345"
    assert facts["Files that are no mammogram"] == "3"
    assert "Not yet analyzed" not in facts
    assert facts["At or above the operating point"] == "1"
    assert "At or above the operating point" not in dict(facts_of(make_summary(), BLIND))


def test_shares_are_of_all_images_and_of_all_of_the_cards() -> None:
    shares = shares_of(make_summary())
    assert shares is not None
    assert shares.folder[-2:] == pytest.approx((2 / 6, 4 / 6))
    for part in (shares.folder, shares.without, shares.with_lesion):
        assert sum(part) == pytest.approx(1)
        assert len(part) == 20
    assert shares.threshold == 0.5


def test_without_scores_there_is_no_plot_and_without_a_card_no_comparison() -> None:
    nothing = make_summary(bins=(0,) * 20, quantiles=())
    assert shares_of(nothing) is None
    assert scores_text(nothing) == "No image has a score."
    bare = make_summary(distribution=None)
    shares = shares_of(bare)
    assert shares is not None
    assert (shares.without, shares.with_lesion) == ((), ())
    assert "says nothing to compare with" in scores_text(bare)


def test_the_middle_scores_are_told_in_words() -> None:
    text = scores_text(make_summary())
    assert text.startswith(
        "Half of this folder's images score 0.50 or less; of the card's without a lesion, "
        "0.50; with a lesion, 0.50."
    )
    assert "the test set" in text


def test_who_made_the_list_is_told() -> None:
    assert made_text(make_few()) == "d 1\nc 2\n2026-01-03 04:05 UTC"
    assert made_text(replace(make_few(), models={})) == "2026-01-03 04:05 UTC"
