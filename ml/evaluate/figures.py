"""The figures of a card, each with its interval over patients."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from ml.data.canvases import only_boxes
from ml.evaluate.bootstrap import DRAWS, interval
from ml.evaluate.cases import score_of, truth_of
from ml.evaluate.classification import (
    accuracy_of,
    area_under_curve,
    sensitivity_of,
    specificity_of,
)
from ml.evaluate.density import density_agreement, density_kappa
from ml.evaluate.detection import RATES, false_marks_at, froc, sensitivity_at, threshold_at
from ml.registry import Figure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ml.evaluate.outcomes import Judged, Marked
    from ml.findings import OperatingPoint

# Of a model observer: what it sees so well, a model should find.
DETECTABLE = 3.0
SEEN = f"lesions of d' {DETECTABLE:g} or more"
# The name of the operating point at which accuracy is measured.
MOST_ACCURATE = "most images right"
Outcome = TypeVar("Outcome", "Marked", "Judged")

# What makes a card, in one place for those who write one.
__all__ = [
    "classifier_figures",
    "detector_figures",
    "false_marks_at",
    "sensitivity_at",
    "sensitivity_of",
    "specificity_of",
    "threshold_at",
]


def detector_figures(
    outcomes: Sequence[Marked], data: str, *, draws: int = DRAWS
) -> list[Figure]:
    """FROC points, and those of the lesions that can be seen."""
    named = {
        f"sensitivity at {rate:g} false marks per lesion-free image": partial(froc, rate=rate)
        for rate in RATES
    }
    seen = {f"{name}, {SEEN}": of for name, of in named.items()}
    known = [only_detectable(outcome) for outcome in outcomes] if _is_rated(outcomes) else []
    return [
        *_measured(named, outcomes, data, draws),
        *(_measured(seen, known, data, draws) if known else []),
    ]


def only_detectable(outcome: Marked) -> Marked:
    """Without the lesions that the model observer could not see; hits on them are no marks."""
    kept = np.array([value >= DETECTABLE for value in outcome.item.detectability], bool)
    boxes = outcome.item.box_values()
    item = only_boxes(outcome.item, np.flatnonzero(kept).tolist(), boxes)
    # The image is not lesion-free for that: its marks are not counted as false.
    return replace(
        outcome,
        item=replace(item, lesion=outcome.item.lesion),
        lesion_scores=outcome.lesion_scores[kept],
    )


def _is_rated(outcomes: Sequence[Marked] | Sequence[Judged]) -> bool:
    """Whether every lesion's detectability is known, of one at least."""
    items = [outcome.item for outcome in outcomes]
    whole = all(len(item.detectability) == len(item.boxes) for item in items)
    return (
        whole
        and any(item.boxes for item in items)
        and all(bool(item.boxes) for item in items if item.lesion)
    )


def classifier_figures(
    outcomes: Sequence[Judged],
    data: str,
    points: Sequence[OperatingPoint] = (),
    *,
    draws: int = DRAWS,
) -> list[Figure]:
    """AUC of lesion and malignancy; density where it is known; lesions that can be seen.

    Parameters
    ----------
    points
        The card's; accuracy is that of the one named `MOST_ACCURATE`.
    """
    named: dict[str, Callable[[Sequence[Judged]], float]] = {
        f"AUC, {target}": partial(
            area_under_curve,
            score=partial(score_of, target=target),
            truth=partial(truth_of, target=target),
        )
        for target in ("lesion", "malignancy")
    }
    rated = {"AUC, lesion": named["AUC, lesion"]}
    for point in points:
        if point.name == MOST_ACCURATE:
            rated["accuracy, lesion"] = partial(accuracy_of, threshold=point.threshold)
    named |= rated
    named["density, exact agreement"] = density_agreement
    named["density, weighted kappa"] = density_kappa
    figures = _measured(named, outcomes, data, draws)
    if not _is_rated(outcomes):
        return figures
    seen = [
        outcome
        for outcome in outcomes
        if not outcome.item.lesion or max(outcome.item.detectability) >= DETECTABLE
    ]
    rated = {f"{name}, {SEEN}": of for name, of in rated.items()}
    return figures + _measured(rated, seen, data, draws)


def patient_of(outcome: Marked | Judged) -> str:
    """The unit of every interval."""
    return outcome.item.patient_id


def _figure(
    name: str,
    of: Callable[[Sequence[Outcome]], float],
    outcomes: Sequence[Outcome],
    data: str,
    draws: int,
) -> Figure:
    low, high = interval(outcomes, patient_of, of, draws=draws)
    patients = len({patient_of(outcome) for outcome in outcomes})
    return Figure(name, _rounded(of(outcomes)), _rounded(low), _rounded(high), patients, data)


def _measured(
    named: Mapping[str, Callable[[Sequence[Outcome]], float]],
    outcomes: Sequence[Outcome],
    data: str,
    draws: int,
) -> list[Figure]:
    """Each figure with its interval; those that the data do not define are left out."""
    figures = [_figure(name, of, outcomes, data, draws) for name, of in named.items()]
    return [figure for figure in figures if np.isfinite((figure.value, figure.low)).all()]


def _rounded(value: float) -> float:
    return round(value, 4)
