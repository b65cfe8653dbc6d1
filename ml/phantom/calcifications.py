"""Grains of calcium, and the clusters that are made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ml.phantom.attenuate import MU_CALCIUM
from ml.phantom.lesion_spec import Distribution, Morphology

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.phantom.lesion_spec import LesionSpec
    from ml.phantom.outline import Map
    from ml.phantom.patch import Patch

# Smallest and largest grain (mm), how many times as long as wide at most, and how many.
GRAINS = {
    Morphology.PUNCTATE: ((0.20, 0.50), 1.2, (6, 18)),
    Morphology.AMORPHOUS: ((0.14, 0.28), 1.3, (18, 45)),
    Morphology.COARSE_HETEROGENEOUS: ((0.45, 1.00), 1.8, (5, 14)),
    Morphology.FINE_PLEOMORPHIC: ((0.18, 0.50), 2.2, (10, 30)),
    Morphology.FINE_LINEAR: ((0.18, 0.34), 6.0, (8, 26)),
}


def add_cluster(patch: Patch, spec: LesionSpec, rng: np.random.Generator) -> Map:
    """The grains of a cluster; the larger it is the more there are."""
    (low, high), longest, (fewest, most) = GRAINS[spec.morphology]
    count = int(rng.integers(fewest, most) * min(1.0, 0.4 + spec.radius_mm / 6))
    ducts = float(patch.to_nipple + rng.normal(0, 0.3))
    places = _places(max(count, 4), spec, ducts, rng)
    layer = np.zeros(patch.line.shape, np.float32)
    # Compression piles grains up; some are of hydroxyapatite, twice as dense as CaOx.
    strength = 0.8 + 1.7 * (spec.density - 0.7)
    for down, right in places:
        size = float(np.exp(rng.uniform(np.log(low), np.log(high))))
        length = size * float(rng.uniform(1.0, longest))
        along = ducts if spec.morphology is Morphology.FINE_LINEAR else rng.uniform(0, np.pi)
        turn = float(along + rng.normal(0, 0.35))
        add_grain(layer, patch.pixel(down, right), size, length, turn, patch.pixel_mm)
    return np.asarray(layer * strength * MU_CALCIUM, np.float32)


def _places(
    count: int, spec: LesionSpec, ducts: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """(count, 2) mm down and right from the middle, by distribution."""
    spread = {
        Distribution.GROUPED: (0.55, 0.55),
        Distribution.LINEAR: (0.85, 0.08),
        Distribution.SEGMENTAL: (0.8, 0.35),
        Distribution.REGIONAL: (0.9, 0.8),
    }[spec.distribution]
    places = np.clip(rng.normal(0, 1, (count, 2)), -1.8, 1.8) * spread * spec.radius_mm
    if spec.distribution is Distribution.SEGMENTAL:  # a wedge that narrows to the nipple
        places[:, 1] *= np.clip(1 - 0.6 * places[:, 0] / spec.radius_mm, 0.2, 2)
    cos, sin = np.cos(ducts), np.sin(ducts)
    along, across = places[:, 0], places[:, 1]
    return np.stack([along * sin + across * cos, along * cos - across * sin], -1)


def add_grain(
    layer: Map,
    place: tuple[float, float],
    width_mm: float,
    length_mm: float,
    turn: float,
    pixel_mm: float,
) -> None:
    """Add a grain's path (mm), keeping its volume where it is smaller than a pixel.

    Parameters
    ----------
    place
        (row, column) in the layer.
    turn
        Of its length, radians from the columns' direction towards the rows'.
    """
    # The least deviation is what the detector and the sampling make of a point.
    wide = float(np.hypot(width_mm / 2.6 / pixel_mm, 0.5))
    long = float(np.hypot(length_mm / 2.6 / pixel_mm, 0.5))
    reach = int(np.ceil(3 * max(wide, long)))
    r, c = round(place[0]), round(place[1])
    if not (reach <= r < layer.shape[0] - reach and reach <= c < layer.shape[1] - reach):
        return
    steps = np.arange(-reach, reach + 1, dtype=np.float32)
    down, right = steps[:, None] - (place[0] - r), steps[None, :] - (place[1] - c)
    along = right * np.cos(turn) + down * np.sin(turn)
    across = down * np.cos(turn) - right * np.sin(turn)
    blob = np.exp(-((along / long) ** 2 + (across / wide) ** 2) / 2)
    volume_mm3 = np.pi / 6 * width_mm**2 * length_mm
    blob *= volume_mm3 / (blob.sum() * pixel_mm**2)
    layer[r - reach : r + reach + 1, c - reach : c + reach + 1] += blob.astype(np.float32)
