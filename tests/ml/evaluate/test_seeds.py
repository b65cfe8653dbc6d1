"""Recipes that were trained several times, against recipes whose difference is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ml.evaluate.bootstrap import resampled
from ml.evaluate.seeds import bootstrap_p, seeded_difference, seeded_mean

WOMEN = [f"woman {number}" for number in range(40)]
RNG = np.random.default_rng(20261128)
HARD = RNG.random(40)


def found(skill: float, seeds: int = 3, spread: float = 0.0):
    """(seeds, women): 1 where a training finds the woman's lesion."""
    skills = skill + spread * np.linspace(-1, 1, seeds)
    hits = np.array([s > HARD for s in skills], float)
    return lambda indices: hits[:, indices].mean(axis=1)


def test_a_recipe_is_no_better_than_itself() -> None:
    same = seeded_difference(WOMEN, found(0.5), found(0.5), draws=100)
    assert (same.estimate.value, same.estimate.low, same.estimate.high) == (0, 0, 0)
    assert same.p == 1


def test_a_difference_is_the_mean_over_seeds_and_paired() -> None:
    one, other = found(0.9, spread=0.02), found(0.5, spread=0.02)
    every = np.arange(40)
    told = seeded_difference(WOMEN, one, other, draws=400)
    assert told.estimate.value == pytest.approx(np.mean(one(every) - other(every)))
    assert 0.1 < told.estimate.low < told.estimate.value < told.estimate.high
    assert told.p == pytest.approx(2 / 401)
    back = seeded_difference(WOMEN, other, one, draws=400)
    assert back.estimate.low == pytest.approx(-told.estimate.high)


def test_the_chance_of_the_seeds_widens_the_interval() -> None:
    steady, wild = found(0.5), found(0.5, spread=0.4)
    calm = seeded_mean(WOMEN, steady, draws=400)
    broad = seeded_mean(WOMEN, wild, draws=400)
    assert broad.high - broad.low > 1.3 * (calm.high - calm.low)


def test_with_one_seed_it_is_the_interval_of_every_other_report() -> None:
    figure = found(0.6, seeds=1)
    told = seeded_mean(WOMEN, figure, draws=200)
    plain = resampled(WOMEN, lambda i: {"": float(figure(i)[0])}, draws=200)[""]
    assert told == plain


def test_p_agrees_with_the_interval() -> None:
    values = np.arange(-20.0, 980.0)  # 21 of 1000 at or below 0
    assert bootstrap_p(values) == pytest.approx(2 * 22 / 1001)
    assert np.quantile(values, 0.025) > 0
    assert bootstrap_p(-values) == bootstrap_p(values)
    assert bootstrap_p(np.arange(-30.0, 970.0)) > 0.05
    assert np.quantile(np.arange(-30.0, 970.0), 0.025) < 0
    assert math.isnan(bootstrap_p(np.full(5, math.nan)))


def test_one_woman_has_no_interval_and_no_p() -> None:
    told = seeded_difference(["one"] * 40, found(0.9), found(0.5), draws=50)
    assert math.isnan(told.estimate.low)
    assert math.isnan(told.p)


def test_other_seeds_are_refused() -> None:
    with pytest.raises(ValueError, match="same seeds"):
        seeded_difference(WOMEN, found(0.9, seeds=3), found(0.5, seeds=4))
