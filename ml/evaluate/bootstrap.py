"""Intervals: patients are drawn again with replacement, never images.

Two images of one woman say less than images of two women: over images it would be too narrow.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

Case = TypeVar("Case")

DRAWS = 2000
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """One figure with its 95 % interval; NaN where the data do not define it."""

    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, float | None]:
        """Plain JSON values, rounded; null for NaN, which JSON does not know."""
        return {
            name: round(value, 4) if np.isfinite(value) else None
            for name, value in asdict(self).items()
        }


def resampled(
    patients: Sequence[str],
    figures: Callable[[NDArray[np.int64]], Mapping[str, float]],
    *,
    draws: int = DRAWS,
    seed: int = 0,
    level: float = LEVEL,
) -> dict[str, Estimate]:
    """Percentile bootstrap intervals of several figures, clustered by patient (Efron 1979).

    Parameters
    ----------
    patients : (n,)
        Whose each case is.
    figures
        From the indices of the cases that count (with repetition) to figures by name; NaN
        where they define none (such draws are left out of the interval).
    level
        Share of the draws between the ends of an interval.

    Returns
    -------
    dict
        Without an interval where all is of one patient: of her alone every draw is the same.
    """
    groups: dict[str, list[int]] = {}
    for index, patient in enumerate(patients):
        groups.setdefault(patient, []).append(index)
    members = [np.array(group, np.int64) for group in groups.values()]
    whole = figures(np.arange(len(patients)))
    values: dict[str, list[float]] = {name: [] for name in whole}
    rng = np.random.default_rng(seed)
    for _ in range(draws if len(members) > 1 else 0):
        drawn = rng.integers(len(members), size=len(members))
        for name, value in figures(np.concatenate([members[i] for i in drawn])).items():
            values[name].append(value)
    return {name: Estimate(value, *_ends(values[name], level)) for name, value in whole.items()}


def interval(
    cases: Sequence[Case],
    patient: Callable[[Case], str],
    figure: Callable[[Sequence[Case]], float],
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> tuple[float, float]:
    """The interval of one figure of a list of cases, by `resampled`.

    Returns
    -------
    low, high
        NaN where no draw defines the figure.
    """

    def named(indices: NDArray[np.int64]) -> dict[str, float]:
        return {"": figure([cases[index] for index in indices])}

    found = resampled([patient(case) for case in cases], named, draws=draws, seed=seed)[""]
    return found.low, found.high


def _ends(values: Sequence[float], level: float) -> tuple[float, float]:
    known = np.array(values, np.float64)
    known = known[np.isfinite(known)]
    if not known.size:
        return float("nan"), float("nan")
    tail = (1 - level) / 2
    low, high = np.quantile(known, (tail, 1 - tail))
    return float(low), float(high)
