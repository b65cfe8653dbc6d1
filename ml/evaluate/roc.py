"""The area under the ROC curve and its interval by DeLong, clustered by patient."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm, rankdata

from ml.evaluate.bootstrap import LEVEL, Estimate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

UNDEFINED = float("nan")


def area_under_roc(scores: NDArray[np.float64], truths: NDArray[np.bool_]) -> float:
    """Area under the ROC curve (Mann-Whitney; ties count half); NaN where all are alike."""
    many = int(np.count_nonzero(truths))
    if not 0 < many < len(truths):
        return UNDEFINED
    pairs = many * (len(truths) - many)
    return float((rankdata(scores)[truths].sum() - many * (many + 1) / 2) / pairs)


def delong(
    patients: Sequence[str], scores: NDArray[np.float64], truths: NDArray[np.bool_]
) -> Estimate:
    """The area with its interval from the structural components (DeLong 1988).

    The components are summed over each patient first (Obuchowski 1997), so that two images of
    one woman do not count as two women; with one case a patient this is DeLong's own variance.

    Returns
    -------
    Estimate
        Without an interval where the variance is zero (all pairs in order says nothing of how
        sure that is) or where either kind comes from fewer than two patients.
    """
    area = area_under_roc(scores, truths)
    if np.isnan(area):
        return Estimate(area, UNDEFINED, UNDEFINED)
    error = float(np.sqrt(_variance(patients, scores, truths, area)))
    if not error > 0:
        return Estimate(area, UNDEFINED, UNDEFINED)
    half = float(norm.ppf((1 + LEVEL) / 2)) * error
    return Estimate(area, max(0.0, area - half), min(1.0, area + half))


def _variance(
    patients: Sequence[str], scores: NDArray[np.float64], truths: NDArray[np.bool_], area: float
) -> float:
    """Obuchowski 1997, equation 4 with its S10, S01 and S11."""
    _, who = np.unique(np.asarray(patients), return_inverse=True)
    many, few = int(truths.sum()), int((~truths).sum())
    within = np.where(truths, many, few)
    own = np.empty(len(scores))
    own[truths], own[~truths] = rankdata(scores[truths]), rankdata(scores[~truths])
    share = (rankdata(scores) - own) / (len(scores) - within)
    # Of a positive: the share of negatives below it; of a negative: of positives above it.
    apart = np.where(truths, share, 1 - share) - area
    sums = {
        kind: np.bincount(who, np.where(truths == kind, apart, 0)) for kind in (True, False)
    }
    clusters = {kind: len(np.unique(who[truths == kind])) for kind in (True, False)}
    if min(clusters.values()) < 2:
        return UNDEFINED
    spread = [
        clusters[kind] / ((clusters[kind] - 1) * count) * float(np.sum(sums[kind] ** 2)) / count
        for kind, count in ((True, many), (False, few))
    ]
    total = len(sums[True])
    both = total / (total - 1) * float(np.sum(sums[True] * sums[False]))
    return sum(spread) + 2 * both / (many * few)
