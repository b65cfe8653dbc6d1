"""What scanning a film adds: grain, dust, scratches, lead letters, and a hand that cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.phantom.anatomy import Anatomy
    from ml.phantom.outline import Map
    from ml.phantom.vendors import Film

LETTERS = ("L", "R", "CC", "MLO", "LMLO", "RMLO", "LCC", "RCC")


def scan_film(
    unit: Map, anatomy: Anatomy, film: Film, rng: np.random.Generator
) -> tuple[Map, NDArray[np.bool_]]:
    """Scan a film.

    Parameters
    ----------
    unit : (rows, columns) float32
        The film in 0..1, dense is bright.

    Returns
    -------
    Map
        As scanned, in 0..1.
    (rows, columns) bool
        What was blackened by hand.
    """
    grain = rng.standard_normal(unit.shape, dtype=np.float32)
    sigma = max(0.08 / anatomy.pixel_mm, 0.45)
    grain = cv2.GaussianBlur(grain, (0, 0), sigma) * np.float32(2 * np.sqrt(np.pi) * sigma)
    coarse = film.grain * grain * np.sqrt(np.clip(unit, 0, 1) + 0.02)
    scanned = np.asarray(unit + coarse, np.float32)
    _mark(scanned, anatomy, rng)
    cut = np.zeros(unit.shape, np.bool_)
    if anatomy.muscle.any() and rng.random() < film.cut:
        cut = _cut(anatomy, rng)
        # Who cut the muscle away painted over the letters too.
        cut |= anatomy.depth_mm <= 0
        scanned[cut] = 0
    return scanned, cut


def _mark(scanned: Map, anatomy: Anatomy, rng: np.random.Generator) -> None:
    """Dust, now and then a scratch, and letters of lead beside the breast."""
    rows, columns = scanned.shape
    for _ in range(int(rng.poisson(4))):
        place = (int(rng.integers(columns)), int(rng.integers(rows)))
        cv2.circle(scanned, place, 1, float(rng.uniform(0.6, 1)), -1)
    if rng.random() < 0.15:
        column = int(rng.integers(columns))
        ends = (column, 0), (column + int(rng.integers(-20, 20)), rows - 1)
        cv2.line(scanned, *ends, float(rng.uniform(0.3, 0.9)), 1)
    if rng.random() < 0.7:
        text = LETTERS[rng.integers(len(LETTERS))]
        size = float(rng.uniform(8, 13)) / anatomy.pixel_mm / 22
        place = (int(columns * rng.uniform(0.7, 0.8)), int(rows * rng.uniform(0.06, 0.15)))
        thick = max(1, round(1.2 / anatomy.pixel_mm))
        letters = np.zeros(scanned.shape, np.uint8)
        cv2.putText(letters, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, 255, thick)
        np.maximum(scanned, letters / np.float32(268), out=scanned)


def _cut(anatomy: Anatomy, rng: np.random.Generator) -> NDArray[np.bool_]:
    """The muscle, along an edge that a shaking hand has drawn."""
    strong = anatomy.muscle > 0.35 * anatomy.muscle.max()
    edge = strong.sum(1).astype(np.float32)
    step = max(1, round(4 / anatomy.pixel_mm))
    knots = np.arange(0, len(edge) + step, step)
    shake = rng.normal(0, 1.2 / anatomy.pixel_mm, len(knots))
    edge += np.where(edge > 0, np.interp(np.arange(len(edge)), knots, shake), 0)
    return np.arange(strong.shape[1])[None, :] < edge[:, None]
