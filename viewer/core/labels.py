"""Where the words of boxes go, so that no word hides another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml.mammo.geometry import Box

if TYPE_CHECKING:
    from collections.abc import Sequence

# Between a box and its words.
GAP = 1.0


def placed_labels(
    boxes: Sequence[Box], sizes: Sequence[tuple[float, float]], slot: Box
) -> list[Box]:
    """A place for each box's words; the first ones choose first.

    Parameters
    ----------
    boxes
        As they lie on screen, the most important first.
    sizes
        Height and width of each one's words.
    slot
        Where words are shown; each place lies inside as far as it is large enough.

    Returns
    -------
    list of Box
        Above the box where that is free, else below it, else where fewest words are hidden.
    """
    placed: list[Box] = []
    for box, size in zip(boxes, sizes, strict=True):
        places = [_inside(place, slot) for place in _places(box, size)]
        hidden = [sum(place.intersection(other) for other in placed) for place in places]
        placed.append(places[hidden.index(min(hidden))])
    return placed


def _places(box: Box, size: tuple[float, float]) -> list[Box]:
    """From the best to the worst: at the edges of the box, then a line further out."""
    height, width = size
    lefts = (box.col0 - GAP, box.col1 + GAP - width)
    tops = (
        box.row0 - GAP - height,
        box.row1 + GAP,
        box.row0 - 2 * (GAP + height),
        box.row1 + 2 * GAP + height,
    )
    return [Box(top, left, top + height, left + width) for top in tops for left in lefts]


def _inside(place: Box, slot: Box) -> Box:
    height, width = place.size
    row = max(min(place.row0, slot.row1 - GAP - height), slot.row0 + GAP)
    column = max(min(place.col0, slot.col1 - GAP - width), slot.col0 + GAP)
    return Box(row, column, row + height, column + width)
