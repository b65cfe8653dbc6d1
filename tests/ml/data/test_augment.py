from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from ml.data.augment import NONE, Augmentation, Tone, draw_tone, draw_warp
from ml.mammo.geometry import Box

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.data.augment import Warp

SIDE = 384
EVERYTHING = Augmentation(rotation_deg=20, flip_columns=0.5, shift_px=15, elastic_share=1)
CHANGES = {
    "nothing": NONE,
    "rotation": replace(NONE, rotation_deg=20),
    "rows": replace(NONE, flip_rows=1),
    "columns": replace(NONE, flip_columns=1),
    "zoom": replace(NONE, zoom=0.4),
    "shift": replace(NONE, shift_px=25),
    "elastic": replace(NONE, elastic_px=10, elastic_share=1),
    "turned and elastic": replace(NONE, rotation_deg=20, elastic_px=8, elastic_share=1),
    "everything": EVERYTHING,
}


def ellipse(height: float, width: float, center: tuple[float, float]) -> NDArray[np.uint16]:
    rows, columns = np.mgrid[:600, :500] + 0.5
    inside = ((rows - center[0]) / (height / 2)) ** 2 + (
        (columns - center[1]) / (width / 2)
    ) ** 2
    return np.where(inside <= 1, 60000, 0).astype(np.uint16)


def extent(pixels: NDArray[np.uint16]) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(pixels > 30000)
    return rows.min(), columns.min(), rows.max() + 1, columns.max() + 1


def off_by(box: Box, pixels: NDArray[np.uint16]) -> float:
    said = (box.row0, box.col0, box.row1, box.col1)
    return float(np.abs(np.subtract(said, extent(pixels))).max())


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("size", [(8.0, 8.0), (60.0, 60.0), (140.0, 50.0), (30.0, 110.0)])
def test_boxes_are_the_extent_of_what_they_hold(name: str, size: tuple[float, float]) -> None:
    for seed in range(6):
        rng = np.random.default_rng((seed, 7))
        middle = (300.0 + rng.uniform(-30, 30), 250.0 + rng.uniform(-30, 30))
        image = ellipse(*size, middle)
        box = Box(
            middle[0] - size[0] / 2,
            middle[1] - size[1] / 2,
            middle[0] + size[0] / 2,
            middle[1] + size[1] / 2,
        )
        warp = draw_warp(CHANGES[name], rng, (310.0, 240.0), SIDE, SIDE)
        assert off_by(warp.box(box), warp.pixels(image)) <= 1.5


def test_an_outline_is_followed_where_an_ellipse_would_not_do() -> None:
    """A star's arms reach to no ellipse's edge; its outline says where they go."""
    angle = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    radius = 35 + 25 * np.cos(5 * angle)
    outline = np.stack(
        [300 + radius * np.sin(angle), 250 + 1.6 * radius * np.cos(angle)], axis=1
    )
    image = np.zeros((600, 500), np.uint8)
    places = np.round((outline[:, ::-1] - 0.5) * 16).astype(np.int32)
    cv2.fillPoly(image, [places], 255, shift=4)
    deep = image.astype(np.uint16) * 257
    for seed in range(10):
        warp = draw_warp(EVERYTHING, np.random.default_rng(seed), (300, 250), SIDE, SIDE)
        assert off_by(warp.extent(outline), warp.pixels(deep)) <= 2


def test_a_turned_box_does_not_grow() -> None:
    box = Box(270, 220, 330, 280)
    for seed in range(10):
        turned = draw_warp(
            CHANGES["rotation"], np.random.default_rng(seed), (300, 250), SIDE, SIDE
        )
        assert turned.box(box).area == pytest.approx(box.area, rel=2e-3)
        assert turned.affine.box(box).area >= turned.box(box).area * 0.999


def test_points_go_where_their_pixels_go_through_an_elastic_field() -> None:
    for seed in range(8):
        rng = np.random.default_rng(seed)
        warp = draw_warp(EVERYTHING, rng, (300, 250), SIDE, SIDE)
        assert warp.field is not None
        points = np.stack([rng.uniform(220, 380, 30), rng.uniform(170, 330, 30)], axis=1)
        back = _back(warp, warp.points(points))
        assert np.abs(back - points).max() < 0.05


def _back(warp: Warp, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The way that pixels take, written apart: bilinear field, then the inverse map."""
    assert warp.field is not None
    grid = np.clip(points - 0.5, 0, SIDE - 1.001)
    low = grid.astype(int)
    r, c = (grid - low).T[..., None]
    f = warp.field
    near = f[low[:, 0], low[:, 1]] * (1 - c) + f[low[:, 0], low[:, 1] + 1] * c
    far = f[low[:, 0] + 1, low[:, 1]] * (1 - c) + f[low[:, 0] + 1, low[:, 1] + 1] * c
    moved = points + near * (1 - r) + far * r
    inverse = warp.affine.inverse()
    return np.array([inverse.point(*point) for point in moved])


def test_the_field_never_folds() -> None:
    strongest = replace(NONE, elastic_px=128 / 12, elastic_share=1)
    for seed in range(20):
        warp = draw_warp(strongest, np.random.default_rng(seed), (0, 0), SIDE, SIDE)
        assert warp.field is not None
        assert max(np.abs(np.diff(warp.field, axis=axis)).max() for axis in (0, 1)) < 1 / 3


def test_nothing_changes_nothing() -> None:
    image = np.random.default_rng(0).integers(0, 65536, (64, 48), np.uint16)
    rng = np.random.default_rng(1)
    warp = draw_warp(NONE, rng, (32, 24), 64, 48)
    assert np.array_equal(warp.pixels(image), image)
    pixels = draw_tone(NONE, rng).apply(image, rng)
    assert pixels.dtype == np.float32
    assert np.array_equal(np.round(pixels * 65535).astype(np.uint16), image), "full depth"


def test_tone_curves_rise_and_keep_black_and_white() -> None:
    for seed in range(20):
        drawn = draw_tone(Augmentation(curve=0.95), np.random.default_rng(seed))
        table = Tone(waves=drawn.waves).table()
        assert table[0] == 0
        assert table[-1] == pytest.approx(1, abs=1e-5)
        assert (np.diff(table[::16]) > 0).all()
        assert (np.diff(drawn.table()[::16]) > 0).all()


def test_each_tone_change_does_what_it_says() -> None:
    rng = np.random.default_rng(0)
    flat = np.full((64, 64), 32768, np.uint16)
    assert Tone(gamma=2).apply(flat, rng).mean() == pytest.approx(0.25, abs=1e-3)
    assert Tone(gain=0.5).apply(flat, rng).mean() == pytest.approx(0.25, abs=1e-3)
    assert Tone(offset=0.1).apply(flat, rng).mean() == pytest.approx(0.6, abs=1e-3)
    assert Tone(noise=0.05).apply(flat, rng).std() == pytest.approx(0.05, rel=0.1)
    rough = rng.integers(1, 65536, (64, 64), np.uint16)
    assert Tone(blur_px=1).apply(rough, rng).std() < 0.5 * Tone().apply(rough, rng).std()
    rough[:, :9] = 0
    assert not Tone(offset=0.2, noise=0.1).apply(rough, rng)[:, :9].any(), "air stays black"


def test_ranges_that_would_break_an_image_are_refused() -> None:
    with pytest.raises(ValueError, match="fold"):
        Augmentation(elastic_px=30)
    with pytest.raises(ValueError, match="monotone"):
        Augmentation(curve=1)
