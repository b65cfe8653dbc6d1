from __future__ import annotations

import numpy as np
import pytest

from ml.prevalence import at_prevalence


def test_bayes_theorem_on_counts() -> None:
    """Of 500 sick 80 % are called, of 500 well 10 %; then 6 sick stand among 1,000."""
    here = 400 / (400 + 50)
    assert at_prevalence(here, 0.5, 0.006) == pytest.approx(4.8 / (4.8 + 99.4))


def test_the_same_prevalence_changes_nothing_and_back_is_back() -> None:
    assert at_prevalence(0.37, 0.2, 0.2) == pytest.approx(0.37)
    assert at_prevalence(at_prevalence(0.37, 0.2, 0.006), 0.006, 0.2) == pytest.approx(0.37)


def test_the_ends_stay_and_the_order_is_kept() -> None:
    assert (at_prevalence(0, 0.5, 0.006), at_prevalence(1, 0.5, 0.006)) == (0, 1)
    moved = [at_prevalence(p, 0.5, 0.006) for p in np.linspace(0, 1, 50)]
    assert moved == sorted(moved)


@pytest.mark.parametrize(("fitted", "wanted"), [(0, 0.5), (0.5, 1), (1.2, 0.5)])
def test_what_is_no_prevalence_is_refused(fitted: float, wanted: float) -> None:
    with pytest.raises(ValueError, match="no prevalence"):
        at_prevalence(0.5, fitted, wanted)


def test_a_resampled_population_is_met() -> None:
    """Probabilities that are right at one prevalence are right at another after the shift."""
    rng = np.random.default_rng(6)
    truths = rng.random(400_000) < 0.02
    evidence = rng.normal(truths * 1.5, 1)
    odds = np.exp(1.5 * evidence - 1.5**2 / 2)
    fitted = odds / (1 + odds)
    moved = np.array([at_prevalence(p, 0.5, 0.02) for p in fitted[:100_000]])
    assert moved.mean() == pytest.approx(truths[:100_000].mean(), rel=0.05)
