"""The list of a screened folder as its window shows it: order, filters, place. Values only.

The list is read ranked or blind. Blind, it stands by date, and nothing that the models say is
in it. What the models could not wholly look at stands on top of every ranked order. Nothing is
hidden but by the reader's own filter, and how much that hides is always told.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from ml.screen.ranking import Group
from ml.texts import counted, mark, translate
from viewer.core.read_study import SYNTHETIC, Status
from viewer.core.screening_words import Column, columns_of, remarks_of, sort_value
from viewer.core.state import RANKED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ml.screen.ranking import StudyRank
    from ml.screen.worklist import WorkList


class Part(StrEnum):
    """Which groups the reader asks for; the value is what is kept."""

    ALL = "all"
    ATTENTION = "attention"
    RANKED = "ranked"


@dataclass(frozen=True, slots=True)
class View:
    """How the reader wants to see a list.

    Attributes
    ----------
    order
        `viewer.core.state.RANKED` or `BLIND`.
    column
        What it is sorted by within each group; None: the order itself.
    falling
        The greatest first.
    text
        Is in the patient's ID, the date or the remarks.
    status
        None: any.
    part
        Which groups; has no meaning in a blind list.
    """

    order: str = RANKED
    column: Column | None = None
    falling: bool = False
    text: str = ""
    status: Status | None = None
    part: Part = Part.ALL

    @property
    def filters(self) -> bool:
        """Whether it may hide a study."""
        parted = self.order == RANKED and self.part is not Part.ALL
        return bool(self.text.strip()) or self.status is not None or parted


@dataclass(frozen=True, slots=True)
class Line:
    """A study of the list.

    Attributes
    ----------
    place
        In the ranked order, from 1.
    sought
        What is searched, ranked and blind.
    """

    rank: StudyRank
    place: int
    sought: tuple[str, str]

    @property
    def key(self) -> str:
        """Of the study."""
        return self.rank.key

    @property
    def needs_attention(self) -> bool:
        """Whether the models did not wholly look at it."""
        return self.rank.group is Group.ATTENTION


@dataclass(frozen=True, slots=True)
class Listed:
    """A list as it is shown; made by `listed_of` and the functions below.

    Attributes
    ----------
    statuses
        By the study's key; a study that is not in it is unread.
    current
        The key of the study at hand; empty before the first.
    ordered, shown
        All studies in the order of the view, and those that its filter leaves.
    spots
        Where each study is in `ordered`, by its key.
    """

    work: WorkList
    lines: tuple[Line, ...]
    view: View = field(default_factory=View)
    statuses: Mapping[str, Status] = field(default_factory=lambda: MappingProxyType({}))
    current: str = ""
    ordered: tuple[Line, ...] = ()
    shown: tuple[Line, ...] = ()
    spots: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    def status(self, key: str) -> Status:
        """Where a study stands with the reader."""
        return self.statuses.get(key, Status.UNREAD)

    @property
    def hidden(self) -> int:
        """How many studies the filter hides."""
        return len(self.ordered) - len(self.shown)

    def rank(self, key: str) -> StudyRank | None:
        """A study by its key; None where it is not in the list."""
        spot = self.spots.get(key)
        return None if spot is None else self.ordered[spot].rank


def listed_of(
    work: WorkList,
    view: View,
    statuses: Mapping[str, Status],
    current: str = "",
) -> Listed:
    """A list as a reader wants to see it."""
    lines = tuple(
        Line(rank, place, (_sought(rank, blind=False), _sought(rank, blind=True)))
        for place, rank in enumerate(work.studies, 1)
    )
    made = Listed(work, lines, view, MappingProxyType(dict(statuses)))
    known = any(line.key == current for line in lines)
    return _arranged(replace(made, current=current if known else ""))


def with_view(listed: Listed, view: View) -> Listed:
    """The same list, seen otherwise; a column that a blind list lacks sorts nothing there."""
    if view.column not in columns_of(view.order):
        view = replace(view, column=None, falling=False)
    return _arranged(replace(listed, view=view))


def with_current(listed: Listed, key: str) -> Listed:
    """The same list with another study at hand."""
    return _filtered(replace(listed, current=key))


def with_status(listed: Listed, key: str, status: Status) -> Listed:
    """The same list once something was said of a study."""
    if listed.status(key) is status:
        return listed
    statuses = MappingProxyType({**listed.statuses, key: status})
    changed = replace(listed, statuses=statuses)
    by_status = listed.view.column is Column.STATUS
    return _arranged(changed) if by_status else _filtered(changed)


def read_anew(listed: Listed, work: WorkList, statuses: Mapping[str, Status]) -> Listed:
    """The list as it was written again; the reader keeps her place, and what she said since.

    Where the study at hand is not in it any more, the next of the old order that still is
    takes its place, or else the one before it.
    """
    known = {**listed.statuses, **statuses}
    return listed_of(work, listed.view, known, _kept_place(listed, work))


def neighbour(listed: Listed, by: int) -> StudyRank | None:
    """The next study (1) or the previous one (-1) that is shown; None at the ends."""
    lines = listed.shown if by > 0 else reversed(listed.shown)
    return next((line.rank for line in lines if _is_beyond(listed, line, by)), None)


def next_unread(listed: Listed) -> StudyRank | None:
    """The next unread study that is shown, from here to the end and then from the beginning."""
    read = {key for key, status in listed.statuses.items() if status is not Status.UNREAD}
    unread = [line for line in listed.shown if line.key not in read]
    ahead = (line.rank for line in unread if _is_beyond(listed, line, 1))
    others = (line.rank for line in unread if line.key != listed.current)
    return next(ahead, None) or next(others, None)


def filed_names(work: WorkList, names: Mapping[str, str]) -> dict[str, str]:
    """Under which name the library has each study, by its key.

    Parameters
    ----------
    names
        Of studies that were opened and are filed under another name than their first image's.
    """
    plain = {
        rank.key: (SYNTHETIC if rank.synthetic else "") + rank.study_uid
        for rank in work.studies
    }
    return plain | {key: name for key, name in names.items() if key in plain}


def counts_text(listed: Listed) -> str:
    """How far the reader is: ``"400 studies: 12 read, 3 recalled, 385 unread"``."""
    count = len(listed.lines)
    stand = [status for key, status in listed.statuses.items() if key in listed.spots]
    read, recalled = stand.count(Status.READ), stand.count(Status.RECALLED)
    return counted(
        "{count} study: {unread} unread, {read} read, {recalled} recalled",
        "{count} studies: {unread} unread, {read} read, {recalled} recalled",
        count,
    ).format(
        count=f"{count:,}",
        unread=f"{count - read - recalled:,}",
        read=f"{read:,}",
        recalled=f"{recalled:,}",
    )


def hidden_text(listed: Listed) -> str:
    """What the filter hides; empty where it hides nothing."""
    if not listed.hidden:
        return ""
    shown = {line.key for line in listed.shown}
    hidden = [line for line in listed.ordered if line.key not in shown]
    unread = sum(listed.status(line.key) is Status.UNREAD for line in hidden)
    attention = sum(line.needs_attention for line in hidden)
    text = counted(
        "The filter hides {count} study, {unread} of them unread",
        "The filter hides {count} studies, {unread} of them unread",
        len(hidden),
    )
    text = text.format(count=f"{len(hidden):,}", unread=f"{unread:,}")
    if listed.view.order != RANKED or not attention:
        return f"{text}."
    more = translate(mark("{count} not wholly analyzed")).format(count=f"{attention:,}")
    return f"{text}, {more}."


def _sought(rank: StudyRank, *, blind: bool) -> str:
    day = rank.date
    dashed = f"{day[:4]}-{day[4:6]}-{day[6:]}" if len(day) == 8 else ""
    remarks = remarks_of(rank, blind=blind)
    return "\n".join((rank.patient_id, day, dashed, *remarks)).casefold()


def _arranged(listed: Listed) -> Listed:
    if listed.view.order != RANKED:
        by_time = sorted(listed.lines, key=lambda line: (line.rank.date, line.key))
        return _placed(listed, _by_column(by_time, listed))
    groups = ([line for line in listed.lines if line.needs_attention is on] for on in _GROUPS)
    return _placed(listed, tuple(line for one in groups for line in _by_column(one, listed)))


def _placed(listed: Listed, ordered: tuple[Line, ...]) -> Listed:
    spots = MappingProxyType({line.key: spot for spot, line in enumerate(ordered)})
    return _filtered(replace(listed, ordered=ordered, spots=spots))


# What needs attention stands on top.
_GROUPS = (True, False)


def _by_column(lines: list[Line], listed: Listed) -> tuple[Line, ...]:
    """Sorted by the view's column; what has no value there comes last either way."""
    column = listed.view.column
    if column is None:
        return tuple(lines)
    blind = listed.view.order != RANKED
    values = {
        line.key: sort_value(line.rank, line.place, listed.status(line.key), column, blind)
        for line in lines
    }
    known = [line for line in lines if values[line.key] is not None]
    known.sort(key=lambda line: values[line.key], reverse=listed.view.falling)  # type: ignore[arg-type,return-value]
    return (*known, *(line for line in lines if values[line.key] is None))


