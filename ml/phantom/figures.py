"""Figures of a prepared breast, real or simulated alike: spectrum, grey levels, texture, form.

They say by how much phantoms differ from films. `conspicuity` alone looks at lesions.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import cv2
import numpy as np
from scipy import fft, ndimage, stats

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.mammo.geometry import Box

    Map = NDArray[np.float32]
    Mask = NDArray[np.bool_]

# Off the skin and off a cut edge: what lies nearer is form, not texture.
MARGIN_MM = 5.0
# A film's air is not quite black.
AIR = 0.05
# Scratches, dust and scan lines are few and strong: their share at either end is cut.
TAIL = 0.1
PATCH_MM = 25.6
# Burgess 1999 measured the exponent between these frequencies, cycles a mm.
BETA_FROM, BETA_TO = 0.15, 0.7
BANDS = (0.15, 0.3, 0.6, 1.2, 2.2)
SCALES_MM = (0.3, 0.8, 2.0)
LEVELS = 32
# A patch with more than this outside the tissue is none.
MOST_OUTSIDE = 0.02
LEAST_PATCHES = 2
# A lesion's scale over half its box's longer side, and the scale in pixels of the shrunk image.
SCALE_SHARE, SCALE_PX = 0.6, 6.0


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One breast in figures.

    Attributes
    ----------
    figures
        Name to figure; grey levels are shares of the range.
    frequency, power
        Its spectrum: cycles a mm, and unit squared times mm squared.
    """

    figures: dict[str, float]
    frequency: NDArray[np.float64]
    power: NDArray[np.float64]


def measure(pixels: NDArray[np.uint16], pixel_mm: float) -> Measured:
    """Measure a prepared breast.

    Parameters
    ----------
    pixels : (rows, columns) uint16
        0 to 65535 as `ml.mammo.prepare` gives it: 0 outside the tissue, chest wall left.
    pixel_mm
        Of the canvas.

    Raises
    ------
    ValueError
        Where there is too little tissue to measure.
    """
    unit = np.asarray(pixels, np.float32) / np.float32(65535)
    tissue = find_tissue(unit, pixel_mm)
    depth = depth_mm(tissue, pixel_mm)
    inner = depth > MARGIN_MM
    patches = cut_patches(unit, inner, pixel_mm)
    if len(patches) < LEAST_PATCHES:
        raise ValueError("too little tissue to measure")
    spectrum = radial_spectrum(patches, pixel_mm)
    figures = {
        **_grey_levels(unit[depth > 1]),
        **_profile(unit, depth),
        **_form(tissue, pixel_mm),
        **spectral_figures(*spectrum),
        **_band_figures(unit, inner, pixel_mm),
        **_co_occurrence(unit, inner, pixel_mm),
    }
    return Measured(figures, *spectrum)


def find_tissue(unit: Map, pixel_mm: float) -> Mask:
    """The breast without the air and without what a hand has cut away."""
    soft = cv2.GaussianBlur(unit, (0, 0), 0.3 / pixel_mm)
    seen = (soft > AIR).astype(np.uint8)
    side = 2 * max(1, round(0.8 / pixel_mm)) + 1
    seen = cv2.morphologyEx(seen, cv2.MORPH_OPEN, np.ones((side, side), np.uint8))
    count, labels, sizes, _ = cv2.connectedComponentsWithStats(seen)
    if count == 1:
        return np.zeros(unit.shape, np.bool_)
    largest = labels == 1 + int(np.argmax(sizes[1:, cv2.CC_STAT_AREA]))
    return np.asarray(ndimage.binary_fill_holes(largest), np.bool_)


def depth_mm(tissue: Mask, pixel_mm: float) -> NDArray[np.float64]:
    """Distance to the nearest air, cut or edge of the film."""
    padded = np.pad(tissue, 1)
    return np.asarray(ndimage.distance_transform_edt(padded))[1:-1, 1:-1] * pixel_mm


