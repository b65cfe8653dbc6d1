"""From tissue to the detector, and from the detector to the screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml.phantom.anatomy import SKIN_MM, Anatomy, Map

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.phantom.lesions import PlacedLesion

# Effective attenuation, 1/mm, W/Rh 28 kVp behind about 45 mm (from the FDA MC-GPU tables).
MU_FAT, MU_GLANDULAR, MU_SKIN, MU_MUSCLE = 0.0476, 0.0704, 0.0771, 0.0792
# Photons a mm2 with nothing in between: some 4e5 are left behind a breast, as 100 uGy are.
PHOTONS_PER_MM2 = 5.9e6
SCATTER_SHARE, SCATTER_MM = 0.15, 25.0


@dataclass(frozen=True, slots=True)
class Vendor:
    """How one make of machine shows a breast.

    Attributes
    ----------
    name
        Invented: no real maker is simulated.
    blur_mm
        Deviation of the detector's point spread.
    bits
        Bits stored.
    inverted
        Written as MONOCHROME1.
    gamma, edge
        Strength of its tone curve and of its edge enhancement.
    dose
        Photons over the nominal.
    """

    name: str
    blur_mm: float
    bits: int
    inverted: bool
    gamma: float
    edge: float
    dose: float


VENDORS = (
    Vendor("PHANTOM-ALPHA", 0.06, 12, False, 1.0, 0.15, 1.0),
    Vendor("PHANTOM-BETA", 0.10, 14, False, 0.8, 0.35, 0.7),
    Vendor("PHANTOM-GAMMA", 0.08, 12, True, 1.2, 0.0, 1.4),
)


def attenuation(anatomy: Anatomy, lesions: tuple[PlacedLesion, ...]) -> Map:
    """Line integral of attenuation, (rows, columns) float32, no unit."""
    tissue = np.clip(anatomy.thickness_mm - 2 * SKIN_MM, 0, None)
    skin = anatomy.thickness_mm - tissue
    mixture = MU_FAT + (MU_GLANDULAR - MU_FAT) * anatomy.glandular
    mixture += (MU_MUSCLE - mixture) * anatomy.muscle
    total = tissue * mixture + skin * MU_SKIN
    total += anatomy.strands * (MU_GLANDULAR - MU_FAT)
    for lesion in lesions:
        is_mass = bool(lesion.replaces.any())
        gain = lesion.spec.density * MU_GLANDULAR - mixture if is_mass else MU_GLANDULAR
        total += lesion.path_mm * gain
    return np.asarray(total, np.float32)


def expose(line: Map, pixel_mm: float, vendor: Vendor, rng: np.random.Generator) -> Map:
    """Photons a pixel behind the breast, with scatter, heel effect, blur and quantum noise."""
    primary = np.exp(-line)
    small = cv2.resize(primary, None, fx=0.1, fy=0.1, interpolation=cv2.INTER_AREA)
    scatter = cv2.GaussianBlur(small, (0, 0), SCATTER_MM / pixel_mm / 10)
    scatter = cv2.resize(scatter, line.shape[::-1], interpolation=cv2.INTER_LINEAR)
    heel = np.linspace(1.0, 0.92, line.shape[1], dtype=np.float32)[None, :]
    beam = (primary + SCATTER_SHARE * scatter * (line > 0)) * heel
    beam = cv2.GaussianBlur(beam, (0, 0), max(vendor.blur_mm / pixel_mm, 0.35))
    mean = beam * (PHOTONS_PER_MM2 * vendor.dose * pixel_mm**2)
    # Many photons: the normal form of Poisson noise is exact enough and five times as fast.
    noisy = mean + np.sqrt(mean) * rng.standard_normal(mean.shape, dtype=np.float32)
    return np.asarray(np.maximum(noisy, 1), np.float32)


def for_processing(photons: Map, bits: int) -> NDArray[np.uint16]:
    """Raw, linear in exposure: air is brightest."""
    top = float(np.percentile(photons, 99.9)) * 1.1
    return np.asarray(np.clip(photons / top * (2**bits - 1), 0, 2**bits - 1), np.uint16)


def for_presentation(photons: Map, anatomy: Anatomy, vendor: Vendor) -> NDArray[np.uint16]:
    """Logarithm, peripheral thickness taken out, tone curve: dense is bright, or inverted.

    Returns
    -------
    (rows, columns) uint16
        Stored values of the vendor's bits; air lies slightly above black, with noise.
    """
    inside = anatomy.depth_mm > 0
    signal = -np.log(photons / float(photons.max()))
    periphery = 0.92 * (MU_FAT * (anatomy.thickness_mm.max() - anatomy.thickness_mm))
    signal = signal + np.where(inside, periphery, 0)
    if vendor.edge:
        blurred = cv2.GaussianBlur(signal, (0, 0), 1.0 / anatomy.pixel_mm)
        signal = signal + vendor.edge * (signal - blurred)
    tissue = signal[anatomy.depth_mm > 3]
    low, high = np.percentile(tissue[::11], (0.3, 99.8))
    unit = np.clip((signal - low) / max(high - low, 1e-3) * 0.82 + 0.12, 0, 1) ** vendor.gamma
    air = np.clip(0.012 + 0.15 * (signal - float(np.median(signal[~inside]))), 0, 0.05)
    ramp = np.clip(anatomy.depth_mm / 1.2, 0, 1)
    unit = air + (unit - air) * ramp
    unit = 1 - unit if vendor.inverted else unit
    return np.asarray(np.round(unit * (2**vendor.bits - 1)), np.uint16)
