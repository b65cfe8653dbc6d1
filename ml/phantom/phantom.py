"""A simulated mammogram and all that is true of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
from ml.phantom.attenuate import attenuation
from ml.phantom.benign import BenignKind, draw_benign
from ml.phantom.film import scan_film
from ml.phantom.lesions import place_lesion
from ml.phantom.observer import detectability
from ml.phantom.physics import expected_photons, with_noise
from ml.phantom.processing import RAW_BITS, fit_tone, present, raw_values, stored_values
from ml.phantom.vendors import VENDORS, Vendor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.phantom.anatomy import Anatomy
    from ml.phantom.benign import PlacedBenign
    from ml.phantom.lesions import PlacedLesion
    from ml.phantom.outline import Map
    from ml.phantom.woman import Woman

STANDARD_VIEWS = tuple(
    (side, view)
    for view in (ViewPosition.CC, ViewPosition.MLO)
    for side in (Laterality.RIGHT, Laterality.LEFT)
)


# A lesion of which a hand cut away more than this is not there.
MOST_CUT = 0.5
# Healthy tissue around a lesion that the model observer sees with it.
AROUND_MM = 12.0
# The skin line is no background to a lesion beside it.
OFF_SKIN_MM = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class LesionTruth:
    """A lesion in one image.

    Attributes
    ----------
    box
        In stored pixels, half-open.
    mask : (box rows, box columns) bool
        Its pixels in the box.
    descriptor
        A mass's margin, a cluster's morphology, or nothing.
    contrast
        Greatest change of ln exposure that the lesion makes.
    detectability
        d' of a non-prewhitening observer with an eye filter (`ml.phantom.observer`).
    """

    box: Box
    mask: NDArray[np.bool_]
    finding_type: FindingType
    malignant: bool
    descriptor: str
    radius_mm: float
    contrast: float
    detectability: float


@dataclass(frozen=True, slots=True)
class BenignTruth:
    """What looks like a lesion and is none, and the box of its window in stored pixels."""

    kind: BenignKind
    box: Box


@dataclass(frozen=True, slots=True, eq=False)
class Phantom:
    """One simulated image.

    Attributes
    ----------
    pixels : (rows, columns) uint16
        Stored values, oriented as real machines write them: the chest wall of a right breast at
        the right edge, of a left breast at the left edge; feet (MLO) or medial side (CC) down.
    years_before
        Before the current examination: 0, or that of a prior.
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
    benign: tuple[BenignTruth, ...] = ()
    years_before: float = 0.0

    @property
    def patient_id(self) -> str:
        """Of the woman, in every file and list."""
        return f"PHANTOM-{self.seed:012X}"


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """What is in the beam: `line` with the lesions, `plain` without what they add."""

    anatomy: Anatomy
    line: Map
    plain: Map
    placed: tuple[PlacedLesion, ...]
    benign: tuple[PlacedBenign, ...]


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
        0.05 to 0.5. The woman is the same at every size up to 0.2; her noise is not.
    """
    order = STANDARD_VIEWS.index((laterality, view))
    seen = _build(woman, laterality, view, pixel_mm)
    noise = (woman.seed, 5, order, round(1000 * woman.years_before))
    if intent is PresentationIntent.FOR_PROCESSING:
        # What is for processing has not met the film or the screen; it shows the same lesions.
        mean = expected_photons(seen.line, pixel_mm, vendor)
        pixels, bits = raw_values(with_noise(mean, np.random.default_rng(noise))), RAW_BITS
        truths = _shown(seen, replace(vendor, film=None), noise)[1]
    else:
        unit, truths = _shown(seen, vendor, noise)
        pixels, bits = stored_values(unit, vendor), vendor.bits
    benign = tuple(BenignTruth(one.kind, _window_box(one)) for one in seen.benign)
    if laterality is Laterality.RIGHT:
        pixels = np.ascontiguousarray(pixels[:, ::-1])
        flip = Affine.flip_columns(pixels.shape[1])
        truths = tuple(replace(t, box=flip.box(t.box), mask=t.mask[:, ::-1]) for t in truths)
        benign = tuple(replace(one, box=flip.box(one.box)) for one in benign)
    return Phantom(
        pixels,
        laterality,
        view,
        intent,
        pixel_mm,
        vendor,
        bits,
        woman.density,
        woman.glandular_fraction,
        woman.thickness_mm,
        truths,
        woman.seed,
        benign,
        woman.years_before,
    )


def _shown(
    seen: _View, vendor: Vendor, noise: tuple[int, ...]
) -> tuple[Map, tuple[LesionTruth, ...]]:
    """The image as the vendor shows it, in 0..1, and what can be seen of each lesion."""
    anatomy, pixel_mm = seen.anatomy, seen.anatomy.pixel_mm
    mean = expected_photons(seen.line, pixel_mm, vendor)
    photons = with_noise(mean, np.random.default_rng(noise))
    tone = fit_tone(photons, anatomy, vendor, np.random.default_rng((*noise, 1)))
    unit = present(photons, anatomy, vendor, tone)
    cut = np.zeros(unit.shape, np.bool_)
    if vendor.film is not None:
        unit, cut = scan_film(unit, anatomy, vendor.film, np.random.default_rng((*noise, 2)))
    if not seen.placed:
        return unit, ()
    # Without noise, so that the difference is the lesions alone.
    healthy = expected_photons(seen.plain, pixel_mm, vendor)
    signal = present(mean, anatomy, vendor, tone) - present(healthy, anatomy, vendor, tone)
    tissue = (anatomy.depth_mm > OFF_SKIN_MM) & ~cut
    plain = np.asarray(unit - signal, np.float32)
    change = seen.line - seen.plain
    truths = (_truth(one, signal, change, plain, tissue, pixel_mm) for one in seen.placed)
    return unit, tuple(truth for truth in truths if not _is_cut(truth, cut))


def _build(woman: Woman, side: Laterality, view: ViewPosition, pixel_mm: float) -> _View:
    rng = np.random.default_rng((woman.seed, 3, STANDARD_VIEWS.index((side, view))))
    anatomy = build_anatomy(woman, view, pixel_mm, rng)
    healthy = attenuation(anatomy)
    benign = draw_benign(anatomy, healthy, rng)
    for one in benign:
        rows, columns = one.change.shape
        healthy[one.row0 : one.row0 + rows, one.col0 : one.col0 + columns] += one.change
    specs = woman.lesions_of(side)
    placed = tuple(place_lesion(anatomy, healthy, spec, view) for spec in specs)
    for lesion in placed:
        healthy[lesion.window] += lesion.moved
    line = healthy.copy()
    for lesion in placed:
        line[lesion.window] += lesion.change
    return _View(anatomy, line, healthy, placed, benign)


def _truth(
    placed: PlacedLesion,
    signal: Map,
    change: Map,
    plain: Map,
    tissue: NDArray[np.bool_],
    pixel_mm: float,
) -> LesionTruth:
    spec, box = placed.spec, placed.box
    margin = AROUND_MM / pixel_mm
    around = Box(
        box.row0 - margin, box.col0 - margin, box.row1 + margin, box.col1 + margin
    ).clipped(*plain.shape)
    window = (
        slice(int(around.row0), int(around.row1)),
        slice(int(around.col0), int(around.col1)),
    )
    return LesionTruth(
        box=box,
        mask=placed.mask[
            int(box.row0) - placed.row0 : int(box.row1) - placed.row0,
            int(box.col0) - placed.col0 : int(box.col1) - placed.col0,
        ],
        finding_type=spec.finding_type,
        malignant=spec.malignant,
        descriptor=spec.describes,
        radius_mm=spec.radius_mm,
        contrast=float(np.abs(placed.change).max()),
        detectability=detectability(
            _own(placed, signal, change), plain[window], pixel_mm, tissue=tissue[window]
        ),
    )


def _own(placed: PlacedLesion, signal: Map, change: Map) -> Map:
    """Its own part of the signal, where the window holds some of a lesion beside it."""
    whole = change[placed.window]
    share = np.divide(placed.change, whole, out=np.zeros_like(whole), where=whole != 0)
    return np.asarray(signal[placed.window] * np.clip(share, 0, 1), np.float32)


def _is_cut(truth: LesionTruth, cut: NDArray[np.bool_]) -> bool:
    box = truth.box
    part = cut[int(box.row0) : int(box.row1), int(box.col0) : int(box.col1)]
    return bool(part.mean() > MOST_CUT)


def _window_box(one: PlacedBenign) -> Box:
    rows, columns = one.change.shape
    return Box(one.row0, one.col0, one.row0 + rows, one.col0 + columns)
