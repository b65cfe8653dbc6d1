"""How well the detector finds lesions: FROC (Bunch 1978) and mean average precision.

The rule of hits stands in `ml.evaluate.outcomes`. False marks are counted in two ways, always
named: on images without any lesion, and on all images (there a mark that hits no lesion is
false; a second mark on a lesion is neither a hit nor false).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ml.evaluate.bootstrap import DRAWS, resampled
from ml.evaluate.precision import average_precisions, match_image, torchmetrics_precisions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from ml.evaluate.bootstrap import Estimate
    from ml.evaluate.outcomes import Marked
    from ml.findings import OperatingPoint

    _Threshold = Callable[[Sequence[Marked], float], float]

HIT_RULE = (
    "A mark hits a lesion when its middle lies in the lesion's box, whatever type it names; "
    "a second mark on one lesion is neither a hit nor false."
)
MAP_RULE = (
    "COCO's matching by intersection over union, all types of lesion taken as one class, "
    "at most 50 marks an image."
)
RATES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0)
UNDEFINED = float("nan")


def threshold_at(outcomes: Sequence[Marked], rate: float) -> float:
    """The lowest threshold with at most `rate` false marks per lesion-free image.

    NaN where there is no image without a lesion.
    """
    return _threshold([o.scores for o in outcomes if not o.item.lesion], rate)


def threshold_over_all(outcomes: Sequence[Marked], rate: float) -> float:
    """The lowest threshold with at most `rate` false marks per image, all images counted."""
    return _threshold([_false_scores(outcome) for outcome in outcomes], rate)


def sensitivity_at(outcomes: Sequence[Marked], threshold: float) -> float:
    """Share of the lesions that a mark at or above the threshold hits."""
    scores = [outcome.lesion_scores for outcome in outcomes if len(outcome.lesion_scores)]
    if not scores or np.isnan(threshold):
        return UNDEFINED
    found = np.concatenate(scores)
    return float(np.mean((found >= threshold) & (found > 0)))


def false_marks_at(outcomes: Sequence[Marked], threshold: float) -> float:
    """False marks per image without a lesion."""
    normal = [outcome for outcome in outcomes if not outcome.item.lesion]
    if not normal:
        return UNDEFINED
    return float(np.mean([np.count_nonzero(o.scores >= threshold) for o in normal]))


def false_marks_over_all(outcomes: Sequence[Marked], threshold: float) -> float:
    """False marks per image, all images counted."""
    if not outcomes:
        return UNDEFINED
    return float(np.mean([np.count_nonzero(_false_scores(o) >= threshold) for o in outcomes]))


def froc(outcomes: Sequence[Marked], rate: float) -> float:
    """Sensitivity at `rate` false marks per lesion-free image: one point of the FROC curve."""
    return sensitivity_at(outcomes, threshold_at(outcomes, rate))


def detection_report(
    outcomes: Sequence[Marked], points: Sequence[OperatingPoint], *, draws: int = DRAWS
) -> dict[str, object]:
    """Everything that a report says of a detector, as plain JSON values.

    Parameters
    ----------
    points
        The card's: chosen on validation data, held against these.
    """
    patients = [outcome.item.patient_id for outcome in outcomes]

    def over(indices: NDArray[np.int64]) -> dict[str, float]:
        return _froc_figures([outcomes[index] for index in indices], points)

    found = resampled(patients, over, draws=draws)
    return {
        "hit_rule": HIT_RULE,
        "images": len(outcomes),
        "lesion_free_images": sum(not outcome.item.lesion for outcome in outcomes),
        "lesions": sum(len(outcome.lesion_scores) for outcome in outcomes),
        "patients": len(set(patients)),
        "froc_lesion_free": _rates(found, "free", threshold_at, outcomes),
        "froc_all_images": _rates(found, "all", threshold_over_all, outcomes),
        "mean_froc_sensitivity": found["mean"].to_json(),
        "operating_points": [_point(point, found) for point in points],
        "curve": froc_curve(outcomes),
        "mean_average_precision": _precision(outcomes, patients, draws),
    }


def froc_curve(outcomes: Sequence[Marked], most: int = 200) -> dict[str, list[float]]:
    """The curve over lesion-free images, at no more than `most` of its steps."""
    normal = [outcome.scores for outcome in outcomes if not outcome.item.lesion]
    if not normal:
        return {"false_marks": [], "sensitivity": []}
    scores = np.unique(np.concatenate(normal))[::-1]
    if not len(scores):
        scores = np.array([np.inf])
    chosen = scores[np.unique(np.linspace(0, len(scores) - 1, most).astype(int))]
    return {
        "false_marks": [round(false_marks_at(outcomes, float(t)), 4) for t in chosen],
        "sensitivity": [round(sensitivity_at(outcomes, float(t)), 4) for t in chosen],
    }


def _froc_figures(
    outcomes: Sequence[Marked], points: Sequence[OperatingPoint]
) -> dict[str, float]:
    figures: dict[str, float] = {}
    for rate in RATES:
        figures[f"free {rate}"] = froc(outcomes, rate)
        figures[f"all {rate}"] = sensitivity_at(outcomes, threshold_over_all(outcomes, rate))
    # LUNA16's competition performance metric (Setio 2017), here over these six rates.
    figures["mean"] = float(np.mean([figures[f"free {rate}"] for rate in RATES]))
    for point in points:
        figures[f"{point.name} sensitivity"] = sensitivity_at(outcomes, point.threshold)
        figures[f"{point.name} free"] = false_marks_at(outcomes, point.threshold)
        figures[f"{point.name} all"] = false_marks_over_all(outcomes, point.threshold)
    return figures


def _rates(
    found: Mapping[str, Estimate], kind: str, threshold: _Threshold, outcomes: Sequence[Marked]
) -> list[dict[str, object]]:
    return [
        {
            "false_marks": rate,
            "threshold": _rounded(threshold(outcomes, rate)),
            "sensitivity": found[f"{kind} {rate}"].to_json(),
        }
        for rate in RATES
    ]


def _point(point: OperatingPoint, found: Mapping[str, Estimate]) -> dict[str, object]:
    return {
        "name": point.name,
        "threshold": point.threshold,
        "chosen_on": point.chosen_on,
        "sensitivity": found[f"{point.name} sensitivity"].to_json(),
        "false_marks_per_lesion_free_image": found[f"{point.name} free"].to_json(),
        "false_marks_per_image": found[f"{point.name} all"].to_json(),
    }


def _precision(
    outcomes: Sequence[Marked], patients: Sequence[str], draws: int
) -> dict[str, object]:
    """The values are torchmetrics'; the draws of the interval repeat its rule on arrays."""
    matched = [match_image(outcome) for outcome in outcomes]
    known = torchmetrics_precisions(outcomes)

    def over(indices: NDArray[np.int64]) -> dict[str, float]:
        return average_precisions([matched[index] for index in indices])

    found = resampled(patients, over, draws=min(draws, 500))
    ranges = {
        name: {**each.to_json(), "value": _rounded(known[name])} for name, each in found.items()
    }
    return {"rule": MAP_RULE, **ranges}


def _false_scores(outcome: Marked) -> NDArray[np.float32]:
    return outcome.scores[~outcome.hits]


def _threshold(false_scores: Sequence[NDArray[np.float32]], rate: float) -> float:
    if not false_scores:
        return UNDEFINED
    scores = np.sort(np.concatenate(false_scores))[::-1]
    allowed = int(rate * len(false_scores))
    # Marks at the threshold count: it lies just above the first one too many.
    return float(np.nextafter(scores[allowed], 1)) if allowed < len(scores) else 0.0


def _rounded(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None
