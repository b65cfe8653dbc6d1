"""Which unread cases would teach most: of those opened here, and of the lists of screenings."""

from __future__ import annotations

import heapq
import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ml.errors import DataError
from ml.hashed import own_patient
from ml.in_use import cards_in_use
from ml.mammo.study import named_by
from ml.registry import WEIGHTS
from ml.screen.answered import contents_of
from ml.screen.places import place_of
from ml.screen.worklist import WORKLIST, read_worklist
from viewer.core.screening import filed_names
from viewer.core.teaching import (
    Proposals,
    Unread,
    most_teaching,
    most_worth,
    probability_at,
    with_unranked,
)
from viewer.jobs.corrections import patient_of, read_listed
from viewer.jobs.screened import kept_of, lists_of
from viewer.library.reads import newest_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from ml.registry import ModelCard
    from ml.screen.ranking import StudyRank
    from viewer.core.home import Home
    from viewer.core.read_study import ReadStudy
    from viewer.library.library import Library

CLASSIFIER, LESION = "classifier", "lesion"
# Of each list, so many studies are looked into image by image: those that could teach most by
# what their list says of their breasts.
LOOKED_INTO = 100
_log = logging.getLogger("viewer.jobs")


def propose(library: Library, home: Home, patient_pattern: str = "") -> Proposals:
    """Rank the unread cases that the classifier in use has analyzed.

    Parameters
    ----------
    home
        Where the screenings are, and which lists were opened from elsewhere.
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
    studies = library.read_studies()
    read = frozenset(study.uid for study in studies if study.said)
    cases = _opened(library, studies, card)
    # What was opened out of an archive is not where it was, and may be where it was listed.
    there = {uid for uid, case in cases.items() if Path(case.path).exists()}
    unranked: set[str] = set()
    for results in lists_of(home.screenings, home.reading_places):
        ranks = _unread(results, home.reading_places, card, read | there)
        ranked = {uid: rank for uid, rank in ranks.items() if _probabilities(rank)}
        unranked |= ranks.keys() - ranked.keys()
        found = _looked_into(results, ranked, card, point)
        there |= found.keys()
        cases |= found
    patient_of_case = partial(_patient, library, patient_pattern)
    proposals = most_teaching(cases.values(), point, patient_of_case)
    return with_unranked(proposals, len(unranked - cases.keys()))


def point_of(card: ModelCard) -> float | None:
    """The calibrated probability at a classifier's operating point; None: not calibrated."""
    fit = card.calibration.get(LESION)
    if fit is None:
        return None
    return probability_at(card.operating_points[0].threshold, fit.slope, fit.intercept)


def _opened(
    library: Library, studies: Sequence[ReadStudy], card: ModelCard
) -> dict[str, Unread]:
    """The unread cases that were opened and analyzed here, by their names in the library."""
    return {
        study.uid: Unread(study.uid, study.label, study.path, images)
        for study in studies
        if study.path and not study.said and not study.synthetic
        if (images := library.latest_analyses(study.uid, card.files[WEIGHTS]))
    }


def _unread(
    results: Path, places: Path, card: ModelCard, known: AbstractSet[str]
) -> dict[str, StudyRank]:
    """The studies of a list of the classifier in use, by their names in the library.

    Parameters
    ----------
    known
        Those that are left out: they were read, or are cases already.
    """
    try:
        work = read_worklist(results / WORKLIST)
    except DataError:
        _log.info("the list of a screening cannot be read, and proposes nothing")
        return {}
    if work.models.get(CLASSIFIER) != f"{card.use.name}@{card.use.version}":
        return {}
    kept = kept_of(results, places)
    filed = filed_names(work, kept.names if kept else {})
    return {
        filed[rank.key]: rank
        for rank in work.studies
        if not rank.synthetic and filed[rank.key] not in known
    }


def _looked_into(
    results: Path, ranks: Mapping[str, StudyRank], card: ModelCard, point: float
) -> dict[str, Unread]:
    """Those of a list that may teach most, with what was said of each of their images."""
    worth = {uid: most_worth(_probabilities(rank), point) for uid, rank in ranks.items()}
    best = heapq.nlargest(LOOKED_INTO, ranks, key=worth.__getitem__)
    contents = contents_of(results, (ranks[uid].key for uid in best))
    return {
        uid: Unread(uid, _label(ranks[uid]), "", images, ranks[uid])
        for uid in best
        if (images := newest_of(contents.get(ranks[uid].key, ()), card.files[WEIGHTS]))
    }


def _probabilities(rank: StudyRank) -> tuple[float, ...]:
    known = (breast.probability for breast in rank.breasts)
    return tuple(each for each in known if each is not None)


def _label(rank: StudyRank) -> str:
    """As the list of recent studies would name it."""
    return " ".join(name for name in (rank.patient_id, rank.date, f"({rank.images})") if name)


def _patient(library: Library, pattern: str, case: Unread) -> str | None:
    rank = case.listed
    if rank is not None:
        there = any(place_of(image.place).path.exists() for image in rank.places)
        name = named_by(pattern, rank.patient_id) or rank.patient_id
        return own_patient(name or f"study {rank.study_uid}") if there else None
    if not Path(case.path).exists():
        return None
    for uid, file in library.files_of(case.uid):
        mammogram = read_listed((file,), uid)
        if mammogram is not None:
            return patient_of(mammogram, pattern)
    return None
