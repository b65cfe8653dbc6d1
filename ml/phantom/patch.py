"""A piece of the breast around a place, on which a lesion is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ml.phantom.anatomy import Anatomy
    from ml.phantom.outline import Map


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """The window and what the breast is there; all maps (rows, columns) float32.

    Attributes
    ----------
    row0, col0
        Of the window in the image.
    down_mm, right_mm
        (rows, 1) and (1, columns): from the lesion's middle.
    line
        Attenuation without the lesion.
    glandular, tissue_mm, depth_mm
        As in `Anatomy`; tissue is without skin.
    to_nipple
        Angle of the way to the nipple, radians; 0 to the right, positive down.
    """

    pixel_mm: float
    row0: int
    col0: int
    down_mm: Map
    right_mm: Map
    line: Map
    glandular: Map
    tissue_mm: Map
    depth_mm: Map
    to_nipple: float

    @staticmethod
    def around(
        anatomy: Anatomy, line: Map, place: tuple[float, float], half_mm: float
    ) -> Patch:
        """Cut the window, of the part that lies in the image."""
        row, column = place
        half = half_mm / anatomy.pixel_mm
        row0, row1 = _range(row, half, line.shape[0])
        col0, col1 = _range(column, half, line.shape[1])
        window = (slice(row0, row1), slice(col0, col1))
        down = (np.arange(row0, row1, dtype=np.float32) - row) * anatomy.pixel_mm
        right = (np.arange(col0, col1, dtype=np.float32) - column) * anatomy.pixel_mm
        return Patch(
            anatomy.pixel_mm,
            row0,
            col0,
            np.asarray(down, np.float32)[:, None],
            np.asarray(right, np.float32)[None, :],
            line[window],
            anatomy.glandular[window],
            np.asarray((anatomy.thickness_mm - anatomy.skin_mm)[window], np.float32),
            anatomy.depth_mm[window],
            float(np.arctan2(anatomy.nipple[0] - row, anatomy.nipple[1] - column)),
        )

    def polar(self) -> tuple[Map, Map]:
        """Distance (mm) and angle (radians) from the middle."""
        distance = np.hypot(self.down_mm, self.right_mm)
        return distance, np.arctan2(self.down_mm, self.right_mm)

    def pixel(self, down_mm: float, right_mm: float) -> tuple[float, float]:
        """(row, column) in the window of a place in mm from the middle."""
        return (
            (down_mm - float(self.down_mm[0, 0])) / self.pixel_mm,
            (right_mm - float(self.right_mm[0, 0])) / self.pixel_mm,
        )


def _range(middle: float, half: float, size: int) -> tuple[int, int]:
    first = int(np.clip(np.floor(middle - half), 0, size - 4))
    return first, int(np.clip(np.ceil(middle + half) + 1, first + 4, size))
