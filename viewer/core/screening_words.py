"""What stands in the columns of a screened folder's list, ranked and blind."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from ml.mammo.codes import Laterality
from ml.texts import mark, translate
from viewer.core.annotations import day
from viewer.core.read_study import Status
from viewer.core.state import RANKED

if TYPE_CHECKING:
    from ml.screen.ranking import BreastRank, StudyRank

    Value = str | float | None


class Column(StrEnum):
    """A column; the value is what is kept."""

    PLACE = "place"
    STATUS = "status"
    PATIENT = "patient"
    DATE = "date"
    PROBABILITY = "probability"
    SCORE = "score"
    RIGHT = "right"
    LEFT = "left"
    DENSITY = "density"
    IMAGES = "images"
    REMARKS = "remarks"


TITLES: dict[Column, str] = {
    Column.PLACE: mark("Place"),
    Column.STATUS: mark("Status"),
    Column.PATIENT: mark("Patient"),
    Column.DATE: mark("Study date"),
    Column.PROBABILITY: mark("Probability"),
    Column.SCORE: mark("Score"),
    Column.RIGHT: mark("Right"),
    Column.LEFT: mark("Left"),
    Column.DENSITY: mark("Density"),
    Column.IMAGES: mark("Images"),
    Column.REMARKS: mark("Remarks"),
}
EXPLAINED: dict[Column, str] = {
    Column.PLACE: mark("The place in the ranked order."),
    Column.STATUS: mark("Whether you said anything of the study, and whether you recall."),
    Column.PROBABILITY: mark("Of a lesion, the greatest of the images; calibrated."),
    Column.SCORE: mark("Of a lesion, the greatest of the images; uncalibrated."),
    Column.RIGHT: mark("The lesion score of the right breast."),
    Column.LEFT: mark("The lesion score of the left breast."),
    Column.DENSITY: mark("The breast density that the models say."),
    Column.REMARKS: mark("Why a study was not wholly analyzed; else, the operating point."),
}
# In a blind list nothing stands that the models say.
_BLIND = (Column.STATUS, Column.PATIENT, Column.DATE, Column.IMAGES, Column.REMARKS)
STATUS_WORDS: dict[Status, str] = {
    Status.UNREAD: mark("unread"),
    Status.READ: mark("read"),
    Status.RECALLED: mark("recalled"),
}
_STATUS_ORDER = tuple(Status)
_SIDES = {Column.RIGHT: Laterality.RIGHT, Column.LEFT: Laterality.LEFT}
# As `ml.screen.ranking` words it: the one reason that speaks of a score.
_OF_SCORES = mark("The models gave no score.")
ABOVE = mark("At or above the operating point.")


def columns_of(order: str) -> tuple[Column, ...]:
    """The columns of a list that is read ranked or blind."""
    return tuple(Column) if order == RANKED else _BLIND


def cell(rank: StudyRank, place: int, status: Status, column: Column, *, blind: bool) -> str:
    """The text of a cell."""
    if column is Column.STATUS:
        return translate(STATUS_WORDS[status])
    if column is Column.PATIENT:
        return patient_text(rank)
    if column is Column.REMARKS:
        return " ".join(remarks_of(rank, blind=blind))
    if column is Column.DATE:
        return day(rank.date)
    if column is Column.IMAGES:
        return str(rank.images)
    return _of_models(rank, place, column)


def patient_text(rank: StudyRank) -> str:
    """The patient's ID, and first that the study shows nobody, where it does not."""
    name = rank.patient_id or translate(mark("no patient ID"))
    return f"{translate(mark('synthetic'))} · {name}" if rank.synthetic else name


def remarks_of(rank: StudyRank, *, blind: bool) -> tuple[str, ...]:
    """What is to be known before a study is read.

    Blind, only what holds of its files: that views are missing, or could not be looked at.
    """
    if blind:
        spoken = translate(_OF_SCORES)
        return tuple(reason for reason in rank.reasons if not reason.endswith(spoken))
    above = (translate(ABOVE),) if rank.above else ()
    return (*rank.reasons, *above)


def is_above(rank: StudyRank, column: Column) -> bool:
    """Whether the value of a column is at or above the operating point."""
    if column in _SIDES:
        breast = _breast(rank, column)
        return breast is not None and bool(breast.above)
    return column in (Column.SCORE, Column.PROBABILITY) and bool(rank.above)


def sort_value(
    rank: StudyRank, place: int, status: Status, column: Column, blind: bool
) -> Value:
    """What a column is sorted by; None where the study has nothing there."""
    if column is Column.STATUS:
        return _STATUS_ORDER.index(status)
    if column is Column.PATIENT:
        return rank.patient_id.casefold() or None
    if column is Column.DATE:
        return rank.date or None
    if column is Column.IMAGES:
        return rank.images
    if column is Column.REMARKS:
        return " ".join(remarks_of(rank, blind=blind)) or None
    return _number(rank, place, column)


def _number(rank: StudyRank, place: int, column: Column) -> Value:
    if column is Column.PLACE:
        return place
    if column is Column.DENSITY:
        return rank.density.value if rank.density else None
    if column in _SIDES:
        breast = _breast(rank, column)
        return breast.score if breast else None
    return rank.probability if column is Column.PROBABILITY else rank.score


def _of_models(rank: StudyRank, place: int, column: Column) -> str:
    value = _number(rank, place, column)
    if value is None or isinstance(value, str):
        return value or ""
    if column is Column.PLACE:
        return f"{place:,}"
    return f"{100 * value:.1f} %" if column is Column.PROBABILITY else f"{value:.2f}"


def _breast(rank: StudyRank, column: Column) -> BreastRank | None:
    side = _SIDES[column]
    return next((breast for breast in rank.breasts if breast.laterality is side), None)
