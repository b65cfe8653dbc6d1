from __future__ import annotations

import numpy as np
import pytest

from ml.evaluate.calibrate import fit_calibration


def test_a_known_distortion_is_found_again() -> None:
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 2, 20000)
    truths = rng.random(20000) < 1 / (1 + np.exp(-(0.5 * logits - 1)))
    fit = fit_calibration(1 / (1 + np.exp(-logits)), truths)
    assert fit is not None
    assert (fit.slope, fit.intercept) == pytest.approx((0.5, -1), abs=0.06)


def test_too_few_of_one_kind_give_no_fit() -> None:
    scores = np.linspace(0.01, 0.99, 100)
    assert fit_calibration(scores, np.arange(100) < 9) is None
    assert fit_calibration(scores, np.arange(100) >= 9) is None


def test_scores_that_mean_the_contrary_give_no_fit() -> None:
    assert fit_calibration(np.linspace(0.01, 0.99, 100), np.arange(100) < 50) is None


def test_scores_of_exactly_nought_and_one_are_taken() -> None:
    fit = fit_calibration(
        np.repeat([0.0, 1.0], 20), np.arange(40) % 4 > (np.arange(40) < 20) * 2
    )
    assert fit is not None
    assert np.isfinite([fit.slope, fit.intercept]).all()


def test_the_fit_names_the_prevalence_that_it_holds_for() -> None:
    scores, truths = np.linspace(0.01, 0.99, 100), np.arange(100) >= 75
    fits = [fit_calibration(scores, truths, prevalence=share) for share in (None, 0.4, 1.0)]
    assert [fit.prevalence for fit in fits if fit] == [0.25, 0.4, None]
