from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.mammo.geometry import Affine
from ml.mammo.orient import flip_alarm, to_upright, upright_size
from ml.mammo.skin import find_skin
from tests.factories.headers import hung, mammogram_of

if TYPE_CHECKING:
    from ml.mammo.mammogram import Mammogram

OBLIQUE = ("MLO", "ML", "LM", "LMO", "SIO")
CRANIAL = ("CC", "XCCL", "XCCM")
# The eight ways an image can lie: transposed or not, then mirrored or not in each direction.
WAYS = [
    turn.then(Affine(rr=down)).then(Affine(cc=across))
    for turn in (Affine(), Affine.transpose())
    for down in (1.0, -1.0)
    for across in (1.0, -1.0)
]
OPPOSITE = str.maketrans("APHFLR", "PAFHRL")


def stored_letters(side: str, view: str, way: Affine) -> tuple[str, str]:
    """Patient Orientation of an image that `way` has turned out of its proper place."""
    row = "P" if side == "R" else "A"
    if view in CRANIAL:  # the medial side is down: away from the breast's own side
        column = "L" if side == "R" else "R"
    else:
        column = "F" + ("L" if side == "R" else "R")
    letters = [column, row]  # where upright rows (down) and columns (right) lead
    down = letters[0] if way.rr else letters[1]
    right = letters[1] if way.cc else letters[0]
    if way.rr + way.rc < 0:
        down = down.translate(OPPOSITE)
    if way.cr + way.cc < 0:
        right = right.translate(OPPOSITE)
    return right, down


def turned(image: np.ndarray, way: Affine) -> np.ndarray:
    out = image.T if way.rr == 0 else image
    out = out[::-1] if way.rr + way.rc < 0 else out
    out = out[:, ::-1] if way.cr + way.cc < 0 else out
    return np.ascontiguousarray(out)


def upright_pixels(stored: np.ndarray, mammogram: Mammogram) -> np.ndarray:
    rows, columns = upright_size(mammogram)
    matrix = to_upright(mammogram).xy_matrix()
    return cv2.warpAffine(stored, matrix, (columns, rows), flags=cv2.INTER_NEAREST)


@given(st.sampled_from("RL"), st.sampled_from(OBLIQUE + CRANIAL), st.integers(0, len(WAYS) - 1))
def test_every_way_to_store_an_image_comes_out_the_same(side: str, view: str, way: int) -> None:
    proper = np.arange(1, 25, dtype=np.uint8).reshape(6, 4)
    stored = turned(proper, WAYS[way])
    row, column = stored_letters(side, view, WAYS[way])
    mammogram = mammogram_of(stored, **hung(row, column, side, view))
    assert np.array_equal(upright_pixels(stored, mammogram), proper)


@pytest.mark.parametrize(
    ("side", "view", "row", "column"),
    [
        ("R", "CC", "P", "L"),
        ("L", "CC", "A", "R"),
        ("R", "MLO", "P", "FL"),
        ("L", "MLO", "A", "FR"),
        ("R", "MLO", "P", "F"),
        ("L", "MLO", "A", "F"),
    ],
)
def test_the_defaults_of_real_machines_are_upright(
    side: str, view: str, row: str, column: str
) -> None:
    mammogram = mammogram_of(np.zeros((6, 4), np.uint16), **hung(row, column, side, view))
    assert to_upright(mammogram) == Affine()


def test_nothing_is_turned_on_a_guess() -> None:
    pixels = np.zeros((6, 4), np.uint16)
    assert to_upright(mammogram_of(pixels)) == Affine()
    lying = hung("H", "A", "B", "CV")
    assert to_upright(mammogram_of(pixels, **lying)) == Affine()
    assert to_upright(mammogram_of(pixels, **{**lying, "laterality": None})) == Affine()


@given(st.integers(0, len(WAYS) - 1))
def test_an_upright_image_begins_at_the_origin(way: int) -> None:
    row, column = stored_letters("R", "MLO", WAYS[way])
    mammogram = mammogram_of(np.zeros((6, 4), np.uint8), **hung(row, column, "R"))
    corners = [to_upright(mammogram).point(r, c) for r in (0, 6) for c in (0, 4)]
    assert min(corners) == (0, 0)
    assert max(corners) == upright_size(mammogram)


def breast_at_the_left() -> np.ndarray:
    image = np.full((400, 300), 20, np.uint8)
    for layer in range(6):  # dense in the middle
        axes = (180 - 20 * layer, 150 - 20 * layer)
        cv2.ellipse(image, (0, 200), axes, 0, 0, 360, 100 + 25 * layer, -1)
    return image


@pytest.mark.parametrize(
    ("mirrored", "side", "row", "alarmed"),
    [
        (False, "L", "A", False),
        (True, "L", "A", True),
        (True, "R", "P", False),
        (False, "R", "P", True),
        (False, "R", "A", False),
        (True, "L", "P", False),
    ],
)
def test_pixels_that_contradict_the_header_raise_an_alarm(
    mirrored: bool, side: str, row: str, alarmed: bool
) -> None:
    pixels = breast_at_the_left()
    if mirrored:
        pixels = np.ascontiguousarray(pixels[:, ::-1])
    mammogram = mammogram_of(pixels, **hung(row, "L" if side == "R" else "R", side, "CC"))
    assert (flip_alarm(mammogram, find_skin(pixels, mammogram)) is not None) == alarmed


def test_no_alarm_without_a_header_or_a_skin_line() -> None:
    pixels = breast_at_the_left()
    assert flip_alarm(mammogram_of(pixels), find_skin(pixels, mammogram_of(pixels))) is None
    blank = np.zeros((50, 40), np.uint8)
    mammogram = mammogram_of(blank, **hung("A", "R", "R", "CC"))
    assert flip_alarm(mammogram, find_skin(blank, mammogram)) is None
