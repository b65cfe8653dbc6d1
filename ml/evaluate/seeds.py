"""What one recipe is better by than another, where each was trained several times.

One training with one seed says what that training does, not what its recipe does. Here the
figure of a recipe is the mean over its trainings, and both chances are drawn for its interval:
the women who happen to be in the test part, and the seeds that happened to be taken (the
pigeonhole bootstrap, Owen 2007). The same women and seeds are drawn for both recipes, as
`ml.evaluate.paired` does it with the women.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.evaluate.bootstrap import DRAWS, LEVEL, Estimate, resampled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    # From the images that count, with repetition, to the figure of each seed; NaN where the
    # images define none.
    SeedFigures = Callable[[NDArray[np.int64]], NDArray[np.float64]]

SEED = 0
UNDEFINED = float("nan")


@dataclass(frozen=True, slots=True)
class Difference:
    """How much more one recipe's figure is than another's.

    Attributes
    ----------
    estimate
        Of the mean over seeds, with its interval.
    p
        Two-sided, that there is no difference; NaN where there is no interval.
    """

    estimate: Estimate
    p: float


def seeded_mean(
    patients: Sequence[str], figures: SeedFigures, *, draws: int = DRAWS, level: float = LEVEL
) -> Estimate:
    """The mean figure over seeds; its interval is over patients and seeds together.

    Parameters
    ----------
    patients : (images,)
        Whose each image is.
    """
    return _drawn(patients, figures, draws, level)[0]


def seeded_difference(
    patients: Sequence[str],
    one: SeedFigures,
    other: SeedFigures,
    *,
    draws: int = DRAWS,
    level: float = LEVEL,
) -> Difference:
    """The mean figure of `one` less that of `other`, paired by image and by seed.

    Parameters
    ----------
    patients : (images,)
        Whose each image is.
    one, other
        Of the same images, with the same seeds in the same order.

    Raises
    ------
    ValueError
        Where the two have not equally many seeds.
    """
    every = np.arange(len(patients))
    if one(every).shape != other(every).shape:
        raise ValueError("the two were not trained with the same seeds")
    found, values = _drawn(patients, lambda i: one(i) - other(i), draws, level)
    return Difference(found, bootstrap_p(values))


def bootstrap_p(values: NDArray[np.float64]) -> float:
    """The p-value that belongs to a percentile interval: below 5 % where 95 % leave 0 out.

    Twice the smaller share of the draws at or beyond 0; the observed sample counts as one draw
    more (Davison and Hinkley 1997, section 4.2), so that it is never 0.

    Parameters
    ----------
    values : (draws,)
        The differences of the draws; NaN for those that define none.

    Returns
    -------
    float
        In 0..1; NaN where no draw defines a difference.
    """
    known = values[np.isfinite(values)]
    if not known.size:
        return UNDEFINED
    beyond = min(np.count_nonzero(known <= 0), np.count_nonzero(known >= 0))
    return min(2 * (int(beyond) + 1) / (known.size + 1), 1.0)


def remembered(figures: SeedFigures) -> SeedFigures:
    """The same, each draw counted out once: all comparisons are made over the same draws."""
    known: dict[bytes, NDArray[np.float64]] = {}

    def told(indices: NDArray[np.int64]) -> NDArray[np.float64]:
        key = hashlib.blake2b(indices.tobytes(), digest_size=16).digest()
        if key not in known:
            known[key] = figures(indices)
        return known[key]

    return told


def _drawn(
    patients: Sequence[str], figures: SeedFigures, draws: int, level: float
) -> tuple[Estimate, NDArray[np.float64]]:
    """The estimate by `resampled`, and the values of its draws."""
    values: list[float] = []
    rng = np.random.default_rng(SEED)

    def mean(indices: NDArray[np.int64]) -> dict[str, float]:
        of_seeds = figures(indices)
        # What is asked first is the whole, and no draw: every seed counts once.
        seeds = rng.integers(len(of_seeds), size=len(of_seeds)) if values else slice(None)
        values.append(float(np.mean(of_seeds[seeds])))
        return {"": values[-1]}

    found = resampled(patients, mean, draws=draws, level=level)[""]
    if math.isnan(found.value):
        found = Estimate(UNDEFINED, UNDEFINED, UNDEFINED)
    return found, np.array(values[1:], np.float64)
