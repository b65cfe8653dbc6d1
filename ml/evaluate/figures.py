"""The figures of a card, each with its interval over patients."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from ml.evaluate.bootstrap import DRAWS, interval
from ml.registry import Figure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from ml.evaluate.outcomes import Judged, Marked

Outcome = TypeVar("Outcome", "Marked", "Judged")

# Of the FROC curve (Bunch 1978); the half of them that a reader could live with.
RATES = (0.25, 0.5, 1.0, 2.0)
UNDEFINED = float("nan")


def threshold_at(outcomes: Sequence[Marked], rate: float) -> float:
    """The lowest threshold with at most `rate` false marks per lesion-free image.

    NaN where there is no image without a lesion.
    """
    normal = [outcome.scores for outcome in outcomes if not outcome.item.lesion]
    if not normal:
        return UNDEFINED
    scores = np.sort(np.concatenate(normal))[::-1]
    allowed = int(rate * len(normal))
    # Marks at the threshold count: it lies just above the first one too many.
    return float(np.nextafter(scores[allowed], 1)) if allowed < len(scores) else 0.0


def sensitivity_at(outcomes: Sequence[Marked], threshold: float) -> float:
    """Share of the lesions that a mark at or above the threshold hits."""
    scores = [outcome.lesion_scores for outcome in outcomes if len(outcome.lesion_scores)]
    if not scores or np.isnan(threshold):
        return UNDEFINED
    found = np.concatenate(scores)
    return float(np.mean((found >= threshold) & (found > 0)))


def false_marks_at(outcomes: Sequence[Marked], threshold: float) -> float:
    """False marks per image without a lesion."""
    normal = [outcome for outcome in outcomes if not outcome.item.lesion]
    if not normal:
        return UNDEFINED
    return float(np.mean([np.count_nonzero(o.scores >= threshold) for o in normal]))


def froc(outcomes: Sequence[Marked], rate: float) -> float:
    """Sensitivity at `rate` false marks per lesion-free image: one point of the FROC curve."""
    return sensitivity_at(outcomes, threshold_at(outcomes, rate))


def area_under_curve(
    outcomes: Sequence[Judged],
    score: Callable[[Judged], float],
    truth: Callable[[Judged], bool],
) -> float:
    """Area under the ROC curve over images; NaN where all are of one kind."""
    from scipy.stats import rankdata

    positive = np.array([truth(outcome) for outcome in outcomes], bool)
    many = int(positive.sum())
    if not 0 < many < len(positive):
        return UNDEFINED
    # The Mann-Whitney form; ties count half.
    ranks = rankdata([score(outcome) for outcome in outcomes])
    pairs = many * (len(positive) - many)
    return float((ranks[positive].sum() - many * (many + 1) / 2) / pairs)


def lesion_score(outcome: Judged) -> float:
    """The classifier's lesion score."""
    return outcome.said.lesion


def malignancy_score(outcome: Judged) -> float:
    """The classifier's malignancy score."""
    return outcome.said.malignancy


def has_lesion(outcome: Judged) -> bool:
    """Whether the image has a lesion."""
    return outcome.item.lesion


def malignant(outcome: Judged) -> bool:
    """Whether the image has a malignant lesion."""
    return bool(outcome.item.malignant)


def sensitivity_of(outcomes: Sequence[Judged], threshold: float) -> float:
    """Share of the images with a lesion that the classifier calls."""
    return _share(outcomes, threshold, lesion=True)


def specificity_of(outcomes: Sequence[Judged], threshold: float) -> float:
    """Share of the images without a lesion that the classifier lets go."""
    return 1 - _share(outcomes, threshold, lesion=False)


def density_agreement(outcomes: Sequence[Judged]) -> float:
    """Share of the images whose density letter is the known one."""
    graded = [o for o in outcomes if o.item.density is not None]
    if not graded:
        return UNDEFINED
    return float(np.mean([int(np.argmax(o.said.density)) == o.item.density for o in graded]))


def density_kappa(outcomes: Sequence[Judged]) -> float:
    """Quadratically weighted kappa of the density letters (Cohen 1968)."""
    graded = [o for o in outcomes if o.item.density is not None]
    table = np.zeros((4, 4))
    for outcome in graded:
        table[int(outcome.item.density or 0), int(np.argmax(outcome.said.density))] += 1
    chance = _by_chance(table)
    apart = np.subtract.outer(np.arange(4), np.arange(4)) ** 2
    expected = float((apart * chance).sum())
    return 1 - float((apart * table).sum()) / expected if expected else UNDEFINED


def detector_figures(
    outcomes: Sequence[Marked], data: str, *, draws: int = DRAWS
) -> list[Figure]:
    """FROC points."""
    named = {
        f"sensitivity at {rate:g} false marks per lesion-free image": partial(froc, rate=rate)
        for rate in RATES
    }
    return _measured(named, outcomes, data, draws)


def classifier_figures(
    outcomes: Sequence[Judged], data: str, *, draws: int = DRAWS
) -> list[Figure]:
    """AUC of lesion and malignancy; density where it is known."""
    named = {
        "AUC, lesion": partial(area_under_curve, score=lesion_score, truth=has_lesion),
        "AUC, malignancy": partial(area_under_curve, score=malignancy_score, truth=malignant),
        "density, exact agreement": density_agreement,
        "density, weighted kappa": density_kappa,
    }
    return _measured(named, outcomes, data, draws)


def patient_of(outcome: Marked | Judged) -> str:
    """The unit of every interval."""
    return outcome.item.patient_id


def _figure(
    name: str,
    of: Callable[[Sequence[Outcome]], float],
    outcomes: Sequence[Outcome],
    data: str,
    draws: int,
) -> Figure:
    low, high = interval(outcomes, patient_of, of, draws=draws)
    patients = len({patient_of(outcome) for outcome in outcomes})
    return Figure(name, _rounded(of(outcomes)), _rounded(low), _rounded(high), patients, data)


def _measured(
    named: Mapping[str, Callable[[Sequence[Outcome]], float]],
    outcomes: Sequence[Outcome],
    data: str,
    draws: int,
) -> list[Figure]:
    """Each figure with its interval; those that the data do not define are left out."""
    figures = [_figure(name, of, outcomes, data, draws) for name, of in named.items()]
    return [figure for figure in figures if np.isfinite((figure.value, figure.low)).all()]


def _share(outcomes: Sequence[Judged], threshold: float, *, lesion: bool) -> float:
    called = [o.said.lesion >= threshold for o in outcomes if o.item.lesion == lesion]
    return float(np.mean(called)) if called else UNDEFINED


def _by_chance(table: NDArray[np.float64]) -> NDArray[np.float64]:
    total = table.sum()
    return np.outer(table.sum(1), table.sum(0)) / total if total else table


def _rounded(value: float) -> float:
    return round(value, 4)
