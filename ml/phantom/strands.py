"""Ducts and vessels: tubes drawn along random walks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.phantom.outline import Frame, Map, Outline

    Points = NDArray[np.float64]

# cv2 draws between sixteenths of a pixel.
SHIFT = 4


@dataclass(frozen=True, slots=True, eq=False)
class Strands:
    """Tubes of one view.

    Attributes
    ----------
    path_mm : (rows, columns) float32
        Extra path, as mm of glandular tissue.
    vessels
        Middle lines of the vessels, each (n, 2): y and x in mm.
    """

    path_mm: Map
    vessels: tuple[Points, ...]


def draw_strands(frame: Frame, outline: Outline, rng: np.random.Generator) -> Strands:
    """Ducts that fan out from the nipple and vessels that cross the breast under the skin."""
    ducts, vessels = np.zeros(frame.shape, np.float32), np.zeros(frame.shape, np.float32)
    for _ in range(int(rng.integers(6, 14))):
        walk = _walk(outline.nipple_mm, rng.uniform(20, 60), rng.uniform(-0.9, 0.9), 0.10, rng)
        _draw_tube(ducts, frame, walk, rng.uniform(0.6, 1.6), rng.uniform(0.4, 1.3), taper=True)
    lines: list[Points] = []
    for _ in range(int(rng.integers(3, 10))):
        walk = _vessel(outline, rng)
        lines.append(walk)
        width = float(rng.uniform(0.8, 2.4))
        _draw_tube(vessels, frame, walk, width, 1.5 * width, taper=False)
    soft = cv2.GaussianBlur(ducts, (0, 0), 0.5 / frame.pixel_mm)
    soft += cv2.GaussianBlur(vessels, (0, 0), 0.35 / frame.pixel_mm)
    return Strands(np.asarray(soft * (outline.depth_mm > 1.5), np.float32), tuple(lines))


def _vessel(outline: Outline, rng: np.random.Generator) -> Points:
    """Long and winding, from somewhere under the skin towards the chest wall."""
    y, x = outline.nipple_mm
    start = (y + float(rng.uniform(-60, 60)), x - float(rng.uniform(10, 60)))
    walk = _walk(start, rng.uniform(50, 120), rng.uniform(-0.9, 0.9), 0.13, rng)
    along = np.linspace(0, rng.uniform(8, 20), len(walk))
    walk[:, 0] += rng.uniform(0.3, 1.2) * np.sin(along + rng.uniform(0, 6.28))
    return walk


def _walk(
    start: tuple[float, float],
    length_mm: float,
    heading: float,
    wander: float,
    rng: np.random.Generator,
) -> Points:
    """(n, 2) y and x in mm, from a place towards the chest wall."""
    steps = max(8, round(length_mm / 2))
    headings = heading + np.cumsum(rng.normal(0, wander, steps))
    y = start[0] + np.cumsum(np.sin(headings)) * length_mm / steps
    x = start[1] - np.cumsum(np.cos(headings)) * length_mm / steps
    return np.stack([y, x], -1)


def _draw_tube(
    layer: Map, frame: Frame, walk: Points, width_mm: float, path_mm: float, *, taper: bool
) -> None:
    top = float(frame.y[0, 0]) - frame.pixel_mm / 2
    points = np.stack([walk[:, 1], walk[:, 0] - top], -1) / frame.pixel_mm
    fixed = np.round(points * (1 << SHIFT)).astype(np.int32)
    steps = len(fixed) - 1
    for number in range(steps):
        left = 1 - 0.8 * number / steps if taper else 1.0
        width = max(1, round(width_mm * left / frame.pixel_mm))
        cv2.line(
            layer,
            fixed[number].tolist(),
            fixed[number + 1].tolist(),
            float(path_mm * left),
            width,
            cv2.LINE_8,
            SHIFT,
        )
