from __future__ import annotations

import pytest

from ml.mammo.geometry import Box
from viewer.core.grips import Grip, grip_at, pulled, spanned

BOX = Box(100, 200, 180, 300)
SIZE = (400.0, 500.0)


@pytest.mark.parametrize(
    ("point", "grip"),
    [
        ((140, 250), Grip(0, 0)),
        ((97, 250), Grip(-1, 0)),
        ((183, 304), Grip(1, 1)),
        ((140, 204), Grip(0, -1)),
        ((100, 200), Grip(-1, -1)),
        ((90, 250), None),
        ((140, 310), None),
    ],
)
def test_edges_corners_and_the_middle(point: tuple[float, float], grip: Grip | None) -> None:
    assert grip_at(BOX, point, 5) == grip


def test_a_small_box_keeps_a_middle() -> None:
    assert grip_at(Box(0, 0, 8, 8), (4, 4), 20) == Grip(0, 0)


@pytest.mark.parametrize(
    ("grip", "by", "box"),
    [
        (Grip(0, 0), (10, -20), Box(110, 180, 190, 280)),
        (Grip(0, 0), (-500, 900), Box(0, 400, 80, 500)),
        (Grip(-1, 0), (-30, 7), Box(70, 200, 180, 300)),
        (Grip(-1, 0), (300, 0), Box(176, 200, 180, 300)),
        (Grip(1, 1), (900, -900), Box(100, 200, 400, 204)),
        (Grip(0, -1), (5, -900), Box(100, 0, 180, 300)),
    ],
)
def test_a_pull_stays_in_the_image(grip: Grip, by: tuple[float, float], box: Box) -> None:
    assert pulled(BOX, grip, by, SIZE) == box


def test_a_box_is_drawn_from_any_corner() -> None:
    assert spanned((180, 200), (100, 300)) == BOX
