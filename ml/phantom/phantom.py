"""A simulated mammogram and all that is true of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.mammo.codes import (
    BreastDensity,
    FindingType,
    Laterality,
    PresentationIntent,
    ViewPosition,
)
from ml.mammo.geometry import Affine, Box
from ml.phantom.anatomy import build_anatomy
from ml.phantom.lesions import PlacedLesion, place_lesion
from ml.phantom.physics import VENDORS, Vendor, attenuation, expose, for_presentation
from ml.phantom.physics import for_processing as raw_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.phantom.woman import Woman

STANDARD_VIEWS = tuple(
    (side, view)
    for view in (ViewPosition.CC, ViewPosition.MLO)
    for side in (Laterality.RIGHT, Laterality.LEFT)
)


@dataclass(frozen=True, slots=True)
class LesionTruth:
    """A lesion in one image.

    Attributes
    ----------
    box
        In stored pixels, half-open.
    contrast
        Greatest change of ln exposure that the lesion makes.
    contrast_to_noise
        `contrast` over the deviation of ln exposure in the healthy tissue around it.
    """

    box: Box
    finding_type: FindingType
    malignant: bool
    margin: str
    radius_mm: float
    contrast: float
    contrast_to_noise: float


@dataclass(frozen=True, slots=True, eq=False)
class Phantom:
    """One simulated image.

    Attributes
    ----------
    pixels : (rows, columns) uint16
        Stored values, oriented as real machines write them: the chest wall of a right breast at
        the right edge, of a left breast at the left edge; feet (MLO) or medial side (CC) down.
    """

    pixels: NDArray[np.uint16]
    laterality: Laterality
    view: ViewPosition
    intent: PresentationIntent
    pixel_mm: float
    vendor: Vendor
    bits: int
    density: BreastDensity
    glandular_fraction: float
    thickness_mm: float
    lesions: tuple[LesionTruth, ...]
    seed: int


def make_phantom(
    woman: Woman,
    laterality: Laterality,
    view: ViewPosition,
    *,
    pixel_mm: float = 0.1,
    vendor: Vendor = VENDORS[0],
    intent: PresentationIntent = PresentationIntent.FOR_PRESENTATION,
) -> Phantom:
    """Simulate one view. The same arguments give the same bytes.

    Parameters
    ----------
    laterality
        RIGHT or LEFT.
    view
        CC or MLO.
    pixel_mm
        0.05 to 0.5; textures are drawn anew for each size.
    """
    order = STANDARD_VIEWS.index((laterality, view))
    rng = np.random.default_rng((woman.seed, 3, order))
    anatomy = build_anatomy(woman, view, pixel_mm, rng)
    placed = tuple(place_lesion(anatomy, spec, view) for spec in woman.lesions_of(laterality))
    line = attenuation(anatomy, placed)
    truths = tuple(_truth(p, line - attenuation(anatomy, ()), line, pixel_mm) for p in placed)
    photons = expose(line, pixel_mm, vendor, rng)
    processing = intent is PresentationIntent.FOR_PROCESSING
    pixels = (
        raw_values(photons, 14) if processing else for_presentation(photons, anatomy, vendor)
    )
    if laterality is Laterality.RIGHT:
        pixels = np.ascontiguousarray(pixels[:, ::-1])
        truths = tuple(_mirrored(t, pixels.shape[1]) for t in truths)
    return Phantom(
        pixels,
        laterality,
        view,
        intent,
        pixel_mm,
        vendor,
        14 if processing else vendor.bits,
        woman.density,
        woman.glandular_fraction,
        woman.thickness_mm,
        truths,
        woman.seed,
    )


def _truth(
    placed: PlacedLesion, gain: NDArray[np.float32], line: NDArray[np.float32], pixel_mm: float
) -> LesionTruth:
    contrast = float(gain.max())
    spec, box = placed.spec, placed.box
    around = Box(
        box.row0 - 5 / pixel_mm,
        box.col0 - 5 / pixel_mm,
        box.row1 + 5 / pixel_mm,
        box.col1 + 5 / pixel_mm,
    ).clipped(*line.shape)
    rows, columns = (
        slice(int(around.row0), int(around.row1)),
        slice(int(around.col0), int(around.col1)),
    )
    spread = float(np.std((line - gain)[rows, columns])) + 1e-3
    return LesionTruth(
        box,
        spec.finding_type,
        spec.malignant,
        spec.margin.value if spec.finding_type is FindingType.MASS else "",
        spec.radius_mm,
        contrast,
        contrast / spread,
    )


def _mirrored(truth: LesionTruth, columns: int) -> LesionTruth:
    from dataclasses import replace

    return replace(truth, box=Affine.flip_columns(columns).box(truth.box))
