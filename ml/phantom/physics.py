"""From attenuation to photons at the detector."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from ml.phantom.outline import Map
    from ml.phantom.vendors import Vendor

# Photons a mm2 with nothing in between: some 4e5 are left behind a breast, as 100 uGy are.
PHOTONS_PER_MM2 = 5.9e6
SCATTER_SHARE, SCATTER_MM = 0.15, 25.0


def expose(line: Map, pixel_mm: float, vendor: Vendor, rng: np.random.Generator) -> Map:
    """Photons a pixel behind the breast, with scatter, heel effect, blur and quantum noise."""
    return with_noise(expected_photons(line, pixel_mm, vendor), rng)


def expected_photons(line: Map, pixel_mm: float, vendor: Vendor) -> Map:
    """What `expose` gives on average: the same without noise."""
    primary = np.exp(-line)
    small = cv2.resize(primary, None, fx=0.1, fy=0.1, interpolation=cv2.INTER_AREA)
    scatter = cv2.GaussianBlur(small, (0, 0), SCATTER_MM / pixel_mm / 10)
    scatter = cv2.resize(scatter, line.shape[::-1], interpolation=cv2.INTER_LINEAR)
    heel = np.linspace(1.0, 0.92, line.shape[1], dtype=np.float32)[None, :]
    beam = (primary + SCATTER_SHARE * scatter * (line > 0)) * heel
    beam = cv2.GaussianBlur(beam, (0, 0), max(vendor.blur_mm / pixel_mm, 0.35))
    return np.asarray(beam * (PHOTONS_PER_MM2 * vendor.dose * pixel_mm**2), np.float32)


def with_noise(mean: Map, rng: np.random.Generator) -> Map:
    """One exposure of so many expected photons a pixel."""
    # Many photons: the normal form of Poisson noise is exact enough and five times as fast.
    noisy = mean + np.sqrt(mean) * rng.standard_normal(mean.shape, dtype=np.float32)
    return np.asarray(np.maximum(noisy, 1), np.float32)
