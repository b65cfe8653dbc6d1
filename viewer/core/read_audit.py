"""The figures of a reader's own reads: how many were recalled, and how many of those rightly.

Definitions: American College of Radiology, BI-RADS Atlas, 5th edition (2013), "Follow-up and
Outcome Monitoring" (the basic clinically relevant audit). The unit is the study. It is read
once a breast of it was called normal or to be recalled, or got a category; it is positive where
a breast was to be recalled or got category 0, 3, 4 or 5. A cancer is one that tissue showed in
a breast that was called positive, within a year of the reading.

What is not known is not guessed: a study of which the outcome is missing stands in no
denominator that needs it, and is counted as unknown beside the figure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from typing import TYPE_CHECKING

from ml.texts import mark
from viewer.core.decision import AssessmentCategory, Proof, Truth
from viewer.core.read_study import is_established

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from viewer.core.decision import Outcome
    from viewer.core.read_study import ReadStudy

Category = AssessmentCategory
BIOPSY = frozenset(
    (
        *(Category.SUSPICIOUS, Category.LOW_SUSPICION, Category.MODERATE_SUSPICION),
        *(Category.HIGH_SUSPICION, Category.MALIGNANT),
    )
)
# The 5th edition counts category 3 of a screening study as positive, too.
POSITIVE = BIOPSY | {Category.INCOMPLETE, Category.PROBABLY_BENIGN}
NEGATIVE = frozenset((Category.NEGATIVE, Category.BENIGN))
WITHIN = timedelta(days=365)
# The 97.5th percentile of the standard normal distribution: two sides of 95 %.
Z95 = 1.959963984540054


class Figure(Enum):
    """What is reckoned; the value names it for a table that a program reads."""

    RECALL_RATE = "recall_rate"
    PPV1 = "ppv1"
    PPV2 = "ppv2"
    PPV3 = "ppv3"
    DETECTION = "cancers_per_1000"


TITLES = {
    Figure.RECALL_RATE: mark("Recall rate"),
    Figure.PPV1: mark("PPV1"),
    Figure.PPV2: mark("PPV2"),
    Figure.PPV3: mark("PPV3"),
    Figure.DETECTION: mark("Cancers per 1,000"),
}
MEANINGS = {
    Figure.RECALL_RATE: mark("Of the studies read, those called positive."),
    Figure.PPV1: mark("Of the studies called positive, those with cancer."),
    Figure.PPV2: mark("Of those with a biopsy recommended (category 4 or 5), with cancer."),
    Figure.PPV3: mark("Of those whose biopsy was done, with cancer."),
    Figure.DETECTION: mark("Cancers in studies called positive, of 1,000 studies read."),
}


@dataclass(frozen=True, slots=True)
class Share:
    """A figure: so many of so many.

    Attributes
    ----------
    count, of
        Numerator and denominator; `of` is 0 where there is nothing to reckon with.
    unknown
        Studies that belong here and whose outcome is missing. They are not in `of`, except for
        the cancers per 1,000, which can only rise by them.
    """

    figure: Figure
    count: int
    of: int
    unknown: int = 0

    @property
    def per(self) -> int:
        """What it is a share of: 100, or 1,000 for the cancers detected."""
        return 1000 if self.figure is Figure.DETECTION else 100

    @property
    def value(self) -> float | None:
        """In units of `per`; None without a denominator."""
        return self.per * self.count / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval in units of `per`."""
        if not self.of:
            return None
        low, high = wilson(self.count, self.of)
        return self.per * low, self.per * high


@dataclass(frozen=True, slots=True)
class ReadAudit:
    """The figures of some reads.

    Attributes
    ----------
    read
        Studies that the figures rest on.
    synthetic, proven_before
        Studies left out: they show nobody; a cancer was known before (category 6).
    unread
        Studies left out: no breast was called anything.
    """

    shares: tuple[Share, ...]
    read: int
    synthetic: int
    proven_before: int
    unread: int

    def share(self, figure: Figure) -> Share:
        """One of the figures."""
        return next(each for each in self.shares if each.figure is figure)


