"""What the diagnosis panel draws, as values: texts, bars and rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from ml.texts import mark
from viewer.core.decision import Standing

if TYPE_CHECKING:
    from ml.mammo.codes import BreastDensity, Laterality
    from viewer.core.decision import Outcome
    from viewer.core.state import FindingKey, Impression


class Content(Enum):
    """Which of its faces the panel shows."""

    NO_STUDY = "no study"
    BLIND = "blind"
    NOT_ANALYZED = "not analyzed"
    WAITING = "waiting"
    FAILED = "failed"
    RESULTS = "results"


class Verdict(Enum):
    """Where a breast's lesion score lies against the model's operating point."""

    ABOVE = mark("above operating point")
    AT = mark("at operating point")
    BELOW = mark("below operating point")
    NONE = mark("not assessed")


@dataclass(frozen=True, slots=True)
class Figure:
    """One number and its name: ``"lesion, score"``, ``"0.63"``; why it is no probability."""

    label: str
    value: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FindingRow:
    """One finding as a row that can be clicked.

    Attributes
    ----------
    word
        What the reader made of it; empty where nothing yet.
    """

    key: FindingKey
    title: str
    subtitle: str
    selected: bool
    standing: Standing = Standing.OPEN
    word: str = ""


@dataclass(frozen=True, slots=True)
class ImageRow:
    """One image's own figures: ``"RCC"``, ``"lesion 0.63 · malignancy 0.22"``."""

    title: str
    text: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class BreastCard:
    """What the machine says of one breast.

    Attributes
    ----------
    bar, tick
        The lesion score and the operating point, in [0, 1]; None where nothing was scored.
    figures
        Lesion and malignancy: the greatest over the images of the breast.
    hidden
        How many findings lie under the threshold.
    """

    laterality: Laterality
    title: str
    verdict: Verdict
    bar: float | None
    tick: float | None
    figures: tuple[Figure, ...]
    findings: tuple[FindingRow, ...]
    hidden: int
    images: tuple[ImageRow, ...]


@dataclass(frozen=True, slots=True)
class DensityCard:
    """Breast density: the most probable grade and all four shares, the mean over the images."""

    grade: BreastDensity
    shares: tuple[tuple[BreastDensity, float], ...]


@dataclass(frozen=True, slots=True)
class ImpressionRow:
    """The reader's word on one breast.

    Attributes
    ----------
    current
        Her last word: what was said after the reveal, else before it.
    before
        What she said before the reveal, where that was blind or at least first.
    outcome
        All that is known of the breast; None where nothing was said.
    """

    laterality: Laterality
    title: str
    current: Impression | None
    before: Impression | None
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything the panel draws.

    Attributes
    ----------
    alarms
        What the reader must know before she trusts an image; shown also while blind.
    message
        What the panel says instead of results; empty where there are results.
    refused
        Images that the models did not look at, and why.
    reading_note
        What the reader said before the reveal, when that was, and whether it was blind.
    footer
        Why figures are scores, models and versions, operating point, engine, and
        its time or that it was kept.
    threshold
        Findings with a lower score are not shown.
    files_refused
        How many files were not opened.
    drawn
        Marks of the reader's own that stand in no breast's card.
    """

    content: Content
    alarms: tuple[str, ...] = ()
    message: str = ""
    breasts: tuple[BreastCard, ...] = ()
    density: DensityCard | None = None
    refused: tuple[ImageRow, ...] = ()
    impressions: tuple[ImpressionRow, ...] = ()
    reading_note: str = ""
    footer: tuple[str, ...] = ()
    threshold: float = 0.0
    files_refused: int = 0
    drawn: tuple[FindingRow, ...] = ()

    @property
    def unselected(self) -> Diagnosis:
        """The same without emphasis: equal where only the selection differs."""
        return replace(
            self,
            breasts=tuple(
                replace(card, findings=_unselected(card.findings)) for card in self.breasts
            ),
            drawn=_unselected(self.drawn),
        )


def _unselected(rows: tuple[FindingRow, ...]) -> tuple[FindingRow, ...]:
    return tuple(replace(row, selected=False) for row in rows)
