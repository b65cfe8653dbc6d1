"""Prepared images whose truth is known, and what models might say of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ml.data.canvases import CanvasItem
from ml.evaluate.outcomes import Judged, Marked
from ml.infer.classified import Classified
from ml.mammo.codes import FindingType
from ml.mammo.prepare import PrepareSpec

if TYPE_CHECKING:
    from pathlib import Path

    from ml.data.canvases import CanvasSet

Corners = tuple[float, float, float, float]
SMALL = PrepareSpec(rows=256, columns=192)
SHINE = 60000


def make_item(
    patient: str = "one",
    boxes: tuple[Corners, ...] = (),
    *,
    lesion: bool | None = None,
    malignant: bool = False,
    density: int | None = None,
) -> CanvasItem:
    lesion = bool(boxes) if lesion is None else lesion
    return CanvasItem(
        patient_id=patient,
        image_id=f"{patient}-image",
        source="phantom",
        boxes=boxes,
        finding_types=(FindingType.MASS,) * len(boxes),
        malignant=malignant if lesion else None,
        density=density,
        lesion=lesion,
    )


def make_marked(
    patient: str, found: tuple[float, ...] = (), scores: tuple[float, ...] = ()
) -> Marked:
    """Lesions by the best score that hits them; `scores` are the false marks."""
    boxes = tuple((0.0, 20.0 * number, 8.0, 20.0 * number + 8) for number in range(len(found)))
    hits = [score for score in found if score > 0]
    hit_boxes = [box for box, score in zip(boxes, found, strict=True) if score > 0]
    return Marked(
        make_item(patient, boxes),
        np.array(found, np.float32),
        np.array([*hits, *scores], np.float32),
        np.array([True] * len(hits) + [False] * len(scores), bool),
        np.array([*hit_boxes, *[(100.0, 0.0, 108.0, 8.0)] * len(scores)], np.float32).reshape(
            -1, 4
        ),
    )


def make_judged(
    patient: str, lesion_score: float, *, lesion: bool, density: int = 0, said: int = 0
) -> Judged:
    shares = np.eye(4, dtype=np.float32)[said]
    seen = Classified(lesion_score, lesion_score / 2, np.zeros((2, 2), np.float32), shares)
    return Judged(make_item(patient, lesion=lesion, density=density, malignant=lesion), seen)


def bright_disc_canvases(folder: Path, count: int, seed: int = 0) -> CanvasSet:
    """Noise with a bright disc in every other image: a lesion that nobody could miss."""
    from ml.data.canvases import read_canvases, write_canvases

    rng = np.random.default_rng(seed)

    def images():
        rows, columns = np.mgrid[: SMALL.rows, : SMALL.columns]
        for number in range(count):
            pixels = rng.normal(12000, 1500, (SMALL.rows, SMALL.columns))
            boxes: tuple[Corners, ...] = ()
            if number % 2:
                row, column = rng.uniform(60, 190), rng.uniform(50, 140)
                radius = rng.uniform(14, 24)
                pixels[(rows - row) ** 2 + (columns - column) ** 2 < radius**2] = SHINE
                boxes = ((row - radius, column - radius, row + radius, column + radius),)
            item = make_item(f"patient-{number}", boxes, density=number % 4)
            yield np.clip(pixels, 1, 65535).astype(np.uint16), item

    write_canvases(folder, images(), count, SMALL)
    return read_canvases(folder)
