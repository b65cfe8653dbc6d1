"""A woman to be imaged: all that her two breasts and four views share, drawn from a seed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ml.mammo.codes import BreastDensity, Laterality
from ml.phantom.lesion_spec import LesionSpec, draw_lesion

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
LEAST_THICKNESS_MM = 20.0
SIZE = dict(zip(BreastDensity, (1.15, 1.05, 0.95, 0.85), strict=True))
# A lesion that was smaller than this could not have been seen.
SMALLEST_MM = 1.5


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
    years_before
        How long before the current examination she is imaged: 0 for the current one.
    """

    seed: int
    density: BreastDensity
    glandular_fraction: float
    thickness_mm: float
    size: float
    droop: float
    lesions: tuple[tuple[Laterality, LesionSpec], ...]
    years_before: float = 0.0

    def lesions_of(self, laterality: Laterality) -> tuple[LesionSpec, ...]:
        """The lesions of one breast."""
        return tuple(lesion for side, lesion in self.lesions if side is laterality)

    def earlier(self, years: float) -> Woman:
        """Her at a prior examination: the same tissue, lesions smaller or not there yet.

        Parameters
        ----------
        years
            Before this one, greater than 0.
        """
        grown = ((side, lesion.earlier(years)) for side, lesion in self.lesions)
        seen = tuple(pair for pair in grown if pair[1].radius_mm >= SMALLEST_MM)
        return replace(self, lesions=seen, years_before=self.years_before + years)


def draw_woman(seed: int, *, lesion_rate: float = 0.5, most_lesions: int = 1) -> Woman:
    """Draw a woman.

    Parameters
    ----------
    seed
        The same seed draws the same woman.
    lesion_rate
        The chance that a breast has a lesion, 0 to 1.
    most_lesions
        How many it may have then: more than one teaches more per image.
    """
    rng = np.random.default_rng((seed, 1))
    density = list(BreastDensity)[rng.choice(4, p=DENSITY_SHARE)]
    lesions = tuple(
        (side, draw_lesion(rng))
        for side in (Laterality.RIGHT, Laterality.LEFT)
        if rng.random() < lesion_rate
        for _ in range(int(rng.integers(1, most_lesions + 1)))
    )
    return Woman(
        seed=seed,
        density=density,
        glandular_fraction=float(rng.uniform(*GLANDULAR_FRACTION[density])),
        thickness_mm=float(max(THICKNESS_MM[density] + rng.normal(0, 6), LEAST_THICKNESS_MM)),
        size=float(SIZE[density] * np.clip(rng.normal(1, 0.16), 0.65, 1.4)),
        droop=float(rng.uniform(0.05, 0.22)),
        lesions=lesions,
    )
