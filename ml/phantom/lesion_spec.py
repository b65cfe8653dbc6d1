"""What a simulated lesion is, in BI-RADS terms, before any view of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeVar

import numpy as np

from ml.mammo.codes import FindingType

Kind = TypeVar("Kind")


class Margin(Enum):
    """How a mass ends (BI-RADS 5th edition)."""

    CIRCUMSCRIBED = "circumscribed"
    OBSCURED = "obscured"
    MICROLOBULATED = "microlobulated"
    INDISTINCT = "indistinct"
    SPICULATED = "spiculated"


class Morphology(Enum):
    """What the grains of a cluster look like (BI-RADS 5th edition)."""

    PUNCTATE = "punctate"
    AMORPHOUS = "amorphous"
    COARSE_HETEROGENEOUS = "coarse heterogeneous"
    FINE_PLEOMORPHIC = "fine pleomorphic"
    FINE_LINEAR = "fine linear or fine-linear branching"


class Distribution(Enum):
    """How the grains of a cluster lie (BI-RADS 5th edition)."""

    GROUPED = "grouped"
    LINEAR = "linear"
    SEGMENTAL = "segmental"
    REGIONAL = "regional"


# By rule, so that the truth can be learnt: the descriptors whose likelihood of malignancy is
# over one in five in the BI-RADS atlas, and distortion without surgery.
MALIGNANT_MARGINS = (Margin.MICROLOBULATED, Margin.INDISTINCT, Margin.SPICULATED)
MALIGNANT_MORPHOLOGIES = (Morphology.FINE_PLEOMORPHIC, Morphology.FINE_LINEAR)

FINDING_SHARES = {
    FindingType.MASS: 0.55,
    FindingType.CALCIFICATIONS: 0.28,
    FindingType.ARCHITECTURAL_DISTORTION: 0.08,
    FindingType.ASYMMETRY: 0.09,
}
MARGIN_SHARES = dict(zip(Margin, (0.28, 0.12, 0.12, 0.18, 0.30), strict=True))
MORPHOLOGY_SHARES = dict(zip(Morphology, (0.25, 0.2, 0.15, 0.25, 0.15), strict=True))
DISTRIBUTION_SHARES = dict(zip(Distribution, (0.65, 0.12, 0.13, 0.10), strict=True))
# Radius from and to, mm; drawn evenly on a logarithmic scale.
RADIUS_MM = {
    FindingType.MASS: (2.5, 16.0),
    FindingType.CALCIFICATIONS: (2.5, 8.0),
    FindingType.ARCHITECTURAL_DISTORTION: (5.0, 14.0),
    FindingType.ASYMMETRY: (5.0, 15.0),
}
# Attenuation of a mass over gland's. Tissue measures 1.0 to 1.1 (Johns 1987, M-SYNTH); more is
# path: a mass is harder than what surrounds it and spreads less under compression; less is fat
# in it, or a faint group. With it masses stand out from their breast as those of mini-MIAS do
# (difference of Gaussians at the lesion's scale, over its deviation in the breast: median 1.7
# there); a good part of the drawn lesions nobody can see.
DENSITY = (0.7, 1.9)
# Volume doubling of breast cancers: 60 to 700 days, median near 170 (Peer 1993, Fournier 1980).
DOUBLING_YEARS = (0.25, 1.9)


@dataclass(frozen=True, slots=True)
class LesionSpec:
    """A lesion in the breast.

    Attributes
    ----------
    nipple_distance_mm
        The same in both views, as in a compressed breast to first order.
    angle_cc, angle_mlo
        Radians from the nipple-to-chest line, positive towards the bottom of the upright image.
    radius_mm
        Of the mass, the cluster, the distorted or the denser region.
    density
        Attenuation of a mass over that of glandular tissue, `DENSITY`; the contrast of a
        cluster's grains, of an asymmetry and of a distortion grows with it.
    margin
        Of a mass.
    malignant
        By rule, from margin and morphology.
    seed
        Draws its shape.
    morphology, distribution
        Of calcifications.
    doubling_years
        Time in which its volume doubles; a benign one stays.
    """

    finding_type: FindingType
    nipple_distance_mm: float
    angle_cc: float
    angle_mlo: float
    radius_mm: float
    density: float
    margin: Margin
    malignant: bool
    seed: int
    morphology: Morphology = Morphology.PUNCTATE
    distribution: Distribution = Distribution.GROUPED
    doubling_years: float = 0.5

    def earlier(self, years: float) -> LesionSpec:
        """The same lesion before it grew: a third root of what its volume was."""
        if not self.malignant:
            return self
        shrunk = self.radius_mm * 2 ** (-years / (3 * self.doubling_years))
        return replace(self, radius_mm=shrunk)

    @property
    def describes(self) -> str:
        """Its descriptor: a mass's margin, a cluster's morphology, or nothing."""
        if self.finding_type is FindingType.MASS:
            return self.margin.value
        return self.morphology.value if self.calcified else ""

    @property
    def calcified(self) -> bool:
        """Whether it is made of calcifications."""
        return self.finding_type is FindingType.CALCIFICATIONS


def draw_lesion(rng: np.random.Generator) -> LesionSpec:
    """Draw a lesion; sizes and contrasts reach down to what nobody can see."""
    finding_type = _chosen(rng, FINDING_SHARES)
    margin = _chosen(rng, MARGIN_SHARES)
    morphology = _chosen(rng, MORPHOLOGY_SHARES)
    low, high = np.log(RADIUS_MM[finding_type])
    return LesionSpec(
        finding_type=finding_type,
        nipple_distance_mm=float(rng.uniform(18, 75)),
        angle_cc=float(rng.uniform(-0.8, 0.8)),
        angle_mlo=float(rng.uniform(-0.9, 0.6)),
        radius_mm=float(np.exp(rng.uniform(low, high))),
        density=float(rng.uniform(*DENSITY)),
        margin=margin,
        malignant=_malignant(finding_type, margin, morphology),
        seed=int(rng.integers(1 << 31)),
        morphology=morphology,
        distribution=_chosen(rng, DISTRIBUTION_SHARES),
        doubling_years=float(np.exp(rng.uniform(*np.log(DOUBLING_YEARS)))),
    )


def _malignant(finding_type: FindingType, margin: Margin, morphology: Morphology) -> bool:
    if finding_type is FindingType.MASS:
        return margin in MALIGNANT_MARGINS
    if finding_type is FindingType.CALCIFICATIONS:
        return morphology in MALIGNANT_MORPHOLOGIES
    return finding_type is FindingType.ARCHITECTURAL_DISTORTION


def _chosen(rng: np.random.Generator, shares: dict[Kind, float]) -> Kind:
    return list(shares)[rng.choice(len(shares), p=list(shares.values()))]
