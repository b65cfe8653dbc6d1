"""How well the detector finds lesions: FROC (Bunch 1978) and mean average precision.

The rule of hits stands in `ml.evaluate.outcomes`. False marks are counted in two ways, always
named: on images without any lesion, and on all images (there a mark that hits no lesion is
false; a second mark on a lesion is neither a hit nor false).
"""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, eq=False)
class _Marks:
    """All marks of some images in one place each, in falling order.

    Attributes
    ----------
    free : (n,) float32
        Scores of all marks on the `free_images` lesion-free images.
    false : (m,) float32
        Scores of the marks that hit no lesion, on all `images`.
    lesions : (lesions,) float32
        The best score that hits each lesion; 0 where none does.
    """

    free: NDArray[np.float32]
    free_images: int
    false: NDArray[np.float32]
    images: int
    lesions: NDArray[np.float32]

    def sensitivity(self, threshold: float) -> float:
        if not len(self.lesions) or np.isnan(threshold):
            return UNDEFINED
        return float(np.mean((self.lesions >= threshold) & (self.lesions > 0)))

    def threshold(self, rate: float) -> float:
        return _threshold(self.free, self.free_images, rate)

    def threshold_over_all(self, rate: float) -> float:
        return _threshold(self.false, self.images, rate)

    def false_marks(self, threshold: float) -> float:
        return _per_image(self.free, self.free_images, threshold)

    def false_marks_over_all(self, threshold: float) -> float:
        return _per_image(self.false, self.images, threshold)


def _gather(outcomes: Sequence[Marked]) -> _Marks:
    return _join([_one(outcome) for outcome in outcomes])


def _one(outcome: Marked) -> _Marks:
    free = not outcome.item.lesion
    return _Marks(
        outcome.scores if free else _NO_SCORES,
        int(free),
        outcome.scores[~outcome.hits],
        1,
        outcome.lesion_scores,
    )


def _join(parts: Sequence[_Marks]) -> _Marks:
    return _Marks(
        _falling([part.free for part in parts]),
        sum(part.free_images for part in parts),
        _falling([part.false for part in parts]),
        len(parts),
        _falling([part.lesions for part in parts]),
    )


_NO_SCORES = np.zeros(0, np.float32)


def threshold_at(outcomes: Sequence[Marked], rate: float) -> float:
    """The lowest threshold with at most `rate` false marks per lesion-free image.

    NaN where there is no image without a lesion.
    """
    return _gather(outcomes).threshold(rate)


def threshold_over_all(outcomes: Sequence[Marked], rate: float) -> float:
    """The lowest threshold with at most `rate` false marks per image, all images counted."""
    return _gather(outcomes).threshold_over_all(rate)


def sensitivity_at(outcomes: Sequence[Marked], threshold: float) -> float:
    """Share of the lesions that a mark at or above the threshold hits."""
    return _gather(outcomes).sensitivity(threshold)


def false_marks_at(outcomes: Sequence[Marked], threshold: float) -> float:
    """False marks per image without a lesion."""
    return _gather(outcomes).false_marks(threshold)


def false_marks_over_all(outcomes: Sequence[Marked], threshold: float) -> float:
    """False marks per image, all images counted."""
    return _gather(outcomes).false_marks_over_all(threshold)


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

    images = [_one(outcome) for outcome in outcomes]

    def over(indices: NDArray[np.int64]) -> dict[str, float]:
        return _froc_figures(_join([images[index] for index in indices]), points)

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


def froc_curve(outcomes: Sequence[Marked], most: int = 60) -> dict[str, list[float]]:
    """The curve over lesion-free images, at no more than `most` of its steps."""
    marks = _gather(outcomes)
    if not marks.free_images or not len(marks.lesions):
        return {"false_marks": [], "sensitivity": []}
    scores = np.unique(marks.free)[::-1] if len(marks.free) else np.array([np.inf])
    chosen = scores[np.unique(np.linspace(0, len(scores) - 1, most).astype(int))]
    return {
        "false_marks": [round(marks.false_marks(float(t)), 4) for t in chosen],
        "sensitivity": [round(marks.sensitivity(float(t)), 4) for t in chosen],
    }


def _froc_figures(marks: _Marks, points: Sequence[OperatingPoint]) -> dict[str, float]:
    figures: dict[str, float] = {}
    for rate in RATES:
        figures[f"free {rate}"] = marks.sensitivity(marks.threshold(rate))
        figures[f"all {rate}"] = marks.sensitivity(marks.threshold_over_all(rate))
    # LUNA16's competition performance metric (Setio 2017), here over these six rates.
    figures["mean"] = float(np.mean([figures[f"free {rate}"] for rate in RATES]))
    for point in points:
        figures[f"{point.name} sensitivity"] = marks.sensitivity(point.threshold)
        figures[f"{point.name} free"] = marks.false_marks(point.threshold)
        figures[f"{point.name} all"] = marks.false_marks_over_all(point.threshold)
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


def _falling(scores: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    return np.sort(np.concatenate([_NO_SCORES, *scores]))[::-1]


def _threshold(falling: NDArray[np.float32], images: int, rate: float) -> float:
    if not images:
        return UNDEFINED
    allowed = int(rate * images)
    # Marks at the threshold count: it lies just above the first one too many.
    return float(np.nextafter(falling[allowed], 1)) if allowed < len(falling) else 0.0


def _per_image(scores: NDArray[np.float32], images: int, threshold: float) -> float:
    return float(np.count_nonzero(scores >= threshold) / images) if images else UNDEFINED


def _rounded(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None
