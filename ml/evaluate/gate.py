"""Whether a new model may take the place of the one in use: not worse, and shown not to be.

Both are measured on the same frozen test part, each at the operating point that was frozen for
it. What counts is the limit of the paired difference (`ml.evaluate.paired`): only where even
that lies inside a margin that was set beforehand is the new one not inferior (Piaggio 2012,
CONSORT for non-inferiority trials). A test part that is asked again and again ends by saying
yes by chance: the level is divided by the number of times that it was asked (Dunn 1961).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, TypeVar

from ml.evaluate.bootstrap import DRAWS, Estimate
from ml.evaluate.classification import sensitivity_of, specificity_of
from ml.evaluate.detection import false_marks_at, sensitivity_at
from ml.evaluate.paired import paired_difference
from ml.texts import mark, translate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ml.evaluate.outcomes import Judged, Marked
    from ml.evaluate.paired import Figure

    Outcome = TypeVar("Outcome", Marked, Judged)

# Of an error to one side, over all uses of a test part together.
ERROR = 0.025
# Draws beyond each limit, so that the limit itself is no accident of the draws.
LEAST_BEYOND = 25


@dataclass(frozen=True, slots=True)
class Margins:
    """How much worse a new model may be at most, chosen before anything is measured.

    Attributes
    ----------
    sensitivity, specificity
        In shares: 0.05 is five of a hundred.
    false_marks
        More for each image without lesion.
    """

    sensitivity: float = 0.05
    specificity: float = 0.05
    false_marks: float = 0.10


class Standing(Enum):
    """What a comparison shows."""

    BETTER = "better"
    NOT_WORSE = "not worse"
    TOO_FEW = "too few to tell"
    WORSE = "worse"


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure of the model in use and of the new one.

    Attributes
    ----------
    gain
        How much better the new one is, whichever way the figure goes; its interval is that of
        the gate.
    patients
        Who tell of this figure: those with a lesion for a sensitivity, the others for false
        marks and specificity.
    needed
        How many of them it would take for the limit to come inside the margin, were the gain
        to stay; None where it did, or where none would be enough.
    """

    name: str
    live: float
    new: float
    gain: Estimate
    margin: float
    patients: int
    standing: Standing
    needed: int | None = None

    def sentence(self) -> str:
        """What is to be told of it."""
        given = {
            "name": self.name,
            "live": f"{self.live:.3f}",
            "new": f"{self.new:.3f}",
            "low": f"{self.gain.low:+.3f}",
            "high": f"{self.gain.high:+.3f}",
            "margin": f"{self.margin:g}",
            "patients": self.patients,
            "needed": self.needed,
        }
        return translate(_SENTENCES[self.standing, self.needed is not None]).format(**given)


