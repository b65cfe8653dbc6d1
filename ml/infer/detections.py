"""What the detector's raw output means: boxes, classes, scores. Plain numpy.

The graph returns (1, 4 + classes, anchors): x and y of the middle, width and height in canvas
pixels (x counts columns), then a score in [0, 1] for each class.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.findings import Finding
from ml.mammo.geometry import Box

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ml.mammo.codes import FindingType
    from ml.mammo.geometry import Affine

# Below this a box is noise; the reader's threshold starts far above.
SCORE_FLOOR = 0.05
# Two boxes of one class that share more are one lesion (ultralytics' default is 0.7, chosen
# for crowds; lesions do not crowd).
OVERLAP = 0.45
MOST_BOXES = 50
_MOST_CANDIDATES = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Boxes on a canvas, in falling order of score.

    Attributes
    ----------
    boxes : (n, 4) float32
        row0, col0, row1, col1 in canvas pixels.
    classes : (n,) int64
        Index into the card's classes.
    scores : (n,) float32
        In [0, 1].
    """

    boxes: NDArray[np.float32]
    classes: NDArray[np.int64]
    scores: NDArray[np.float32]


def decode(output: NDArray[np.float32], *, floor: float = SCORE_FLOOR) -> Detections:
    """Turn the raw output into boxes without overlaps.

    Parameters
    ----------
    output : (1, 4 + classes, anchors) or (4 + classes, anchors) float32
        As the graph returns it.
    floor
        Candidates with a lower score are dropped.

    Raises
    ------
    ValueError
        Where the output has another form.
    """
    table = output[0] if output.ndim == 3 else output
    if table.ndim != 2 or table.shape[0] < 5:
        raise ValueError(f"the detector returned {output.shape}")
    classes, anchors = np.nonzero(table[4:] >= floor)
    scores = table[4:][classes, anchors]
    order = np.argsort(-scores, kind="stable")[:_MOST_CANDIDATES]
    classes, scores, boxes = classes[order], scores[order], _corners(table[:4, anchors[order]])
    kept = suppress(boxes, classes)[:MOST_BOXES]
    return Detections(boxes[kept], classes[kept], scores[kept])


def suppress(
    boxes: NDArray[np.float32], classes: NDArray[np.int64], overlap: float = OVERLAP
) -> NDArray[np.int64]:
    """Greedy non-maximum suppression within each class.

    Parameters
    ----------
    boxes : (n, 4) float32
        In falling order of score.

    Returns
    -------
    (kept,) int64
        Indices of the boxes that stay, in the same order.
    """
    alive = np.ones(len(boxes), bool)
    kept: list[int] = []
    for index in range(len(boxes)):
        if alive[index]:
            kept.append(index)
            same = classes == classes[index]
            alive &= ~(same & (_iou(boxes[index], boxes) > overlap))
    return np.array(kept, np.int64)


def to_findings(
    detections: Detections,
    classes: tuple[FindingType, ...],
    to_stored: Affine,
    size: tuple[int, int],
    calibrate: Callable[[float], float | None],
) -> tuple[Finding, ...]:
    """Bring boxes back to stored pixels; those that lie outside the image are dropped.

    Parameters
    ----------
    size
        Rows and columns of the image.
    calibrate
        From score to probability; None where there is none.
    """
    findings: list[Finding] = []
    rows = zip(detections.boxes, detections.classes, detections.scores, strict=True)
    for corners, index, value in rows:
        row0, col0, row1, col1 = (float(corner) for corner in corners)
        box = to_stored.box(Box(row0, col0, row1, col1)).clipped(*size)
        if box.area > 0:
            score = min(max(float(value), 0.0), 1.0)
            findings.append(Finding(box, classes[int(index)], score, calibrate(score)))
    return tuple(findings)


def _corners(xywh: NDArray[np.float32]) -> NDArray[np.float32]:
    x, y = xywh[:2]
    width, height = np.maximum(xywh[2:], 0)
    corners = [y - height / 2, x - width / 2, y + height / 2, x + width / 2]
    return np.stack(corners, 1).astype(np.float32)


def _iou(one: NDArray[np.float32], many: NDArray[np.float32]) -> NDArray[np.float32]:
    first = np.maximum(one[:2], many[:, :2])
    last = np.minimum(one[2:], many[:, 2:])
    shared = np.prod(np.maximum(last - first, 0), 1)
    areas = np.prod(many[:, 2:] - many[:, :2], 1)
    union = np.prod(one[2:] - one[:2]) + areas - shared
    return np.where(union > 0, shared / np.maximum(union, 1e-12), 0)
