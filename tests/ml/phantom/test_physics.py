"""Physics as a regression test: what makes a lesion easier or harder to see does so here too.

Every test changes one thing and holds the rest: the same women, the same tissue and the same
draws of noise. What the observer sees must then change one way, in the mean over the women.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.data.sources.phantoms import as_mammogram
from ml.infer.reader import load_reader
from ml.mammo.codes import BreastDensity, FindingType, Laterality, ViewPosition
from ml.phantom.lesion_spec import LesionSpec, Margin
from ml.phantom.phantom import make_phantom
from ml.phantom.vendors import FILMS, VENDORS
from ml.phantom.woman import GLANDULAR_FRACTION, draw_woman

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ml.infer.reader import MammogramReader
    from ml.phantom.phantom import Phantom
    from ml.phantom.vendors import Vendor
    from ml.phantom.woman import Woman

COARSE = 0.4
SEEDS = range(4)
# A cancer attenuates 1.0 to 1.1 times as much as gland (Johns and Yaffe 1987).
CANCER = 1.06
MASS = LesionSpec(
    FindingType.MASS,
    nipple_distance_mm=40.0,
    angle_cc=-0.1,
    angle_mlo=-0.1,
    radius_mm=5.0,
    density=CANCER,
    margin=Margin.CIRCUMSCRIBED,
    malignant=False,
    seed=5,
)
CLUSTER = replace(MASS, finding_type=FindingType.CALCIFICATIONS, density=1.2)
MIDDLE = {letter: sum(ends) / 2 for letter, ends in GLANDULAR_FRACTION.items()}
DOSES = (0.0625, 0.5, 4.0)


def woman_with(seed: int, spec: LesionSpec, density: BreastDensity = BreastDensity.B) -> Woman:
    """A woman of whom only the seed of her tissue and the letter of her density are open."""
    return replace(
        draw_woman(seed, lesion_rate=0),
        density=density,
        glandular_fraction=MIDDLE[density],
        thickness_mm=50.0,
        size=1.0,
        droop=0.12,
        lesions=((Laterality.LEFT, replace(spec, seed=seed)),),
    )


def phantom_with(
    seed: int,
    spec: LesionSpec,
    density: BreastDensity = BreastDensity.B,
    vendor: Vendor = VENDORS[0],
    pixel_mm: float = COARSE,
) -> Phantom:
    woman = woman_with(seed, spec, density)
    return make_phantom(
        woman, Laterality.LEFT, ViewPosition.CC, pixel_mm=pixel_mm, vendor=vendor
    )


def seen(phantoms: Sequence[Phantom]) -> float:
    """The mean of d' over the women, of its logarithm, so that none outvotes the others."""
    found = [phantom.lesions[0].detectability for phantom in phantoms]
    assert min(found) > 0
    return float(np.exp(np.mean(np.log(found))))


def assert_rises(figures: Sequence[float], *, by: float) -> None:
    """Every step up, and all of them together by so much."""
    assert all(before < after for before, after in pairwise(figures)), figures
    assert figures[-1] / figures[0] > by, figures


@pytest.mark.parametrize("vendor", [VENDORS[0], FILMS[0]], ids=lambda v: v.name)
def test_a_mass_is_the_harder_to_see_the_denser_the_breast(vendor: Vendor) -> None:
    figures = [
        seen([phantom_with(seed, MASS, density, vendor) for seed in SEEDS])
        for density in reversed(BreastDensity)
    ]
    assert_rises(figures, by=1.5)


@pytest.mark.parametrize("margin", [Margin.CIRCUMSCRIBED, Margin.SPICULATED])
def test_a_larger_mass_is_easier_to_see(margin: Margin) -> None:
    figures = [
        seen([phantom_with(s, replace(MASS, radius_mm=size, margin=margin)) for s in SEEDS])
        for size in (2.0, 5.0, 11.0)
    ]
    assert_rises(figures, by=3)


@pytest.mark.parametrize("spec", [MASS, CLUSTER], ids=lambda s: s.finding_type.value)
def test_more_contrast_is_easier_to_see(spec: LesionSpec) -> None:
    figures = [
        seen([phantom_with(seed, replace(spec, density=density)) for seed in SEEDS])
        for density in (0.8, 1.2, 1.8)
    ]
    assert_rises(figures, by=1.8)


@pytest.mark.parametrize(
    ("spec", "by"),
    [
        (replace(MASS, radius_mm=2.0), 1.01),
        (replace(MASS, radius_mm=10.0), 1.002),
        (CLUSTER, 1.03),
    ],
    ids=["small mass", "large mass", "calcifications"],
)
def test_more_dose_shows_more(spec: LesionSpec, by: float) -> None:
    """A little for a mass, which tissue hides; more for calcifications, which noise hides."""
    women = [
        [phantom_with(s, spec, vendor=replace(VENDORS[0], dose=dose)) for s in SEEDS]
        for dose in DOSES
    ]
    assert_rises([seen(phantoms) for phantoms in women], by=by)


@pytest.fixture(scope="module")
def reader() -> MammogramReader:
    return load_reader()


def detector_score(reader: MammogramReader, phantom: Phantom) -> float:
    """The best score among the marks whose middle lies on the lesion; 0 where there is none."""
    image = reader.analyze([as_mammogram(phantom)], lambda _: phantom.pixels).images[0]
    box = phantom.lesions[0].box
    hits = [
        mark.score
        for mark in image.findings
        if box.row0 <= mark.box.center[0] <= box.row1
        and box.col0 <= mark.box.center[1] <= box.col1
    ]
    return max(hits, default=0.0)


@pytest.mark.slow
@pytest.mark.parametrize("changed", ["density", "size", "contrast", "dose"])
def test_the_shipped_detector_finds_it_harder_and_easier_alike(
    reader: MammogramReader, changed: str
) -> None:
    """On the mean of the women, from one end to the other; steps between are a model's own."""
    mass, plain = replace(MASS, density=1.15), replace(MASS, radius_mm=8.0, density=1.3)
    cases = {
        "density": [(mass, letter, 1.0) for letter in (BreastDensity.D, BreastDensity.A)],
        "size": [(replace(mass, radius_mm=r), BreastDensity.B, 1.0) for r in (2.0, 9.0)],
        "contrast": [(replace(mass, density=c), BreastDensity.B, 1.0) for c in (0.9, 1.3)],
        # The tissue hides a mass, so noise must be strong before it matters.
        "dose": [(plain, BreastDensity.B, dose) for dose in (0.004, 1.0)],
    }[changed]
    scores = []
    for spec, letter, dose in cases:
        vendor = replace(VENDORS[0], dose=dose)
        made = (phantom_with(s, spec, letter, vendor, pixel_mm=0.2) for s in range(8))
        scores.append(np.mean([detector_score(reader, phantom) for phantom in made]))
    assert scores[0] < scores[1], scores
