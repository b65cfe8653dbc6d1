"""Whether a model's scores of late lie as its card says they should: by role, and by maker.

What is expected is a mixture of the card's images with and without a lesion, at the reader's
prevalence: a test set is rich in lesions and screening is not, which is no drift.

Two figures, and both must speak. The Kolmogorov-Smirnov distance D between the shares of images
up to each score says, with its p-value, whether the difference is more than chance; women
are counted and not images, for the images of one are alike. The population stability index,
sum over ten bins of (seen - expected) ln(seen / expected), says whether it is large enough to
matter: by the custom of credit scoring (Siddiqi 2006, "Credit Risk Scorecards") under 0.1 it
is not, and above 0.25 something has to be done. The makers' p-values are corrected after Holm:
who asks of many is told something by chance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from ml.evaluate.holm import holm
from ml.texts import mark, translate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ml.distribution import Distribution, Part

    Scores = NDArray[np.float64]

LAST = 200
# Fewer images say nothing.
FEWEST = 30
LEVEL = 0.05
PSI_WATCH, PSI_ALARM = 0.1, 0.25
_BINS = 10


@dataclass(frozen=True, slots=True)
class Scored:
    """One image that a model looked at.

    Attributes
    ----------
    study
        Whose images are alike.
    maker
        Of the device, as the header has it; empty where it is not known.
    score
        As `ml.distribution.Distribution` has it.
    """

    image: str
    study: str
    maker: str
    score: float


class Standing(Enum):
    """What is to be made of a comparison."""

    NOTHING = mark("nothing to compare with")
    FEW = mark("too few")
    STEADY = mark("as expected")
    WATCH = mark("watch")
    ALARM = mark("alarm")


@dataclass(frozen=True, slots=True)
class Watched:
    """The latest scores of one model against its card.

    Attributes
    ----------
    model
        ``name@version``.
    maker
        None: of all makers together; empty: of those whose header does not say.
    images, women
        How many were compared; women are counted by their studies.
    distance, p
        Kolmogorov-Smirnov; `p` after Holm where a maker is named. NaN where nothing was
        compared.
    psi
        Population stability index; NaN where nothing was compared.
    """

    role: str
    model: str
    maker: str | None
    images: int
    women: int
    distance: float = math.nan
    p: float = math.nan
    psi: float = math.nan
    known: bool = True

    @property
    def standing(self) -> Standing:
        """What is to be made of it."""
        if not self.known:
            return Standing.NOTHING
        if math.isnan(self.p):
            return Standing.FEW
        if self.p >= LEVEL or self.psi <= PSI_WATCH:
            return Standing.STEADY
        return Standing.ALARM if self.psi > PSI_ALARM else Standing.WATCH


def watch(
    role: str,
    model: str,
    scored: Sequence[Scored],
    expected: Distribution | None,
    prevalence: float,
) -> tuple[Watched, ...]:
    """Compare the latest scores with what a card expects: of all makers, then of each.

    Parameters
    ----------
    expected
        The card's; None where it has none.
    prevalence
        Share of images with a lesion that is to be expected, in (0, 1).
    """
    if expected is None or not expected.without.images:
        return (Watched(role, model, None, len(scored), _women(scored), known=False),)
    mixture = _Mixture.of(expected, prevalence)
    makers: dict[str, list[Scored]] = {}
    for one in scored:
        makers.setdefault(_maker(one), []).append(one)
    of_all = _compared(role, model, None, scored, mixture)
    each = [_compared(role, model, *item, mixture) for item in sorted(makers.items())]
    # Who was not compared was not asked, and makes the others' answers no less sure.
    asked = [one for one in each if not math.isnan(one.p)]
    corrected = iter(holm([one.p for one in asked]))
    by_maker = [one if math.isnan(one.p) else replace(one, p=next(corrected)) for one in each]
    return (of_all, *by_maker)


def sentence(watched: Watched) -> str:
    """One comparison in words."""
    template = {
        Standing.NOTHING: mark(
            "The card of this model tells no distribution: nothing to compare with."
        ),
        Standing.FEW: mark("{who}: {images} images of {women} studies, too few to tell."),
        Standing.STEADY: mark("{who}: as the card says (stability index {psi})."),
        Standing.WATCH: mark(
            "{who}: the scores differ from the card's (stability index {psi}, p {p}); watch "
            "them."
        ),
        Standing.ALARM: mark(
            "{who}: the scores differ much from the card's (stability index {psi}, p {p}): do "
            "not rely on the model before you know why."
        ),
    }[watched.standing]
    return translate(template).format(
        who=maker_text(watched),
        images=watched.images,
        women=watched.women,
        psi=f"{watched.psi:.2f}",
        p=p_text(watched.p),
    )


def maker_text(watched: Watched) -> str:
    """Whose images were compared."""
    if watched.maker is None:
        return translate(mark("The last {count} images")).format(count=watched.images)
    return watched.maker or translate(mark("Makers not known"))


def p_text(p: float) -> str:
    """A p-value as it is told."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def alarm(watched: Sequence[Watched]) -> str:
    """What the reader must be told at the start; empty: nothing."""
    models = dict.fromkeys(one.model for one in watched if one.standing is Standing.ALARM)
    if not models:
        return ""
    return translate(
        mark(
            "The latest scores of {models} differ much from what its card says: see Tools > "
            "Retrain models, Promote."
        )
    ).format(models=", ".join(models))


