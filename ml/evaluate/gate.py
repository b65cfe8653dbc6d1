"""Whether a new model may take the place of the one in use: not worse, and shown not to be.

Both are measured on the same frozen test part, each at the operating point that was frozen for
it. What counts is the limit of the paired difference (`ml.evaluate.limits`): only where even
that lies inside a margin that was set beforehand is the new one not inferior (Piaggio 2012,
CONSORT for non-inferiority trials). A test part that is asked again and again ends by saying
yes by chance: each use may err less than the one before (`level_after`), so that all together
err no more often than was chosen, however often it is asked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from ml.evaluate.bootstrap import DRAWS, Estimate
from ml.evaluate.limits import effective, gain_of
from ml.evaluate.needed import FEWEST, patients_needed
from ml.evaluate.pairs import false_marks, images_told, lesions_found
from ml.texts import mark, translate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ml.evaluate.outcomes import Judged, Marked
    from ml.evaluate.pairs import Pairs

# Of an error to one side, over all uses of a test part together.
ERROR = 0.025
# Draws beyond each limit, so that the limit itself is no accident of the draws.
LEAST_BEYOND = 25
# At late uses that would be millions; there the limit that draws nothing is the wider one.
MOST_DRAWS = 50_000


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
        the gate, at the level of this use.
    patients
        Who tell of this figure: those with a lesion for a sensitivity, those with an image
        without any for false marks and specificity.
    needed
        Where they are too few to tell: how many of them would show at the next use, four times
        in five, that two equally good models are so (`ml.evaluate.needed`); else None.
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
        return translate(self._template()).format(**given)

    def _template(self) -> str:
        if self.standing is not Standing.TOO_FEW:
            return _SENTENCES[self.standing]
        if not self.patients:
            return _NOBODY
        return _FEW if (self.needed or 0) > self.patients else _NEAR


_SENTENCES = {
    Standing.BETTER: mark("{name}: {live} in use, {new} new; it is better by {low} at least."),
    Standing.NOT_WORSE: mark(
        "{name}: {live} in use, {new} new; not worse by more than the margin of {margin} (gain "
        "{low} to {high})."
    ),
    Standing.WORSE: mark(
        "{name}: {live} in use, {new} new; it is worse by more than the margin of {margin} "
        "(gain {low} to {high})."
    ),
}
_NOBODY = mark(
    "{name}: too few to tell, for it is measured on nobody. Some {needed} patients for testing "
    "are needed."
)
_FEW = mark(
    "{name}: {live} in use, {new} new (gain {low} to {high}). {patients} patients are too few "
    "to tell whether that is within the margin of {margin}; some {needed} are needed, of whom "
    "two equally good models are told so four times in five."
)
_NEAR = mark(
    "{name}: {live} in use, {new} new (gain {low} to {high}). {patients} patients are too few "
    "to tell whether that is within the margin of {margin}. Two equally good models would be "
    "told so four times in five by some {needed}: this one may well be worse."
)


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether the new model goes live, and why not.

    Attributes
    ----------
    reasons
        A sentence for everything that stands against it; empty where it is promoted.
    remarks
        What whoever promotes it should know, though it speaks neither for nor against it.
    """

    promoted: bool
    reasons: tuple[str, ...]
    compared: tuple[Compared, ...]
    uses: int
    remarks: tuple[str, ...] = ()


def level_after(uses: int) -> float:
    """Level of the interval at the use of a test part with that number, from 1.

    At use k the error to one side is ``ERROR * 6 / (pi * k)**2``: as the sum of all 1/k**2 is
    pi**2 / 6 (Euler 1735), all uses together err at most as often as `ERROR` (Boole's
    inequality), though nobody says beforehand how many there will be: alpha-spending, as in
    Tian and Ramdas (2021, Statistical Methods in Medical Research 30, 976-993).
    """
    return 1 - 2 * ERROR * 6 / (math.pi * max(uses, 1)) ** 2


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
            lesions_found(new, live, thresholds),
            margins.sensitivity,
            uses,
        ),
        _compared(
            mark("False marks for each image without lesion"),
            false_marks(new, live, thresholds),
            margins.false_marks,
            uses,
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
        (mark("Sensitivity"), margins.sensitivity, True),
        (mark("Specificity"), margins.specificity, False),
    )
    return tuple(
        _compared(name, images_told(new, live, thresholds, lesion=lesion), margin, uses)
        for name, margin, lesion in figures
    )


def decide(
    compared: Iterable[Compared],
    *,
    audit_is_green: bool,
    overrides: Sequence[str] = (),
    uses: int = 1,
) -> Decision:
    """Promote only what is shown to be no worse in every figure, on audited data.

    Parameters
    ----------
    audit_is_green
        Of what the new model was taught, as it stood when it was; amber is not green.
    overrides
        Why it, or a model whose weights it began with, was taught data whose audit was red.
    """
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
    if overrides:
        told = mark("It was trained although an audit was red, for this reason: {why}")
        reasons.append(translate(told).format(why="; ".join(overrides)))
    return Decision(not reasons, tuple(reasons), compared, uses)


def _compared(name: str, pairs: Pairs, margin: float, uses: int) -> Compared:
    level = level_after(uses)
    draws = min(max(DRAWS, math.ceil(2 * LEAST_BEYOND / (1 - level))), MOST_DRAWS)
    gain = gain_of(pairs, level, draws)
    independent = effective(pairs)[2] if pairs.patients else 0.0
    standing = Standing.TOO_FEW if independent < FEWEST else _standing(gain, margin)
    needed = None
    if standing is Standing.TOO_FEW:
        needed = patients_needed(pairs, margin, (1 - level_after(uses + 1)) / 2)
    new, live = (
        float(each.mean()) if len(each) else math.nan for each in (pairs.new, pairs.live)
    )
    patients = len(set(pairs.patients))
    return Compared(translate(name), live, new, gain, margin, patients, standing, needed)


def _standing(gain: Estimate, margin: float) -> Standing:
    if gain.low > 0:
        return Standing.BETTER
    if gain.low >= -margin:
        return Standing.NOT_WORSE
    return Standing.WORSE if gain.high < -margin else Standing.TOO_FEW
