"""Masses, asymmetries and architectural distortions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml.phantom.attenuate import MU_FAT, MU_GLANDULAR
from ml.phantom.lesion_spec import Margin
from ml.phantom.strands import SHIFT
from ml.phantom.tissue import power_law_noise

if TYPE_CHECKING:
    from ml.phantom.lesion_spec import LesionSpec
    from ml.phantom.outline import Map
    from ml.phantom.patch import Patch

# Blur of the margin over the radius, and the strength of the lobes by their number.
SOFT = {
    Margin.CIRCUMSCRIBED: 0.04,
    Margin.OBSCURED: 0.06,
    Margin.MICROLOBULATED: 0.05,
    Margin.INDISTINCT: 0.28,
    Margin.SPICULATED: 0.16,
}
LOBES = {
    Margin.CIRCUMSCRIBED: (0.05, (2, 3, 4)),
    Margin.OBSCURED: (0.06, (2, 3, 4)),
    Margin.MICROLOBULATED: (0.07, (3, 5, 7, 9, 11, 13)),
    Margin.INDISTINCT: (0.10, (2, 3, 4, 5)),
    Margin.SPICULATED: (0.12, (2, 3, 4, 5, 7, 9)),
}


def add_mass(patch: Patch, spec: LesionSpec, rng: np.random.Generator) -> Map:
    """An uneven, lobed ellipsoid that takes the place of the tissue along its path."""
    path = _body(patch, spec, rng)
    path *= 1 + 0.15 * power_law_noise(path.shape, 3.0, patch.pixel_mm, rng)
    mixture = MU_FAT + (MU_GLANDULAR - MU_FAT) * patch.glandular
    change = np.asarray(path * (spec.density * MU_GLANDULAR - mixture), np.float32)
    if spec.margin is Margin.OBSCURED:
        change *= 1 - 0.8 * _behind(patch, spec)[1]
    if spec.margin is Margin.SPICULATED:
        count = int(rng.integers(30, 80))
        change += _spicules(patch, spec, count, 0.55, rng) * (MU_GLANDULAR - MU_FAT)
    return change


def add_asymmetry(patch: Patch, spec: LesionSpec, rng: np.random.Generator) -> Map:
    """More gland than around, without a border: the tissue's own texture, denser."""
    distance, angle = patch.polar()
    radius = spec.radius_mm * _star(angle, 0.12, (2, 3, 4), rng)
    bump = np.exp(-((distance / radius) ** 3))
    lumps = power_law_noise(bump.shape, 3.4, patch.pixel_mm, rng)
    share = (0.8 * spec.density - 0.44) * bump * np.clip(1 + 0.45 * lumps, 0, 2)
    denser = np.clip(patch.glandular + share, 0, 1) - patch.glandular
    return np.asarray(denser * patch.tissue_mm * (MU_GLANDULAR - MU_FAT), np.float32)


