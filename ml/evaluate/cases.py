"""From images to breasts to patients: what the three levels of a report are counted over.

The greatest score of a breast's images is the breast's, as the diagnosis panel shows it, and
the greatest of a patient's is hers; a breast or patient is positive where any image is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.registry import probability_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

    from ml.evaluate.outcomes import Judged
    from ml.registry import Calibration

LEVELS = ("image", "breast", "patient")
TARGETS = ("lesion", "malignancy")


@dataclass(frozen=True, slots=True, eq=False)
class Cases:
    """The cases of one level for one question.

    Attributes
    ----------
    patients : (n,)
        The unit of every interval.
    scores : (n,) float64
    truths : (n,) bool
    probabilities : (n,) float64 or None
        None where the card has no calibration for the question.
    left_out
        Images that could not be counted at this level: those whose side is not known.
    """

    patients: tuple[str, ...]
    scores: NDArray[np.float64]
    truths: NDArray[np.bool_]
    probabilities: NDArray[np.float64] | None
    left_out: int = 0


def cases_of(
    outcomes: Sequence[Judged], level: str, target: str, fit: Calibration | None = None
) -> Cases:
    """Gather the cases of one of `LEVELS` for one of `TARGETS`."""
    groups: dict[Hashable, list[Judged]] = {}
    for number, outcome in enumerate(outcomes):
        key = _key(outcome, level, number)
        if key is not None:
            groups.setdefault(key, []).append(outcome)
    members = list(groups.values())
    scores = np.array([max(score_of(one, target) for one in each) for each in members], float)
    known = None if fit is None else np.array([probability_of(fit, s) for s in scores], float)
    return Cases(
        patients=tuple(each[0].item.patient_id for each in members),
        scores=scores,
        truths=np.array([any(truth_of(o, target) for o in each) for each in members], bool),
        probabilities=known,
        left_out=len(outcomes) - sum(map(len, members)),
    )


def score_of(outcome: Judged, target: str) -> float:
    """What the classifier says to the question."""
    return outcome.said.lesion if target == "lesion" else outcome.said.malignancy


def truth_of(outcome: Judged, target: str) -> bool:
    """What is known."""
    return outcome.item.lesion if target == "lesion" else bool(outcome.item.malignant)


def _key(outcome: Judged, level: str, number: int) -> Hashable | None:
    item = outcome.item
    if level == "image":
        return number
    if level == "patient":
        return item.patient_id
    return (item.patient_id, item.laterality) if item.laterality else None
