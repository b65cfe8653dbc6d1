"""From the images of a study to its place in the order of reading. No files, no models.

A study that the models could not wholly look at stands in front, with every reason: it waits
for a reader as it would without a machine. The rest follows by what the models say. No study is
ever called normal: what is last is only read last.
"""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from ml.mammo.codes import BreastDensity, Laterality, ViewPosition
from ml.screen.places import place_of
from ml.screen.rows import State
from ml.texts import mark, translate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ml.distribution import Distribution
    from ml.findings import ImageAnalysis
    from ml.screen.rows import ScreenedImage, ScreenedStudy

# What a study needs to be whole, in the order of hanging.
STANDARD_VIEWS = (
    (Laterality.RIGHT, ViewPosition.CC),
    (Laterality.LEFT, ViewPosition.CC),
    (Laterality.RIGHT, ViewPosition.MLO),
    (Laterality.LEFT, ViewPosition.MLO),
)
SIDES = (Laterality.RIGHT, Laterality.LEFT)
# Of a summary, in per cent.
LEVELS = tuple(range(0, 101, 10))
BINS = 20
# A card's quantiles stand every 2 %.
_CARD_STEP = 5


class Group(StrEnum):
    """Where a study stands; the value is what the files hold."""

    # Not wholly analyzed: read first, whatever was said of the rest.
    ATTENTION = "attention"
    RANKED = "ranked"


@dataclass(frozen=True, slots=True)
class BreastRank:
    """What the models say of one breast: the greatest of its analyzed images.

    Attributes
    ----------
    score
        Of a lesion, in [0, 1]; None where no image of it was analyzed.
    probability, malignancy_probability
        The greatest of those known, in [0, 1]; None where there is none.
    above
        Whether the score is at or above the classifier's operating point; None without either.
    """

    laterality: Laterality
    score: float | None
    probability: float | None
    malignancy_probability: float | None
    above: bool | None


@dataclass(frozen=True, slots=True)
class Placed:
    """Where an image lies, and how it is called: ``"RCC"``, or its file's name."""

    place: str
    title: str


