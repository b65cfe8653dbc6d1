"""How near one set of images is to another, from what a network sees in each. Plain numpy.

Every figure comes with an interval: percentiles of a bootstrap over images, or, for KID, whose
bootstrap would be biased by the images drawn twice, percentiles over random subsets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Features = NDArray[np.float64]

SUBSETS, MOST_OF_A_SUBSET = 100, 200
# k of the neighbours that make a sphere (Naeem 2020).
NEIGHBOURS = 5
DRAWS = 1000
FOLDS = 5
PAIRS = 100


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and the ends of its 95 % interval; `deviation` is that over KID's subsets."""

    value: float
    low: float
    high: float
    deviation: float = 0.0


def squared_mmd(some: Features, others: Features) -> float:
    """Unbiased squared maximum mean discrepancy, kernel ``(x y / d + 1)^3`` (Binkowski 2018).

    Parameters
    ----------
    some, others : (n, d) and (m, d) float64
        At least two each.
    """
    size = some.shape[1]

    def kernel(a: Features, b: Features) -> Features:
        return (a @ b.T / size + 1) ** 3

    def within(a: Features) -> float:
        values = kernel(a, a)
        return float((values.sum() - np.trace(values)) / (len(a) * (len(a) - 1)))

    return within(some) + within(others) - 2 * float(kernel(some, others).mean())


def kid(some: Features, others: Features, seed: int = 0) -> Estimate:
    """Kernel distance: the mean over random subsets, and how far those lie apart."""
    rng = np.random.default_rng(seed)
    # Half of the smaller set: subsets that are the whole set would all be one.
    size = min(len(some) // 2, len(others) // 2, MOST_OF_A_SUBSET)
    values = [
        squared_mmd(
            some[rng.choice(len(some), size, replace=False)],
            others[rng.choice(len(others), size, replace=False)],
        )
        for _ in range(SUBSETS)
    ]
    low, high = np.percentile(values, (2.5, 97.5)).tolist()
    return Estimate(squared_mmd(some, others), low, high, float(np.std(values, ddof=1)))


@dataclass(frozen=True, slots=True)
class Spheres:
    """Precision, recall (Kynkaanniemi 2019), density and coverage (Naeem 2020).

    Attributes
    ----------
    precision
        Share of the generated that lie in a sphere of a real one: they look real.
    recall
        Share of the real that lie in a sphere of a generated one: nothing is left out.
    density
        How many real spheres a generated one lies in, over k: 1 is what real ones reach.
    coverage
        Share of the real whose sphere holds a generated one.
    """

    precision: Estimate
    recall: Estimate
    density: Estimate
    coverage: Estimate


def spheres(real: Features, made: Features, k: int = NEIGHBOURS, seed: int = 0) -> Spheres:
    """All four; the intervals are over the images that each is a mean of.

    Parameters
    ----------
    real, made : (n, d) and (m, d) float64
        More than `k` each.
    k
        Whose distance to its own set is the radius of an image's sphere.
    """
    real_radius, made_radius = _radius(real, k), _radius(made, k)
    apart = _distances(real, made)
    in_real = apart < real_radius[:, None]
    in_made = apart < made_radius[None]
    parts = (
        in_real.any(0),
        in_made.any(1),
        in_real.sum(0) / k,
        apart.min(1) < real_radius,
    )
    return Spheres(*(mean_of(np.asarray(part, float), seed) for part in parts))


def mean_of(values: Features, seed: int = 0) -> Estimate:
    """A mean, with the percentiles of a bootstrap over its values."""
    rng = np.random.default_rng(seed)
    picked = rng.integers(len(values), size=(DRAWS, len(values)))
    low, high = np.percentile(values[picked].mean(1), (2.5, 97.5)).tolist()
    return Estimate(float(values.mean()), low, high)


def nearest(made: Features, known: Features) -> Features:
    """(m,) float64: of each generated image, the distance to the nearest known one."""
    return _distances(made, known).min(1)


def ratio_of(some: Features, others: Features, seed: int = 0) -> Estimate:
    """Ratio of two medians over the same images, bootstrapped together."""
    rng = np.random.default_rng(seed)
    picked = rng.integers(len(some), size=(DRAWS, len(some)))
    ratios = np.median(some[picked], 1) / np.maximum(np.median(others[picked], 1), 1e-12)
    low, high = np.percentile(ratios, (2.5, 97.5)).tolist()
    return Estimate(float(np.median(some) / max(float(np.median(others)), 1e-12)), low, high)


def told_apart(
    some: Features,
    others: Features,
    patients: tuple[Sequence[str], Sequence[str]],
    seed: int = 0,
) -> Estimate:
    """Accuracy of telling two sets of equal size apart, by cross-validated regression.

    At 0.5 nothing can be told apart. Logistic regression, strongly held back, as there are more
    features than images; the interval is over the images, each judged by a model that has seen
    none of its patient's.

    Parameters
    ----------
    patients
        Of each image of the one set and of the other.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rng = np.random.default_rng(seed)
    size = min(len(some), len(others))
    lots = [rng.permutation(len(part))[:size] for part in (some, others)]
    chosen = np.concatenate([part[lot] for part, lot in zip((some, others), lots, strict=True)])
    groups = [who[i] for who, lot in zip(patients, lots, strict=True) for i in lot]
    truth = np.repeat([0, 1], size)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=2000))
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    said = cross_val_predict(model, chosen, truth, cv=folds, groups=groups)
    return mean_of(np.asarray(said == truth, float), seed)


def similarity(images: Sequence[NDArray[np.float32]], seed: int = 0) -> Estimate:
    """MS-SSIM (Wang 2003) of random pairs within a set: near 1, all are one image.

    Parameters
    ----------
    images : sequence of (rows, columns) float32
        In 0..1, both sides over 160; at least two.
    """
    import torch
    from torchmetrics.functional.image import (
        multiscale_structural_similarity_index_measure as ms_ssim,
    )

    rng = np.random.default_rng(seed)
    values = []
    for _ in range(PAIRS):
        pair = rng.choice(len(images), 2, replace=False)
        one, other = (torch.from_numpy(images[i][None, None].copy()) for i in pair)
        # relu: unlike parts make a negative factor, of which no root can be taken.
        values.append(float(ms_ssim(one, other, data_range=1.0, normalize="relu")))
    return mean_of(np.asarray(values, float), seed)


def _radius(points: Features, k: int) -> Features:
    """Distance of each to its k-th nearest; itself is the nearest, at 0."""
    return np.sort(_distances(points, points), 1)[:, k]


def _distances(some: Features, others: Features) -> Features:
    from scipy.spatial.distance import cdist

    return np.asarray(cdist(some, others), np.float64)
