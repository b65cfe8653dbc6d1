"""From photons to stored values, as a digital machine's processing or as a scanned film."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml.phantom.attenuate import MU_FAT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.phantom.anatomy import Anatomy
    from ml.phantom.outline import Map
    from ml.phantom.vendors import Vendor

RAW_BITS = 14
# The darkest and the brightest of the range that a film reaches under its scanner.
FILM_RANGE = (0.01, 0.93)


@dataclass(frozen=True, slots=True)
class Tone:
    """What a machine sets by the image before it: fitted once, then applied to any exposure.

    Attributes
    ----------
    low, high
        Signal that becomes 12 % and 94 % of the range; of a film the middle of its curve and
        its width.
    air
        Signal where nothing was in the beam.
    most
        Photons where nothing was in the beam.
    """

    low: float
    high: float
    air: float
    most: float


def raw_values(photons: Map) -> NDArray[np.uint16]:
    """For processing: linear in exposure, so air is brightest. (rows, columns) uint16."""
    most = float(np.percentile(photons[::3, ::3], 99.9)) * 1.1
    top = 2**RAW_BITS - 1
    return np.asarray(np.clip(photons / most * top, 0, top), np.uint16)


def fit_tone(photons: Map, anatomy: Anatomy, vendor: Vendor, rng: np.random.Generator) -> Tone:
    """What the automatic exposure control and the processing choose for this image."""
    most = float(photons.max())
    signal = _signal(photons, anatomy, vendor, most)
    tissue = signal[anatomy.depth_mm > 3][::11]
    outside = signal[anatomy.depth_mm <= 0]
    air = float(np.median(outside)) if outside.size else 0.0
    if vendor.film is not None:
        middle = float(np.percentile(tissue, 27)) + float(rng.normal(0, 0.14))
        return Tone(middle, vendor.film.latitude * float(rng.uniform(0.85, 1.2)), air, most)
    low, high = np.percentile(tissue, (0.3, 99.8))
    return Tone(float(low), max(float(high), float(low) + 1e-3), air, most)


def present(photons: Map, anatomy: Anatomy, vendor: Vendor, tone: Tone) -> Map:
    """For presentation, (rows, columns) float32 in 0..1: dense is bright, not yet rounded."""
    signal = _signal(photons, anatomy, vendor, tone.most)
    if vendor.film is not None:
        dark, bright = FILM_RANGE
        curve = 1 / (1 + np.exp(np.clip(-(signal - tone.low) / tone.high, -30, 30)))
        return np.asarray(dark + (bright - dark) * curve, np.float32)
    scaled = (signal - tone.low) / (tone.high - tone.low) * 0.82 + 0.12
    unit = np.clip(scaled, 0, 1) ** vendor.gamma
    air = np.clip(0.012 + 0.15 * (signal - tone.air), 0, 0.05)
    return np.asarray(air + (unit - air) * np.clip(anatomy.depth_mm / 1.2, 0, 1), np.float32)


def _signal(photons: Map, anatomy: Anatomy, vendor: Vendor, most: float) -> Map:
    """Minus ln of exposure; a digital machine evens out the edge and sharpens."""
    signal = -np.log(photons / np.float32(most))
    if vendor.film is not None:
        return np.asarray(signal, np.float32)
    thinner = float(anatomy.thickness_mm.max()) - anatomy.thickness_mm
    signal += vendor.periphery * MU_FAT * thinner * (anatomy.depth_mm > 0)
    if vendor.edge:
        blurred = cv2.GaussianBlur(signal, (0, 0), 1.0 / anatomy.pixel_mm)
        signal = signal + vendor.edge * (signal - blurred)
    return np.asarray(signal, np.float32)


def stored_values(unit: Map, vendor: Vendor) -> NDArray[np.uint16]:
    """Quantized to the vendor's bits and polarity, (rows, columns) uint16."""
    unit = 1 - unit if vendor.inverted else unit
    return np.asarray(np.round(np.clip(unit, 0, 1) * (2**vendor.bits - 1)), np.uint16)
