"""What the models said of images whose truth is known.

A mark hits a lesion when its middle lies in the lesion's box, whatever type it names: the rule
of the published INbreast and DREAM figures, and indifferent to how generously a reader draws.
False marks are counted on images without any lesion, where every mark is false beyond doubt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.data.canvases import on_fine, only_calcifications
from ml.infer.classified import classified
from ml.infer.detections import decode
from ml.infer.detectors import trimmed
from ml.infer.engine import as_canvas
from ml.infer.marks import best_mark, with_mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from ml.data.canvases import CanvasItem, Pair
    from ml.infer.classified import Classified
    from ml.infer.detections import Detections
    from ml.infer.detectors import Detectors
    from ml.infer.engine import Graph
    from ml.registry import ModelCard

    # (rows, columns) uint16 of `ml.mammo.prepare`, and its truth.
    PreparedItem = tuple[NDArray[np.uint16], CanvasItem]

NEVER_HIT = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Marked:
    """One image: its truth, and the detector's marks.

    Attributes
    ----------
    item
        The truth; `item.patient_id` is the unit of every interval.
    lesion_scores : (lesions,) float32
        The best mark that hits each lesion; 0 where none does.
    scores : (n,) float32
        Of all marks.
    hits : (n,) bool
        Which marks hit a lesion.
    mark_boxes : (n, 4) float32
        row0, col0, row1, col1 of each mark, on the canvas.
    """

    item: CanvasItem
    lesion_scores: NDArray[np.float32]
    scores: NDArray[np.float32]
    hits: NDArray[np.bool_]
    mark_boxes: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One image: its truth, and the classifier's word."""

    item: CanvasItem
    said: Classified


def mark_images(graph: Graph, images: Iterable[PreparedItem]) -> list[Marked]:
    """Run a detector on prepared images, as it runs in use."""
    return [marked(item, decode(graph(as_canvas(pixels))[0])) for pixels, item in images]


def whole_images(pairs: Iterable[Pair]) -> Iterator[PreparedItem]:
    """What the detector and the classifier are shown of the images."""
    return ((pixels, item) for pixels, _, item in pairs)


def fine_images(pairs: Iterable[Pair]) -> Iterator[PreparedItem]:
    """What the detector of calcifications is shown and asked for, of images so fine."""
    return (
        (trimmed(fine.pixels), only_calcifications(on_fine(item, fine)))
        for _, fine, item in pairs
        if fine is not None
    )


def mark_pairs(detectors: Detectors, pairs: Iterable[Pair]) -> list[Marked]:
    """Run the detector, and the one for calcifications beside it, as they run in use."""
    return [marked(item, detectors.detect(pixels, fine)) for pixels, fine, item in pairs]


def judge_images(graph: Graph, images: Iterable[PreparedItem]) -> list[Judged]:
    """Run a classifier on prepared images, as it runs in use."""
    return [Judged(item, classified(graph(as_canvas(pixels)))) for pixels, item in images]


def judge_pairs(
    graph: Graph, card: ModelCard, detectors: Detectors, pairs: Iterable[Pair]
) -> list[Judged]:
    """Run a classifier as it runs in use, with what the detectors' best mark adds."""
    return [
        Judged(
            item,
            with_mark(
                classified(graph(as_canvas(pixels))),
                best_mark(detectors.detect(pixels, fine)),
                card.mark_weights,
            ),
        )
        for pixels, fine, item in pairs
    ]


def marked(item: CanvasItem, marks: Detections) -> Marked:
    """Hold one image's marks against its lesions."""
    inside = _inside(marks.boxes, np.array(item.boxes, np.float32).reshape(-1, 4))
    best = np.where(inside, marks.scores[:, None], NEVER_HIT)
    return Marked(
        item=item,
        lesion_scores=best.max(0, initial=NEVER_HIT).astype(np.float32),
        scores=marks.scores,
        hits=np.asarray(inside.any(1)),
        mark_boxes=marks.boxes,
    )


def _inside(marks: NDArray[np.float32], lesions: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(marks, lesions): whether the middle of a mark lies in a lesion."""
    row = ((marks[:, 0] + marks[:, 2]) / 2)[:, None]
    column = ((marks[:, 1] + marks[:, 3]) / 2)[:, None]
    return (
        (lesions[:, 0] <= row)
        & (row < lesions[:, 2])
        & (lesions[:, 1] <= column)
        & (column < lesions[:, 3])
    )
