"""The list of a screened folder: its order, its filters, its place, and what blind means."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from ml.mammo.codes import BreastDensity, Laterality
from ml.screen.ranking import BreastRank, Group
from tests.factories.worklists import make_few, make_many, make_rank, make_worklist
from viewer.core.read_study import Status
from viewer.core.screening import (
    Listed,
    Part,
    View,
    counts_text,
    filed_names,
    hidden_text,
    listed_of,
    neighbour,
    next_unread,
    read_anew,
    with_current,
    with_status,
    with_view,
)
from viewer.core.screening_words import Column, cell, columns_of, is_above, remarks_of
from viewer.core.state import BLIND, RANKED

FEW = make_few()
RANKED_KEYS = ["damaged", "partial", "0.9", "0.7", "0.3", "0.1"]
BLIND_VIEW = View(order=BLIND)


def few(view: View | None = None, current: str = "", **statuses: Status) -> Listed:
    return with_view(listed_of(FEW, View(), statuses, current), view or View())


def keys(listed: Listed) -> list[str]:
    return [line.key for line in listed.shown]


def key_of(rank: object) -> str | None:
    return getattr(rank, "key", None)


def test_what_was_not_wholly_analyzed_is_on_top() -> None:
    assert keys(few()) == RANKED_KEYS
    assert [line.place for line in few().shown] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("column", list(Column))
@pytest.mark.parametrize("falling", [True, False])
def test_it_stays_on_top_in_every_sort(column: Column, falling: bool) -> None:
    shown = few(View(column=column, falling=falling)).shown
    assert [line.needs_attention for line in shown] == [True, True, *[False] * 4]


def test_a_column_sorts_within_the_group_and_what_has_nothing_there_is_last() -> None:
    rising = View(column=Column.SCORE)
    assert keys(few(rising))[2:] == ["0.1", "0.3", "0.7", "0.9"]
    work = make_worklist(make_rank("a", score=0.2), make_rank("b", score=None), make_rank("c"))
    for falling, order in ((True, ["c", "a", "b"]), (False, ["a", "c", "b"])):
        view = View(column=Column.SCORE, falling=falling)
        assert keys(with_view(listed_of(work, view, {}), view)) == order


def test_a_blind_list_is_by_time_and_knows_no_group() -> None:
    work = make_worklist(
        make_rank("late", date="20260101", score=0.99),
        make_rank("early", date="20230101", score=0.01),
        make_rank("partial", date="20240101", group=Group.ATTENTION, reasons=("RCC.",)),
    )
    listed = listed_of(work, BLIND_VIEW, {})
    assert keys(listed) == ["early", "partial", "late"]
    parted = with_view(listed, replace(BLIND_VIEW, part=Part.RANKED))
    assert keys(parted) == ["early", "partial", "late"]
    assert not parted.view.filters


def test_nothing_that_the_models_say_is_in_a_blind_list() -> None:
    rank = make_rank(
        "1",
        score=0.8765,
        probability=0.1234,
        above=True,
        density=BreastDensity.D,
        breasts=(BreastRank(Laterality.RIGHT, 0.8765, 0.1234, 0.4321, above=True),),
        reasons=("LCC is missing.", "RCC: The models gave no score."),
        group=Group.ATTENTION,
    )
    columns = columns_of(BLIND)
    assert set(columns).isdisjoint(
        (Column.PLACE, Column.SCORE, Column.PROBABILITY, Column.RIGHT, Column.LEFT)
    )
    assert Column.DENSITY not in columns
    cells = [cell(rank, 77, Status.UNREAD, column, blind=True) for column in columns]
    assert cells == ["unread", "WOMAN 1", "2026-01-02", "1", "LCC is missing."]
    listed = listed_of(make_worklist(rank), replace(BLIND_VIEW, text="operating point"), {})
    assert listed.shown == ()


def test_a_ranked_list_says_all_that_is_known() -> None:
    rank = make_rank("1", score=0.876, probability=0.1234, above=True)
    told = {c: cell(rank, 1234, Status.READ, c, blind=False) for c in columns_of(RANKED)}
    assert told[Column.PLACE] == "1,234"
    assert told[Column.SCORE] == "0.88"
    assert told[Column.PROBABILITY] == "12.3 %"
    assert (told[Column.RIGHT], told[Column.LEFT]) == ("0.25", "")
    assert told[Column.REMARKS] == "At or above the operating point."
    assert is_above(rank, Column.SCORE)
    assert not is_above(rank, Column.RIGHT)
    assert "synthetic" in cell(
        make_rank("2", synthetic=True), 1, Status.READ, Column.PATIENT, blind=False
    )
    assert remarks_of(rank, blind=True) == ()


def test_a_blind_list_is_not_sorted_by_what_it_lacks() -> None:
    listed = with_view(few(), View(order=BLIND, column=Column.SCORE))
    assert listed.view.column is None
    assert keys(listed)[0] == "partial"


def test_a_text_finds_patients_dates_and_remarks() -> None:
    assert keys(few(View(text=" woman 0.9 "))) == ["0.9"]
    assert keys(few(View(text="2024-01-01"))) == ["partial"]
    assert keys(few(View(text="DAMAGED"))) == ["damaged"]
    assert keys(few(View(text="20240101"))) == ["partial"]


def test_what_a_filter_hides_is_told_with_what_needs_attention() -> None:
    assert hidden_text(few()) == ""
    text = hidden_text(few(View(text="woman 0.9"), damaged=Status.READ))
    assert text == "The filter hides 5 studies, 4 of them unread, 2 not wholly analyzed."
    ranked_alone = few(View(part=Part.RANKED))
    assert keys(ranked_alone) == RANKED_KEYS[2:]
    assert "2 not wholly analyzed" in hidden_text(ranked_alone)
    assert keys(few(View(part=Part.ATTENTION))) == RANKED_KEYS[:2]
    blind = few(replace(BLIND_VIEW, text="woman 0.9"))
    assert hidden_text(blind) == "The filter hides 5 studies, 5 of them unread."


def test_what_the_reader_just_judged_stays_until_she_goes_on() -> None:
    unread = View(status=Status.UNREAD)
    listed = with_status(few(unread, "0.9"), "0.9", Status.READ)
    assert "0.9" in keys(listed)
    gone_on = with_current(listed, "0.7")
    assert "0.9" not in keys(gone_on)
    assert hidden_text(gone_on) == "The filter hides 1 study, 0 of them unread."
    assert keys(few(View(status=Status.RECALLED), partial=Status.RECALLED)) == ["partial"]


def test_the_neighbours_are_those_that_are_shown() -> None:
    assert key_of(neighbour(few(), 1)) == "damaged"
    assert key_of(neighbour(few(current="0.9"), 1)) == "0.7"
    assert key_of(neighbour(few(current="0.9"), -1)) == "partial"
    assert neighbour(few(current="0.1"), 1) is None
    assert neighbour(few(current="damaged"), -1) is None
    searched = few(View(text="woman 0.1"), "0.9")
    assert key_of(neighbour(searched, 1)) == "0.1"
    assert neighbour(searched, -1) is None


def test_the_next_unread_is_looked_for_from_here_and_then_from_the_beginning() -> None:
    read = {"0.7": Status.READ, "0.3": Status.RECALLED}
    assert key_of(next_unread(few(None, "0.9", **read))) == "0.1"
    assert key_of(next_unread(few(None, "0.1", **read))) == "damaged"
    rest = dict.fromkeys(RANKED_KEYS, Status.READ)
    assert next_unread(few(None, "0.1", **rest)) is None
    assert next_unread(few(None, "0.9", **(rest | {"0.9": Status.UNREAD}))) is None


def test_the_reader_keeps_her_place_when_the_list_is_written_again() -> None:
    listed = few(View(text="woman"), "0.7")
    more = make_worklist(*FEW.studies, make_rank("new", score=0.95, probability=0.95))
    again = read_anew(listed, more, {"0.9": Status.READ})
    assert (again.current, again.view.text) == ("0.7", "woman")
    assert "new" in keys(again)
    assert again.status("0.9") is Status.READ
    said = with_status(listed, "0.7", Status.RECALLED)
    assert read_anew(said, more, {}).status("0.7") is Status.RECALLED
    gone = make_worklist(*(rank for rank in FEW.studies if rank.key != "0.7"))
    assert read_anew(listed, gone, {}).current == "0.3"
    first = make_worklist(FEW.studies[0])
    assert read_anew(listed, first, {}).current == "damaged"
    assert read_anew(few(), gone, {}).current == ""


def test_a_place_that_is_not_in_the_list_is_none() -> None:
    assert listed_of(FEW, View(), {}, "gone").current == ""


def test_each_study_is_filed_as_it_was_opened() -> None:
    work = make_worklist(make_rank("1"), make_rank("2", synthetic=True), make_rank("3"))
    names = filed_names(work, {"3": "9.9", "gone": "8"})
    assert names == {"1": "1.2.1", "2": "synthetic:1.2.2", "3": "9.9"}


def test_how_far_the_reader_is_is_told() -> None:
    told = counts_text(few(None, "", damaged=Status.READ, partial=Status.RECALLED))
    assert told == "6 studies: 4 unread, 1 read, 1 recalled"


def test_ten_thousand_studies_are_sorted_and_filtered_at_once() -> None:
    work = make_many(10000)
    began = time.thread_time()
    listed = listed_of(work, View(), {})
    made_s = time.thread_time() - began
    began = time.thread_time()
    listed = with_view(listed, View(column=Column.DATE, falling=True))
    listed = with_view(listed, View(column=Column.SCORE, text="woman 001"))
    listed = with_current(listed, listed.shown[50].key)
    assert neighbour(listed, 1) is not None
    assert next_unread(listed) is not None
    assert hidden_text(listed)
    taken_s = time.thread_time() - began
    assert len(listed.shown) == 100
    # Of the processor, however busy the machine is: some ten times what it takes.
    assert made_s < 4
    assert taken_s < 3
