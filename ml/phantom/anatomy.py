"""The healthy breast as maps in mm: what a beam crosses, pixel by pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml.mammo.codes import ViewPosition
from ml.phantom.outline import Map, draw_muscle, draw_outline, make_frame
from ml.phantom.strands import draw_strands
from ml.phantom.tissue import draw_glandular, draw_ligaments, power_law_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.phantom.outline import Frame, Outline
    from ml.phantom.woman import Woman

# Tissue is drawn on this grid, or a coarser image's own, and enlarged: a woman is the same at
# every pixel size, and finer than this quantum noise hides her texture anyway.
GRID_MM = 0.2
SKIN_MM = 1.5


@dataclass(frozen=True, slots=True, eq=False)
class Anatomy:
    """One compressed breast, seen along the beam. All maps are (rows, columns) float32.

    Attributes
    ----------
    depth_mm
        Distance to the skin line; 0 outside.
    thickness_mm
        Of tissue along the beam, rounded at the edge.
    skin_mm
        Of that, skin: both sides, more at its rim, in a fold and at the nipple.
    glandular
        Share of glandular tissue along the beam, 0 to 1.
    strands
        Extra path through ligaments, ducts and vessels, mm of glandular tissue.
    muscle
        Share of pectoral muscle, 0 to 1.
    nipple
        (row, column) of the tip of the nipple, in pixels.
    vessels
        Middle lines of the vessels, each (n, 2): row and column in pixels.
    """

    pixel_mm: float
    depth_mm: Map
    thickness_mm: Map
    skin_mm: Map
    glandular: Map
    strands: Map
    muscle: Map
    nipple: tuple[float, float]
    vessels: tuple[NDArray[np.float64], ...]


def build_anatomy(
    woman: Woman, view: ViewPosition, pixel_mm: float, rng: np.random.Generator
) -> Anatomy:
    """Build the healthy breast for one view.

    Parameters
    ----------
    pixel_mm
        Size of a pixel, 0.05 to 0.5.
    """
    mlo = view is ViewPosition.MLO
    frame = make_frame(woman, mlo, max(GRID_MM, pixel_mm))
    outline = draw_outline(woman, mlo, frame, rng)
    muscle = np.zeros(frame.shape, np.float32)
    if mlo:
        muscle = draw_muscle(frame, rng) * (outline.depth_mm > 0)
    glandular = draw_glandular(frame, outline, muscle, woman.glandular_fraction, rng)
    ligaments = draw_ligaments(frame, outline, glandular, rng)
    tubes = draw_strands(frame, outline, rng)
    fibres = power_law_noise(frame.shape, 2.8, frame.pixel_mm, rng)
    soft = (ligaments + tubes.path_mm) * (1 - 0.8 * muscle) + 0.8 * fibres * muscle
    strands = np.asarray(soft, np.float32)
    skin = _skin_mm(frame, outline, mlo, rng)
    shape = make_frame(woman, mlo, pixel_mm).shape
    maps = (outline.depth_mm, outline.thickness_mm, skin, glandular, strands, muscle)
    top = float(frame.y[0, 0]) - frame.pixel_mm / 2
    return Anatomy(
        pixel_mm,
        *(_enlarged(values, shape) for values in maps),
        nipple=((outline.nipple_mm[0] - top) / pixel_mm, outline.nipple_mm[1] / pixel_mm),
        vessels=tuple((line - (top, 0)) / pixel_mm for line in tubes.vessels),
    )


def _skin_mm(frame: Frame, outline: Outline, mlo: bool, rng: np.random.Generator) -> Map:
    """Skin along the beam: both sides, thicker at the nipple, doubled where it folds."""
    tip_y, tip_x = outline.nipple_mm
    near = np.hypot(frame.y - tip_y, frame.x - tip_x)
    skin = 2 * SKIN_MM + 2.5 * np.exp(-((near / 7) ** 2))
    if mlo and rng.random() < 0.15:  # at the fold under the breast, or in the armpit
        low = rng.random() < 0.6
        middle = float(frame.y.max()) * (0.72 if low else -0.75)
        bow = middle + 0.0025 * (frame.x - rng.uniform(0, 40)) ** 2 * (1 if low else -1)
        beside = (frame.y - bow) * (1 if low else -1)
        fold = (
            2.5
            / (1 + np.exp(np.clip(-beside / 0.3, -30, 30)))
            * np.exp(-np.clip(beside, 0, None) / 7)
        )
        skin = skin + fold * np.clip(1.4 - frame.x / rng.uniform(25, 60), 0, 1)
    return np.asarray(np.minimum(skin, outline.thickness_mm), np.float32)


def _enlarged(values: Map, shape: tuple[int, int]) -> Map:
    if values.shape == shape:
        return values
    enlarged = cv2.resize(values, shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(enlarged, np.float32)
