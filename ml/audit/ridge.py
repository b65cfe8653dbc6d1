"""Can an answer be told from features: ridge regression, cross-validated over patients.

Every score of a held-out image is a sum over the answers of the others, so a whole
cross-validation is one matrix (`smoother`) that is made once: answers are shuffled by the
hundred for the price of a product, in the same folds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import rankdata

from ml.splits import stratified_folds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FOLDS, SHARINGS = 5, 3
# Shares of the mean squared length of a centred image in feature space.
RIDGES = (0.1, 1.0, 10.0)
PERMUTATIONS = 499
TOGETHER = "together"


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """How well an answer is told, beside how well shuffled answers are.

    Attributes
    ----------
    scores : (n,)
        Of each image as it was held out, by the features that tell most.
    area
        Under the ROC curve of these scores.
    chance : (permutations,)
        The same figure of each shuffle, features chosen anew for each.
    by
        Which features tell most.
    """

    scores: Floats
    area: float
    chance: Floats
    by: str

    @property
    def p(self) -> float:
        """The share of shuffles that do as well, one-sided, itself counted (Phipson 2010)."""
        return float((1 + np.count_nonzero(self.chance >= self.area)) / (1 + self.chance.size))

    @property
    def chance_limit(self) -> float:
        """What 95 % of the shuffles stay below."""
        return float(np.quantile(self.chance, 0.95))


class Probe:
    """Asks different things of the same images in the same folds.

    Parameters
    ----------
    blocks
        Features by name, each (n, features); NaN where an image has none.
    patients : (n,)
        Whose each image is; all of a patient are held out together.
    """

    def __init__(self, blocks: Mapping[str, Floats], patients: Sequence[str]) -> None:
        self.patients = tuple(patients)
        self._kernels = kernels(blocks)
        # Folds know nothing of any answer: those of shuffled answers would else be worse ones.
        names = dict.fromkeys(patients, "")
        dealt = [stratified_folds(names, FOLDS, seed) for seed in range(1, SHARINGS + 1)]
        sharings = [np.array([fold[patient] for patient in patients]) for fold in dealt]
        self._ways = list(self._smoothers(sharings))

    def _smoothers(self, sharings: list[NDArray[np.int64]]) -> Iterator[tuple[str, Floats]]:
        for name, kernel in self._kernels.items():
            for ridge in RIDGES:
                each = [smoother(kernel, folds, ridge) for folds in sharings]
                yield name, np.mean(each, axis=0)

    def ask(
        self, answers: NDArray[np.bool_], *, permutations: int = PERMUTATIONS, seed: int = 0
    ) -> Told:
        """How well `answers` (n,) are told; the best of all features is compared with the best.

        So that looking at several kinds of features finds nothing by looking often.
        """
        shuffled = np.column_stack(
            [answers, *shuffles(answers, self.patients, permutations, seed)]
        )
        scores = [way @ shuffled.astype(np.float64) for _, way in self._ways]
        found = np.array([areas(each, shuffled) for each in scores])
        best = int(found[:, 0].argmax())
        most = found.max(0)
        return Told(scores[best][:, 0], float(most[0]), most[1:], self._ways[best][0])

    def across(self, answers: NDArray[np.bool_], groups: Sequence[str]) -> dict[str, float]:
        """The area in each group, told by the others alone; NaN where it has one answer."""
        names, where = np.unique(np.asarray(groups), return_inverse=True)
        way = smoother(self._kernels[TOGETHER], where, RIDGES[1])
        scores = way @ answers.astype(np.float64)
        return {
            str(name): float(areas(scores[where == at, None], answers[where == at, None])[0])
            for at, name in enumerate(names)
        }


def kernels(blocks: Mapping[str, Floats]) -> dict[str, Floats]:
    """How alike each two images are, by each block of features and by all together."""
    each = {name: _kernel(values) for name, values in blocks.items()}
    return {**each, TOGETHER: np.mean(list(each.values()), axis=0)}


def _kernel(values: Floats) -> Floats:
    """Features of unit deviation, a missing one as the mean; the mean diagonal is 1."""
    filled = np.where(np.isfinite(values), values, np.nan)
    known = np.isfinite(filled).any(0)
    filled = filled[:, known]
    filled = np.where(np.isnan(filled), np.nanmean(filled, axis=0, keepdims=True), filled)
    deviation = filled.std(0)
    unit = (filled - filled.mean(0))[:, deviation > 0] / deviation[deviation > 0]
    return unit @ unit.T / max(unit.shape[1], 1)


def smoother(kernel: Floats, folds: NDArray[np.int64], ridge: float) -> Floats:
    """The matrix from answers to held-out scores: kernel ridge regression in its dual form.

    Saunders 1998; features and answers are centred on what is trained on, and the mean of the
    answers is not added back: folds with more of one answer would else score lower for it.

    Parameters
    ----------
    kernel : (n, n)
    folds : (n,)
        Each fold is told by all others.

    Returns
    -------
    (n, n)
        0 where an image is in the fold of the one that is scored.
    """
    count = len(folds)
    whole = np.zeros((count, count))
    for fold in np.unique(folds):
        out, kept = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        if not kept.size:
            continue
        center = np.eye(kept.size) - 1 / kept.size
        known = kernel[np.ix_(kept, kept)]
        inner = center @ known @ center
        scale = ridge * max(float(np.trace(inner)) / kept.size, 1e-12)
        beside = (kernel[np.ix_(out, kept)] - known.mean(0)) @ center
        # The inverse is symmetric and so is the centring: solve for the transpose.
        solved = np.linalg.solve(inner + scale * np.eye(kept.size), beside.T).T
        whole[np.ix_(out, kept)] = solved @ center
    return whole


def areas(scores: Floats, truths: NDArray[np.bool_]) -> Floats:
    """Area under the ROC curve of each column; ties count half, NaN where all are alike.

    Parameters
    ----------
    scores, truths : (n, columns)
    """
    many = truths.sum(0)
    pairs = many * (len(truths) - many)
    ranks = rankdata(scores, axis=0)
    above = (ranks * truths).sum(0) - many * (many + 1) / 2
    return np.divide(above, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)


def shuffles(
    answers: NDArray[np.bool_], patients: Sequence[str], count: int, seed: int = 0
) -> Iterator[NDArray[np.bool_]]:
    """Answers dealt anew to the images, each patient's in one piece.

    A woman's images are alike and so are their answers: dealt one by one, shuffled answers
    would be harder to tell than they are by chance. Patients with different numbers of images
    get what stands next in the row, for else a source with one image a patient would never be
    dealt another's answers.
    """
    _, who = np.unique(np.asarray(patients), return_inverse=True)
    order = np.argsort(who, kind="stable")
    pieces = np.split(answers[order], np.flatnonzero(np.diff(who[order])) + 1)
    rng = np.random.default_rng(seed)
    for _ in range(count):
        dealt = np.empty_like(answers)
        dealt[order] = np.concatenate([pieces[at] for at in rng.permutation(len(pieces))])
        yield dealt


def patients_needed(area: float = 0.7, power: float = 0.8, level: float = 0.01) -> int:
    """Patients of each answer without whom a true area of this size would often be missed.

    From the variance of the area where nothing can be told (Bamber 1975: (m + n + 1) / 12 m n),
    one-sided.
    """
    from scipy.stats import norm

    apart = float(norm.ppf(1 - level) + norm.ppf(power)) / (area - 0.5)
    # (2 m + 1) / (12 m^2) <= 1 / apart^2, solved for m.
    many = (apart**2 + np.sqrt(apart**4 + 12 * apart**2)) / 12
    return int(np.ceil(many))
