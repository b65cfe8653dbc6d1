"""The figures of a card, each with its interval over patients."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from ml.evaluate.bootstrap import DRAWS, interval
from ml.evaluate.cases import score_of, truth_of
from ml.evaluate.classification import area_under_curve, sensitivity_of, specificity_of
from ml.evaluate.density import density_agreement, density_kappa
from ml.evaluate.detection import RATES, false_marks_at, froc, sensitivity_at, threshold_at
from ml.registry import Figure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ml.evaluate.outcomes import Judged, Marked

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
    """FROC points."""
    named = {
        f"sensitivity at {rate:g} false marks per lesion-free image": partial(froc, rate=rate)
        for rate in RATES
    }
    return _measured(named, outcomes, data, draws)


def classifier_figures(
    outcomes: Sequence[Judged], data: str, *, draws: int = DRAWS
) -> list[Figure]:
    """AUC of lesion and malignancy; density where it is known."""
    named: dict[str, Callable[[Sequence[Judged]], float]] = {
        f"AUC, {target}": partial(
            area_under_curve,
            score=partial(score_of, target=target),
            truth=partial(truth_of, target=target),
        )
        for target in ("lesion", "malignancy")
    }
    named["density, exact agreement"] = density_agreement
    named["density, weighted kappa"] = density_kappa
    return _measured(named, outcomes, data, draws)


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
