"""Hard negatives: where a detector marks healthy tissue of the images that it learns from.

Some a reader told, who rejected the mark; others the detector shows where lesions are known.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from ml.control import NOBODY, Control, breathing
from ml.evaluate.outcomes import marked
from ml.infer.detections import decode
from ml.infer.engine import as_canvas
from ml.mammo.geometry import Box
from ml.models.detector import deployed
from ml.train.precision import half_where_native

if TYPE_CHECKING:
    from torch import nn

    from ml.evaluate.outcomes import Marked
    from ml.train.crops import CropSource

# Of each image, the strongest false marks from this score on.
MOST, LEAST_SCORE = 4, 0.05
# Images to look through: a minute on two cores.
AT_MOST = 400
# A mark that overlaps a lesion so much is loose, not wrong.
LOOSE = 0.1


def with_told(source: CropSource) -> CropSource:
    """The same source, which knows the places that a reader rejected.

    Not those that overlap a lesion's box, nor those of an image with a lesion that nobody
    boxed: the rejected place may be the very lesion.
    """
    told: dict[int, tuple[tuple[float, float], ...]] = {}
    for index in source.indices:
        item = source.canvases.items[index]
        if item.lesion and not item.boxes:
            continue
        lesions = item.box_values()
        places = tuple(p for p in item.hard if not any(_holds(box, p) for box in lesions))
        if places:
            told[index] = places
    return replace(source, hard=told)


def with_hard(
    source: CropSource,
    model: nn.Module,
    *,
    device: str = "cpu",
    at_most: int = AT_MOST,
    control: Control = NOBODY,
) -> CropSource:
    """The same source, which knows, too, the places that a detector takes for lesions.

    Parameters
    ----------
    model
        A detector; the same weights give the same places.
    at_most
        Look at so many of the images only, evenly spread.

    Raises
    ------
    Stopped
        Where `control` ends the work.
    """
    network = deployed(model).to(device)
    every = max(1, math.ceil(len(source.indices) / at_most))
    places = dict(source.hard)
    for index in breathing(source.indices[::every], control):
        canvas = torch.from_numpy(as_canvas(source.canvases.pixels[index])).to(device)
        with torch.no_grad(), half_where_native(torch.device(device)):
            output = network(canvas).float().cpu().numpy()
        wrong = _wrong(marked(source.canvases.items[index], decode(output)))
        if wrong:
            places[index] = (*places.get(index, ()), *wrong)
    model.cpu()
    return replace(source, hard=places)


def _wrong(seen: Marked) -> tuple[tuple[float, float], ...]:
    """Middles of the false marks, the strongest first."""
    lesions = seen.item.box_values()
    if not seen.item.free and not lesions:
        return ()  # somewhere there is, or may be, a lesion, and nobody knows where
    found: list[tuple[float, float]] = []
    for score, hit, corners in zip(seen.scores, seen.hits, seen.mark_boxes, strict=True):
        box = Box(*map(float, corners))
        loose = any(box.iou(lesion) > LOOSE for lesion in lesions)
        if score >= LEAST_SCORE and not hit and not loose:
            found.append(box.center)
    return tuple(found[:MOST])


def _holds(box: Box, place: tuple[float, float]) -> bool:
    row, column = place
    return box.row0 <= row < box.row1 and box.col0 <= column < box.col1
