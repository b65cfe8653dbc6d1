"""How long a breast was followed up: counted from the study to the last visit, never believed.

Pure functions. Dates come as a header (DA) or an outcome (ISO 8601) has them.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from ml.texts import counted, mark, translate
from viewer.core.decision import Proof

if TYPE_CHECKING:
    from viewer.core.decision import Outcome


def months_between(study: date, visit: date) -> int:
    """Whole months from one day to another; negative where that is the earlier one.

    A day that the last month lacks is its last: from 29 February it is a year to 28 February.
    """
    months = (visit.year - study.year) * 12 + visit.month - study.month
    last = monthrange(visit.year, visit.month)[1]
    return months - (visit.day < min(study.day, last))


def counted_months(study_date: str, last_visit: str) -> int | None:
    """Whole months from a study to the last visit; None where either day is not known."""
    study, visit = _day(study_date), _day(last_visit)
    return None if study is None or visit is None else months_between(study, visit)


def as_counted(outcome: Outcome, study_date: str) -> Outcome:
    """An outcome whose follow-up is no longer than its dates allow.

    Parameters
    ----------
    study_date
        Where it, or the day of the last visit, is not known, the months hold as they were said.
    """
    months = counted_months(study_date, outcome.proof_date)
    if outcome.proof is not Proof.FOLLOW_UP or months is None:
        return outcome
    said = months if outcome.follow_up_months is None else outcome.follow_up_months
    return replace(outcome, follow_up_months=max(min(said, months), 0))


def lack_of_follow_up(study_date: str, last_visit: date, months: int | None) -> str:
    """What is wrong with a follow-up and what to do about it; empty where nothing is.

    Parameters
    ----------
    study_date
        Empty where it is not known.
    months
        As they were said; None: they are to be counted.
    """
    study = _day(study_date)
    if study is None:
        lacks = translate(
            mark("The date of the study is not known: give the months of follow-up.")
        )
        return lacks if months is None else ""
    if last_visit < study:
        text = translate(
            mark("The last visit is before the study of {day}: give the date of a later one.")
        )
        return text.format(day=study.isoformat())
    between = months_between(study, last_visit)
    if months in (None, between):
        return ""
    text = counted(
        "From the study of {day} to this date it is {count} month: correct the date, or leave "
        "the months empty.",
        "From the study of {day} to this date it is {count} months: correct the date, or leave "
        "the months empty.",
        between,
    )
    return text.format(day=study.isoformat(), count=between)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None
