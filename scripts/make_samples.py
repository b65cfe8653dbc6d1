"""Make the embedded sample study again: `python scripts/make_samples.py`.

A woman with a spiculated mass in one breast and a cluster of calcifications in the other.
"""

from __future__ import annotations

from dataclasses import replace

from ml.mammo.codes import BreastDensity, FindingType, Laterality
from ml.manifest import write_manifest
from ml.phantom.dataset import write_study
from ml.phantom.lesion_spec import LesionSpec, Margin
from ml.phantom.vendors import VENDORS
from ml.phantom.woman import draw_woman
from ml.places import SAMPLES

SEED = 20261123
MASS = LesionSpec(
    FindingType.MASS, 48.0, -0.35, -0.30, 9.0, 1.6, Margin.SPICULATED, malignant=True, seed=5
)
CLUSTER = LesionSpec(
    FindingType.CALCIFICATIONS,
    40.0,
    0.3,
    0.2,
    6.0,
    1.8,
    Margin.CIRCUMSCRIBED,
    malignant=False,
    seed=8,
)


def main() -> None:
    """Write the four views, their manifest and their boxes."""
    woman = replace(
        draw_woman(SEED),
        density=BreastDensity.B,
        glandular_fraction=0.13,
        thickness_mm=52.0,
        # A small breast makes small files, which every package holds.
        size=0.8,
        lesions=((Laterality.LEFT, MASS), (Laterality.RIGHT, CLUSTER)),
    )
    SAMPLES.mkdir(parents=True, exist_ok=True)
    write_manifest(write_study(SAMPLES, woman, VENDORS[0]))


if __name__ == "__main__":
    main()
