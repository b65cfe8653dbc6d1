"""What one recipe is better by than another, where each was trained several times.

One training with one seed says what that training does, not what its recipe does. Here the
figure of a recipe is the mean over its trainings, and its interval holds both chances: the
women who happen to be in the test part, and the seeds that happened to be taken.

The women are drawn again, the same for all trainings (`ml.evaluate.bootstrap`). Seeds are
not: of three the draws show too little, by a factor of 2/3 in variance and with the tails of a
normal distribution. Their chance is Student's t of what they differ by, and the half-widths of
the two add as squares (Howe, JASA 69 (1974) 789-794; Zou and Donner, Statistics in Medicine 27
(2008) 1693-1702). Satterthwaite's degrees of freedom (1946) would give a narrower interval,
but where three seeds agree by chance he takes their chance for none: with Holm over seven
comparisons up to 17 in 100 matrices without any difference got a verdict. What women and
seeds bring about together is counted in both parts; that errs towards saying nothing.

Three seeds alone say little of a seed's chance. Where more than two recipes were trained with
them, all tell it together: the mean square of recipes by seeds, as of tests by readers
(Obuchowski and Rockette 1995; Hillis, Statistics in Medicine 26 (2007) 596-619).

With one seed nothing is known of what another would change: the interval is the women's alone.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtrit

from ml.evaluate.bootstrap import DRAWS, LEVEL, Estimate, resampled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    # From the images that count, with repetition, to the figure of each seed; NaN where the
    # images define none.
    SeedFigures = Callable[[NDArray[np.int64]], NDArray[np.float64]]

UNDEFINED = float("nan")
EVERYTHING = (-math.inf, math.inf)
# So often a p-value is halved: less than 1e-12 of it stays unknown.
HALVINGS = 40


@dataclass(frozen=True, slots=True)
class Difference:
    """How much more one recipe's figure is than another's.

    Attributes
    ----------
    estimate
        Of the mean over seeds, with its interval.
    p
        Two-sided, that there is no difference: below 0.05 exactly where the 95 % interval
        leaves 0 out. Never below 2 / (draws + 1), for the observed sample is a draw, too
        (Davison and Hinkley 1997, section 4.2). NaN where there is no interval.
    """

    estimate: Estimate
    p: float


@dataclass(frozen=True, slots=True)
class _Seeds:
    """How far other seeds would have moved a mean: so many times Student's t."""

    error: float
    degrees: int

    def half(self, chance: float) -> float:
        """Half the width of the interval that is wrong with a chance, in 0..1."""
        return float(stdtrit(self.degrees, 1 - chance / 2)) * self.error if self.error else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """A mean over seeds, and what it might have been.

    Attributes
    ----------
    drawn : (draws,)
        Of women drawn again, in rising order; empty where nothing is known.
    """

    value: float
    drawn: NDArray[np.float64]
    seeds: _Seeds

    def estimate(self, level: float, within: tuple[float, float]) -> Estimate:
        if math.isnan(self.value):
            return Estimate(UNDEFINED, UNDEFINED, UNDEFINED)
        low, high = np.clip(self._ends(1 - level), *within)
        return Estimate(self.value, float(low), float(high))

    def p(self) -> float:
        """The largest chance to be wrong at which the interval still holds 0."""
        if math.isnan(self.value) or not self.drawn.size:
            return UNDEFINED
        least, most = 2 / (self.drawn.size + 1), 1.0
        if self._holds_0(most):
            return most
        if not self._holds_0(least):
            return least
        for _ in range(HALVINGS):
            middle = (least + most) / 2
            least, most = (middle, most) if self._holds_0(middle) else (least, middle)
        return most

    def _holds_0(self, chance: float) -> bool:
        low, high = self._ends(chance)
        return low <= 0 <= high

    def _ends(self, chance: float) -> tuple[float, float]:
        if not self.drawn.size:
            return UNDEFINED, UNDEFINED
        low, high = map(float, np.quantile(self.drawn, (chance / 2, 1 - chance / 2)))
        half = self.seeds.half(chance)
        if not half:
            return low, high
        below, above = max(self.value - low, 0.0), max(high - self.value, 0.0)
        return self.value - math.hypot(below, half), self.value + math.hypot(above, half)


