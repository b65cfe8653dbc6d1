"""What looks like a lesion and is none: lymph nodes and benign calcifications.

They are never boxed. The truth names them, so that false marks on them can be counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml.phantom.attenuate import MU_CALCIUM, MU_FAT, MU_GLANDULAR
from ml.phantom.calcifications import add_grain
from ml.phantom.patch import Patch

if TYPE_CHECKING:
    from collections.abc import Callable

    from ml.phantom.anatomy import Anatomy
    from ml.phantom.outline import Map


class BenignKind(Enum):
    """BI-RADS 5th edition: what may be called typically benign."""

    LYMPH_NODE = "intramammary lymph node"
    COARSE = "coarse calcification"
    RIM = "rim calcification"
    ROUND = "scattered round calcifications"
    VASCULAR = "vascular calcification"


@dataclass(frozen=True, slots=True, eq=False)
class PlacedBenign:
    """One of them in one view.

    Attributes
    ----------
    row0, col0
        Where its window lies in the upright frame, pixels.
    change : (rows, columns) float32
        What it adds to the line integral of attenuation, in the window.
    """

    kind: BenignKind
    row0: int
    col0: int
    change: Map


# How often a view shows each.
RATES = {
    BenignKind.LYMPH_NODE: 0.15,
    BenignKind.COARSE: 0.10,
    BenignKind.RIM: 0.06,
    BenignKind.ROUND: 0.40,
    BenignKind.VASCULAR: 0.10,
}


def draw_benign(
    anatomy: Anatomy, line: Map, rng: np.random.Generator
) -> tuple[PlacedBenign, ...]:
    """Draw what this view shows of them."""
    found: list[PlacedBenign] = []
    for kind, rate in RATES.items():
        if rng.random() >= rate:
            continue
        place = _place(anatomy, kind, rng)
        patch = Patch.around(anatomy, line, place, HALF_MM[kind])
        if kind is BenignKind.VASCULAR:
            change = _vascular(patch, anatomy, rng)
        else:
            change = ADD[kind](patch, rng)
        change = np.asarray(change * np.clip(patch.depth_mm / 2, 0, 1), np.float32)
        found.append(PlacedBenign(kind, patch.row0, patch.col0, change))
    return tuple(found)


def _place(anatomy: Anatomy, kind: BenignKind, rng: np.random.Generator) -> tuple[float, float]:
    """Anywhere in the tissue; nodes in the upper half, as most are."""
    deep = anatomy.depth_mm[::8, ::8] > 6
    if kind is BenignKind.LYMPH_NODE:
        deep = deep.copy()
        deep[round(deep.shape[0] * 0.55) :] = False
    places = np.argwhere(deep)
    if not len(places):
        return anatomy.nipple[0], anatomy.nipple[1] / 2
    row, column = places[rng.integers(len(places))] * 8
    return float(row), float(column)


def _lymph_node(patch: Patch, rng: np.random.Generator) -> Map:
    """A smooth bean with a notch of fat."""
    length, turn = rng.uniform(3, 7), rng.uniform(0, np.pi)
    along = patch.right_mm * np.cos(turn) + patch.down_mm * np.sin(turn)
    across = patch.down_mm * np.cos(turn) - patch.right_mm * np.sin(turn)
    width = length * rng.uniform(0.5, 0.75)
    body = np.sqrt(np.clip(1 - (along / length) ** 2 - (across / width) ** 2, 0, None))
    notch = np.exp(
        -((along / (0.5 * length)) ** 2 + ((across - 0.5 * width) / (0.5 * width)) ** 2)
    )
    path = 1.4 * width * body * (1 - rng.uniform(0.6, 0.95) * notch)
    mixture = MU_FAT + (MU_GLANDULAR - MU_FAT) * patch.glandular
    soft = cv2.GaussianBlur(np.asarray(path, np.float32), (0, 0), 0.3 / patch.pixel_mm)
    return np.asarray(soft * (1.05 * MU_GLANDULAR - mixture), np.float32)


def _coarse(patch: Patch, rng: np.random.Generator) -> Map:
    """A popcorn: grains of a millimetre and more, run together."""
    layer = np.zeros(patch.line.shape, np.float32)
    for _ in range(int(rng.integers(1, 7))):
        place = patch.pixel(*rng.normal(0, 1.2, 2))
        size = float(rng.uniform(0.7, 2.0))
        add_grain(
            layer, place, size, size * rng.uniform(1, 1.5), rng.uniform(0, 3), patch.pixel_mm
        )
    return layer * np.float32(0.6 * MU_CALCIUM)


def _rim(patch: Patch, rng: np.random.Generator) -> Map:
    """An eggshell around clear oil."""
    distance, _angle = patch.polar()
    radius, wall = rng.uniform(1.2, 5.0), rng.uniform(0.15, 0.35)
    shell = np.exp(-(((distance - radius) / (wall + 0.5 * patch.pixel_mm)) ** 2))
    return np.asarray(shell * rng.uniform(0.2, 0.5) * MU_CALCIUM, np.float32)


def _round(patch: Patch, rng: np.random.Generator) -> Map:
    """Single dots, too far apart to be a group."""
    layer = np.zeros(patch.line.shape, np.float32)
    for _ in range(int(rng.integers(1, 6))):
        place = patch.pixel(*rng.uniform(-28, 28, 2))
        size = float(rng.uniform(0.25, 0.9))
        add_grain(layer, place, size, size, 0.0, patch.pixel_mm)
    return layer * np.float32(0.7 * MU_CALCIUM)


def _vascular(patch: Patch, anatomy: Anatomy, rng: np.random.Generator) -> Map:
    """Tram tracks: grains along both walls of a vessel."""
    layer = np.zeros(patch.line.shape, np.float32)
    if not anatomy.vessels:
        return layer
    vessel = anatomy.vessels[rng.integers(len(anatomy.vessels))]
    wall = rng.uniform(0.5, 1.1) / patch.pixel_mm
    begin = int(rng.integers(max(len(vessel) // 2, 1)))
    part = vessel[begin : begin + int(rng.integers(6, 20))]
    fine = np.linspace(0, len(part) - 1, 6 * len(part))
    index = np.arange(len(part))
    rows, columns = np.interp(fine, index, part[:, 0]), np.interp(fine, index, part[:, 1])
    turns = np.arctan2(np.gradient(rows), np.gradient(columns))
    for row, column, turn in zip(rows, columns, turns, strict=True):
        for side in (-wall, wall):
            if rng.random() < 0.6:
                place = (
                    row + side * np.cos(turn) - patch.row0,
                    column - side * np.sin(turn) - patch.col0,
                )
                size = float(rng.uniform(0.15, 0.35))
                add_grain(layer, place, size, 2.5 * size, float(turn), patch.pixel_mm)
    return layer * np.float32(0.5 * MU_CALCIUM)


HALF_MM = {
    BenignKind.LYMPH_NODE: 10.0,
    BenignKind.COARSE: 9.0,
    BenignKind.RIM: 8.0,
    BenignKind.ROUND: 32.0,
    BenignKind.VASCULAR: 60.0,
}
ADD: dict[BenignKind, Callable[[Patch, np.random.Generator], Map]] = {
    BenignKind.LYMPH_NODE: _lymph_node,
    BenignKind.COARSE: _coarse,
    BenignKind.RIM: _rim,
    BenignKind.ROUND: _round,
}
