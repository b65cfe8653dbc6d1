from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.mammo.codes import Laterality, ViewPosition
from ml.mammo.geometry import Affine, Box
from ml.mammo.mammogram import Evidence, Orientation, PixelSpacing
from ml.mammo.skin import Skin
from tests.factories.analyses import make_image
from viewer.core.layout import (
    camera_offset_to,
    grid,
    has_common_scale,
    length_of,
    place,
    pose_of,
)
from viewer.core.state import Camera

CANVAS = (802, 1202)


def breast_skin(image, box: Box) -> Skin:
    scale = 8
    mask = np.zeros((image.rows // scale, image.columns // scale), np.bool_)
    mask[
        int(box.row0) // scale : int(box.row1) // scale,
        int(box.col0) // scale : int(box.col1) // scale,
    ] = True
    return Skin(mask, mask, Affine.scale(scale), box, sure=True)


def placed(images, cameras=None):
    poses = [image and pose_of(image) for image in images]
    return place(poses, grid(*CANVAS), cameras or [Camera()] * len(images))


def hung(title, *, row, column, spacing=0.1):
    return replace(
        make_image(title),
        orientation=Orientation(row, column, "test"),
        spacing=PixelSpacing(spacing, spacing, "test") if spacing else None,
    )


ORIENTED = {
    "RCC": hung("RCC", row="P", column="L"),
    "LCC": hung("LCC", row="A", column="R"),
    "RMLO": hung("RMLO", row="P", column="FL"),
    "LMLO": hung("LMLO", row="A", column="FR"),
}


def test_the_grid_covers_the_canvas_with_one_gap():
    slots = grid(*CANVAS)
    assert [slot.size for slot in slots] == [(400, 600)] * 4
    assert (slots[3].row1, slots[3].col1) == CANVAS


def test_chest_walls_meet_in_the_middle():
    right, left, *_ = placed(list(ORIENTED.values()))
    whole = Box(0, 0, 3000, 2400)
    assert right.to_screen.box(whole).col1 == pytest.approx(600)
    assert left.to_screen.box(whole).col0 == pytest.approx(0)


def test_one_physical_scale_for_all_four():
    images = list(ORIENTED.values())
    images[1] = replace(images[1], spacing=PixelSpacing(0.05, 0.05, "test"))
    ratios = [each.ratio for each in placed(images)]
    assert ratios[1] == pytest.approx(ratios[0] / 2)
    assert ratios[0] == pytest.approx(ratios[2])


def test_without_spacing_anywhere_pixels_are_the_scale():
    images = list(ORIENTED.values())
    images[1] = replace(images[1], spacing=None)
    images[2] = replace(images[2], spacing=PixelSpacing(0.05, 0.05, "test"))
    ratios = [each.ratio for each in placed(images)]
    assert ratios == pytest.approx([ratios[0]] * 4)
    assert not has_common_scale([pose_of(image) for image in images])


def test_fit_means_the_breast_not_the_film():
    image = ORIENTED["RCC"]
    box = Box(1000, 1600, 2000, 2400)
    pose = pose_of(image, breast_skin(image, box))
    slot = Box(0, 0, 400, 600)
    [placement] = place([pose], [slot], [Camera()])
    seen = placement.to_screen.box(box)
    assert seen.row0 >= 0
    assert seen.row1 <= 400
    assert seen.size[0] > 0.9 * 400
    assert seen.col1 == pytest.approx(600)


def test_a_missing_image_has_no_place():
    assert placed([None, ORIENTED["LCC"], None, None])[0] is None


@pytest.mark.parametrize(
    ("title", "row", "column"),
    [
        *(
            ("RCC", r, c)
            for r, c in (("P", "L"), ("A", "R"), ("P", "R"), ("L", "P"), ("R", "A"))
        ),
        *(
            ("LCC", r, c)
            for r, c in (("A", "R"), ("P", "L"), ("A", "L"), ("R", "A"), ("L", "P"))
        ),
        *(("RMLO", r, c) for r, c in (("P", "FL"), ("A", "FL"), ("P", "HR"), ("FL", "P"))),
        *(("LMLO", r, c) for r, c in (("A", "FR"), ("P", "FR"), ("A", "HL"), ("HL", "A"))),
    ],
)
def test_every_orientation_is_hung_with_the_nipple_outwards(title, row, column):
    image = hung(title, row=row, column=column)
    [placement] = place([pose_of(image)], [Box(0, 0, 400, 600)], [Camera()])
    # A step towards anterior must go outwards on the screen, one towards the feet down.
    steps = {row: (0, 1), column: (1, 0)}
    origin = placement.to_screen.point(0, 0)
    for letters, step in steps.items():
        moved = np.subtract(placement.to_screen.point(*step), origin)
        outwards = -1 if title[0] == "R" else 1
        if letters[0] in "AP":
            expected = outwards if letters[0] == "A" else -outwards
            assert np.sign(moved[1]) == expected
        elif letters[0] in "FH":
            assert np.sign(moved[0]) == (1 if letters[0] == "F" else -1)
        else:  # CC: the lateral side is up
            assert np.sign(moved[0]) == (-1 if letters[0] == title[0] else 1)


@given(
    zoom=st.floats(0.2, 30),
    rows=st.floats(-300, 300),
    columns=st.floats(-300, 300),
    point=st.tuples(st.floats(0, 3000), st.floats(0, 2400)),
    title=st.sampled_from(sorted(ORIENTED)),
)
def test_screen_and_back_is_where_it_began(zoom, rows, columns, point, title):
    cameras = [Camera(zoom, rows, columns)]
    [placement] = place([pose_of(ORIENTED[title])], [Box(0, 0, 400, 600)], cameras)
    there = placement.to_screen.point(*point)
    assert placement.to_screen.inverse().point(*there) == pytest.approx(point, abs=1e-6)


@given(
    zoom=st.floats(0.2, 30),
    offset=st.tuples(st.floats(-300, 300), st.floats(-300, 300)),
    target=st.tuples(st.floats(0, 3000), st.floats(0, 2400)),
)
def test_centring_brings_a_place_to_the_middle(zoom, offset, target):
    slot, pose = Box(10, 20, 410, 620), pose_of(ORIENTED["LMLO"])
    camera = Camera(zoom, *offset)
    [placement] = place([pose], [slot], [camera])
    moved = Camera(zoom, *camera_offset_to(placement, camera, target))
    [after] = place([pose], [slot], [moved])
    assert after.to_screen.point(*target) == pytest.approx((200, 300), abs=1e-6)


@pytest.mark.parametrize(
    ("side", "wall_at", "flipped"),
    list(product(("R", "L"), ("left", "right"), (None,))),
)
def test_a_film_without_orientation_is_turned_by_its_pixels(side, wall_at, flipped):
    del flipped
    image = replace(make_image(f"{side}CC"), laterality=Evidence(Laterality(side), "name"))
    rows, columns = np.mgrid[: image.rows // 8, : image.columns // 8]
    depth = columns if wall_at == "left" else columns[:, ::-1]
    tissue = (rows - 187) ** 2 / 150**2 + depth**2 / 150**2 < 1
    box = Box(40 * 8, 0, 336 * 8, 150 * 8)
    if wall_at == "right":
        box = Box(40 * 8, image.columns - 150 * 8, 336 * 8, image.columns)
    skin = Skin(tissue, tissue, Affine.scale(8), box, sure=True)
    [placement] = place([pose_of(image, skin)], [Box(0, 0, 400, 600)], [Camera()])
    seen = placement.to_screen.box(box)
    assert (seen.col1 if side == "R" else seen.col0) == pytest.approx(600 if side == "R" else 0)


def test_unknown_side_goes_to_the_middle():
    image = replace(make_image("RCC"), laterality=None, view=Evidence(ViewPosition.CC, "test"))
    [placement] = place([pose_of(image)], [Box(0, 0, 400, 600)], [Camera()])
    assert placement.to_screen.box(Box(0, 0, 3000, 2400)).center == pytest.approx((200, 300))


def test_lengths_are_in_mm_only_with_a_spacing():
    image = replace(make_image("RCC"), spacing=PixelSpacing(0.1, 0.2, "test"))
    assert length_of(image, (0, 0), (30, 20)) == (pytest.approx(5.0), True)
    assert length_of(replace(image, spacing=None), (0, 0), (3, 4)) == (5.0, False)
