"""Where the breast is: outline, nipple, thickness, muscle, in mm.

The upright frame of a left breast: chest wall at column 0, nipple to the right, feet (MLO) or
the medial side (CC) at the bottom.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

if TYPE_CHECKING:
    from ml.phantom.woman import Woman

Map = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """The grid that a view is drawn on.

    Attributes
    ----------
    x : (1, columns) float32
        Distance from the chest wall, mm.
    y : (rows, 1) float32
        Distance down from the middle, mm.
    """

    pixel_mm: float
    x: Map
    y: Map

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.y.shape[0], self.x.shape[1]


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """The compressed breast as a body.

    Attributes
    ----------
    depth_mm : (rows, columns) float32
        Distance to the skin line; 0 outside.
    thickness_mm : (rows, columns) float32
        Of tissue along the beam, rounded at the edge.
    nipple_mm
        (y, x) of the tip of the nipple.
    """

    depth_mm: Map
    thickness_mm: Map
    nipple_mm: tuple[float, float]


def canvas_mm(woman: Woman, mlo: bool) -> tuple[float, float]:
    """Height and width of the image."""
    height = (215 if mlo else 200) * max(woman.size, 0.9)
    return height, 125 * max(woman.size, 0.9)


def make_frame(woman: Woman, mlo: bool, pixel_mm: float) -> Frame:
    """The grid of a view, an even number of pixels each way."""
    rows, columns = (round(side / pixel_mm / 2) * 2 for side in canvas_mm(woman, mlo))
    x = ((np.arange(columns, dtype=np.float32) + 0.5) * pixel_mm)[None, :]
    y = ((np.arange(rows, dtype=np.float32) + 0.5 - rows / 2) * pixel_mm)[:, None]
    return Frame(pixel_mm, x, y)


def draw_outline(woman: Woman, mlo: bool, frame: Frame, rng: np.random.Generator) -> Outline:
    """Superellipse 95 mm deep, 88 mm to each side; MLO droops and reaches the axilla."""
    y = frame.y[:, 0]
    droop = woman.droop * 88 * woman.size if mlo else float(rng.normal(0, 3))
    edge = _edge(woman, mlo, y, droop, rng)
    edge = np.asarray(ndimage.gaussian_filter1d(edge, 2.5 / frame.pixel_mm), np.float32)
    edge += _nipple(y - droop, rng)
    inside = frame.x < edge[:, None]
    depth = _depth_mm(inside, frame.pixel_mm)
    tip = float(edge[np.argmin(np.abs(y - droop))])
    return Outline(depth, _rounded(depth, woman.thickness_mm), (droop, tip))


def _edge(
    woman: Woman, mlo: bool, y: Map, droop: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    depth, half = 95 * woman.size, 88 * woman.size
    wobble = sum(
        rng.normal(0, 1.2 / k) * np.cos(k * y / half + rng.uniform(0, 6.28)) for k in (1, 2, 3)
    )
    above = y < droop
    # Of an MLO, the film's upper and often its lower edge cut the breast off.
    up, down = (rng.uniform(1.6, 2.0), rng.uniform(0.95, 1.35)) if mlo else (1.0, 1.0)
    reach = np.where(above, half * up + droop, half * down - 0.5 * droop)
    across = np.abs(y - droop) / reach
    power = np.where(above & mlo, 2.0, 2.7) * rng.uniform(0.9, 1.15)
    edge = depth * np.clip(1 - across**power, 0, 1) ** 0.52 + wobble
    edge = np.where(across < 1, edge, -8)
    if mlo:  # the axillary tail keeps some width at the top of the film
        tail = rng.uniform(24, 46) * woman.size + 0.18 * (droop - y)
        edge = np.where(above, np.maximum(edge, np.minimum(tail, depth)), edge)
    return np.asarray(edge, np.float64)


def _nipple(along: Map, rng: np.random.Generator) -> Map:
    """How far the nipple stands out: seen in profile in most views, flat in some."""
    height = float(rng.uniform(3.0, 8.0)) if rng.random() < 0.8 else 0.0
    width = float(rng.uniform(4.0, 6.0))
    return np.asarray(height * np.exp(-((along / width) ** 4)), np.float32)


def _depth_mm(inside: NDArray[np.bool_], pixel_mm: float) -> Map:
    """Distance to air. The chest wall and the film's upper edge are no skin."""
    padded = np.pad(inside, ((1, 1), (1, 1)), mode="edge")
    # Not OpenCV's: its precise transform gives other last digits with other thread counts.
    distance = np.asarray(ndimage.distance_transform_edt(padded))
    return np.asarray(distance[1:-1, 1:-1] * pixel_mm, np.float32)


def _rounded(depth_mm: Map, thickness_mm: float) -> Map:
    """A half-round edge, a little wider than half the thickness."""
    inward = np.clip(depth_mm / (0.62 * thickness_mm), 0, 1)
    return np.asarray(thickness_mm * np.sqrt(1 - (1 - inward) ** 2), np.float32)


def draw_muscle(frame: Frame, rng: np.random.Generator) -> Map:
    """Pectoral muscle: a wedge at the upper chest wall with a soft, bowed edge, 0 to 1."""
    angle = np.deg2rad(rng.uniform(18, 32))
    length = rng.uniform(110, 170)
    drop = (frame.y - float(frame.y.min())) / length
    bow = rng.uniform(-4, 6) * np.sin(np.pi * np.clip(drop, 0, 1))
    ripple = rng.normal(0, 0.8) * np.sin(9 * drop + rng.uniform(0, 6.28))
    edge = length * np.tan(angle) * (1 - drop) + bow + ripple
    # Softer towards its lower end, where it thins out between the plates.
    softness = rng.uniform(1.5, 3.5) * (1 + 1.5 * np.clip(drop, 0, 1))
    inside = np.clip((edge - frame.x) / softness, -30, 30)
    # Muscle fills part of the beam only, and less of it lower down.
    share = rng.uniform(0.45, 0.75) * (1 - 0.5 * np.clip(drop, 0, 1))
    return np.asarray(share / (1 + np.exp(-inside)), np.float32)
