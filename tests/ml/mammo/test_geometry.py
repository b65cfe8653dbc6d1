from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.mammo.geometry import Affine, Box

lengths = st.floats(-3000, 3000, allow_nan=False)
factors = st.floats(0.05, 20) | st.floats(-20, -0.05)
affines = st.builds(
    lambda turn, scale, shift: turn.then(Affine.scale(*scale)).then(Affine.shift(*shift)),
    st.sampled_from([Affine(), Affine.transpose(), Affine.flip_rows(9), Affine(cc=-1)]),
    st.tuples(factors, factors),
    st.tuples(lengths, lengths),
)
boxes = st.builds(
    lambda row, col, height, width: Box(row, col, row + height, col + width),
    lengths,
    lengths,
    st.floats(0, 500),
    st.floats(0, 500),
)


@given(affines, boxes)
def test_the_way_back_leads_back(affine: Affine, box: Box) -> None:
    again = affine.inverse().box(affine.box(box))
    assert (again.row0, again.col0, again.row1, again.col1) == pytest.approx(
        (box.row0, box.col0, box.row1, box.col1), abs=1e-6
    )


@given(affines, affines, lengths, lengths)
def test_then_is_first_one_and_then_the_other(
    first: Affine, second: Affine, row: float, column: float
) -> None:
    assert first.then(second).point(row, column) == pytest.approx(
        second.point(*first.point(row, column)), rel=1e-9, abs=1e-6
    )


@given(boxes, boxes)
def test_iou_is_symmetric_and_a_share(a: Box, b: Box) -> None:
    assert 0 <= a.iou(b) <= 1 + 1e-9
    assert a.iou(b) == b.iou(a)


def test_iou_of_known_boxes() -> None:
    assert Box(0, 0, 2, 2).iou(Box(0, 1, 2, 3)) == pytest.approx(1 / 3)
    assert Box(0, 0, 2, 2).iou(Box(2, 2, 4, 4)) == 0
    assert Box(1, 1, 1, 1).iou(Box(1, 1, 1, 1)) == 0


def test_a_box_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="ends before"):
        Box(2, 0, 1, 1)


def test_clipped_stays_inside() -> None:
    assert Box(-5, 3, 20, 40).clipped(10, 30) == Box(0, 3, 10, 30)


def test_opencv_is_told_about_pixel_middles() -> None:
    image = np.arange(12, dtype=np.float32).reshape(3, 4)
    mirrored = cv2.warpAffine(image, Affine.flip_columns(4).xy_matrix(), (4, 3))
    assert np.array_equal(mirrored, image[:, ::-1])
    doubled = cv2.warpAffine(
        image, Affine.scale(2).xy_matrix(), (8, 6), flags=cv2.INTER_NEAREST
    )
    assert np.array_equal(doubled, image.repeat(2, 0).repeat(2, 1))
