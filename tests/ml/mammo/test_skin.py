from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from ml.mammo.codes import Laterality, PresentationIntent, ViewPosition
from ml.mammo.mammogram import Mammogram, Padding, PixelFormat
from ml.mammo.skin import Side, Skin, chest_wall_side, find_skin
from ml.phantom.anatomy import build_anatomy
from ml.phantom.phantom import STANDARD_VIEWS, make_phantom
from ml.phantom.vendors import VENDORS
from ml.phantom.woman import draw_woman
from tests.factories.headers import mammogram_of

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
PHANTOM_MM = 0.4


def visible(skin: Skin, shape: tuple[int, ...]) -> np.ndarray:
    return cv2.resize(skin.mask.astype(np.uint8), shape[::-1], interpolation=0) > 0


def film(*, noise: float = 3.0) -> np.ndarray:
    """A breast at the left of an 8-bit film, skin fading into air."""
    rng = np.random.default_rng(1)
    row, column = np.mgrid[:600, :400]
    depth = 1 - np.hypot((row - 300) / 250, column / 260)
    tissue = np.clip(depth, 0, 1) ** 0.5 * 160 + (depth > 0) * rng.uniform(0, 40, row.shape)
    return np.clip(12 + tissue + rng.normal(0, noise, row.shape), 0, 255).astype(np.uint8)


def of_breast() -> np.ndarray:
    row, column = np.mgrid[:600, :400]
    return np.hypot((row - 300) / 250, column / 260) < 1


def check_film(pixels: np.ndarray, mammogram: Mammogram) -> None:
    skin = find_skin(pixels, mammogram)
    assert skin.sure
    seen = visible(skin, pixels.shape)
    assert seen[of_breast()].all()
    assert seen[~of_breast()].mean() < 0.4
    assert chest_wall_side(skin) is Side.LEFT
    assert (skin.breast.row0, skin.breast.row1) == pytest.approx((50, 550), abs=15)
    assert (skin.breast.col0, skin.breast.col1) == pytest.approx((0, 260), abs=15)


def test_air_is_hidden_and_the_breast_is_not() -> None:
    check_film(film(), mammogram_of(film()))


def test_monochrome1() -> None:
    pixels = 255 - film()
    form = PixelFormat(8, inverted=True, bits_allocated=8)
    check_film(pixels, mammogram_of(pixels, pixel_format=form))


def test_signed() -> None:
    pixels = film().astype(np.int16) * 20 - 2500
    check_film(pixels, mammogram_of(pixels))


def test_padding_that_is_whiter_than_tissue() -> None:
    pixels = film().astype(np.uint16) * 10
    pixels[:, 370:] = 4095
    padding = Padding(4095, 4095)
    check_film(pixels, mammogram_of(pixels, pixel_format=PixelFormat(12), padding=padding))


def test_a_label_and_a_scanner_border_stay_visible_but_are_no_breast() -> None:
    pixels = film()
    cv2.putText(pixels, "LCC", (300, 60), cv2.FONT_HERSHEY_SIMPLEX, 1, 250, 3)
    pixels[:, 396:] = 255
    check_film(pixels, mammogram_of(pixels))
    seen = visible(find_skin(pixels, mammogram_of(pixels)), pixels.shape)
    assert seen[30:70, 300:][pixels[30:70, 300:] > 200].all()
    assert seen[:, 396:].all()


def test_a_film_number_much_fainter_than_a_label_stays_visible() -> None:
    pixels = film(noise=1.0)
    cv2.putText(pixels, "37", (320, 60), cv2.FONT_HERSHEY_SIMPLEX, 1, 38, 3)
    check_film(pixels, mammogram_of(pixels))
    seen = visible(find_skin(pixels, mammogram_of(pixels)), pixels.shape)
    written = np.zeros_like(pixels)
    cv2.putText(written, "37", (320, 60), cv2.FONT_HERSHEY_SIMPLEX, 1, 255, 3)
    assert seen[written > 0].all()


