"""Lesions as extra path through dense matter, in mm, with the box and mask that they fill."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml.mammo.codes import FindingType, ViewPosition
from ml.mammo.geometry import Box
from ml.phantom.woman import LesionSpec, Margin

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.phantom.anatomy import Anatomy, Map

# CaOx over glandular tissue in ln I per mm: 0.66 / 0.0711 of glandular attenuation (FDA MC-GPU
# tables, 21 keV): a calcification counts about nine times its own size.
CALCIUM_AS_GLANDULAR = 9.3


@dataclass(frozen=True, slots=True, eq=False)
class PlacedLesion:
    """A lesion in one view.

    Attributes
    ----------
    path_mm : (rows, columns) float32
        Extra path, as mm of glandular tissue.
    replaces : (rows, columns) float32
        Share of the beam's glandular mixture that the mass takes the place of, in mm.
    box
        Around what the lesion adds, half-open, pixels of the upright frame.
    """

    spec: LesionSpec
    path_mm: Map
    replaces: Map
    box: Box


def place_lesion(anatomy: Anatomy, spec: LesionSpec, view: ViewPosition) -> PlacedLesion:
    """Put a lesion at its nipple distance, nearer the middle until tissue holds it."""
    rng = np.random.default_rng((spec.seed, 7, list(ViewPosition).index(view)))
    row, column = _place(anatomy, spec, view)
    if spec.finding_type is FindingType.MASS:
        path = _mass(anatomy, spec, row, column, rng)
        replaces = path * 0.7
    else:
        path = _cluster(anatomy, spec, row, column, rng)
        replaces = np.zeros_like(path)
    return PlacedLesion(spec, path, replaces, _box(path))


def _place(anatomy: Anatomy, spec: LesionSpec, view: ViewPosition) -> tuple[float, float]:
    angle = spec.angle_mlo if view is ViewPosition.MLO else spec.angle_cc
    distance = spec.nipple_distance_mm / anatomy.pixel_mm
    need = spec.radius_mm + 3
    row, column = anatomy.nipple
    for shrink in np.linspace(1, 0, 21):
        row = anatomy.nipple[0] + distance * np.sin(angle * shrink)
        column = anatomy.nipple[1] - distance * np.cos(angle * shrink)
        column = max(column, spec.radius_mm / anatomy.pixel_mm + 2)
        r, c = round(row), round(column)
        if 0 <= r < anatomy.depth_mm.shape[0] and anatomy.depth_mm[r, c] > need:
            break
    return float(row), float(column)


def _mass(
    anatomy: Anatomy, spec: LesionSpec, row: float, column: float, rng: np.random.Generator
) -> Map:
    """A lobed ellipsoid; indistinct ones are blurred, spiculated ones send out strands."""
    radius = spec.radius_mm / anatomy.pixel_mm
    rows, columns = np.indices(anatomy.depth_mm.shape, np.float32)
    dy, dx = rows - row, columns - column
    theta = np.arctan2(dy, dx) + rng.uniform(0, 6.28)
    lobes = 1 + sum(
        rng.normal(0, 0.10 / k**0.5) * np.cos(k * theta + rng.uniform(0, 6.28))
        for k in (2, 3, 4, 5, 7)
    )
    inside = np.clip(1 - (np.hypot(dy, dx) / (radius * np.maximum(lobes, 0.4))) ** 2, 0, None)
    path = np.asarray(2 * spec.radius_mm * 0.8 * np.sqrt(inside) * spec.density, np.float32)
    soft = {Margin.CIRCUMSCRIBED: 0.05, Margin.INDISTINCT: 0.30, Margin.SPICULATED: 0.15}
    path = cv2.GaussianBlur(path, (0, 0), max(soft[spec.margin] * radius, 0.5))
    if spec.margin is Margin.SPICULATED:
        path += _spicules(anatomy, spec, row, column, rng)
    return path * (anatomy.depth_mm > 1)


def _spicules(
    anatomy: Anatomy, spec: LesionSpec, row: float, column: float, rng: np.random.Generator
) -> Map:
    layer = np.zeros_like(anatomy.depth_mm)
    radius = spec.radius_mm / anatomy.pixel_mm
    for _ in range(rng.integers(18, 40)):
        angle, reach = rng.uniform(0, 6.28), radius * rng.uniform(1.3, 2.4)
        bends = angle + np.cumsum(rng.normal(0, 0.10, 9))
        along = np.linspace(0.5 * radius, reach, 9)
        line = np.stack([column + along * np.cos(bends), row + along * np.sin(bends)], -1)
        strength = 0.16 * spec.radius_mm * rng.uniform(0.5, 1.2)
        cv2.polylines(layer, [line.astype(np.int32)], False, strength, 1)
    blurred = cv2.GaussianBlur(layer, (0, 0), max(0.25 / anatomy.pixel_mm, 0.6))
    return np.asarray(blurred, np.float32)


def _cluster(
    anatomy: Anatomy, spec: LesionSpec, row: float, column: float, rng: np.random.Generator
) -> Map:
    """Grains of 0.15 to 0.45 mm, round where benign, of uneven size where malignant."""
    layer = np.zeros_like(anatomy.depth_mm)
    count = int(rng.integers(8, 26))
    spread = spec.radius_mm / 1.8 / anatomy.pixel_mm
    places = np.clip(rng.normal(0, 1, (count, 2)), -1.7, 1.7) * spread
    sizes = rng.uniform(0.15, 0.25, count) + spec.malignant * rng.exponential(0.08, count)
    for (down, right), size_mm in zip(places, np.minimum(sizes, 0.55), strict=True):
        _grain(layer, row + down, column + right, float(size_mm), anatomy.pixel_mm)
    return layer * (anatomy.depth_mm > 1)


def _grain(layer: Map, row: float, column: float, size_mm: float, pixel_mm: float) -> None:
    """Add a grain, keeping its total signal right when it is smaller than a pixel."""
    sigma = max(size_mm / 2 / pixel_mm, 0.55)
    reach = int(np.ceil(3 * sigma))
    r, c = round(row), round(column)
    if not (reach <= r < layer.shape[0] - reach and reach <= c < layer.shape[1] - reach):
        return
    yy, xx = np.mgrid[-reach : reach + 1, -reach : reach + 1] + np.float32(0)
    blob = np.exp(-((yy - (row - r)) ** 2 + (xx - (column - c)) ** 2) / (2 * sigma**2))
    volume_mm3 = np.pi / 6 * size_mm**3 * 4  # grains are seldom alone along the beam
    blob *= CALCIUM_AS_GLANDULAR * volume_mm3 / (blob.sum() * pixel_mm**2)
    layer[r - reach : r + reach + 1, c - reach : c + reach + 1] += blob.astype(np.float32)


def _box(path: Map) -> Box:
    """Around what adds over a tenth of the most: half-open."""
    strong: NDArray[np.bool_] = path > 0.1 * path.max()
    rows, columns = np.flatnonzero(strong.any(1)), np.flatnonzero(strong.any(0))
    if not len(rows):
        raise ValueError("the lesion left no trace")
    return Box(rows[0] - 1, columns[0] - 1, rows[-1] + 2, columns[-1] + 2).clipped(*path.shape)
