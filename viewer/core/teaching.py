"""Which unread cases would teach the models most: those that they are least sure of.

Uncertainty sampling (Lewis & Gale 1994, "A sequential algorithm for training text classifiers",
SIGIR): ask for the label of what the classifier can least decide. Here it decides at its
operating point, so every probability is first moved to where that point has even odds (the
prior shift of `ml.prevalence`): s = odds / (odds + odds at the point). A breast's worth is

    (1 - |2 s - 1|) + (largest s - smallest s over its views)

with s of its most suspicious view: how near it is to the point, and, after query by committee
(Seung, Opper & Sompolinsky 1992), how far its two views disagree. A study's worth is that of
its better breast; both parts lie in 0..1. At most one study of a patient is proposed, so that
the list does not teach one breast over and over.

Nothing here says that a case is normal: what the models are sure of may still be wrong.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ml.texts import mark, translate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ml.findings import ImageAnalysis
    from ml.mammo.codes import Laterality
    from ml.screen.ranking import StudyRank

MOST = 20
# From here on the one or the other reason is worth a word.
TELLING = 0.5
# So far from 0 and 1 a probability is taken to be at least: odds stay finite.
EDGE = 1e-6


@dataclass(frozen=True, slots=True)
class Unread:
    """A study of which the reader said nothing yet.

    Attributes
    ----------
    uid, label, path
        As in the list of recent studies.
    images
        What the model in use said of its images.
    listed
        Its line in the list of a screening, which says where its images lie; None: it was
        opened, from `path`.
    """

    uid: str
    label: str
    path: str
    images: tuple[ImageAnalysis, ...]
    listed: StudyRank | None = None


@dataclass(frozen=True, slots=True)
class Worth:
    """What a breast would teach.

    Attributes
    ----------
    doubt
        0..1: 1 at the operating point.
    dispute
        0..1: how far its views disagree; 0 where there is one view only.
    """

    side: Laterality
    doubt: float
    dispute: float

    @property
    def total(self) -> float:
        """What cases are ranked by, 0..2."""
        return self.doubt + self.dispute


@dataclass(frozen=True, slots=True)
class Proposal:
    """A case that should be read next, and why."""

    case: Unread
    worth: Worth


@dataclass(frozen=True, slots=True)
class Proposals:
    """The cases that would teach most, the best first.

    Attributes
    ----------
    without
        Unread cases that cannot be ranked: no model gave a calibrated probability.
    away
        Cases that were left out because their files are not there any more.
    """

    cases: tuple[Proposal, ...] = ()
    without: int = 0
    away: int = 0


def at_even_odds(probability: float, point: float) -> float:
    """A probability, moved so that the operating point becomes one half.

    Parameters
    ----------
    probability, point
        Both calibrated, in [0, 1].

    Returns
    -------
    float
        In (0, 1).
    """
    odds, at_point = _odds(probability), _odds(point)
    return odds / (odds + at_point)


def worth_of(images: Sequence[ImageAnalysis], point: float) -> Worth | None:
    """What a study would teach: its better breast; None without a calibrated probability.

    Parameters
    ----------
    point
        The calibrated probability at the classifier's operating point.
    """
    sides = dict.fromkeys(i.laterality for i in images if i.laterality is not None)
    breasts = [_worth_of_breast(images, side, point) for side in sides]
    known = [each for each in breasts if each is not None]
    return max(known, key=lambda each: each.total, default=None)


def most_worth(probabilities: Iterable[float], point: float) -> float:
    """The most that a study can teach, `Worth.total`, where only its breasts are known.

    A breast's other view may have said anything from nothing to the same.

    Parameters
    ----------
    probabilities
        The greatest of each breast.
    """
    highs = [at_even_odds(probability, point) for probability in probabilities]
    return max((1 - abs(2 * high - 1) + high for high in highs), default=0.0)


def with_unranked(proposals: Proposals, more: int) -> Proposals:
    """The same, with further cases that cannot be ranked."""
    return replace(proposals, without=proposals.without + more)


def most_teaching(
    cases: Iterable[Unread],
    point: float,
    patient_of: Callable[[Unread], str | None],
    most: int = MOST,
) -> Proposals:
    """Rank unread cases by what they would teach.

    Parameters
    ----------
    point
        As for `worth_of`.
    patient_of
        Names a case's patient; None where its files are away. It may read files: only the
        cases at the head of the list are asked for.
    most
        Propose no more than so many.
    """
    everyone = [(case, worth_of(case.images, point)) for case in cases]
    ranked = [Proposal(case, worth) for case, worth in everyone if worth is not None]
    ranked.sort(key=lambda each: (-each.worth.total, each.case.uid))
    chosen: list[Proposal] = []
    patients: set[str] = set()
    away = 0
    for proposal in ranked:
        if len(chosen) == most:
            break
        patient = patient_of(proposal.case)
        if patient is None:
            away += 1
        elif patient not in patients:
            patients.add(patient)
            chosen.append(proposal)
    return Proposals(tuple(chosen), len(everyone) - len(ranked), away)


def why(worth: Worth) -> str:
    """In words: what the models cannot decide here."""
    disputed = worth.dispute >= TELLING
    if worth.doubt >= TELLING and disputed:
        return translate(mark("Near the operating point, and the views disagree"))
    if disputed:
        return translate(mark("The views disagree"))
    if worth.doubt >= TELLING:
        return translate(mark("Near the operating point"))
    return translate(mark("Further from the operating point"))


def _worth_of_breast(
    images: Sequence[ImageAnalysis], side: Laterality, point: float
) -> Worth | None:
    of_view: dict[object, float] = {}
    for image in images:
        if image.laterality is side and image.lesion_probability is not None:
            moved = at_even_odds(image.lesion_probability, point)
            # Of a view that was taken twice, the more suspicious image.
            of_view[image.view] = max(of_view.get(image.view, 0.0), moved)
    if not of_view:
        return None
    high, low = max(of_view.values()), min(of_view.values())
    return Worth(side, 1 - abs(2 * high - 1), high - low)


def _odds(probability: float) -> float:
    inside = min(max(probability, EDGE), 1 - EDGE)
    return inside / (1 - inside)


def probability_at(score: float, slope: float, intercept: float) -> float:
    """The calibrated probability of a score, as `ml.registry.Calibration` gives it."""
    line = slope * math.log(_odds(score)) + intercept
    return 1 / (1 + math.exp(-line))
