"""Mean average precision of boxes, as COCO defines it.

torchmetrics (with faster-coco-eval) gives the value. The bootstrap draws it some hundred
times, so the same rule also stands here on arrays: an image's marks are matched once.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from numpy.typing import NDArray

    from ml.evaluate.outcomes import Marked

# Intersection over union from which a mark is right: 0.50, 0.55, ... 0.95.
OVERLAPS = np.linspace(0.5, 0.95, 10)
# Recall levels at which precision is read (COCO: 0, 0.01, ... 1).
RECALLS = np.linspace(0, 1, 101)
UNDEFINED = float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """One image's marks, matched.

    Attributes
    ----------
    scores : (marks,) float64
    right : (overlaps, marks) bool
        Whether a mark is right at each of `OVERLAPS`.
    lesions
        How many boxes the image has.
    """

    scores: NDArray[np.float64]
    right: NDArray[np.bool_]
    lesions: int


def match_image(outcome: Marked) -> Matched:
    """Match as COCO does: in falling score, each mark takes the best box not yet taken."""
    marks, lesions = outcome.mark_boxes, _lesions(outcome)
    order = np.argsort(-outcome.scores, kind="stable")
    shared = overlaps(marks[order], lesions)
    right = np.zeros((len(OVERLAPS), len(order)), bool)
    for row, least in enumerate(OVERLAPS):
        free = np.ones(len(lesions), bool)
        for mark in range(len(order)):
            candidates = np.where(free, shared[mark], -1.0)
            best = int(candidates.argmax()) if len(lesions) else -1
            if best >= 0 and candidates[best] >= min(least, 1 - 1e-10):
                free[best] = False
                right[row, mark] = True
    return Matched(outcome.scores[order].astype(np.float64), right, len(lesions))


def average_precisions(images: Sequence[Matched]) -> dict[str, float]:
    """``mAP50`` and ``mAP50-95``; NaN where no image has a box."""
    lesions = sum(image.lesions for image in images)
    if not lesions:
        return {"mAP50": UNDEFINED, "mAP50-95": UNDEFINED}
    scores = np.concatenate([image.scores for image in images])
    order = np.argsort(-scores, kind="stable")
    right = np.concatenate([image.right for image in images], 1)[:, order]
    values = [_average_precision(row, lesions) for row in right]
    return {"mAP50": values[0], "mAP50-95": float(np.mean(values))}


def torchmetrics_precisions(outcomes: Sequence[Marked]) -> dict[str, float]:
    """The same two figures by torchmetrics; NaN where no image has a box."""
    if not any(outcome.item.boxes for outcome in outcomes):
        return {"mAP50": UNDEFINED, "mAP50-95": UNDEFINED}
    from torchmetrics.detection import MeanAveragePrecision

    # Its own levels are rounded to float32: at 29 of 50 lesions 0.58 would not be reached.
    metric = MeanAveragePrecision(
        backend="faster_coco_eval",
        iou_thresholds=OVERLAPS.tolist(),
        rec_thresholds=RECALLS.tolist(),
    )
    metric.warn_on_many_detections = False
    # It would log a table of its own at every call.
    logging.getLogger("faster_coco_eval").setLevel(logging.WARNING)
    for outcome in outcomes:
        said = _boxes(outcome.mark_boxes)
        said["scores"] = _tensor(outcome.scores)
        metric.update([said], [_boxes(_lesions(outcome))])
    found = metric.compute()
    return {"mAP50": float(found["map_50"]), "mAP50-95": float(found["map"])}


def overlaps(marks: NDArray[np.float32], lesions: NDArray[np.float32]) -> NDArray[np.float64]:
    """(marks, lesions): intersection over union."""
    one, other = marks[:, None].astype(np.float64), lesions[None].astype(np.float64)
    first = np.maximum(one[..., :2], other[..., :2])
    last = np.minimum(one[..., 2:], other[..., 2:])
    shared = np.prod(np.maximum(last - first, 0), -1)
    union = _area(one) + _area(other) - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def _average_precision(right: NDArray[np.bool_], lesions: int) -> float:
    hits = np.cumsum(right)
    recall = hits / lesions
    precision = hits / np.arange(1, len(right) + 1)
    # The envelope: the best precision at this recall or more.
    best = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(recall, RECALLS, side="left")
    return float(np.mean(np.append(best, 0.0)[np.minimum(at, len(best))]))


def _area(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.prod(boxes[..., 2:] - boxes[..., :2], -1)


def _lesions(outcome: Marked) -> NDArray[np.float32]:
    return np.array(outcome.item.boxes, np.float32).reshape(-1, 4)


def _boxes(corners: NDArray[np.float32]) -> dict[str, torch.Tensor]:
    import torch

    # torchmetrics asks for x, y; here rows come first.
    swapped = corners.reshape(-1, 4)[:, [1, 0, 3, 2]]
    return {"boxes": _tensor(swapped), "labels": torch.zeros(len(swapped), dtype=torch.long)}


def _tensor(values: NDArray[np.float32]) -> torch.Tensor:
    import torch

    return torch.from_numpy(np.array(values, np.float32))
