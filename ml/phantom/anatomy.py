"""The healthy breast as maps in mm: outline, thickness, glandular tissue, strands, muscle.

The upright frame of a left breast: chest wall at column 0, nipple to the right, feet (MLO) or
the medial side (CC) at the bottom.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from ml.mammo.codes import ViewPosition

if TYPE_CHECKING:
    from ml.phantom.woman import Woman

Map = NDArray[np.float32]
SKIN_MM = 1.5
# Width of the step from fat to gland: beams cross both, so few are all of one.
SOFTNESS = 0.75


@dataclass(frozen=True, slots=True, eq=False)
class Anatomy:
    """One compressed breast, seen along the beam. All maps are (rows, columns) float32.

    Attributes
    ----------
    depth_mm
        Distance to the skin line; 0 outside.
    thickness_mm
        Of tissue along the beam, rounded at the edge.
    glandular
        Share of glandular tissue along the beam, 0 to 1.
    strands
        Extra path through ligaments and vessels, mm of glandular tissue.
    muscle
        Share of pectoral muscle, 0 to 1.
    nipple
        (row, column) of the nipple, in pixels.
    """

    pixel_mm: float
    depth_mm: Map
    thickness_mm: Map
    glandular: Map
    strands: Map
    muscle: Map
    nipple: tuple[float, float]


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
    rows, columns = _canvas(woman, mlo, pixel_mm)
    x, y = _frame_mm(rows, columns, pixel_mm)
    inside, nipple_mm = _outline(woman, mlo, x, y, rng)
    depth = _depth_mm(inside, pixel_mm)
    thickness = _rounded(depth, woman.thickness_mm)
    muscle = _muscle(x, y, rng) * inside if mlo else np.zeros_like(depth)
    nipple = (nipple_mm[0] / pixel_mm + rows / 2, nipple_mm[1] / pixel_mm)
    angle, distance = _polar(x, y, nipple_mm)
    glandular = _glandular(woman, depth, angle, distance, muscle, pixel_mm, rng)
    strands = _strands(depth.shape, nipple, depth > 2, pixel_mm, rng) * (1 - muscle)
    return Anatomy(pixel_mm, depth, thickness, glandular, strands, muscle, nipple)


def _canvas(woman: Woman, mlo: bool, pixel_mm: float) -> tuple[int, int]:
    height = (235 if mlo else 215) * max(woman.size, 0.9)
    width = 125 * max(woman.size, 0.9)
    return round(height / pixel_mm / 2) * 2, round(width / pixel_mm / 2) * 2


def _frame_mm(rows: int, columns: int, pixel_mm: float) -> tuple[Map, Map]:
    x = ((np.arange(columns, dtype=np.float32) + 0.5) * pixel_mm)[None, :]
    y = ((np.arange(rows, dtype=np.float32) + 0.5 - rows / 2) * pixel_mm)[:, None]
    return x, y


def _outline(
    woman: Woman, mlo: bool, x: Map, y: Map, rng: np.random.Generator
) -> tuple[NDArray[np.bool_], tuple[float, float]]:
    """Superellipse 95 mm deep, 88 mm to each side; MLO droops and reaches the axilla."""
    depth, half = 95 * woman.size, 88 * woman.size
    droop = woman.droop * half if mlo else rng.normal(0, 3)
    wobble = sum(
        rng.normal(0, 1.2 / k) * np.cos(k * y / half + rng.uniform(0, 6.28)) for k in (1, 2, 3)
    )
    above = y < droop
    reach = np.where(above, half * (1.5 if mlo else 1.0) + droop, half - 0.5 * droop)
    across = np.abs(y - droop) / reach
    power = np.where(above & mlo, 1.7, 2.3)
    edge = depth * np.clip(1 - across**power, 0, 1) ** 0.55 + wobble
    edge = np.where(across < 1, edge, -8)
    if mlo:  # the axillary tail keeps some width at the top of the film
        tail = 22 * woman.size + 0.18 * (droop - y)
        edge = np.where(above, np.maximum(edge, np.minimum(tail, depth)), edge)
    edge = ndimage.gaussian_filter1d(
        np.asarray(edge, np.float32)[:, 0], 2.5 / (y[1, 0] - y[0, 0])
    )
    return x < edge[:, None], (droop, float(edge[np.argmin(np.abs(y[:, 0] - droop))]))


def _depth_mm(inside: NDArray[np.bool_], pixel_mm: float) -> Map:
    """Distance to air. The chest wall and the film's upper edge are no skin."""
    padded = np.pad(inside, ((1, 1), (1, 1)), mode="edge")
    # Not OpenCV's: its precise transform gives other last digits with other thread counts.
    distance = np.asarray(ndimage.distance_transform_edt(padded))
    return np.asarray(distance[1:-1, 1:-1] * pixel_mm, np.float32)


def _rounded(depth_mm: Map, thickness_mm: float) -> Map:
    """A half-round edge as wide as half the thickness."""
    inward = np.clip(depth_mm / (thickness_mm / 2), 0, 1)
    return np.asarray(thickness_mm * np.sqrt(1 - (1 - inward) ** 2), np.float32)


def _muscle(x: Map, y: Map, rng: np.random.Generator) -> Map:
    """Pectoral muscle: a wedge at the upper chest wall with a soft, slightly bowed edge."""
    angle = np.deg2rad(rng.uniform(18, 32))
    length = rng.uniform(110, 170)
    top = float(y.min())
    drop = (y - top) / length
    edge = length * np.tan(angle) * (1 - drop) + rng.uniform(-4, 6) * np.sin(
        np.pi * np.clip(drop, 0, 1)
    )
    inside = (edge - x) / rng.uniform(1.5, 3.5)
    return np.asarray(1 / (1 + np.exp(-np.clip(inside, -30, 30))), np.float32)