_SENTENCES = {
    (Standing.BETTER, False): mark(
        "{name}: {live} in use, {new} new; it is better by {low} at least."
    ),
    (Standing.NOT_WORSE, False): mark(
        "{name}: {live} in use, {new} new; not worse by more than the margin of {margin} (gain "
        "{low} to {high})."
    ),
    (Standing.TOO_FEW, True): mark(
        "{name}: {live} in use, {new} new (gain {low} to {high}). {patients} patients are too "
        "few to tell whether that is within the margin of {margin}; some {needed} are needed."
    ),
    (Standing.TOO_FEW, False): mark(
        "{name}: {live} in use, {new} new. {patients} patients are too few to tell anything."
    ),
    (Standing.WORSE, False): mark(
        "{name}: {live} in use, {new} new; it is worse by more than the margin of {margin} "
        "(gain {low} to {high})."
    ),
}


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether the new model goes live, and why not.

    Attributes
    ----------
    reasons
        A sentence for everything that stands against it; empty where it is promoted.
    """

    promoted: bool
    reasons: tuple[str, ...]
    compared: tuple[Compared, ...]
    uses: int


def level_after(uses: int) -> float:
    """Level of the interval at the use of a test part with that number, from 1."""
    return 1 - 2 * ERROR / max(uses, 1)


def compare_detectors(
    new: Sequence[Marked],
    live: Sequence[Marked],
    thresholds: tuple[float, float],
    margins: Margins,
    uses: int = 1,
) -> tuple[Compared, ...]:
    """Sensitivity, and false marks on images without lesion.

    Parameters
    ----------
    thresholds
        Frozen operating point of the new one and of the one in use.
    uses
        How often the test part has been asked, this time included.

    Raises
    ------
    ValueError
        Where the two did not see the same images.
    """
    return (
        _compared(
            mark("Sensitivity for lesions"),
            (new, live),
            _at(sensitivity_at, thresholds),
            margins.sensitivity,
            _patients(new, lesion=True),
            uses,
        ),
        _compared(
            mark("False marks for each image without lesion"),
            (new, live),
            _at(false_marks_at, thresholds),
            margins.false_marks,
            _patients(new, lesion=False),
            uses,
            less_is_better=True,
        ),
    )


def compare_classifiers(
    new: Sequence[Judged],
    live: Sequence[Judged],
    thresholds: tuple[float, float],
    margins: Margins,
    uses: int = 1,
) -> tuple[Compared, ...]:
    """Sensitivity and specificity over images; parameters as of `compare_detectors`."""
    figures = (
        (mark("Sensitivity"), sensitivity_of, margins.sensitivity, True),
        (mark("Specificity"), specificity_of, margins.specificity, False),
    )
    return tuple(
        _compared(
            name,
            (new, live),
            _at(figure, thresholds),
            margin,
            _patients(new, lesion=lesion),
            uses,
        )
        for name, figure, margin, lesion in figures
    )


def decide(compared: Iterable[Compared], *, audit_is_green: bool, uses: int = 1) -> Decision:
    """Promote only what is shown to be no worse in every figure, on audited data."""
    compared = tuple(compared)
    reasons = [
        one.sentence()
        for one in compared
        if one.standing not in (Standing.BETTER, Standing.NOT_WORSE)
    ]
    if not compared:
        reasons.append(translate(mark("Nothing was compared.")))
    if not audit_is_green:
        reasons.append(translate(mark("The audit of the training data was not green.")))
    return Decision(not reasons, tuple(reasons), compared, uses)


def _at(
    figure: Callable[[Sequence[Outcome], float], float], thresholds: tuple[float, float]
) -> tuple[Figure[Outcome], Figure[Outcome]]:
    """The figure at each model's own operating point."""
    one, other = thresholds
    return (lambda seen: figure(seen, one), lambda seen: figure(seen, other))


def _compared(
    name: str,
    outcomes: tuple[Sequence[Outcome], Sequence[Outcome]],
    figures: tuple[Figure[Outcome], Figure[Outcome]],
    margin: float,
    patients: int,
    uses: int,
    *,
    less_is_better: bool = False,
) -> Compared:
    level = level_after(uses)
    draws = max(DRAWS, math.ceil(2 * LEAST_BEYOND / (1 - level)))
    found = paired_difference(*outcomes, figures, draws=draws, level=level)
    gain = Estimate(-found.value, -found.high, -found.low) if less_is_better else found
    new, live = (figure(each) for figure, each in zip(figures, outcomes, strict=True))
    standing = _standing(gain, margin)
    needed = _needed(gain, margin, patients) if standing is Standing.TOO_FEW else None
    return Compared(translate(name), live, new, gain, margin, patients, standing, needed)


def _standing(gain: Estimate, margin: float) -> Standing:
    if math.isnan(gain.low) or math.isnan(gain.high):
        return Standing.TOO_FEW
    if gain.low > 0:
        return Standing.BETTER
    if gain.low >= -margin:
        return Standing.NOT_WORSE
    return Standing.WORSE if gain.high < -margin else Standing.TOO_FEW


def _needed(gain: Estimate, margin: float, patients: int) -> int | None:
    """An interval shrinks with the root of the number of patients."""
    room = gain.value + margin
    if math.isnan(gain.low) or room <= 0:
        return None
    return math.ceil(patients * ((gain.value - gain.low) / room) ** 2)


def _patients(outcomes: Iterable[Marked] | Iterable[Judged], *, lesion: bool) -> int:
    return len({one.item.patient_id for one in outcomes if one.item.lesion is lesion})