def seeded_mean(
    patients: Sequence[str],
    figures: SeedFigures,
    *,
    draws: int = DRAWS,
    level: float = LEVEL,
    within: tuple[float, float] = EVERYTHING,
) -> Estimate:
    """The mean figure over seeds; its interval is over patients and seeds together.

    Parameters
    ----------
    patients : (images,)
        Whose each image is.
    level
        Share of such intervals that hold the truth, in 0..1.
    within
        The least and the largest value that the figure can have: no interval goes beyond.
    """
    own = _of_one(figures(np.arange(len(patients))))
    return _drawn(patients, figures, draws, own).estimate(level, within)


def seeded_difference(
    patients: Sequence[str],
    one: SeedFigures,
    other: SeedFigures,
    *,
    among: Sequence[SeedFigures] = (),
    draws: int = DRAWS,
    level: float = LEVEL,
    within: tuple[float, float] = EVERYTHING,
) -> Difference:
    """The mean figure of `one` less that of `other`, paired by image and by seed.

    Parameters
    ----------
    patients : (images,)
        Whose each image is.
    one, other
        Of the same images, with the same seeds in the same order.
    among
        All recipes that were trained with these seeds, the two among them: they tell the
        chance of the seeds together, as if it were alike for all. It is never taken for less
        than the two show. Left out, it is what the two show, and with three seeds only a large
        difference is ever told from none.
    level
        Share of such intervals that hold the truth, in 0..1.
    within
        The least and the largest value that the figure can have, and not the difference.

    Raises
    ------
    ValueError
        Where they have not equally many seeds.
    """
    every = np.arange(len(patients))
    gains = one(every), other(every)
    table = [each(every) for each in among]
    if len({told.shape for told in (*gains, *table)}) > 1:
        raise ValueError("the two were not trained with the same seeds")
    seeds = _of_two(gains[0] - gains[1], np.array(table))
    found = _drawn(patients, lambda i: one(i) - other(i), draws, seeds)
    widest = within[1] - within[0]
    return Difference(found.estimate(level, (-widest, widest)), found.p())


def remembered(figures: SeedFigures) -> SeedFigures:
    """The same, each draw counted out once: all comparisons are made over the same draws."""
    known: dict[bytes, NDArray[np.float64]] = {}

    def told(indices: NDArray[np.int64]) -> NDArray[np.float64]:
        key = hashlib.blake2b(indices.tobytes(), digest_size=16).digest()
        if key not in known:
            known[key] = figures(indices)
        return known[key]

    return told


def _of_one(of_seeds: NDArray[np.float64]) -> _Seeds:
    """The standard error of a mean over seeds; 0 of one seed, of which nothing is known."""
    count = len(of_seeds)
    if count == 1:
        return _Seeds(0.0, 1)
    return _Seeds(float(np.std(of_seeds, ddof=1)) / math.sqrt(count), count - 1)


def _of_two(gains: NDArray[np.float64], table: NDArray[np.float64]) -> _Seeds:
    """The standard error of a difference of two means over seeds.

    The root of two mean squares of recipes by seeds over the number of seeds (Hillis 2007,
    without the part of the cases). Of two recipes it is that of their paired differences.

    Parameters
    ----------
    gains : (seeds,)
        Of the two.
    table : (recipes, seeds)
        Of all recipes; may be empty.
    """
    own = _of_one(gains)
    if len(table) < 3 or len(gains) == 1 or not np.isfinite(table).all():
        return own
    rest = table - table.mean(0) - table.mean(1, keepdims=True) + table.mean()
    degrees = (len(table) - 1) * (len(gains) - 1)
    pooled = math.sqrt(2 * float((rest**2).sum()) / degrees / len(gains))
    return _Seeds(max(own.error, pooled), degrees)


def _drawn(patients: Sequence[str], figures: SeedFigures, draws: int, seeds: _Seeds) -> _Found:
    """The mean over seeds of the whole, and of women drawn by `resampled`."""
    values: list[float] = []

    def mean(indices: NDArray[np.int64]) -> dict[str, float]:
        values.append(float(np.mean(figures(indices))))
        return {"": values[-1]}

    # What is asked first is the whole, and no draw.
    resampled(patients, mean, draws=draws)
    known = np.array(values[1:], np.float64)
    return _Found(values[0], np.sort(known[np.isfinite(known)]), seeds)
