"""Operating points and probabilities of the headline, from patients who are not asked.

The patients who are asked are in five folds. What decides over a fold comes from the other
four: from answers of models that had seen neither those patients nor the fold's own. Of
phantoms one model answers all and has seen none of them; of films there are models for each
two folds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np

from ml.evaluate.calibrate import fit_calibration
from ml.evaluate.detection import threshold_at
from ml.registry import probability_of
from ml.splits import patient_fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from ml.evaluate.outcomes import Judged, Marked

    Answer = Marked | Judged
    # From the images that count, with repetition, to a figure.
    Drawn = Callable[[NDArray[np.int64]], float]

# At so many false marks an image without a lesion a sensitivity is told.
RATE = 1.0
UNDEFINED = float("nan")


@dataclass(frozen=True, eq=False)
class Said:
    """What the models of one way of teaching and one seed say of the images that are asked.

    Attributes
    ----------
    answers : (images,)
        Each by a model that had not seen the image's patient.
    inner
        By fold: of the images of the other folds, what models say that had not seen this fold
        either. Empty: what `answers` holds of them decides.
    """

    answers: Sequence[Answer]
    inner: Mapping[int, Sequence[Answer]] = field(default_factory=dict)

    def of(self, indices: NDArray[np.int64]) -> list[Answer]:
        """The answers of some images."""
        return [self.answers[i] for i in indices]

    def in_order(self, images: Sequence[str]) -> Said:
        """The same, by the images' names."""
        place = {image: i for i, image in enumerate(images)}

        def key(one: Answer) -> int:
            return place[one.item.image_id]

        inner = {fold: sorted(told, key=key) for fold, told in self.inner.items()}
        return Said(sorted(self.answers, key=key), inner)

    def crossed(
        self, indices: NDArray[np.int64]
    ) -> Iterator[tuple[NDArray[np.int64], list[Answer]]]:
        """Each fold's images among these, and what decides over them.

        Nothing where all are in one fold.
        """
        folds = self._folds[indices]
        for fold in np.unique(folds):
            if not (folds == fold).all():
                told = self._deciding[int(fold)]
                yield indices[folds == fold], [told[i] for i in indices[folds != fold]]

    @cached_property
    def _folds(self) -> NDArray[np.int64]:
        return np.array([patient_fold(one.item.patient_id) for one in self.answers])

    @cached_property
    def _deciding(self) -> dict[int, dict[int, Answer]]:
        """By fold, then by the place of an image among `answers`."""
        place = {one.item.image_id: i for i, one in enumerate(self.answers)}
        return {
            int(fold): {
                place[one.item.image_id]: one for one in self.inner.get(int(fold), self.answers)
            }
            for fold in np.unique(self._folds)
        }


def crossed_accuracy(said: Said, indices: NDArray[np.int64]) -> float:
    """Share of the images that are called rightly, each fold at the others' best threshold."""
    right: list[bool] = []
    for own, others in said.crossed(indices):
        (scores, truths), (known, true) = (
            _lesions(said.answers[i] for i in own),
            _lesions(others),
        )
        right += ((scores >= _best_threshold(known, true)) == truths).tolist()
    return _share(right)


def crossed_sensitivity(said: Said, indices: NDArray[np.int64]) -> float:
    """Share of the lesions that are marked, each fold where the others have `RATE` marks."""
    found: list[bool] = []
    for own, others in said.crossed(indices):
        threshold = threshold_at(cast("Sequence[Marked]", others), RATE)
        for one in cast("Sequence[Marked]", said.of(own)):
            marked = (one.lesion_scores >= threshold) & (one.lesion_scores > 0)
            found += marked.tolist()
    return _share(found)


def crossed_skill(said: Said) -> Drawn:
    """How much better probabilities are than the share of the ill (Murphy 1973).

    One less the ratio of the two mean squared errors (Brier 1950). Both are the other folds':
    Platt's fit to their answers (their share, where those allow none), and their share. They
    are fitted once; draws are of who is asked.
    """
    errors = np.full((2, len(said.answers)), UNDEFINED)
    for own, others in said.crossed(np.arange(len(said.answers))):
        (scores, truths), (known, true) = (
            _lesions(said.answers[i] for i in own),
            _lesions(others),
        )
        share = float(true.mean())
        fit = fit_calibration(known, true)
        told = [share if fit is None else probability_of(fit, score) for score in scores]
        errors[:, own] = (np.array([told, np.full(len(own), share)]) - truths) ** 2

    def skill(indices: NDArray[np.int64]) -> float:
        error, usual = errors[:, indices].sum(1)
        return float(1 - error / usual) if usual else UNDEFINED

    return skill


def _share(true: Sequence[bool]) -> float:
    return sum(true) / len(true) if true else UNDEFINED


def _lesions(
    said: Iterator[Answer] | list[Answer],
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Scores, and whether there is a lesion."""
    judged = [cast("Judged", one) for one in said]
    scores = np.array([one.said.lesion for one in judged], np.float64)
    return scores, np.array([one.item.lesion for one in judged], np.bool_)


def _best_threshold(scores: NDArray[np.float64], truths: NDArray[np.bool_]) -> float:
    """The score from which on the most images are called rightly."""
    asked = np.unique(scores)
    ill, well = np.sort(scores[truths]), np.sort(scores[~truths])
    right = len(ill) - np.searchsorted(ill, asked) + np.searchsorted(well, asked)
    return float(asked[right.argmax()])
