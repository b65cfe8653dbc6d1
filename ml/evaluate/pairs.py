"""Two models on the same lesions, or on the same images: what each says of every one."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from ml.evaluate.outcomes import Judged, Marked

    Outcome = TypeVar("Outcome", Marked, Judged)
    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """One figure of two models: the mean over the same cases.

    Attributes
    ----------
    patients : (n,)
        Whose each case is.
    new, live : (n,) float64
        What each model did: 1 where it was right and else 0, or how many false marks it set.
    rates
        They are counts, of which fewer are better; else shares, of which more are.
    """

    patients: tuple[str, ...]
    new: Floats
    live: Floats
    rates: bool = False

    @property
    def gains(self) -> Floats:
        """(n,): by how much the new one is better; -1, 0 or 1 where they are shares."""
        return self.live - self.new if self.rates else self.new - self.live

    def by_patient(self) -> tuple[Floats, Floats]:
        """(patients,) each: the sum of her gains, and how many cases are hers."""
        sums: dict[str, list[float]] = defaultdict(list)
        for patient, gain in zip(self.patients, self.gains, strict=True):
            sums[patient].append(float(gain))
        return (
            np.array([sum(each) for each in sums.values()], np.float64),
            np.array([len(each) for each in sums.values()], np.float64),
        )


def lesions_found(
    new: Sequence[Marked], live: Sequence[Marked], thresholds: tuple[float, float]
) -> Pairs:
    """Every lesion: whether a mark at or above each model's own threshold hits it.

    Raises
    ------
    ValueError
        Where the two did not see the same images, or not the same lesions.
    """
    of_new, of_live = thresholds
    return _pairs(
        (one.item.patient_id, _hit(a, of_new), _hit(b, of_live))
        for one, other in _same(new, live)
        for a, b in zip(one.lesion_scores, other.lesion_scores, strict=True)
    )


def false_marks(
    new: Sequence[Marked], live: Sequence[Marked], thresholds: tuple[float, float]
) -> Pairs:
    """Every image without a lesion: how many marks each model sets; raises as above."""
    of_new, of_live = thresholds
    return _pairs(
        (
            (
                one.item.patient_id,
                float(np.count_nonzero(one.scores >= of_new)),
                float(np.count_nonzero(other.scores >= of_live)),
            )
            for one, other in _same(new, live)
            if not one.item.lesion
        ),
        rates=True,
    )


def images_told(
    new: Sequence[Judged],
    live: Sequence[Judged],
    thresholds: tuple[float, float],
    *,
    lesion: bool,
) -> Pairs:
    """Every image with a lesion, or every one without: whether each model is right."""
    of_new, of_live = thresholds
    return _pairs(
        (
            one.item.patient_id,
            (one.said.lesion >= of_new) is lesion,
            (other.said.lesion >= of_live) is lesion,
        )
        for one, other in _same(new, live)
        if one.item.lesion is lesion
    )


def _hit(score: np.float32, threshold: float) -> bool:
    """As `ml.evaluate.detection.sensitivity_at`: 0 is the score of a lesion no mark hits."""
    return bool(score >= threshold and score > 0)


def _same(new: Sequence[Outcome], live: Sequence[Outcome]) -> Iterator[tuple[Outcome, Outcome]]:
    of_live = {outcome.item.image_id: outcome for outcome in live}
    if {outcome.item.image_id for outcome in new} != of_live.keys():
        raise ValueError("the two did not see the same images")
    return ((outcome, of_live[outcome.item.image_id]) for outcome in new)


def _pairs(cases: Iterator[tuple[str, float, float]], *, rates: bool = False) -> Pairs:
    known = list(cases)
    patients = tuple(patient for patient, _, _ in known)
    values = np.array([(new, live) for _, new, live in known], np.float64).reshape(-1, 2)
    return Pairs(patients, values[:, 0], values[:, 1], rates)