def test_a_reduced_copy_gives_the_same_places() -> None:
    small = cv2.resize(film(), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    whole = find_skin(film(), mammogram_of(film()))
    reduced = find_skin(small, mammogram_of(film()))
    assert reduced.breast.iou(whole.breast) > 0.97


@pytest.mark.parametrize("value", [0, 128])
def test_a_blank_image_is_left_alone(value: int) -> None:
    pixels = np.full((80, 60), value, np.uint8)
    skin = find_skin(pixels, mammogram_of(pixels))
    assert not skin.sure
    assert skin.reason
    assert skin.mask.all()
    assert skin.breast.size == (80, 60)
    assert chest_wall_side(skin) is None


def test_breast_from_edge_to_edge_is_left_alone() -> None:
    pixels = np.random.default_rng(2).integers(1500, 2500, (300, 200)).astype(np.uint16)
    assert find_skin(pixels, mammogram_of(pixels)).mask.all()


@pytest.mark.parametrize("seed", range(3))
def test_a_header_with_the_wrong_polarity_hides_no_tissue(seed: int) -> None:
    woman = draw_woman(seed)
    view = STANDARD_VIEWS[seed]
    pixels = make_phantom(woman, *view, pixel_mm=PHANTOM_MM, vendor=VENDORS[2]).pixels
    skin = find_skin(pixels, mammogram_of(pixels, pixel_format=PixelFormat(12)))
    assert not skin.sure
    assert skin.mask.all()


@pytest.mark.parametrize("intent", list(PresentationIntent))
@pytest.mark.parametrize("seed", range(4))
def test_phantoms_keep_their_tissue(seed: int, intent: PresentationIntent) -> None:
    woman = draw_woman(seed)
    for order, (side, view) in enumerate(STANDARD_VIEWS):
        vendor = VENDORS[(seed + order) % len(VENDORS)]
        phantom = make_phantom(
            woman, side, view, pixel_mm=PHANTOM_MM, vendor=vendor, intent=intent
        )
        raw = intent is PresentationIntent.FOR_PROCESSING
        form = PixelFormat(phantom.bits, inverted=vendor.inverted and not raw)
        mammogram = mammogram_of(phantom.pixels, pixel_format=form, intent=intent)
        skin = find_skin(phantom.pixels, mammogram)
        seen = visible(skin, phantom.pixels.shape)
        inside = inside_of(seed, order, side, view)
        assert skin.sure
        assert seen[inside].mean() >= 0.9999
        assert seen[~inside].mean() < 0.25
        right = side is Laterality.RIGHT
        assert chest_wall_side(skin) is (Side.RIGHT if right else Side.LEFT)


def inside_of(seed: int, order: int, side: Laterality, view: ViewPosition) -> np.ndarray:
    rng = np.random.default_rng((seed, 3, order))
    depth = build_anatomy(draw_woman(seed), view, PHANTOM_MM, rng).depth_mm > 0
    return depth[:, ::-1] if side is Laterality.RIGHT else depth


@pytest.mark.skipif(not SHARED.exists(), reason="mini-MIAS is not on this machine")
def test_labels_on_untouched_films_stay_legible() -> None:
    """Every bright thing that lies apart from the breast: lead letters and film numbers."""
    films = sorted((SHARED / "mini_mias" / "originals_with_labels_and_pectoral").glob("*.png"))
    labelled = 0
    for path in films:
        pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        skin = find_skin(pixels, mammogram_of(pixels))
        bright = (pixels > 60).astype(np.uint8)
        count, parts, stats, _ = cv2.connectedComponentsWithStats(bright)
        breast = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
        drawn = [i for i in range(1, count) if i != breast and stats[i, cv2.CC_STAT_AREA] > 40]
        apart = np.isin(parts, drawn)
        assert skin.sure
        labelled += bool(apart.any())
        hidden = apart & ~visible(skin, pixels.shape)
        assert hidden.sum() <= 0.001 * apart.sum(), path.name
    assert (len(films), labelled) == (9, 8), "one of the films has no label"


@pytest.mark.skipif(not SHARED.exists(), reason="the DDSM tissue masks are not on this machine")
def test_films_with_tissue_masks() -> None:
    lost = tissue_pixels = 0
    hidden: list[float] = []
    folder = SHARED / "ddsm_tissue_masks"
    for path in sorted((folder / "images").glob("*.png")):
        pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        truth = cv2.imread(str(folder / "masks" / path.name), cv2.IMREAD_GRAYSCALE) >= 128
        seen = visible(find_skin(pixels, mammogram_of(pixels)), pixels.shape)
        lost += int((truth & ~seen).sum())
        tissue_pixels += int(truth.sum())
        hidden.append(float((~seen)[~truth].mean()))
    assert len(hidden) == 66
    assert lost <= 1e-4 * tissue_pixels
    assert np.median(hidden) > 0.65
