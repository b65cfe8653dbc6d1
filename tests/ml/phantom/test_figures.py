"""Figures of a breast: known fields give known figures, and what is no tissue is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.mammo.geometry import Box
from ml.phantom.figures import conspicuity, depth_mm, find_tissue, measure, without_plane
from ml.phantom.tissue import power_law_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

PIXEL_MM = 0.2
ROWS, COLUMNS = 700, 420


def breast(texture: NDArray[np.float32] | float, *, cut: bool = False) -> NDArray[np.uint16]:
    """Half an ellipse at the left edge, of mean 0.6, in black air."""
    rows, columns = np.mgrid[:ROWS, :COLUMNS]
    inside = ((rows - ROWS / 2) / 320) ** 2 + (columns / 400) ** 2 < 1
    unit = np.where(inside, np.clip(0.6 + texture, 0.1, 1), 0)
    if cut:
        unit[rows + 2 * columns < 400] = 0
    return np.asarray(unit * 65535, np.uint16)


def lumps(beta: float, seed: int, stretch: float = 1.0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    noise = power_law_noise((ROWS, COLUMNS), beta, PIXEL_MM, rng, stretch=stretch)
    return noise * np.float32(0.06)


@pytest.mark.parametrize("beta", [2.0, 3.0])
def test_the_exponent_of_a_known_field_is_found(beta: float) -> None:
    found = [measure(breast(lumps(beta, seed)), PIXEL_MM).figures["beta"] for seed in range(3)]
    assert np.mean(found) == pytest.approx(beta, abs=0.25)


def test_the_spectrum_holds_the_variance_of_white_noise() -> None:
    noise = np.random.default_rng(1).standard_normal((ROWS, COLUMNS)).astype(np.float32)
    measured = measure(breast(noise * np.float32(0.05)), PIXEL_MM)
    # Power times the area of the band is the variance.
    assert measured.power[8:] == pytest.approx(0.05**2 * PIXEL_MM**2, rel=0.2)


def test_grey_levels_are_those_of_the_tissue() -> None:
    figures = measure(breast(lumps(3, 2)), PIXEL_MM).figures
    assert figures["mean"] == pytest.approx(0.6, abs=0.03)
    assert figures["percentile 5"] < figures["percentile 50"] < figures["percentile 95"]
    assert figures["sd"] == pytest.approx(0.06, rel=0.35)


def test_form_is_measured_in_mm() -> None:
    figures = measure(breast(lumps(3, 3)), PIXEL_MM).figures
    assert figures["width (mm)"] == pytest.approx(80, abs=2)
    assert figures["height (mm)"] == pytest.approx(128, abs=2)
    assert figures["area (cm2)"] == pytest.approx(np.pi * 6.4 * 8 / 2, rel=0.03)
    assert figures["share of its box"] == pytest.approx(np.pi / 4, abs=0.02)


def test_a_cut_changes_no_texture() -> None:
    """The edge that a hand has cut is strong; nothing of it may reach the figures."""
    whole, cut = (
        measure(breast(lumps(3, 4), cut=cut), PIXEL_MM).figures for cut in (False, True)
    )
    assert cut["area (cm2)"] < whole["area (cm2)"] - 5
    for name, value in whole.items():
        if name.startswith(("detail", "coherence", "beta")) and "skew" not in name:
            assert cut[name] == pytest.approx(value, abs=0.12), name


def test_lines_are_more_coherent_than_lumps() -> None:
    even, drawn = (
        measure(breast(lumps(3, 5, stretch)), PIXEL_MM).figures["coherence 0.8 mm"]
        for stretch in (1.0, 6.0)
    )
    assert even + 0.15 < drawn <= 1


def test_too_little_tissue_is_refused() -> None:
    pixels = np.zeros((300, 300), np.uint16)
    with pytest.raises(ValueError, match="too little"):
        measure(pixels, PIXEL_MM)
    pixels[100:140, 100:140] = 30000
    with pytest.raises(ValueError, match="too little"):
        measure(pixels, PIXEL_MM)


def test_only_the_largest_part_is_the_breast() -> None:
    unit = np.asarray(breast(0.0), np.float32) / np.float32(65535)
    unit[10:30, 380:410] = 0.9
    tissue = find_tissue(unit, PIXEL_MM)
    assert not tissue[20, 395]
    assert tissue[350, 100]
    depth = depth_mm(tissue, PIXEL_MM)
    assert depth[350, 0] == pytest.approx(PIXEL_MM), "the film ends here"
    assert depth[350, 100] == pytest.approx(101 * PIXEL_MM, rel=0.02)


def test_a_slope_is_no_texture() -> None:
    down, right = np.mgrid[:64, :64]
    slope = np.asarray(0.3 + 0.01 * down - 0.02 * right, np.float32)
    assert np.abs(without_plane(slope)).max() < 1e-5


def test_a_mass_stands_out_by_its_contrast_at_its_own_scale() -> None:
    texture = lumps(3.0, 1)
    rows, columns = np.mgrid[:ROWS, :COLUMNS]
    disc = np.hypot(rows - 350, columns - 150) < 25
    box = Box(325, 125, 375, 175)
    found = [
        conspicuity(breast(texture + np.float32(height) * disc), box)
        for height in (0, 0.1, 0.2)
    ]
    assert abs(found[0]) < 2.5
    assert found[0] + 1 < found[1] < found[2] - 1
    elsewhere = Box(475, 125, 525, 175)
    assert conspicuity(breast(texture + np.float32(0.2) * disc), elsewhere) < 2.5
    assert np.isnan(conspicuity(breast(0.0)[:60, :60], Box(0, 0, 60, 60)))
