"""Recipes that were trained several times, against recipes whose difference is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import t, ttest_1samp

from ml.evaluate.bootstrap import resampled
from ml.evaluate.seeds import seeded_difference, seeded_mean

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


@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("level", [0.5, 0.9, 0.95])
def test_p_is_below_the_rest_exactly_where_the_interval_leaves_0_out(
    seeds: int, level: float
) -> None:
    outside = 0
    for skill in np.linspace(0.3, 0.7, 21):
        told = seeded_difference(
            WOMEN,
            found(float(skill), seeds, spread=0.02),
            found(0.5, seeds, spread=0.05),
            draws=200,
            level=level,
        )
        leaves_out = told.estimate.low > 0 or told.estimate.high < 0
        assert (told.p < 1 - level) is leaves_out
        outside += leaves_out
    assert 3 < outside < 21


def test_where_women_are_alike_the_interval_is_students() -> None:
    def alike(*skills: float):
        return lambda indices: np.array(skills) + 0 * indices.sum()

    one, other = alike(0.7, 0.8, 0.9), alike(0.5, 0.5, 0.5)
    told = seeded_difference(WOMEN, one, other, draws=100)
    known = ttest_1samp([0.2, 0.3, 0.4], 0)
    low, high = known.confidence_interval(0.95)
    assert told.p == pytest.approx(known.pvalue)
    assert (told.estimate.low, told.estimate.high) == pytest.approx((low, high))


def test_all_recipes_tell_the_chance_of_the_seeds_but_never_less_than_the_two() -> None:
    def recipe(*skills: float):
        return lambda indices: np.array(skills) + 0 * indices.sum()

    def width(*among) -> float:
        told = seeded_difference(WOMEN, one, other, among=among, draws=50).estimate
        return told.high - told.low

    one, other = recipe(0.6, 0.7, 0.8), recipe(0.5, 0.5, 0.5)
    alone = width()
    assert width(one, other) == pytest.approx(alone)
    # Two more whose seeds differ alike: the mean square is 0.005, of (4 - 1)(3 - 1) degrees.
    alike = recipe(0.5, 0.6, 0.7), recipe(0.4, 0.4, 0.4)
    table = np.array([[0.6, 0.7, 0.8], [0.5] * 3, [0.5, 0.6, 0.7], [0.4] * 3])
    rest = table - table.mean(0) - table.mean(1, keepdims=True) + table.mean()
    error = math.sqrt(max(2 * (rest**2).sum() / 6, 0.01) / 3)
    assert width(one, other, *alike) == pytest.approx(2 * t.ppf(0.975, 6) * error)
    assert width(one, other, *alike) < 0.7 * alone
    calm = recipe(0.4, 0.4, 0.4), recipe(0.3, 0.3, 0.3)
    wild = recipe(0.1, 0.9, 0.4), recipe(0.8, 0.1, 0.2)
    least = 2 * t.ppf(0.975, 6) * 0.1 / math.sqrt(3)
    assert width(one, other, *calm) == pytest.approx(least)
    assert width(one, other, *wild) > 2 * least


def test_no_interval_goes_beyond_what_a_figure_can_be() -> None:
    wild = found(0.6, spread=0.35)
    free, held = (seeded_mean(WOMEN, wild, draws=50, within=w) for w in ((-9, 9), (0, 1)))
    assert free.high > 1
    assert (held.low, held.high) == (max(free.low, 0), 1)
    told = seeded_difference(WOMEN, wild, found(0.1), draws=50, within=(0, 1))
    assert told.estimate.high == 1


def test_one_woman_has_no_interval_and_no_p() -> None:
    told = seeded_difference(["one"] * 40, found(0.9), found(0.5), draws=50)
    assert math.isnan(told.estimate.low)
    assert math.isnan(told.p)


def test_other_seeds_are_refused() -> None:
    with pytest.raises(ValueError, match="same seeds"):
        seeded_difference(WOMEN, found(0.9, seeds=3), found(0.5, seeds=4))