@dataclass(frozen=True, slots=True)
class StudyRank:
    """A study as the list of reading holds it.

    Attributes
    ----------
    key
        Of `ScreenedStudy`.
    date
        DA form; may be empty.
    reasons
        Sentences in the user's language: why it is not wholly analyzed; empty where it is.
    breasts
        The right one first; only those of which an image is known.
    score, probability
        The greatest of all analyzed images, also of those whose side is not known.
    above
        Whether `score` is at or above the operating point.
    density
        The grade with the greatest mean share.
    images, refused, failed, waiting
        Counts; `waiting`: not yet analyzed.
    places
        Of all images, in the order of hanging.
    """

    key: str
    study_uid: str
    patient_id: str
    date: str
    synthetic: bool
    group: Group
    reasons: tuple[str, ...]
    breasts: tuple[BreastRank, ...]
    score: float | None
    probability: float | None
    above: bool | None
    density: BreastDensity | None
    images: int
    refused: int
    failed: int
    waiting: int
    places: tuple[Placed, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """What was met and what came of it.

    Attributes
    ----------
    studies, attention, above
        Studies: all, those not wholly analyzed, those at or above the operating point.
    images, analyzed, refused, failed, waiting
        Images: all, and by what came of them.
    skipped
        Files that were no image of a study, by the value of `ml.screen.rows.Standing`.
    threshold
        The classifier's operating point; None where it is not known.
    quantiles
        Of the images' lesion scores at `LEVELS`; empty without scores.
    bins
        Images by lesion score, in `BINS` equal parts of [0, 1].
    distribution
        How the scores lay where the model was measured; None where its card does not say.
    """

    studies: int
    images: int
    analyzed: int
    refused: int
    failed: int
    waiting: int
    attention: int
    above: int
    skipped: Mapping[str, int]
    threshold: float | None
    quantiles: tuple[float, ...]
    bins: tuple[int, ...]
    distribution: Distribution | None

    @property
    def card_quantiles(self) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
        """The card's at `LEVELS`, without and with a lesion; a part may be empty."""
        if self.distribution is None:
            return None
        without, with_lesion = self.distribution.without, self.distribution.with_lesion
        return without.quantiles[::_CARD_STEP], with_lesion.quantiles[::_CARD_STEP]


class Tally:
    """Ranks studies one after another and counts; of an image only its score is kept."""

    def __init__(self, threshold: float | None) -> None:
        self.threshold = threshold
        self.counts: Counter[str] = Counter()
        self.scores = array("f")

    def add(self, study: ScreenedStudy) -> StudyRank:
        """Rank a study as `rank_study` does, and count it."""
        rank = rank_study(study, self.threshold)
        self.counts.update(
            studies=1,
            images=rank.images,
            refused=rank.refused,
            failed=rank.failed,
            waiting=rank.waiting,
            attention=rank.group is Group.ATTENTION,
            above=bool(rank.above),
        )
        found = map(analyzed, study.images)
        self.scores.extend(_known(each.lesion_score for each in found if each is not None))
        return rank


def summary_of(
    tally: Tally, skipped: Mapping[str, int], distribution: Distribution | None = None
) -> Summary:
    """The summary of all studies that were added to a tally.

    Parameters
    ----------
    skipped
        Files that are no image of a study, by the value of `ml.screen.rows.Standing`.
    distribution
        Of the classifier's card.
    """
    counts, scores = tally.counts, np.clip(np.array(tally.scores), 0, 1)
    quantiles = np.percentile(scores, LEVELS).tolist() if scores.size else ()
    return Summary(
        studies=counts["studies"],
        images=counts["images"],
        analyzed=counts["images"]
        - sum(counts[name] for name in ("refused", "failed", "waiting")),
        refused=counts["refused"],
        failed=counts["failed"],
        waiting=counts["waiting"],
        attention=counts["attention"],
        above=counts["above"],
        skipped=dict(skipped),
        threshold=tally.threshold,
        # Kept as float32: what follows the sixth digit is not theirs.
        quantiles=tuple(round(value, 6) for value in quantiles),
        bins=tuple(np.histogram(scores, BINS, (0, 1))[0].tolist()),
        distribution=distribution,
    )


def rank_study(study: ScreenedStudy, threshold: float | None) -> StudyRank:
    """Say where a study stands and why.

    Parameters
    ----------
    threshold
        The classifier's operating point: a lesion score at or above it is positive.
    """
    images = sorted(study.images, key=_hanging)
    headings = [image.heading for image in images]
    found = [each for image in images if (each := analyzed(image)) is not None]
    states = Counter(map(state_of, images))
    reasons = tuple(_reasons(images))
    score = _greatest(each.lesion_score for each in found)
    return StudyRank(
        key=study.key,
        study_uid=_first(heading.study_instance_uid for heading in headings),
        patient_id=_first(heading.patient_id for heading in headings),
        date=_first(heading.study_date for heading in headings),
        synthetic=any(heading.synthetic for heading in headings),
        group=Group.ATTENTION if reasons else Group.RANKED,
        reasons=reasons,
        breasts=tuple(_breasts(images, threshold)),
        score=score,
        probability=_greatest(each.lesion_probability for each in found),
        above=_is_above(score, threshold),
        density=_density(found),
        images=len(images),
        refused=states[State.REFUSED],
        failed=states[State.FAILED],
        waiting=states[None],
        places=tuple(Placed(image.heading.entry.place, _title(image)) for image in images),
    )


def ranked(ranks: Iterable[StudyRank]) -> tuple[StudyRank, ...]:
    """Order for reading: what was not wholly analyzed first, then by falling probability.

    By score where there is no probability; a study with neither is in front of its group. What
    is equal stands by its key, so that the order is the same each time.
    """
    return tuple(sorted(ranks, key=_reading_order))


def blind(ranks: Iterable[StudyRank]) -> tuple[StudyRank, ...]:
    """Order for a list that is read blind: nothing of what the models say is in it."""
    return tuple(sorted(ranks, key=lambda rank: (rank.date, rank.key)))


def analyzed(image: ScreenedImage) -> ImageAnalysis | None:
    """What the models say of an image; None where they did not look at it."""
    if state_of(image) is not State.DONE or image.answer is None:
        return None
    return image.answer.analysis


def state_of(image: ScreenedImage) -> State | None:
    """What came of an image; None: not yet analyzed. Done is only what has an answer."""
    answer = image.answer
    if answer is None:
        return None
    if answer.state is State.REFUSED or (
        answer.analysis is not None and answer.analysis.refused is not None
    ):
        return State.REFUSED
    return State.FAILED if answer.analysis is None else answer.state


def sentence_of(image: ScreenedImage) -> str:
    """Why an image was not analyzed, in the user's language; empty where it was."""
    answer, state = image.answer, state_of(image)
    if answer is None:
        return translate(mark("Not yet analyzed."))
    said = (answer.analysis and answer.analysis.refused) or answer.sentence
    if state is State.REFUSED:
        return said or translate(mark("The models are not made for this image."))
    if state is State.FAILED:
        return said or translate(mark("The image could not be analyzed."))
    return ""


def _reading_order(rank: StudyRank) -> tuple[bool, bool, float, str]:
    value = rank.score if rank.probability is None else rank.probability
    return (rank.group is Group.RANKED, value is not None, -(value or 0.0), rank.key)


def _view(image: ScreenedImage) -> tuple[Laterality | None, ViewPosition | None]:
    found = image.answer.analysis if image.answer else None
    return (None, None) if found is None else (found.laterality, found.view)


def _hanging(image: ScreenedImage) -> tuple[int, int, str]:
    """CC before MLO before the rest, right before left; what is not known comes last."""
    side, view = _view(image)
    sides, views = list(Laterality), list(ViewPosition)
    return (
        views.index(view) if view else len(views),
        sides.index(side) if side else len(sides),
        image.heading.entry.place,
    )


def _title(image: ScreenedImage) -> str:
    side, view = _view(image)
    if side in SIDES and view is not None:
        return side.value + view.value
    return place_of(image.heading.entry.place).name


def _reasons(images: Sequence[ScreenedImage]) -> Iterator[str]:
    """A sentence for each problem; images that share one are named together."""
    named: dict[str, list[str]] = {}
    for image in images:
        for sentence in _problems(image):
            named.setdefault(sentence, []).append(_title(image))
    for sentence, titles in named.items():
        yield f"{', '.join(dict.fromkeys(titles))}: {sentence}"
    yield from _missing(images)


def _problems(image: ScreenedImage) -> Iterator[str]:
    found = analyzed(image)
    if found is None:
        yield sentence_of(image)
        return
    if found.not_validated:
        yield found.not_validated
    if found.laterality is Laterality.BOTH:
        yield translate(mark("The image shows both breasts."))
    if found.laterality is None or found.view is None:
        yield translate(mark("The side or the view of the image is not known."))
    if _greatest([found.lesion_score]) is None:
        yield translate(mark("The models gave no score."))


def _missing(images: Sequence[ScreenedImage]) -> Iterator[str]:
    """A refused view is there. One that failed says no view: it may be the one missed."""
    if any(image.answer is None for image in images):
        return
    views = {_view(image) for image in images}
    sentence = translate(mark("{view} is missing."))
    if any(side not in SIDES or view is None for side, view in views):
        sentence = translate(
            mark("{view} is missing, or is an image whose side or view is not known.")
        )
    for side, view in STANDARD_VIEWS:
        if (side, view) not in views:
            yield sentence.format(view=side.value + view.value)


def _breasts(images: Sequence[ScreenedImage], threshold: float | None) -> Iterator[BreastRank]:
    for side in SIDES:
        known = [image for image in images if _view(image)[0] is side]
        found = [each for image in known if (each := analyzed(image)) is not None]
        if known:
            yield _breast(side, found, threshold)


def _breast(
    side: Laterality, images: Sequence[ImageAnalysis], threshold: float | None
) -> BreastRank:
    score = _greatest(image.lesion_score for image in images)
    return BreastRank(
        side,
        score,
        _greatest(image.lesion_probability for image in images),
        _greatest(image.malignancy_probability for image in images),
        _is_above(score, threshold),
    )


def _is_above(score: float | None, threshold: float | None) -> bool | None:
    return None if score is None or threshold is None else score >= threshold


def _density(images: Sequence[ImageAnalysis]) -> BreastDensity | None:
    seen = [dict(image.density) for image in images if image.density]
    if not seen:
        return None
    return max(BreastDensity, key=lambda grade: sum(each.get(grade, 0.0) for each in seen))


def _known(values: Iterable[float | None]) -> Iterator[float]:
    """What is no number would spoil an order without a word."""
    return (value for value in values if value is not None and isfinite(value))


def _greatest(values: Iterable[float | None]) -> float | None:
    return max(_known(values), default=None)


def _first(texts: Iterable[str]) -> str:
    return next((text for text in texts if text), "")
