"""What the detector's best mark adds to the classifier's word on an image.

The classifier sees the whole breast at once, the detector each place by itself; where their
errors differ, both together are right more often. How much the mark counts is chosen on
validation images and stands in the classifier's card; 0 leaves its scores as they are.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from ml.infer.detections import SCORE_FLOOR
from ml.registry import logit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ml.infer.classified import Classified
    from ml.infer.detections import Detections


def best_mark(found: Detections) -> float:
    """The highest score of an image; where nothing is marked, what is just not kept."""
    return float(found.scores.max(initial=SCORE_FLOOR))


def with_mark(seen: Classified, best: float, weights: Mapping[str, float]) -> Classified:
    """The classifier's scores moved towards the best mark's, on the scale of log odds.

    Parameters
    ----------
    best
        Of `best_mark`.
    weights
        Of the classifier's card.
    """
    return replace(
        seen,
        lesion=_moved(seen.lesion, best, weights.get("lesion", 0.0)),
        malignancy=_moved(seen.malignancy, best, weights.get("malignancy", 0.0)),
    )


def _moved(score: float, best: float, weight: float) -> float:
    if not weight:
        return score
    value = (1 - weight) * logit(score) + weight * logit(best)
    return 1 / (1 + math.exp(-value))
