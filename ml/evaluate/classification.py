"""How well the classifier tells images, breasts and patients apart: each level by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ml.evaluate.bootstrap import DRAWS, resampled
from ml.evaluate.cases import LEVELS, TARGETS, cases_of
from ml.evaluate.roc import area_under_roc, delong

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from ml.evaluate.cases import Cases
    from ml.evaluate.outcomes import Judged
    from ml.findings import OperatingPoint
    from ml.registry import Calibration

    Scores = NDArray[np.float64]
    Truths = NDArray[np.bool_]

SPECIFICITIES = (0.90, 0.95)
BINS = 10
UNDEFINED = float("nan")


def area_under_curve(
    outcomes: Sequence[Judged],
    score: Callable[[Judged], float],
    truth: Callable[[Judged], bool],
) -> float:
    """Area under the ROC curve over images; NaN where all are of one kind."""
    scores = np.array([score(outcome) for outcome in outcomes], float)
    return area_under_roc(scores, np.array([truth(outcome) for outcome in outcomes], bool))


def sensitivity_of(outcomes: Sequence[Judged], threshold: float) -> float:
    """Share of the images with a lesion that the classifier calls."""
    return _share([o.said.lesion >= threshold for o in outcomes if o.item.lesion])


def specificity_of(outcomes: Sequence[Judged], threshold: float) -> float:
    """Share of the images without a lesion that the classifier lets go."""
    return _share([o.said.lesion < threshold for o in outcomes if not o.item.lesion])


def accuracy_of(outcomes: Sequence[Judged], threshold: float) -> float:
    """Share of the images that the classifier calls, or lets go, rightly."""
    return _share([(o.said.lesion >= threshold) == o.item.lesion for o in outcomes])


def sensitivity_at_specificity(scores: Scores, truths: Truths, specificity: float) -> float:
    """The greatest sensitivity of any threshold with at least this specificity.

    NaN where all are of one kind.
    """
    if not 0 < np.count_nonzero(truths) < len(truths):
        return UNDEFINED
    from sklearn.metrics import roc_curve

    false, found, _ = roc_curve(truths, scores, drop_intermediate=False)
    # A share of whole cases, 1 - 0.9 in binary: without room one allowed case would be lost.
    return float(found[false <= 1 - specificity + 1e-12].max())


def average_precision(scores: Scores, truths: Truths) -> float:
    """Area under the precision-recall steps; it means nothing without the prevalence."""
    if not np.any(truths):
        return UNDEFINED
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(truths, scores))


def brier(probabilities: Scores, truths: Truths) -> float:
    """Mean squared error of the probabilities (Brier 1950)."""
    return float(np.mean((probabilities - truths) ** 2)) if len(truths) else UNDEFINED


def calibration_curve(
    probabilities: Scores, truths: Truths, bins: int = BINS
) -> list[dict[str, float]]:
    """Mean probability and share of positives in bins of equal mass.

    Equal probabilities stay in one bin, so that the order of the cases does not matter.
    """
    if not len(truths):
        return []
    edges = np.unique(np.quantile(probabilities, np.linspace(0, 1, bins + 1)[1:-1]))
    which = np.searchsorted(edges, probabilities, side="right")
    return [
        {
            "probability": float(np.mean(probabilities[which == bin_])),
            "positives": float(np.mean(truths[which == bin_])),
            "n": int(np.count_nonzero(which == bin_)),
        }
        for bin_ in np.unique(which)
    ]


def calibration_error(probabilities: Scores, truths: Truths, bins: int = BINS) -> float:
    """Expected calibration error over bins of equal mass (Naeini 2015)."""
    curve = calibration_curve(probabilities, truths, bins)
    if not curve:
        return UNDEFINED
    apart = [each["n"] * abs(each["probability"] - each["positives"]) for each in curve]
    return sum(apart) / len(truths)


def classification_report(
    outcomes: Sequence[Judged],
    points: Sequence[OperatingPoint],
    calibration: Mapping[str, Calibration],
    *,
    draws: int = DRAWS,
) -> dict[str, object]:
    """Everything that a report says of a classifier: by level, then by question."""
    return {
        level: {
            target: _case_report(
                cases_of(outcomes, level, target, calibration.get(target)),
                # The card's thresholds are of the lesion score; malignancy has none.
                points if target == "lesion" else (),
                draws,
            )
            for target in TARGETS
        }
        for level in LEVELS
    }


def _case_report(
    cases: Cases, points: Sequence[OperatingPoint], draws: int
) -> dict[str, object]:
    def over(indices: NDArray[np.int64]) -> dict[str, float]:
        known = cases.probabilities
        chosen = None if known is None else known[indices]
        return _figures(cases.scores[indices], cases.truths[indices], chosen, points)

    found = resampled(cases.patients, over, draws=draws)
    positives = int(np.count_nonzero(cases.truths))
    report: dict[str, object] = {
        "n": len(cases.truths),
        "positives": positives,
        "patients": len(set(cases.patients)),
        "left_out": cases.left_out,
        "prevalence": round(positives / len(cases.truths), 4) if len(cases.truths) else None,
        "auc_delong": delong(cases.patients, cases.scores, cases.truths).to_json(),
        **{name: each.to_json() for name, each in found.items() if ":" not in name},
        "operating_points": [_point(point, found) for point in points],
        "roc": roc_points(cases.scores, cases.truths),
    }
    if cases.probabilities is not None:
        curve = calibration_curve(cases.probabilities, cases.truths)
        report["calibration_curve"] = [{k: round(v, 4) for k, v in b.items()} for b in curve]
    return report


def roc_points(scores: Scores, truths: Truths, most: int = 60) -> dict[str, list[float]]:
    """The ROC curve at no more than about `most` of its corners."""
    if not 0 < np.count_nonzero(truths) < len(truths):
        return {"false_positive_rate": [], "sensitivity": []}
    from sklearn.metrics import roc_curve

    false, found, _ = roc_curve(truths, scores)
    chosen = np.unique(np.linspace(0, len(false) - 1, most).astype(int))
    return {
        "false_positive_rate": [round(float(value), 4) for value in false[chosen]],
        "sensitivity": [round(float(value), 4) for value in found[chosen]],
    }


def _figures(
    scores: Scores,
    truths: Truths,
    probabilities: Scores | None,
    points: Sequence[OperatingPoint],
) -> dict[str, float]:
    figures = {
        "auc": area_under_roc(scores, truths),
        "average_precision": average_precision(scores, truths),
    }
    for least in SPECIFICITIES:
        name = f"sensitivity_at_specificity_{least:.2f}"
        figures[name] = sensitivity_at_specificity(scores, truths, least)
    if probabilities is not None:
        figures["brier"] = brier(probabilities, truths)
        figures["calibration_error"] = calibration_error(probabilities, truths)
    for point in points:
        called = scores >= point.threshold
        figures[f"{point.name}: sensitivity"] = _share(called[truths])
        figures[f"{point.name}: specificity"] = _share(~called[~truths])
    return figures


def _point(point: OperatingPoint, found: Mapping[str, object]) -> dict[str, object]:
    from ml.evaluate.bootstrap import Estimate

    achieved = {
        name: each.to_json()
        for name in ("sensitivity", "specificity")
        if isinstance(each := found[f"{point.name}: {name}"], Estimate)
    }
    named = {"name": point.name, "threshold": point.threshold, "chosen_on": point.chosen_on}
    return {**named, **achieved}


def _share(called: Sequence[bool] | NDArray[np.bool_]) -> float:
    return float(np.mean(called)) if len(called) else UNDEFINED