def draw_in(patch: Patch, spec: LesionSpec) -> Map:
    """What changes where an architectural distortion draws tissue in towards a point."""
    distance, _angle = patch.polar()
    pull = 0.45 * np.exp(-((distance / spec.radius_mm) ** 2)) * (spec.density - 0.5)
    rows, columns = patch.line.shape
    away_down = np.asarray(patch.down_mm * pull / patch.pixel_mm, np.float32)
    away_right = np.asarray(patch.right_mm * pull / patch.pixel_mm, np.float32)
    drawn_in = cv2.remap(
        patch.line,
        away_right + np.arange(columns, dtype=np.float32)[None, :],
        away_down + np.arange(rows, dtype=np.float32)[:, None],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray((drawn_in - patch.line) * (distance < 2 * spec.radius_mm), np.float32)


def add_distortion(patch: Patch, spec: LesionSpec, rng: np.random.Generator) -> Map:
    """Lines that radiate from a point without a mass; `draw_in` is the other half."""
    lines = _spicules(patch, spec, int(rng.integers(25, 55)), 0.1, rng)
    return np.asarray(2.6 * (spec.density - 0.55) * lines * (MU_GLANDULAR - MU_FAT), np.float32)


def _body(patch: Patch, spec: LesionSpec, rng: np.random.Generator) -> Map:
    """Path through the mass, mm: nowhere longer than the tissue is thick."""
    distance, angle = patch.polar()
    turn, oval = rng.uniform(0, np.pi), rng.uniform(0.65, 1.0)
    stretched = np.hypot(np.cos(angle - turn), np.sin(angle - turn) / oval)
    strength, lobes = LOBES[spec.margin]
    radius = spec.radius_mm * _star(angle, strength, lobes, rng) / stretched
    inside = np.clip(1 - (distance / radius) ** 2, 0, None)
    path = np.asarray(2 * spec.radius_mm * oval * np.sqrt(inside), np.float32)
    sigma = max(SOFT[spec.margin] * spec.radius_mm / patch.pixel_mm, 0.5)
    return np.minimum(cv2.GaussianBlur(path, (0, 0), sigma), 0.8 * patch.tissue_mm)


def _star(angle: Map, strength: float, lobes: tuple[int, ...], rng: np.random.Generator) -> Map:
    """Radius over angle: 1 with lobes."""
    radius = np.ones_like(angle)
    for number in lobes:
        radius += np.float32(rng.normal(0, strength)) * np.cos(
            number * angle + np.float32(rng.uniform(0, 6.28))
        )
    return np.maximum(radius, 0.4)


def _behind(patch: Patch, spec: LesionSpec) -> tuple[Map, Map]:
    """Along the way to the obscured side, mm, and how far the mass is behind tissue, 0 to 1."""
    way = np.random.default_rng((spec.seed, 9)).uniform(0, 6.28)
    along = patch.down_mm * np.sin(way) + patch.right_mm * np.cos(way)
    fade = 1 / (1 + np.exp(np.clip(-4 * along / spec.radius_mm, -30, 30)))
    return np.asarray(along, np.float32), np.asarray(fade, np.float32)


def draw_veil(patch: Patch, spec: LesionSpec, rng: np.random.Generator) -> Map:
    """The tissue that lies over one side of an obscured mass: no part of the lesion."""
    along, fade = _behind(patch, spec)
    over = np.exp(-(((along - 0.9 * spec.radius_mm) / (0.8 * spec.radius_mm)) ** 2))
    reach = np.exp(-((np.hypot(patch.down_mm, patch.right_mm) / (1.5 * spec.radius_mm)) ** 4))
    lumps = 1 + 0.5 * power_law_noise(patch.line.shape, 2.8, patch.pixel_mm, rng)
    path = 0.25 * patch.tissue_mm * (1 - patch.glandular) * over * reach * fade
    return np.asarray(path * np.clip(lumps, 0, 2) * (MU_GLANDULAR - MU_FAT), np.float32)


def _spicules(
    patch: Patch, spec: LesionSpec, count: int, begin: float, rng: np.random.Generator
) -> Map:
    """Path through strands that run outwards, thin out and branch, mm of glandular tissue.

    After de Sisternes 2015: many, of uneven length, most of them short.
    """
    layer = np.zeros(patch.line.shape, np.float32)
    fine = np.zeros_like(layer)
    for number in range(count):
        heading = rng.uniform(0, 6.28)
        length = spec.radius_mm * min(0.4 + rng.exponential(0.6), 1.6)
        start = begin * spec.radius_mm * rng.uniform(0.6, 1.2)
        strength = rng.uniform(0.6, 1.6) * min(0.8 + 0.15 * spec.radius_mm, 2.4)
        target = layer if number % 2 else fine
        tip = _spicule(target, patch, (heading, start, length, strength), rng)
        if rng.random() < 0.3:
            branch = (tip[0] + rng.choice((-0.35, 0.35)), *tip[1:])
            _spicule(fine, patch, (branch[0], branch[1], 0.5 * length, 0.6 * strength), rng)
    soft = cv2.GaussianBlur(layer, (0, 0), max(0.25 / patch.pixel_mm, 0.5))
    soft += cv2.GaussianBlur(fine, (0, 0), max(0.16 / patch.pixel_mm, 0.45))
    return np.asarray(soft, np.float32)


def _spicule(
    layer: Map,
    patch: Patch,
    course: tuple[float, float, float, float],
    rng: np.random.Generator,
) -> tuple[float, float]:
    """Draw one of (heading, start, length, strength); return heading and distance half-way."""
    heading, start, length, strength = course
    steps = 8
    headings = heading + np.cumsum(rng.normal(0, 0.05, steps + 1))
    along = np.linspace(start, start + length, steps + 1)
    down, right = along * np.sin(headings), along * np.cos(headings)
    row, column = patch.pixel(0.0, 0.0)
    points = np.stack([column + right / patch.pixel_mm, row + down / patch.pixel_mm], -1)
    fixed = np.round(points * (1 << SHIFT)).astype(np.int32).tolist()
    width = max(1, round(0.3 / patch.pixel_mm))
    for number in range(steps):
        value = strength * (1 - 0.85 * number / steps)
        cv2.line(layer, fixed[number], fixed[number + 1], value, width, cv2.LINE_8, SHIFT)
    return float(headings[steps // 2]), float(along[steps // 2])
