from __future__ import annotations

from itertools import combinations

import numpy as np

from ml.mammo.geometry import Box
from viewer.core.labels import placed_labels

SLOT = Box(0, 0, 600, 400)
SIZE = (16.0, 80.0)


def test_words_stand_above_their_box() -> None:
    (place,) = placed_labels([Box(100, 100, 150, 180)], [SIZE], SLOT)
    assert place == Box(83, 99, 99, 179)


def test_at_the_upper_edge_they_stay_inside() -> None:
    (place,) = placed_labels([Box(5, 350, 60, 390)], [SIZE], SLOT)
    assert (place.row0, place.col1) == (1, 399)


def test_the_second_of_two_boxes_in_one_place_gives_way() -> None:
    box = Box(100, 100, 150, 180)
    first, second = placed_labels([box, box], [SIZE, SIZE], SLOT)
    assert first == Box(83, 99, 99, 179)
    assert second.row0 == 151, "below"


def test_no_word_hides_another_while_there_is_room() -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        corner = rng.uniform((100, 50), (400, 250), (4, 2))
        boxes = [Box(row, column, row + 60, column + 60) for row, column in corner.tolist()]
        places = placed_labels(boxes, [SIZE] * 4, SLOT)
        for one, other in combinations(places, 2):
            assert one.intersection(other) == 0
        for place in places:
            assert place.clipped(600, 400) == place


def test_a_slot_too_small_for_words_still_gives_a_place() -> None:
    (place,) = placed_labels([Box(1, 1, 5, 5)], [SIZE], Box(0, 0, 10, 20))
    assert place.size == SIZE
