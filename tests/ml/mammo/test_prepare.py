from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.errors import UnsuitableImageError
from ml.mammo.codes import PresentationIntent
from ml.mammo.geometry import Box
from ml.mammo.mammogram import LookupTable, Mammogram, PixelFormat, PixelSpacing
from ml.mammo.prepare import PrepareSpec, prepare
from tests.factories.headers import hung, mammogram_of

SPEC = PrepareSpec(rows=256, columns=160)
# Header, and the cv2 steps that bring an image whose chest wall is left, feet down, there.
LYING: list[tuple[dict[str, Any], str]] = [
    (hung("A", "F", "L"), ""),
    (hung("P", "F", "R"), "mirror"),
    (hung("A", "F", "R"), ""),
    (hung("P", "H", "R"), "mirror upset"),
    (hung("A", "H", "L"), "upset"),
    (hung("F", "A", "L"), "transpose"),
    (hung("F", "P", "R"), "mirror transpose"),
    (hung("H", "P", "R"), "mirror upset transpose"),
    ({}, ""),
    ({}, "mirror"),
    ({}, "transpose"),
]


def breast(rows: int = 700, columns: int = 430) -> np.ndarray:
    """12 bits, chest wall left, axilla up."""
    row, column = np.mgrid[:rows, :columns]
    depth = 1 - np.hypot((row - 0.45 * rows) / (0.43 * rows), column / (0.7 * columns))
    rng = np.random.default_rng(3)
    shade = 500 + 2000 * np.clip(depth, 0, 1) ** 0.5 + rng.uniform(0, 200, depth.shape)
    return np.where(depth > 0, shade, rng.uniform(20, 60, depth.shape)).astype(np.uint16)


def lain(pixels: np.ndarray, steps: str) -> np.ndarray:
    if "mirror" in steps:
        pixels = pixels[:, ::-1]
    if "upset" in steps:
        pixels = pixels[::-1]
    if "transpose" in steps:
        pixels = pixels.T
    return np.ascontiguousarray(pixels)


def header(pixels: np.ndarray, **fields: Any) -> Mammogram:
    return mammogram_of(pixels, **{"pixel_format": PixelFormat(12), **fields})


@pytest.mark.parametrize(("fields", "steps"), LYING)
def test_every_lie_gives_the_same_canvas(fields: dict[str, Any], steps: str) -> None:
    expected = prepare(breast(), header(breast(), **LYING[0][0]), SPEC).pixels
    pixels = lain(breast(), steps)
    ours = prepare(pixels, header(pixels, **fields), SPEC).pixels
    assert np.abs(ours.astype(int) - expected).mean() < 0.02 * 65535
    assert (ours[:, :3] > 0).mean() > 0.6
    assert ours[-1].mean() < ours[100].mean()


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(LYING),
    st.integers(300, 900),
    st.integers(250, 700),
    st.none() | st.floats(0.05, 0.3),
    st.tuples(*[st.floats(0, 100)] * 2, *[st.floats(1, 50)] * 2),
)
def test_boxes_find_their_way_back(
    lying: tuple[dict[str, Any], str],
    rows: int,
    columns: int,
    spacing_mm: float | None,
    corner: tuple[float, float, float, float],
) -> None:
    pixels = lain(breast(rows, columns), lying[1])
    spacing = PixelSpacing(spacing_mm, spacing_mm, "test") if spacing_mm else None
    prepared = prepare(pixels, header(pixels, spacing=spacing, **lying[0]), SPEC)
    box = Box(corner[0], corner[1], corner[0] + corner[2], corner[1] + corner[3])
    stored = prepared.to_stored.box(box)
    again = prepared.to_stored.inverse().box(stored)
    assert (again.row0, again.col0, again.row1, again.col1) == pytest.approx(
        (box.row0, box.col0, box.row1, box.col1), abs=1e-6
    )


@pytest.mark.parametrize(("fields", "steps"), LYING)
@pytest.mark.parametrize("place", [(200, 60), (400, 200), (330, 20)])
def test_a_bright_dot_shows_where_the_affine_says(
    fields: dict[str, Any], steps: str, place: tuple[int, int]
) -> None:
    marked = breast()
    marked[place[0] - 3 : place[0] + 4, place[1] - 3 : place[1] + 4] = 4095
    marker = np.zeros(marked.shape, np.uint8)
    marker[place] = 1
    row, column = np.argwhere(lain(marker, steps))[0]
    pixels = lain(marked, steps)
    prepared = prepare(pixels, header(pixels, **fields), SPEC)
    plain = prepare(lain(breast(), steps), header(pixels, **fields), SPEC)
    gain = prepared.pixels.astype(np.float32) - plain.pixels
    smooth = cv2.GaussianBlur(gain, (0, 0), 1)
    seen = np.unravel_index(int(np.argmax(smooth)), smooth.shape)
    expected = prepared.to_stored.inverse().point(row + 0.5, column + 0.5)
    assert (seen[0] + 0.5, seen[1] + 0.5) == pytest.approx(expected, abs=1)


def test_known_spacing_sets_the_scale() -> None:
    spacing = PixelSpacing(0.1, 0.1, "test")
    prepared = prepare(breast(), header(breast(), spacing=spacing), PrepareSpec())
    assert prepared.to_stored.rr == pytest.approx(2, rel=0.01)


def test_small_images_are_not_enlarged() -> None:
    prepared = prepare(breast(), header(breast()), PrepareSpec())
    assert prepared.to_stored.rr == 1
    assert not prepared.pixels[700:].any()


def test_air_is_zero_and_the_breast_fills_the_range() -> None:
    canvas = prepare(breast(), header(breast()), SPEC).pixels
    assert canvas.dtype == np.uint16
    assert canvas.max() == 65535
    assert canvas[-1, -1] == 0
    assert (canvas == 0).mean() > 0.2


def test_monochrome1_gives_the_same_canvas() -> None:
    turned = np.uint16(4095) - breast()
    form = PixelFormat(12, inverted=True)
    expected = prepare(breast(), header(breast()), SPEC).pixels.astype(int)
    ours = prepare(turned, header(turned, pixel_format=form), SPEC).pixels
    assert np.abs(ours - expected).mean() < 200


def test_dense_is_bright_in_raw_exposures_too() -> None:
    raw = (14000 * np.exp(-breast().astype(float) / 1000)).astype(np.uint16)
    fields = {"pixel_format": PixelFormat(14), "intent": PresentationIntent.FOR_PROCESSING}
    expected = prepare(breast(), header(breast()), SPEC).pixels
    ours = prepare(raw, header(raw, **fields), SPEC).pixels
    assert np.corrcoef(ours.ravel(), expected.ravel())[0, 1] > 0.95


def test_the_modality_lut_comes_first() -> None:
    table = LookupTable((np.arange(4096) // 2).astype(np.uint16), 0, 12)
    expected = prepare(breast(), header(breast()), SPEC).pixels.astype(int)
    ours = prepare(breast(), header(breast(), modality=table), SPEC).pixels
    assert np.abs(ours - expected).mean() < 200


def test_a_blank_image_is_refused() -> None:
    blank = np.full((300, 200), 7, np.uint16)
    with pytest.raises(UnsuitableImageError, match="blank"):
        prepare(blank, header(blank), SPEC)


def test_a_spec_survives_its_card() -> None:
    spec = PrepareSpec(rows=512, pixel_mm=0.1)
    assert PrepareSpec.from_json(spec.to_json()) == spec
    with pytest.raises(TypeError):
        PrepareSpec.from_json({"height": 3})
