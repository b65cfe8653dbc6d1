"""Which unread cases would teach most, from what the library holds and the model in use."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ml.in_use import cards_in_use
from ml.registry import WEIGHTS
from viewer.core.teaching import Proposals, Unread, most_teaching, probability_at
from viewer.jobs.corrections import patient_of, read_listed

if TYPE_CHECKING:
    from ml.registry import ModelCard
    from viewer.library.library import Library

CLASSIFIER, LESION = "classifier", "lesion"


def propose(library: Library, patient_pattern: str = "") -> Proposals:
    """Rank the unread cases that the classifier in use has analyzed.

    Parameters
    ----------
    patient_pattern
        As for `viewer.jobs.corrections.write_corrections`.

    Raises
    ------
    ModelError
        Where a model in use has no readable card.
    """
    card = cards_in_use().get(CLASSIFIER)
    point = None if card is None else point_of(card)
    if card is None or point is None:
        return Proposals()
    cases = [
        Unread(study.uid, study.label, study.path, images)
        for study in library.read_studies()
        if study.path and not study.said and not study.synthetic
        if (images := library.latest_analyses(study.uid, card.files[WEIGHTS]))
    ]
    return most_teaching(cases, point, partial(_patient, library, patient_pattern))


def point_of(card: ModelCard) -> float | None:
    """The calibrated probability at a classifier's operating point; None: not calibrated."""
    fit = card.calibration.get(LESION)
    if fit is None:
        return None
    return probability_at(card.operating_points[0].threshold, fit.slope, fit.intercept)


def _patient(library: Library, pattern: str, case: Unread) -> str | None:
    if not Path(case.path).exists():
        return None
    for uid, file in library.files_of(case.uid):
        mammogram = read_listed((file,), uid)
        if mammogram is not None:
            return patient_of(mammogram, pattern)
    return None
