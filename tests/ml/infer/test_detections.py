from __future__ import annotations

import numpy as np
import pytest

from ml.infer.detections import OVERLAP, decode, suppress, to_findings
from ml.mammo.codes import FindingType
from ml.mammo.geometry import Affine, Box

CLASSES = (FindingType.MASS, FindingType.CALCIFICATIONS)


def random_output(seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    table = np.empty((6, 200), np.float32)
    table[:2] = random.uniform(0, 60, (2, 200))
    table[2:4] = random.uniform(5, 30, (2, 200))
    table[4:] = random.uniform(0, 1, (2, 200))
    return table[None]


def plain_reference(output: np.ndarray, floor: float) -> list[tuple[Box, int, float]]:
    candidates = []
    for index in range(output.shape[1] - 4):
        for x, y, width, height, score in output[0, [0, 1, 2, 3, 4 + index]].T:
            if score >= floor:
                box = Box(y - height / 2, x - width / 2, y + height / 2, x + width / 2)
                candidates.append((box, index, float(score)))
    candidates.sort(key=lambda item: -item[2])
    kept: list[tuple[Box, int, float]] = []
    for box, index, score in candidates:
        if all(index != other or box.iou(known) <= OVERLAP for known, other, _ in kept):
            kept.append((box, index, score))
    return kept


@pytest.mark.parametrize("seed", range(5))
def test_decoding_agrees_with_a_plain_loop(seed: int) -> None:
    output = random_output(seed)
    found = decode(output, floor=0.3)
    expected = plain_reference(output, 0.3)[: len(found.scores)]
    assert len(expected) == len(found.scores) > 10
    assert [index for _, index, _ in expected] == found.classes.tolist()
    np.testing.assert_allclose([score for *_, score in expected], found.scores)
    corners = [(b.row0, b.col0, b.row1, b.col1) for b, *_ in expected]
    np.testing.assert_allclose(corners, found.boxes, rtol=1e-5, atol=1e-4)


def test_boxes_of_two_classes_do_not_suppress_each_other() -> None:
    boxes = np.array([[0, 0, 10, 10]] * 3, np.float32)
    assert suppress(boxes, np.array([0, 1, 0])).tolist() == [0, 1]


def test_nothing_over_the_floor_gives_no_box() -> None:
    assert len(decode(np.zeros((1, 6, 7), np.float32)).scores) == 0


def test_another_form_of_output_is_a_bug() -> None:
    with pytest.raises(ValueError, match="returned"):
        decode(np.zeros((1, 3, 7), np.float32))


def test_boxes_come_back_exactly_and_stay_inside_the_image() -> None:
    table = np.array([[4, 8, 2, 4, 0.9, 0], [0, 0, 4, 4, 0.8, 0], [-50, 0, 4, 4, 0.7, 0]])
    found = decode(table.T[None].astype(np.float32))
    back = Affine.flip_columns(100).then(Affine.scale(2.5)).then(Affine.shift(7, 3))
    first, second = to_findings(found, CLASSES, back, (400, 253), lambda score: score / 2)
    assert first.box == back.box(Box(6, 3, 10, 5))
    assert second.box == Box(7 - 5, 248, 12, 253)
    assert first.probability == pytest.approx(0.45)