def _polar(x: Map, y: Map, nipple_mm: tuple[float, float]) -> tuple[Map, Map]:
    down, inward = y - nipple_mm[0], nipple_mm[1] - x
    return np.arctan2(down, np.maximum(inward, 1e-3)), np.hypot(down, inward)


def power_law_noise(
    shape: tuple[int, ...], beta: float, pixel_mm: float, rng: np.random.Generator
) -> Map:
    """Noise of power spectrum 1/f**beta, mean 0, deviation 1 (Burgess 2001: beta near 3).

    Below 0.02 cycles a mm the spectrum is flat, so that the largest lumps stay inside a breast.
    """
    rows, columns = (cast("int", fft.next_fast_len(n, real=True)) for n in shape)
    fy = fft.fftfreq(rows, pixel_mm)[:, None].astype(np.float32)
    fx = fft.rfftfreq(columns, pixel_mm)[None, :].astype(np.float32)
    white = rng.standard_normal((rows, columns), dtype=np.float32)
    spectrum = np.asarray(fft.rfft2(white)) * np.maximum(np.hypot(fy, fx), 0.02) ** (-beta / 2)
    noise = np.asarray(fft.irfft2(spectrum, (rows, columns)))[: shape[0], : shape[1]]
    return np.asarray((noise - noise.mean()) / noise.std(), np.float32)


def _glandular(
    woman: Woman,
    depth: Map,
    angle: Map,
    distance: Map,
    muscle: Map,
    pixel_mm: float,
    rng: np.random.Generator,
) -> Map:
    """Glandular share: isotropic and nipple-radial power-law noise under an envelope."""
    lumps = power_law_noise(depth.shape, 3.0, pixel_mm, rng)
    radial = _radial_noise(angle, distance, rng)
    cone = np.exp(-((angle / 0.75) ** 2)) * np.exp(-(((distance - 38) / 38) ** 2))
    subcutaneous = np.clip((depth - 5) / 9, 0, 1)
    field = 0.75 * lumps + 0.5 * radial + 1.6 * cone + 1.5 * (subcutaneous - 1) - 3 * muscle
    return _with_fraction(field, depth > SKIN_MM, woman.glandular_fraction) * (depth > SKIN_MM)


def _radial_noise(angle: Map, distance: Map, rng: np.random.Generator) -> Map:
    """Noise stretched along lines from the nipple, as ducts and lobes are."""
    polar = power_law_noise((256, 1024), 2.6, 0.5, rng)
    columns = np.asarray((angle + np.pi) / (2 * np.pi) * 1023, np.float32)
    rows = np.asarray(np.clip(distance, 0, 250), np.float32)
    return np.asarray(cv2.remap(polar, columns, rows, cv2.INTER_LINEAR), np.float32)


def _with_fraction(
    field: Map | NDArray[np.float64], inside: NDArray[np.bool_], fraction: float
) -> Map:
    """Squash a field to 0..1 so that its mean inside is `fraction`, by bisection."""
    sample = field[inside][::7]
    low, high = float(sample.min()) - 4, float(sample.max()) + 4
    offset = (low + high) / 2
    for _ in range(30):
        offset = (low + high) / 2
        mean = float(np.mean(1 / (1 + np.exp(-(sample - offset) / SOFTNESS))))
        low, high = (offset, high) if mean > fraction else (low, offset)
    return np.asarray(
        1 / (1 + np.exp(-np.clip((field - offset) / SOFTNESS, -30, 30))), np.float32
    )


def _strands(
    shape: tuple[int, ...],
    nipple: tuple[float, float],
    inside: NDArray[np.bool_],
    pixel_mm: float,
    rng: np.random.Generator,
) -> Map:
    """Cooper's ligaments (thin, many, arched) and vessels (long, smooth, from the nipple)."""
    total = np.zeros(shape, np.float32)
    for count, width_mm, path_mm, length_mm in ((140, 0.35, 3.0, 28), (9, 1.1, 3.5, 110)):
        layer = np.zeros(shape, np.float32)
        for _ in range(count):
            line = _walk(nipple, length_mm, pixel_mm, rng)
            width = max(1, round(width_mm / pixel_mm))
            cv2.polylines(layer, [line], False, float(path_mm * rng.uniform(0.4, 1)), width)
        total += cv2.GaussianBlur(layer, (0, 0), max(width_mm / 2 / pixel_mm, 0.6))
    return total * inside


def _walk(
    nipple: tuple[float, float], length_mm: float, pixel_mm: float, rng: np.random.Generator
) -> NDArray[np.int32]:
    """A smooth random path in (x, y) pixels that begins somewhere and wanders."""
    steps = 24
    heading = rng.uniform(-1.1, 1.1) + np.cumsum(rng.normal(0, 0.12, steps))
    start = rng.uniform(0, 75) / pixel_mm
    side = rng.uniform(-1.0, 1.0)
    x = (
        nipple[1]
        - start * np.cos(side)
        - np.cumsum(np.cos(heading)) * length_mm / steps / pixel_mm
    )
    y = (
        nipple[0]
        + start * np.sin(side)
        + np.cumsum(np.sin(heading)) * length_mm / steps / pixel_mm
    )
    return np.stack([x, y], -1).astype(np.int32)
