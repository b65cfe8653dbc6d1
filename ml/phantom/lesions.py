"""Lesions in one view: what each adds to the attenuation along the beam, its mask and box.

A lesion is drawn in a window of its own, so its cost goes with its size, not the image's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.mammo.codes import FindingType, ViewPosition
from ml.mammo.geometry import Box
from ml.phantom.calcifications import add_cluster
from ml.phantom.lesion_spec import Margin
from ml.phantom.masses import add_asymmetry, add_distortion, add_mass, draw_in, draw_veil
from ml.phantom.patch import Patch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.phantom.anatomy import Anatomy
    from ml.phantom.lesion_spec import LesionSpec
    from ml.phantom.outline import Map

# How much of a lesion's greatest change still belongs to it: a cluster's faint grains do, the
# long slopes of an asymmetry do not.
EDGE = {
    FindingType.MASS: 0.15,
    FindingType.CALCIFICATIONS: 0.10,
    FindingType.ARCHITECTURAL_DISTORTION: 0.25,
    FindingType.ASYMMETRY: 0.35,
}
# Half a window over the radius: what a lesion reaches beyond it.
REACH = {
    FindingType.MASS: 2.6,
    FindingType.CALCIFICATIONS: 2.2,
    FindingType.ARCHITECTURAL_DISTORTION: 2.2,
    FindingType.ASYMMETRY: 2.2,
}
ADD = {
    FindingType.MASS: add_mass,
    FindingType.CALCIFICATIONS: add_cluster,
    FindingType.ARCHITECTURAL_DISTORTION: add_distortion,
    FindingType.ASYMMETRY: add_asymmetry,
}


@dataclass(frozen=True, slots=True, eq=False)
class PlacedLesion:
    """A lesion in one view.

    Attributes
    ----------
    row0, col0
        Where its window lies in the upright frame, pixels.
    change : (rows, columns) float32
        What it adds to the line integral of attenuation, in the window.
    moved : (rows, columns) float32
        What changes in the tissue around: drawn in by a distortion, lying over an obscured
        mass. It is no signal of the lesion.
    mask : (rows, columns) bool
        What a reader would outline, in the window.
    """

    spec: LesionSpec
    row0: int
    col0: int
    change: Map
    moved: Map
    mask: NDArray[np.bool_]

    @property
    def window(self) -> tuple[slice, slice]:
        """The window as an index into the image."""
        rows, columns = self.change.shape
        return slice(self.row0, self.row0 + rows), slice(self.col0, self.col0 + columns)

    @property
    def box(self) -> Box:
        """Around the mask, half-open, pixels of the upright frame."""
        rows, columns = np.flatnonzero(self.mask.any(1)), np.flatnonzero(self.mask.any(0))
        return Box(
            float(self.row0 + rows[0]),
            float(self.col0 + columns[0]),
            float(self.row0 + rows[-1] + 1),
            float(self.col0 + columns[-1] + 1),
        )


def place_lesion(
    anatomy: Anatomy, line: Map, spec: LesionSpec, view: ViewPosition
) -> PlacedLesion:
    """Put a lesion at its nipple distance, nearer the middle until tissue holds it.

    Parameters
    ----------
    line : (rows, columns) float32
        Attenuation of the breast without it.
    """
    rng = np.random.default_rng((spec.seed, 7, list(ViewPosition).index(view)))
    place = _place(anatomy, spec, view)
    half_mm = REACH[spec.finding_type] * spec.radius_mm + 2
    patch = Patch.around(anatomy, line, place, half_mm)
    change = ADD[spec.finding_type](patch, spec, rng)
    # Nothing grows in the air, nor in the skin.
    fade = np.clip(patch.depth_mm / 2, 0, 1)
    change = np.asarray(change * fade, np.float32)
    moved = np.zeros_like(change)
    if spec.finding_type is FindingType.ARCHITECTURAL_DISTORTION:
        moved = np.asarray(draw_in(patch, spec) * fade, np.float32)
    elif spec.finding_type is FindingType.MASS and spec.margin is Margin.OBSCURED:
        moved = np.asarray(draw_veil(patch, spec, rng) * fade, np.float32)
    mask = np.abs(change) > EDGE[spec.finding_type] * np.abs(change).max()
    if not mask.any():
        raise ValueError("the lesion left no trace")
    return PlacedLesion(spec, patch.row0, patch.col0, change, moved, mask)


def _place(anatomy: Anatomy, spec: LesionSpec, view: ViewPosition) -> tuple[float, float]:
    angle = spec.angle_mlo if view is ViewPosition.MLO else spec.angle_cc
    distance = spec.nipple_distance_mm / anatomy.pixel_mm
    need = 0.7 * spec.radius_mm + 3
    row, column = anatomy.nipple
    for shrink in np.linspace(1, 0, 21):
        row = anatomy.nipple[0] + distance * np.sin(angle * shrink)
        column = anatomy.nipple[1] - distance * np.cos(angle * shrink)
        column = max(column, spec.radius_mm / anatomy.pixel_mm + 2)
        r, c = round(row), round(column)
        if 0 <= r < anatomy.depth_mm.shape[0] and anatomy.depth_mm[r, c] > need:
            break
    return float(row), float(column)
