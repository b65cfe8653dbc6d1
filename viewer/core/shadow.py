"""A model in shadow beside the one in use: how often the two differ on the same images."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.texts import mark, translate

if TYPE_CHECKING:
    from collections.abc import Sequence

# Under this a correlation says nothing.
FEWEST = 10


@dataclass(frozen=True, slots=True)
class Pair:
    """One image: the score of the model in shadow, and that of the one in use.

    As `ml.distribution.Distribution` has it: a classifier's of a lesion, a detector's best
    mark.
    """

    shadow: float
    live: float


@dataclass(frozen=True, slots=True)
class Beside:
    """A model in shadow beside the one in use, each at its own operating point.

    Attributes
    ----------
    since
        ISO 8601, UTC.
    images
        That both looked at.
    only_shadow, only_live
        Called positive by the one and not by the other.
    correlation
        Pearson's, of the scores; NaN where there are fewer than `FEWEST`, or all are alike.
    """

    role: str
    key: str
    since: str
    images: int
    only_shadow: int
    only_live: int
    correlation: float


def beside(
    named: tuple[str, str, str], pairs: Sequence[Pair], points: tuple[float, float]
) -> Beside:
    """Count where the two differ.

    Parameters
    ----------
    named
        Role, key, and since when it runs in shadow.
    points
        The thresholds of the model in shadow, and of the one in use.
    """
    calls = [(pair.shadow >= points[0], pair.live >= points[1]) for pair in pairs]
    return Beside(
        *named,
        len(pairs),
        calls.count((True, False)),
        calls.count((False, True)),
        _correlation(pairs),
    )


def beside_text(told: Beside) -> str:
    """What is known of a model in shadow, in a sentence or two."""
    since = translate(mark("In shadow since {day}.")).format(day=told.since[:10])
    if not told.images:
        return f"{since} " + translate(mark("It has seen no image yet."))
    differing = told.only_shadow + told.only_live
    counted = translate(
        mark(
            "Of {images} images it calls {count} otherwise than the model in use ({share} %): "
            "{more} more, {less} less."
        )
    ).format(
        images=told.images,
        count=differing,
        share=f"{100 * differing / told.images:.1f}",
        more=told.only_shadow,
        less=told.only_live,
    )
    if math.isnan(told.correlation):
        return f"{since} {counted}"
    correlated = translate(mark("The scores correlate with {r}.")).format(
        r=f"{told.correlation:.2f}"
    )
    return f"{since} {counted} {correlated}"


def _correlation(pairs: Sequence[Pair]) -> float:
    scores = np.array([(pair.shadow, pair.live) for pair in pairs], np.float64)
    if len(pairs) < FEWEST or not scores.std(axis=0).all():
        return math.nan
    centred = (scores - scores.mean(axis=0)) / scores.std(axis=0)
    return float((centred[:, 0] * centred[:, 1]).mean())
