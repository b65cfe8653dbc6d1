"""Intervals: patients are drawn again with replacement, never images.

Two images of one woman say less than images of two women: over images it would be too narrow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Case = TypeVar("Case")

DRAWS = 2000
LEVEL = 0.95


def interval(
    cases: Sequence[Case],
    patient: Callable[[Case], str],
    figure: Callable[[Sequence[Case]], float],
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile bootstrap interval of a figure, clustered by patient (Efron 1979).

    Parameters
    ----------
    figure
        Of a list of cases; NaN where the list does not define it (such draws are left out).

    Returns
    -------
    low, high
        Of the 95 % interval; NaN where no draw defines the figure.
    """
    groups: dict[str, list[Case]] = {}
    for case in cases:
        groups.setdefault(patient(case), []).append(case)
    patients = list(groups.values())
    rng = np.random.default_rng(seed)
    values = np.full(draws, np.nan)
    for number in range(draws):
        drawn = rng.integers(len(patients), size=len(patients))
        values[number] = figure([case for index in drawn for case in patients[index]])
    known = values[np.isfinite(values)]
    if not known.size:
        return float("nan"), float("nan")
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(known, (tail, 1 - tail))
    return float(low), float(high)
