"""Makes of machine: how each turns photons into an image. All invented, none real."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Film:
    """Screen-film, scanned: how mini-MIAS and DDSM were made.

    Attributes
    ----------
    latitude
        Width of the film's curve in ln exposure; a small one is a steep film.
    grain
        Deviation of the grain, share of the whole range.
    cut
        The chance that the muscle has been blackened by hand with a jagged cut, as it was in
        the mini-MIAS copies at hand.
    """

    latitude: float
    grain: float
    cut: float


@dataclass(frozen=True, slots=True)
class Vendor:
    """How one make of machine shows a breast.

    Attributes
    ----------
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
    periphery
        How much of the thinner edge of the breast its processing takes out, 0 to 1.
    film
        Of a film that was scanned; None for a digital detector.
    """

    name: str
    blur_mm: float
    bits: int
    inverted: bool
    gamma: float
    edge: float
    dose: float
    periphery: float = 0.92
    film: Film | None = None


VENDORS = (
    Vendor("PHANTOM-ALPHA", 0.06, 12, False, 1.0, 0.15, 1.0),
    Vendor("PHANTOM-BETA", 0.10, 14, False, 0.8, 0.35, 0.7),
    Vendor("PHANTOM-GAMMA", 0.08, 12, True, 1.2, 0.0, 1.4),
)
FILMS = (
    Vendor("PHANTOM-FILM-A", 0.11, 8, False, 1.0, 0.0, 0.9, film=Film(0.34, 0.003, 0.6)),
    Vendor("PHANTOM-FILM-B", 0.15, 8, False, 1.0, 0.0, 0.6, film=Film(0.44, 0.005, 0.6)),
)
# Never trained on: how a model does on a machine that it has not met.
UNSEEN_VENDORS = (
    Vendor("PHANTOM-OMEGA", 0.07, 13, False, 0.9, 0.55, 0.5, periphery=0.7),
    Vendor("PHANTOM-SIGMA", 0.12, 10, True, 1.35, 0.1, 1.0, periphery=1.0),
    Vendor("PHANTOM-FILM-C", 0.13, 8, False, 1.0, 0.0, 0.75, film=Film(0.39, 0.008, 0.0)),
)
