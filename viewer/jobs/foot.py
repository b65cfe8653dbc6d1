"""The bottom line of a window of long jobs: what is at work, and what may be done next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ml.texts import mark, translate
from viewer.jobs import describe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from viewer.library.job_row import JobRow

STEERING = (*describe.STEERING, ("cancel", mark("Cancel")))


@dataclass(frozen=True, slots=True)
class Deed:
    """A button: what it does, its text, and whether it is the one to press next."""

    name: str
    text: str
    first: bool = False


@dataclass(frozen=True, slots=True)
class Foot:
    """The bottom line.

    Attributes
    ----------
    share
        How far the job at hand is, 0 to 1; None where none is at work.
    """

    sentence: str
    deeds: tuple[Deed, ...]
    share: float | None = None


def at_work(row: JobRow, rows: Sequence[JobRow], told: Sequence[str]) -> Foot:
    """The bottom line of a job that has not ended.

    Parameters
    ----------
    told
        What is said of it, part by part; an empty part is left out.
    """
    fitting = describe.fitting(row, rows)
    deeds = tuple(Deed(name, translate(text)) for name, text in STEERING if name in fitting)
    return Foot(" · ".join(part for part in told if part), deeds, describe.share_of(row) or 0.0)
