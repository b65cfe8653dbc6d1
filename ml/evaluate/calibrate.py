"""From scores to probabilities: Platt's logistic fit, on data the weights never saw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ml.registry import Calibration

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A fit on fewer of either kind says nothing.
FEWEST = 10
# Scores are kept off 0 and 1, where the logit has no value; as in `ml.infer.reader`.
EDGE = 1e-6


def fit_calibration(
    scores: NDArray[np.float64],
    truths: NDArray[np.bool_],
    *,
    prevalence: float | None = None,
) -> Calibration | None:
    """Fit slope and intercept on the logit of the scores (Platt 1999).

    Parameters
    ----------
    scores : (n,) float64
        In [0, 1].
    truths : (n,) bool
    prevalence
        For which the probability holds, where the cases are not images: of a detector's marks,
        the share of images with a lesion. None: the share of positives.

    Returns
    -------
    Calibration or None
        None where there are too few of either kind to fit on, or where a higher score does not
        mean a higher probability.
    """
    from sklearn.linear_model import LogisticRegression

    positive = int(np.count_nonzero(truths))
    if min(positive, len(truths) - positive) < FEWEST:
        return None
    inner = np.clip(scores, EDGE, 1 - EDGE)
    logit = np.log(inner / (1 - inner))[:, None]
    fit = LogisticRegression(C=1e6).fit(logit, truths)
    slope, intercept = float(fit.coef_[0, 0]), float(fit.intercept_[0])
    if slope <= 0:
        return None
    share = positive / len(truths) if prevalence is None else prevalence
    # Where all images have a lesion, or none has, there is nothing to correct from.
    known = round(share, 6) if 0 < share < 1 else None
    return Calibration(round(slope, 5), round(intercept, 5), known)