def cut_patches(unit: Map, inner: Mask, pixel_mm: float) -> list[Map]:
    """Square patches of tissue, each half over the next."""
    side = 2 * round(PATCH_MM / pixel_mm / 2)
    inside = cv2.integral(inner.astype(np.uint8))
    found: list[Map] = []
    for row in range(0, unit.shape[0] - side + 1, side // 2):
        for column in range(0, unit.shape[1] - side + 1, side // 2):
            end_row, end_column = row + side, column + side
            held = (
                inside[end_row, end_column]
                - inside[row, end_column]
                - inside[end_row, column]
                + inside[row, column]
            )
            if held >= (1 - MOST_OUTSIDE) * side * side:
                found.append(unit[row:end_row, column:end_column])
    return found


def radial_spectrum(
    patches: list[Map], pixel_mm: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean power over rings: (frequencies, cycles a mm) and (power, unit squared mm squared).

    Each patch loses its mean and slope and stands under a Hann window, as in Burgess 1999.
    """
    side = patches[0].shape[0]
    window = np.outer(np.hanning(side), np.hanning(side))
    power = np.zeros((side, side // 2 + 1))
    for patch in patches:
        flat = without_plane(patch) * window
        power += np.abs(np.asarray(fft.rfft2(flat))) ** 2
    power *= pixel_mm**2 / np.sum(window**2) / len(patches)
    frequency = np.hypot(
        fft.fftfreq(side, pixel_mm)[:, None], fft.rfftfreq(side, pixel_mm)[None, :]
    )
    edges = np.geomspace(1.5 / (side * pixel_mm), 0.5 / pixel_mm, 25)
    ring = np.digitize(frequency.ravel(), edges)
    count = np.bincount(ring, minlength=26)[1:25]
    total = np.bincount(ring, power.ravel(), minlength=26)[1:25]
    mean_of = np.bincount(ring, frequency.ravel(), minlength=26)[1:25]
    kept = count > 0
    return mean_of[kept] / count[kept], total[kept] / count[kept]


def without_plane(patch: Map) -> NDArray[np.float64]:
    """The patch less its best plane."""
    rows, columns = patch.shape
    down = np.linspace(-1, 1, rows)[:, None]
    right = np.linspace(-1, 1, columns)[None, :]
    flat = np.asarray(patch, np.float64) - patch.mean(dtype=np.float64)
    slope_down = np.sum(flat * down) / (columns * np.sum(down**2))
    slope_right = np.sum(flat * right) / (rows * np.sum(right**2))
    return np.asarray(flat - slope_down * down - slope_right * right, np.float64)


def spectral_figures(
    frequency: NDArray[np.float64], power: NDArray[np.float64]
) -> dict[str, float]:
    """The exponent, and the power of each band as a decadic logarithm."""
    chosen = (frequency >= BETA_FROM) & (frequency <= BETA_TO)
    slope = np.polyfit(np.log(frequency[chosen]), np.log(power[chosen]), 1)[0]
    figures = {"beta": -float(slope)}
    for low, high in pairwise(BANDS):
        band = (frequency >= low) & (frequency < high)
        figures[f"power {low}-{high}/mm (log10)"] = float(np.log10(power[band].mean()))
    return figures


def _grey_levels(values: Map) -> dict[str, float]:
    figures = {
        "mean": float(values.mean(dtype=np.float64)),
        "sd": float(values.std(dtype=np.float64)),
        "skewness": float(stats.skew(values[::3].astype(np.float64))),
        "kurtosis": float(stats.kurtosis(values[::3].astype(np.float64))),
    }
    cuts = (5, 25, 50, 75, 95)
    for cut, value in zip(cuts, np.percentile(values[::3], cuts), strict=True):
        figures[f"percentile {cut}"] = float(value)
    return figures


def _profile(unit: Map, depth: NDArray[np.float64]) -> dict[str, float]:
    """Grey level by distance from air or cut: how the edge is shown."""
    figures = {}
    for low, high in pairwise((0, 2, 5, 10, 20, 40)):
        ring = (depth > low) & (depth <= high)
        name = f"mean {low}-{high} mm from the edge"
        figures[name] = float(unit[ring].mean(dtype=np.float64)) if ring.any() else 0.0
    return figures


def _form(tissue: Mask, pixel_mm: float) -> dict[str, float]:
    rows, columns = np.flatnonzero(tissue.any(1)), np.flatnonzero(tissue.any(0))
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    return {
        "area (cm2)": float(tissue.sum()) * pixel_mm**2 / 100,
        "height (mm)": float(height) * pixel_mm,
        "width (mm)": float(width) * pixel_mm,
        "share of its box": float(tissue.sum() / (height * width)),
    }


def _band_figures(unit: Map, inner: Mask, pixel_mm: float) -> dict[str, float]:
    """Strength, tails and direction of detail at some scales: strands have heavy tails."""
    figures = {}
    weight = inner.astype(np.float32)
    for scale in SCALES_MM:
        sigma = scale / pixel_mm
        fine = _blurred(unit, weight, max(0.5 * sigma, 0.35))
        coarse = _blurred(unit, weight, sigma)
        band = (fine - coarse) * weight
        ends = np.percentile(band[inner], (TAIL, 100 - TAIL))
        band = np.clip(band, *ends).astype(np.float32)
        detail = band[inner].astype(np.float64)
        figures[f"detail {scale} mm, sd (log10)"] = float(np.log10(detail.std() + 1e-6))
        figures[f"detail {scale} mm, skewness"] = float(stats.skew(detail[::3]))
        figures[f"detail {scale} mm, kurtosis"] = float(
            np.log1p(np.maximum(stats.kurtosis(detail[::3]), -0.9))
        )
        local = _blurred(band**2, weight, 4 * sigma)[inner]
        figures[f"detail {scale} mm, unevenness"] = float(local.std() / (local.mean() + 1e-9))
        down, right = (
            np.asarray(cv2.Sobel(coarse, cv2.CV_32F, *order, ksize=3, scale=0.125), np.float32)
            for order in ((0, 1), (1, 0))
        )
        far = np.asarray(ndimage.binary_erosion(inner, iterations=2), np.bool_)
        figures[f"coherence {scale} mm"] = _coherence(down, right, 3 * sigma, far)
    return figures


def _blurred(values: Map, weight: Map, sigma: float) -> Map:
    """Of the inner tissue alone, so that no edge leaks in."""
    held = cv2.GaussianBlur(weight, (0, 0), sigma)
    blurred = cv2.GaussianBlur(values * weight, (0, 0), sigma)
    return np.asarray(blurred / np.maximum(held, np.float32(1e-3)), np.float32)


def _coherence(down: Map, right: Map, sigma: float, inner: Mask) -> float:
    """How far the gradients around a place agree, 0 to 1, weighted by their strength."""
    dd, rr, dr = (
        cv2.GaussianBlur(product * inner, (0, 0), sigma)[inner].astype(np.float64)
        for product in (down * down, right * right, down * right)
    )
    return float(np.sqrt((dd - rr) ** 2 + 4 * dr**2).sum() / ((dd + rr).sum() + 1e-12))


def _co_occurrence(unit: Map, inner: Mask, pixel_mm: float) -> dict[str, float]:
    """Haralick 1973: contrast, homogeneity and correlation of neighbours at two distances."""
    level = np.minimum((unit * LEVELS).astype(np.int32), LEVELS - 1)
    figures = {}
    for apart_mm in (0.4, 2.0):
        step = max(1, round(apart_mm / pixel_mm))
        counts = np.zeros((LEVELS, LEVELS))
        for row, column in ((0, step), (step, 0)):
            one, other = level[: -row or None, : -column or None], level[row:, column:]
            both = inner[: -row or None, : -column or None] & inner[row:, column:]
            pairs = one[both] * LEVELS + other[both]
            counts += np.bincount(pairs, minlength=LEVELS**2).reshape(LEVELS, LEVELS)
        share = (counts + counts.T) / (2 * counts.sum())
        figures |= _haralick(share, f"co-occurrence {apart_mm} mm")
    return figures


def _haralick(share: NDArray[np.float64], name: str) -> dict[str, float]:
    i, j = np.mgrid[:LEVELS, :LEVELS]
    mean = np.sum(i * share)
    spread = np.sum((i - mean) ** 2 * share)
    return {
        f"{name}, contrast (log10)": float(np.log10(np.sum((i - j) ** 2 * share) + 1e-3)),
        f"{name}, homogeneity": float(np.sum(share / (1 + (i - j) ** 2))),
        f"{name}, correlation": float(np.sum((i - mean) * (j - mean) * share) / spread),
    }


def conspicuity(pixels: NDArray[np.uint16], box: Box) -> float:
    """How far a lesion stands out from its breast at its own scale.

    The difference of two Gaussians, of the lesion's scale and of twice that, is taken over the
    whole breast; its greatest value near the middle of the lesion is given in deviations from
    its mean in the breast. It knows no shape: what makes masses of films and of phantoms
    comparable, not what a reader sees.

    Parameters
    ----------
    pixels : (rows, columns) uint16
        A prepared breast.

    Returns
    -------
    float
        NaN where the breast is too small for the lesion.
    """
    scale = max(SCALE_SHARE * max(box.size) / 2, 2.0)
    shrink = min(1.0, SCALE_PX / scale)
    unit = np.asarray(pixels, np.float32) / 65535
    small, inside = (
        cv2.resize(one, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        for one in (unit, (unit > AIR).astype(np.float32))
    )
    sigma = scale * shrink
    outer = cv2.GaussianBlur(small, (0, 0), 2 * sigma)
    stands_out = cv2.GaussianBlur(small, (0, 0), sigma) - outer
    reach = int(3 * sigma) | 1
    deep = cv2.erode((inside > 0.98).astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0
    if np.count_nonzero(deep) < reach**2:
        return float("nan")
    row, column = (round(middle * shrink) for middle in box.center)
    near = max(int(sigma / 2), 1)
    here = stands_out[
        max(row - near, 0) : row + near + 1, max(column - near, 0) : column + near + 1
    ]
    breast = stands_out[deep]
    return float((here.max() - breast.mean()) / breast.std())
