"""Where a box is taken hold of, and what pulling there makes of it."""

from __future__ import annotations

from dataclasses import dataclass

from ml.mammo.geometry import Box

# However far an edge is pulled, so much is left between it and the other one.
LEAST_PX = 4.0


@dataclass(frozen=True, slots=True)
class Grip:
    """A part of a box.

    Attributes
    ----------
    rows, columns
        -1: the first edge, 1: the last, 0: neither; both 0: the middle, which moves the box.
    """

    rows: int
    columns: int

    @property
    def is_middle(self) -> bool:
        """Whether pulling moves the whole box."""
        return self.rows == 0 and self.columns == 0


def grip_at(box: Box, point: tuple[float, float], reach: float) -> Grip | None:
    """What a hand at a point would take hold of; None where that is not the box.

    Parameters
    ----------
    reach
        How far from an edge still means the edge, in the box's pixels. A small box keeps a
        middle half that can be taken hold of.
    """
    row, column = point
    if not (
        box.row0 - reach <= row <= box.row1 + reach
        and box.col0 - reach <= column <= box.col1 + reach
    ):
        return None
    return Grip(_edge(row, box.row0, box.row1, reach), _edge(column, box.col0, box.col1, reach))


def pulled(box: Box, grip: Grip, by: tuple[float, float], size: tuple[float, float]) -> Box:
    """The box after a pull by rows and columns, inside an image of a size."""
    rows = _pulled(box.row0, box.row1, grip.rows, by[0], size[0], move=grip.is_middle)
    columns = _pulled(box.col0, box.col1, grip.columns, by[1], size[1], move=grip.is_middle)
    return Box(rows[0], columns[0], rows[1], columns[1])


def spanned(start: tuple[float, float], end: tuple[float, float]) -> Box:
    """The box between two of its corners."""
    (row0, row1), (col0, col1) = sorted((start[0], end[0])), sorted((start[1], end[1]))
    return Box(row0, col0, row1, col1)


def _edge(place: float, first: float, last: float, reach: float) -> int:
    inner = min(reach, (last - first) / 4)
    if place <= first + inner:
        return -1
    return 1 if place >= last - inner else 0


def _pulled(
    first: float, last: float, grip: int, by: float, size: float, *, move: bool
) -> tuple[float, float]:
    if move:
        by = min(max(by, -first), size - last)
        return first + by, last + by
    if grip < 0:
        return min(max(first + by, 0.0), last - LEAST_PX), last
    if grip > 0:
        return first, max(min(last + by, size), first + LEAST_PX)
    return first, last
