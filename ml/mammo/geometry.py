"""Places in an image. Coordinates are (row, column), half-open boxes, everywhere.

A pixel is a square one unit wide; pixel (r, c) covers [r, r + 1) x [c, c + 1), so its middle
is (r + 0.5, c + 0.5). One `Affine` carries pixels, boxes, rulers and exports alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Box:
    """A half-open box, in stored pixels unless it says otherwise.

    Attributes
    ----------
    row0, col0
        First edge, included.
    row1, col1
        Last edge, excluded; not before the first.
    """

    row0: float
    col0: float
    row1: float
    col1: float

    def __post_init__(self) -> None:
        if self.row1 < self.row0 or self.col1 < self.col0:
            raise ValueError(f"a box ends before it begins: {self}")

    @property
    def center(self) -> tuple[float, float]:
        """The middle, (row, column)."""
        return (self.row0 + self.row1) / 2, (self.col0 + self.col1) / 2

    @property
    def size(self) -> tuple[float, float]:
        """Height and width."""
        return self.row1 - self.row0, self.col1 - self.col0

    @property
    def area(self) -> float:
        """Height times width."""
        return (self.row1 - self.row0) * (self.col1 - self.col0)

    def intersection(self, other: Box) -> float:
        """Area that both boxes cover."""
        rows = min(self.row1, other.row1) - max(self.row0, other.row0)
        columns = min(self.col1, other.col1) - max(self.col0, other.col0)
        return max(rows, 0.0) * max(columns, 0.0)

    def iou(self, other: Box) -> float:
        """Intersection over union, in [0, 1]; 0 where both are empty."""
        shared = self.intersection(other)
        union = self.area + other.area - shared
        return shared / union if union > 0 else 0.0

    def clipped(self, rows: float, columns: float) -> Box:
        """The part inside an image of this size."""
        return Box(
            min(max(self.row0, 0.0), rows),
            min(max(self.col0, 0.0), columns),
            min(max(self.row1, 0.0), rows),
            min(max(self.col1, 0.0), columns),
        )


@dataclass(frozen=True, slots=True)
class Affine:
    """An exact map of the plane: ``(r, c) -> (a r + b c + e, d r + f c + g)``.

    Named by its six numbers in row order: `rr`, `rc`, `r0` make the new row, `cr`, `cc`, `c0`
    the new column.
    """

    rr: float = 1.0
    rc: float = 0.0
    r0: float = 0.0
    cr: float = 0.0
    cc: float = 1.0
    c0: float = 0.0

    @staticmethod
    def shift(rows: float, columns: float) -> Affine:
        """Move by so many rows and columns."""
        return Affine(r0=rows, c0=columns)

    @staticmethod
    def scale(rows: float, columns: float | None = None) -> Affine:
        """Enlarge about the origin."""
        return Affine(rr=rows, cc=rows if columns is None else columns)

    @staticmethod
    def flip_columns(columns: float) -> Affine:
        """Mirror left to right an image of this width."""
        return Affine(cc=-1.0, c0=columns)

    @staticmethod
    def flip_rows(rows: float) -> Affine:
        """Mirror top to bottom an image of this height."""
        return Affine(rr=-1.0, r0=rows)

    @staticmethod
    def transpose() -> Affine:
        """Swap rows and columns."""
        return Affine(rr=0.0, rc=1.0, cr=1.0, cc=0.0)

    def then(self, after: Affine) -> Affine:
        """This map first, `after` second."""
        return Affine(
            after.rr * self.rr + after.rc * self.cr,
            after.rr * self.rc + after.rc * self.cc,
            after.rr * self.r0 + after.rc * self.c0 + after.r0,
            after.cr * self.rr + after.cc * self.cr,
            after.cr * self.rc + after.cc * self.cc,
            after.cr * self.r0 + after.cc * self.c0 + after.c0,
        )

    def inverse(self) -> Affine:
        """The way back.

        Raises
        ------
        ZeroDivisionError
            Where the map flattens the plane.
        """
        det = self.rr * self.cc - self.rc * self.cr
        rr, rc, cr, cc = self.cc / det, -self.rc / det, -self.cr / det, self.rr / det
        return Affine(
            rr, rc, -(rr * self.r0 + rc * self.c0), cr, cc, -(cr * self.r0 + cc * self.c0)
        )

    def point(self, row: float, column: float) -> tuple[float, float]:
        """Where a point goes."""
        return (
            self.rr * row + self.rc * column + self.r0,
            self.cr * row + self.cc * column + self.c0,
        )

    def box(self, box: Box) -> Box:
        """The smallest upright box around where a box goes."""
        corners = [
            self.point(r, c) for r, c in product((box.row0, box.row1), (box.col0, box.col1))
        ]
        rows, columns = zip(*corners, strict=True)
        return Box(min(rows), min(columns), max(rows), max(columns))

    def xy_matrix(self) -> NDArray[np.float64]:
        """The 2x3 matrix over (x, y) at pixel middles, as `cv2.warpAffine` wants it.

        OpenCV counts from the middle of the first pixel, this class from its corner.
        """
        x0 = self.cc * 0.5 + self.cr * 0.5 + self.c0 - 0.5
        y0 = self.rc * 0.5 + self.rr * 0.5 + self.r0 - 0.5
        return np.array([[self.cc, self.cr, x0], [self.rc, self.rr, y0]])