@dataclass(frozen=True, slots=True)
class _Mixture:
    parts: tuple[tuple[float, Part], ...]

    @classmethod
    def of(cls, expected: Distribution, prevalence: float) -> _Mixture:
        if not expected.with_lesion.images:
            return cls(((1.0, expected.without),))
        return cls(((1 - prevalence, expected.without), (prevalence, expected.with_lesion)))

    def shares_to(self, scores: Scores) -> Scores:
        shares = [
            sum(weight * part.share_to(score) for weight, part in self.parts)
            for score in map(float, scores)
        ]
        return np.array(shares, np.float64)

    @property
    def points(self) -> Scores:
        """The scores that the card names."""
        return np.unique([score for _, part in self.parts for score in part.quantiles])

    @property
    def women(self) -> float:
        """How many women the mixture is worth: variances of its parts add up by weight²."""
        return 1 / sum(weight**2 / part.patients for weight, part in self.parts)


def _compared(
    role: str, model: str, maker: str | None, scored: Sequence[Scored], mixture: _Mixture
) -> Watched:
    women = _women(scored)
    found = Watched(role, model, maker, len(scored), women)
    if len(scored) < FEWEST:
        return found
    scores = np.array([one.score for one in scored], np.float64)
    distance = _distance(scores, mixture)
    p = _chance(distance, women * mixture.women / (women + mixture.women))
    return replace(found, distance=distance, p=p, psi=_stability(scores, mixture))


def _distance(scores: Scores, mixture: _Mixture) -> float:
    """The greatest difference of the shares up to a score, at jumps from both sides."""
    places = np.concatenate([scores, mixture.points])
    places = np.concatenate([places, np.nextafter(places, -np.inf)])
    return float(np.abs(_shares(scores, places) - mixture.shares_to(places)).max())


def _shares(scores: Scores, places: Scores) -> Scores:
    return np.searchsorted(np.sort(scores), places, side="right") / len(scores)


def _chance(distance: float, women: float) -> float:
    """Kolmogorov's limit with Stephens' correction for few (1970, JRSS B 32, 115-122)."""
    root = math.sqrt(women)
    value = (root + 0.12 + 0.11 / root) * distance
    # Under this the series does not converge in floats, and the answer is 1.
    if value < 0.2:
        return 1.0
    terms = ((-1) ** (k - 1) * math.exp(-2 * (k * value) ** 2) for k in range(1, 101))
    return min(max(2 * sum(terms), 0.0), 1.0)


def _stability(scores: Scores, mixture: _Mixture) -> float:
    """The population stability index over bins that hold a tenth of what is expected."""
    points = mixture.points
    levels = mixture.shares_to(points)
    wanted = np.arange(1, _BINS) / _BINS
    # Scores that many images share make one bin.
    edges = np.unique(points[np.searchsorted(levels, wanted - 1e-9)])
    seen = np.diff(_shares(scores, edges), prepend=0.0, append=1.0)
    expected = np.diff(mixture.shares_to(edges), prepend=0.0, append=1.0)
    # Half an image stands for none: the logarithm of nothing is no number.
    least = 0.5 / len(scores)
    seen, expected = np.maximum(seen, least), np.maximum(expected, least)
    return float(np.sum((seen - expected) * np.log(seen / expected)))


def _women(scored: Sequence[Scored]) -> int:
    return len({one.study for one in scored})


def _maker(one: Scored) -> str:
    """The maker's first word: its name is written in many ways, and its head seldom changes."""
    words = one.maker.replace(",", " ").split()
    return words[0].upper() if words else ""
