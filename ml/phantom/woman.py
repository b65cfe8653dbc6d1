"""A woman to be imaged: all that her two breasts and four views share, drawn from a seed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from ml.mammo.codes import BreastDensity, FindingType, Laterality

# Glandular share of the breast by BI-RADS class: the "clinical ladder" proposed from breast-CT
# figures (mean 19 % including skin, 95 % of women under 45 %), not the higher VICTRE classes.
GLANDULAR_FRACTION = {
    BreastDensity.A: (0.04, 0.08),
    BreastDensity.B: (0.08, 0.16),
    BreastDensity.C: (0.16, 0.30),
    BreastDensity.D: (0.30, 0.50),
}
DENSITY_SHARE = (0.10, 0.40, 0.40, 0.10)
# Compressed thickness by class, mm: VICTRE (Badano 2018) has 60, 55, 45, 35 for A to D.
THICKNESS_MM = dict(zip(BreastDensity, (60.0, 55.0, 45.0, 38.0), strict=True))
SIZE = dict(zip(BreastDensity, (1.15, 1.05, 0.95, 0.85), strict=True))


class Margin(Enum):
    """How a mass ends, in BI-RADS terms."""

    CIRCUMSCRIBED = "circumscribed"
    INDISTINCT = "indistinct"
    SPICULATED = "spiculated"


@dataclass(frozen=True, slots=True)
class LesionSpec:
    """A lesion in the breast, before any view of it.

    Attributes
    ----------
    nipple_distance_mm
        The same in both views, as in a compressed breast to first order.
    angle_cc, angle_mlo
        Radians from the nipple-to-chest line, positive towards the bottom of the upright image.
    radius_mm
        Of the mass, or of the cluster.
    density
        Attenuation over that of glandular tissue (mass), 1.0 to 1.25.
    malignant
        By rule: spiculated and indistinct masses and pleomorphic clusters are malignant.
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


@dataclass(frozen=True, slots=True)
class Woman:
    """One simulated woman.

    Attributes
    ----------
    seed
        Draws everything below, and the texture of each view.
    glandular_fraction
        Share of glandular tissue in the breast area, 0 to 1.
    size
        Scale of the outline; 1 is a breast 95 mm deep.
    lesions
        With the breast that each is in.
    """

    seed: int
    density: BreastDensity
    glandular_fraction: float
    thickness_mm: float
    size: float
    droop: float
    lesions: tuple[tuple[Laterality, LesionSpec], ...]

    def lesions_of(self, laterality: Laterality) -> tuple[LesionSpec, ...]:
        """The lesions of one breast."""
        return tuple(lesion for side, lesion in self.lesions if side is laterality)


def draw_woman(seed: int, *, lesion_rate: float = 0.5) -> Woman:
    """Draw a woman.

    Parameters
    ----------
    seed
        The same seed draws the same woman.
    lesion_rate
        The chance that a breast has a lesion, 0 to 1.
    """
    rng = np.random.default_rng((seed, 1))
    density = list(BreastDensity)[rng.choice(4, p=DENSITY_SHARE)]
    lesions = tuple(
        (side, _draw_lesion(rng))
        for side in (Laterality.RIGHT, Laterality.LEFT)
        if rng.random() < lesion_rate
    )
    return Woman(
        seed=seed,
        density=density,
        glandular_fraction=float(rng.uniform(*GLANDULAR_FRACTION[density])),
        thickness_mm=float(THICKNESS_MM[density] + rng.normal(0, 6)),
        size=float(SIZE[density] * rng.normal(1, 0.07)),
        droop=float(rng.uniform(0.05, 0.22)),
        lesions=lesions,
    )


def _draw_lesion(rng: np.random.Generator) -> LesionSpec:
    mass = rng.random() < 0.65
    margin = list(Margin)[rng.choice(3, p=(0.4, 0.2, 0.4))]
    pleomorphic = rng.random() < 0.5
    return LesionSpec(
        finding_type=FindingType.MASS if mass else FindingType.CALCIFICATIONS,
        nipple_distance_mm=float(rng.uniform(22, 70)),
        angle_cc=float(rng.uniform(-0.7, 0.7)),
        angle_mlo=float(rng.uniform(-0.8, 0.6)),
        radius_mm=float(np.exp(rng.uniform(np.log(3.0), np.log(11.0))))
        if mass
        else float(rng.uniform(2.5, 7.0)),
        density=float(rng.uniform(1.02, 1.25)),
        margin=margin,
        malignant=margin is not Margin.CIRCUMSCRIBED if mass else pleomorphic,
        seed=int(rng.integers(1 << 31)),
    )