def wilson(count: int, of: int) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson 1927, J Am Stat Assoc 22:209).

    Parameters
    ----------
    count, of
        So many of so many.

    Returns
    -------
    low, high
        In [0, 1].

    Raises
    ------
    ValueError
        Where `count` is not within 0 and `of`, or `of` is 0.
    """
    if not 0 <= count <= of or of == 0:
        raise ValueError(f"no share: {count} of {of}")
    share, squared = count / of, Z95 * Z95
    middle = (share + squared / (2 * of)) / (1 + squared / of)
    spread = math.sqrt(share * (1 - share) / of + squared / (4 * of * of))
    half = Z95 * spread / (1 + squared / of)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def is_positive(outcome: Outcome) -> bool | None:
    """Whether a breast was called positive; None where neither that nor the contrary was said.

    A category that asks for more than the next round is positive also where no recall was said.
    """
    if outcome.recall or outcome.assessment in POSITIVE:
        return True
    if outcome.recall is False or outcome.assessment in NEGATIVE:
        return False
    return None


def audit_of_reads(studies: Iterable[ReadStudy]) -> ReadAudit:
    """Reckon the figures of some studies."""
    everyone = tuple(studies)
    real = [study for study in everyone if not study.synthetic]
    fresh = [study for study in real if not _is_proven_before(study)]
    read = [study for study in fresh if _is_read(study)]
    positive = [study for study in read if _called(study)]
    recommended = [study for study in positive if _recommended(study)]
    detected = _found(Figure.PPV1, positive, _called)
    shares = (
        Share(Figure.RECALL_RATE, len(positive), len(read)),
        detected,
        _found(Figure.PPV2, recommended, _recommended),
        _biopsied(recommended),
        Share(Figure.DETECTION, detected.count, len(read), detected.unknown),
    )
    left_out = (len(everyone) - len(real), len(real) - len(fresh), len(fresh) - len(read))
    return ReadAudit(shares, len(read), *left_out)


def in_period(
    studies: Iterable[ReadStudy], first: str, last: str, reader: str = ""
) -> tuple[ReadStudy, ...]:
    """The studies of which something was said from one day to another, both included.

    Parameters
    ----------
    first, last
        ISO 8601 days; empty: no limit. Where it is not known when a study was read, it belongs
        to no limited period.
    reader
        Only her reads; empty: everybody's.
    """

    def fits(study: ReadStudy) -> bool:
        day = study.read_at[:10]
        after = not first or first <= day
        before = not last or (bool(day) and day <= last)
        return study.said and after and before and reader in ("", study.read_by)

    return tuple(study for study in studies if fits(study))


def has_cancer(outcome: Outcome, read_at: str) -> bool | None:
    """Whether tissue showed a cancer in a breast within a year of its reading; None: unknown.

    What was known before the reading, of a study that is read again, counts.
    """
    if not is_established(outcome):
        return None
    if outcome.truth is not Truth.MALIGNANT:
        return False
    if outcome.proof is not Proof.PATHOLOGY:
        # A cancer without tissue is none by the definition, and surely not healthy.
        return None
    if not (read_at and outcome.proof_date):
        return True
    read = date.fromisoformat(read_at[:10])
    return date.fromisoformat(outcome.proof_date) <= read + WITHIN


def _is_read(study: ReadStudy) -> bool:
    return any(is_positive(each) is not None for each in study.breasts())


def _is_proven_before(study: ReadStudy) -> bool:
    return any(each.assessment is Category.PROVEN for each in study.breasts())


def _called(study: ReadStudy) -> tuple[Outcome, ...]:
    return tuple(each for each in study.breasts() if is_positive(each))


def _recommended(study: ReadStudy) -> tuple[Outcome, ...]:
    return tuple(each for each in study.breasts() if each.assessment in BIOPSY)


def _found(
    figure: Figure,
    studies: Sequence[ReadStudy],
    breasts: Callable[[ReadStudy], tuple[Outcome, ...]],
) -> Share:
    verdicts = [_verdict(breasts(study), study.read_at) for study in studies]
    known = [verdict for verdict in verdicts if verdict is not None]
    return Share(figure, sum(known), len(known), len(verdicts) - len(known))


def _verdict(breasts: Sequence[Outcome], read_at: str) -> bool | None:
    """Whether a study has a cancer there; unknown unless one is found or none is open."""
    found = [has_cancer(each, read_at) for each in breasts]
    if any(found):
        return True
    return None if None in found else False


def _biopsied(recommended: Sequence[ReadStudy]) -> Share:
    """PPV3: whoever was followed up instead had no biopsy, and stands nowhere here."""
    done, cancers, unknown = 0, 0, 0
    for study in recommended:
        breasts = _recommended(study)
        tissue = [each for each in breasts if each.proof is Proof.PATHOLOGY]
        if tissue:
            done += 1
            cancers += any(has_cancer(each, study.read_at) for each in tissue)
        elif any(each.proof is None for each in breasts):
            unknown += 1
    return Share(Figure.PPV3, cancers, done, unknown)
