"""The detector, and beside it the one for calcifications where the pixels are fine enough.

Masses are looked for at 0.2 mm, where a whole breast fits on a small canvas. Single specks are
smaller than that, so a second detector looks at the same breast at 0.1 mm; where it looked, its
word on calcifications replaces the first one's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.infer.detections import SCORE_FLOOR, Detections, decode
from ml.infer.engine import as_canvas
from ml.mammo.codes import FindingType
from ml.prevalence import at_prevalence
from ml.registry import FINE_ROLE, logit, probability_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ml.infer.engine import Graph
    from ml.mammo.prepare import FineCanvas
    from ml.registry import Calibration, ModelCard, ModelPack


# Twice the cells of the detector's coarsest grid: a graph meets few shapes, and is prepared for
# each of them once.
STEP = 64


@dataclass(frozen=True, slots=True, eq=False)
class Detectors:
    """One detector or two, asked as one.

    Attributes
    ----------
    whole, card
        Looks at the whole breast.
    fine, fine_card
        Looks for calcifications at finer pixels; None where none is installed.
    """

    whole: Graph
    card: ModelCard
    fine: Graph | None = None
    fine_card: ModelCard | None = None

    @staticmethod
    def of(packs: Mapping[str, ModelPack], graphs: Mapping[str, Graph]) -> Detectors:
        """From what is installed and loaded, by role."""
        fine = packs.get(FINE_ROLE)
        return Detectors(
            graphs["detector"],
            packs["detector"].card,
            graphs.get(FINE_ROLE),
            fine.card if fine else None,
        )

    def detect(self, pixels: NDArray[np.uint16], fine: FineCanvas | None) -> Detections:
        """Boxes on the whole canvas, with classes and scores as the whole detector's card says.

        Parameters
        ----------
        pixels : (rows, columns) uint16
            The whole canvas.
        fine
            None where the image's pixels are too coarse, or their size is not known.
        """
        found = decode(self.whole(as_canvas(pixels))[0])
        if fine is None or self.fine is None or self.fine_card is None:
            return found
        specks = decode(self.fine(as_canvas(trimmed(fine.pixels)))[0])
        return joined(found, self.card, _on_whole(specks, fine), self.fine_card)


def trimmed(pixels: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """A canvas without the empty rows below the breast and the empty columns beside it.

    A third of the fine canvas is empty in the middle of the simulated women, and as much of the
    detector's time is saved. What is cut is a multiple of `STEP` pixels, and the corner that
    boxes are counted from stays.
    """
    rows, columns = (_reach(pixels, axis) for axis in (0, 1))
    return pixels[:rows, :columns]


def _reach(pixels: NDArray[np.uint16], axis: int) -> int:
    filled = np.flatnonzero(pixels.any(axis=1 - axis))
    last = int(filled[-1]) + 1 if filled.size else 1
    return min(-(-last // STEP) * STEP, pixels.shape[axis])


def joined(
    found: Detections, card: ModelCard, specks: Detections, fine_card: ModelCard
) -> Detections:
    """Calcifications of the fine detector, everything else of the whole one, best first."""
    calcifications = FindingType.CALCIFICATIONS
    kept = found.classes != card.classes.index(calcifications)
    own = specks.classes == fine_card.classes.index(calcifications)
    scores = same_scale(specks.scores[own], fine_card, card)
    own_classes = np.full(len(scores), card.classes.index(calcifications), np.int64)
    boxes = np.concatenate([found.boxes[kept], specks.boxes[own]])
    classes = np.concatenate([found.classes[kept], own_classes])
    everything = np.concatenate([found.scores[kept], scores]).astype(np.float32)
    order = np.argsort(-everything, kind="stable")
    order = order[everything[order] >= SCORE_FLOOR]
    return Detections(boxes[order], classes[order], everything[order])


def same_scale(
    scores: NDArray[np.float32], own: ModelCard, other: ModelCard
) -> NDArray[np.float32]:
    """Scores of one detector as the other would give them: equal scores, equal probability.

    Where either card has no calibration the scores stay as they are.
    """
    mine, theirs = own.calibration.get("detector"), other.calibration.get("detector")
    if mine is None or theirs is None:
        return scores
    return np.array([_moved(float(score), mine, theirs) for score in scores], np.float32)


def _moved(score: float, mine: Calibration, theirs: Calibration) -> float:
    probability = probability_of(mine, score)
    if mine.prevalence is not None and theirs.prevalence is not None:
        probability = at_prevalence(probability, mine.prevalence, theirs.prevalence)
    value = (logit(probability) - theirs.intercept) / theirs.slope
    return float(1 / (1 + np.exp(-value)))


def _on_whole(found: Detections, fine: FineCanvas) -> Detections:
    rows, columns = fine.row_scale, fine.column_scale
    scale = np.array([rows, columns, rows, columns], np.float32)
    return Detections(found.boxes * scale, found.classes, found.scores)
