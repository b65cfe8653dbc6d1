"""Several comparisons at once: the more are asked, the likelier one of them wins by chance."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Adjusted p-values of Holm's step-down procedure, in the order they came in.

    A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics
    6 (1979) 65-70. Of m values, the smallest is taken m times, the next m - 1 times and so on;
    none may end below one that was smaller. Those under a level are the hypotheses rejected
    with that chance of any error at all, however the comparisons depend on each other.

    Parameters
    ----------
    p_values
        Each in 0..1; NaN for a comparison that could not be made: it stays NaN, and counts
        among the m all the same, for it was asked.

    Returns
    -------
    tuple of float
        Each in 0..1, none below its unadjusted value.

    Raises
    ------
    ValueError
        Where a value lies outside 0..1.
    """
    if any(value < 0 or value > 1 for value in p_values):
        raise ValueError("a p-value lies outside 0..1")
    adjusted = [math.nan] * len(p_values)
    known = [place for place, value in enumerate(p_values) if not math.isnan(value)]
    largest = 0.0
    for rank, place in enumerate(sorted(known, key=lambda place: p_values[place])):
        largest = max(largest, (len(p_values) - rank) * p_values[place])
        adjusted[place] = min(largest, 1.0)
    return tuple(adjusted)
