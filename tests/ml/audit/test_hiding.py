from __future__ import annotations

import numpy as np
import pytest

from ml.audit.hiding import Breast, Place, hidden_box, hide, larger
from ml.audit.traits import BANDS, PATCH_PX, patches, spectrum, traits
from ml.mammo.geometry import Box


def canvas(seed: int = 0, rows: int = 512, columns: int = 320) -> np.ndarray:
    """Half an ellipse with noise, brighter in its lower half."""
    rng = np.random.default_rng(seed)
    r, c = np.mgrid[:rows, :columns]
    inside = ((r - rows / 2) / (rows * 0.45)) ** 2 + (c / (columns * 0.8)) ** 2 < 1
    values = 20000 + 15000 * (r > rows / 2) + rng.normal(0, 900, (rows, columns))
    return np.where(inside, values.clip(1, 65535), 0).astype(np.uint16)


def test_a_sham_lies_like_a_lesion_in_as_bright_a_part() -> None:
    breast = Breast(canvas(1))
    lesion = Box(330, 60, 370, 110)
    place = breast.place_of(lesion)
    assert place.inside == 1
    other = Breast(canvas(2, 480, 300))
    for seed in range(10):
        sham = other.sham(place, np.random.default_rng(seed))
        like = other.place_of(sham)
        assert sham.size == pytest.approx(lesion.size)
        assert like.inside > 0.95
        # In the bright half, as the lesion was: the dark half is half the levels away.
        assert abs(like.brightness - place.brightness) < 0.25
        assert abs(like.row - place.row) + abs(like.column - place.column) < 0.6


def test_shams_lie_at_the_skin_where_lesions_do() -> None:
    breast = Breast(canvas(1))
    place = Place((40, 40), 0.5, 0.99, 0.5, 0.6)
    found = [
        breast.place_of(breast.sham(place, np.random.default_rng(seed))).inside
        for seed in range(8)
    ]
    assert np.mean(found) == pytest.approx(0.6, abs=0.15)


def test_what_is_hidden_leaves_no_trace_in_the_rest() -> None:
    image = canvas(3)
    lesion = Box(100, 40, 140, 90)
    bright = image.copy()
    bright[100:140, 40:90] = 65535
    box = hidden_box(lesion)
    (one, seen), (two, also) = hide(image, [box]), hide(bright, [box])
    assert np.array_equal(one, two)
    assert np.array_equal(seen, also)
    assert not seen[90:150, 30:100].any()
    assert (one[110:130, 50:80] == 0.5).all()
    assert one.min() == 0
    assert one.max() <= 1


def test_the_range_of_grays_is_the_visible_breasts() -> None:
    image = canvas(3)
    (one, _), (two, _) = hide(image, []), hide((image // 2).astype(np.uint16), [])
    assert np.abs(one - two).max() < 0.01


def test_a_box_grows_about_its_middle_by_a_least_margin() -> None:
    assert larger(Box(10, 10, 30, 50), 1.5, 2) == Box(5, 0, 35, 60)
    assert larger(Box(10, 10, 12, 12), 1.5, 4) == Box(6, 6, 16, 16)


def test_patches_are_visible_breast_all_over() -> None:
    _, seen = hide(canvas(4), [Box(200, 50, 300, 150)])
    found = patches(seen)
    assert 1 <= len(found) <= 8
    assert all(seen[r : r + PATCH_PX, c : c + PATCH_PX].all() for r, c in found)
    assert patches(np.zeros((300, 300), np.bool_)) == []


def test_the_spectrum_of_a_power_law_falls_as_it_should() -> None:
    side = 128
    f = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)[None])
    f[0, 0] = 1
    rng = np.random.default_rng(0)
    slopes = []
    for beta in (0.0, 2.0, 3.0):
        noise = np.fft.fft2(rng.normal(size=(side, side))) / f ** (beta / 2)
        levels = spectrum(np.fft.ifft2(noise).real)[2:]
        middles = np.log10((np.arange(2, BANDS) + 0.5) / BANDS)
        slopes.append(-np.polyfit(middles, levels, 1)[0])
    assert slopes == pytest.approx([0, 2, 3], abs=0.25)


def test_traits_see_depth_and_compression_of_stored_pixels() -> None:
    image, seen = hide(canvas(5), [])
    rng = np.random.default_rng(0)
    fine = rng.integers(0, 4096, (64, 64)).astype(np.uint16)
    coarse = (fine // 16 * 16).astype(np.uint16)
    blocky = np.kron(rng.integers(0, 255, (8, 8)), np.ones((8, 8))).astype(np.uint8)
    each = [traits(image, seen, [piece]) for piece in (fine, coarse, blocky)]
    assert len({found.size for found in each}) == 1
    differ = [np.flatnonzero(np.abs(found - each[0]) > 0.5).size for found in each[1:]]
    assert min(differ) >= 2
    # An image without any visible square still has as many traits.
    blank = traits(np.zeros((64, 64), np.float32), np.zeros((64, 64), np.bool_), [])
    assert blank.size == each[0].size
    assert np.isnan(blank).all()