def _filtered(listed: Listed) -> Listed:
    if not listed.view.filters:
        return replace(listed, shown=listed.ordered)
    return replace(listed, shown=tuple(line for line in listed.ordered if _fits(listed, line)))


def _fits(listed: Listed, line: Line) -> bool:
    view = listed.view
    ranked = view.order == RANKED
    parts = {Part.ATTENTION: True, Part.RANKED: False}
    if ranked and view.part in parts and line.needs_attention is not parts[view.part]:
        return False
    if view.text.strip().casefold() not in line.sought[not ranked]:
        return False
    # What the reader just judged stays until she goes on: it must not vanish under her eyes.
    at_hand = line.key == listed.current
    return view.status is None or at_hand or listed.status(line.key) is view.status


def _is_beyond(listed: Listed, line: Line, by: int) -> bool:
    """Whether a line lies on this side of the study at hand, which may itself be hidden."""
    here = listed.spots.get(listed.current)
    return here is None or (listed.spots[line.key] - here) * by > 0


def _kept_place(listed: Listed, work: WorkList) -> str:
    if not listed.current:
        return ""
    there = {rank.key for rank in work.studies}
    keys = [line.key for line in listed.ordered]
    here = listed.spots[listed.current]
    candidates = (*keys[here:], *reversed(keys[:here]))
    return next((key for key in candidates if key in there), "")
