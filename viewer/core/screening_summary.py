"""The summary of a screened folder: counts, and its scores beside those of the model's card."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from ml.texts import mark, translate
from viewer.core.state import RANKED

if TYPE_CHECKING:
    from ml.distribution import Part
    from ml.screen.ranking import Summary
    from ml.screen.worklist import WorkList

# Of `Summary.quantiles`: at 0, 10 ... 100 %.
_MIDDLE = 5
_SKIPPED = {
    "copy": mark("Copies of an image"),
    "other": mark("Files that are no mammogram"),
    "damaged": mark("Damaged files"),
}


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares of images by lesion score, in equal parts of [0, 1]; each tuple sums to 1.

    Attributes
    ----------
    without, with_lesion
        Of the card's images; empty where it does not say.
    threshold
        The operating point; None where it is not known.
    """

    folder: tuple[float, ...]
    without: tuple[float, ...]
    with_lesion: tuple[float, ...]
    threshold: float | None


def facts_of(summary: Summary, order: str) -> tuple[tuple[str, str], ...]:
    """What was met and what came of it, as names and counts.

    Parameters
    ----------
    order
        As of `View`: a blind list says nothing of the operating point.
    """
    above = (mark("At or above the operating point"), summary.above)
    counted: list[tuple[str, int]] = [
        (mark("Studies"), summary.studies),
        (mark("Not wholly analyzed"), summary.attention),
        *([above] if order == RANKED else []),
        (mark("Images"), summary.images),
        (mark("Analyzed"), summary.analyzed),
        (mark("Refused"), summary.refused),
        (mark("Failed"), summary.failed),
        (mark("Not yet analyzed"), summary.waiting),
        *((_SKIPPED.get(kind, kind), count) for kind, count in summary.skipped.items()),
    ]
    always = {"Studies", "Images"}
    return tuple(
        (translate(name), f"{count:,}") for name, count in counted if count or name in always
    )


def shares_of(summary: Summary) -> Shares | None:
    """How the scores lie; None where no image has one."""
    total = sum(summary.bins)
    if not total:
        return None
    known, bins = summary.distribution, len(summary.bins)
    return Shares(
        tuple(count / total for count in summary.bins),
        _shares(known.without, bins) if known else (),
        _shares(known.with_lesion, bins) if known else (),
        summary.threshold,
    )


def scores_text(summary: Summary) -> str:
    """The same in a sentence or two: what the middle images score."""
    if not summary.quantiles:
        return translate(mark("No image has a score."))
    half = translate(mark("Half of this folder's images score {score} or less"))
    told = [half.format(score=f"{summary.quantiles[_MIDDLE]:.2f}")]
    for words, quantiles in zip(_CARD_WORDS, summary.card_quantiles or (), strict=False):
        if quantiles:
            told.append(translate(words).format(score=f"{quantiles[_MIDDLE]:.2f}"))
    known = summary.distribution
    if known is None:
        return f"{told[0]}. " + translate(
            mark("The model's card says nothing to compare with.")
        )
    text = "; ".join(told) + "."
    about = translate(
        mark(
            "The card's scores are of {data}. Where this folder lies elsewhere, its images are "
            "not like those."
        )
    )
    return f"{text} " + about.format(data=known.data)


_CARD_WORDS = (
    mark("of the card's without a lesion, {score}"),
    mark("with a lesion, {score}"),
)


def made_text(work: WorkList) -> str:
    """By which models and when, a line each: ``"classifier 1.3"``."""
    names = dict.fromkeys(name.replace("@", " ") for name in work.models.values())
    return "\n".join((*names, f"{work.written_at[:16].replace('T', ' ')} UTC"))


def _shares(part: Part, bins: int) -> tuple[float, ...]:
    if not part.quantiles:
        return ()
    up_to = [0.0, *(part.share_to(number / bins) for number in range(1, bins + 1))]
    return tuple(high - low for low, high in pairwise(up_to))
