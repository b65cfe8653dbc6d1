from __future__ import annotations

import json
from dataclasses import replace
from typing import cast

import pytest

from ml.mammo.codes import FindingType
from ml.mammo.geometry import Box
from tests.factories.analyses import make_analysis, make_finding
from tests.factories.words import (
    LATER,
    NOW,
    RCC,
    READER,
    accept,
    draw,
    make_decision,
    make_outcome,
    make_state,
)
from viewer.core import deciding
from viewer.core.decision import Deed, Speaker, Standing, last_words
from viewer.core.decision_json import decision_from_json, decision_to_json
from viewer.core.marks import Mark, mark_of, marks_of
from viewer.core.state import FindingKey, Reading, SessionState

UID = "1.2.3.RCC"


def standing(state: SessionState, key: FindingKey = RCC) -> Standing:
    mark = mark_of(state, key)
    assert mark is not None
    return mark.standing


def only(state: SessionState, uid: str = UID) -> Mark:
    (mark,) = marks_of(state, uid)
    return mark


def test_a_decision_says_who_when_and_after_seeing_what() -> None:
    state = accept(make_state())
    (decision,) = state.decisions
    about = decision.circumstances
    assert (about.reader, about.at) == (READER, NOW)
    assert (about.marks_shown, about.marks_seen, about.synthetic) == (True, True, False)
    assert about.models[0] == Speaker("detector", "detector", "1.2.0", "d" * 64)
    assert decision.said == make_finding(0.71)
    assert standing(state) is Standing.ACCEPTED


def test_rejecting_what_was_accepted_keeps_both() -> None:
    state = accept(make_state())
    decision = deciding.rejected(state, RCC, LATER)
    assert decision is not None
    state = deciding.add_decision(state, decision)
    assert [each.deed for each in state.decisions] == [Deed.ACCEPTED, Deed.REJECTED]
    assert len(last_words(state.decisions)) == 1
    assert standing(state) is Standing.REJECTED
    assert deciding.rejected(state, RCC, LATER) is None, "once is enough"


def test_another_type_and_another_box_are_accepted_with_it() -> None:
    state = make_state()
    decision = deciding.retyped(state, RCC, FindingType.ASYMMETRY, NOW)
    assert decision is not None
    state = deciding.add_decision(state, decision)
    decision = deciding.moved(state, RCC, Box(990.4, 800, 1180, 2500), NOW)
    assert decision is not None
    assert decision.box == Box(990, 800, 1180, 2400), "whole pixels, inside the image"
    mark = only(deciding.add_decision(state, decision))
    assert mark.standing is Standing.ACCEPTED
    assert (mark.finding_type, mark.is_retyped, mark.is_moved) == (
        FindingType.ASYMMETRY,
        True,
        True,
    )
    assert mark.said == make_finding(0.71)


def test_a_slip_of_the_hand_draws_nothing() -> None:
    place = (UID, None)
    for box in (Box(10, 10, 12, 90), Box(4000, 10, 4100, 90)):
        assert deciding.drawn(make_state(), place, box, FindingType.MASS, NOW, "m") is None


def test_what_is_drawn_blind_is_seen_alone_and_says_so() -> None:
    state = draw(make_state(blind=True))
    about = state.decisions[0].circumstances
    assert (about.marks_shown, about.marks_seen) == (False, False)
    assert only(state).said is None
    assert state.selected == only(state).key
    shown = replace(state, reading=Reading(revealed_at=NOW))
    assert len(marks_of(shown, UID)) == 2


def test_what_was_seen_once_counts_as_seen() -> None:
    state = replace(make_state(blind=True), reading=Reading(seen_before=True))
    about = draw(state).decisions[0].circumstances
    assert (about.marks_shown, about.marks_seen) == (False, True)


def test_what_an_earlier_word_says_was_seen_counts_as_seen() -> None:
    state = replace(make_state(blind=True), outcomes=(make_outcome(),))
    assert make_outcome().circumstances.marks_seen
    about = draw(state).decisions[0].circumstances
    assert (about.marks_shown, about.marks_seen) == (False, True)


def test_her_own_mark_is_removed_and_her_word_withdrawn() -> None:
    state = draw(make_state(blind=True))
    decision = deciding.taken_away(state, only(state).key, LATER)
    assert decision is not None
    assert decision.deed is Deed.REMOVED
    state = deciding.add_decision(state, decision)
    assert marks_of(state, UID) == ()
    assert state.selected is None
    state = accept(make_state())
    decision = deciding.taken_away(state, RCC, LATER)
    assert decision is not None
    assert decision.deed is Deed.WITHDRAWN
    state = deciding.add_decision(state, decision)
    assert standing(state) is Standing.OPEN
    assert deciding.taken_away(state, RCC, LATER) is None


def test_nothing_is_decided_on_what_is_not_there_or_hidden() -> None:
    state, hidden = make_state(), make_state(blind=True)
    for key in (None, FindingKey(UID, 7), FindingKey("9", 0)):
        assert deciding.accepted(state, key, NOW) is None
        assert deciding.moved(state, key, Box(0, 0, 9, 9), NOW) is None
        assert deciding.retyped(state, key, FindingType.MASS, NOW) is None
        assert deciding.taken_away(state, key, NOW) is None
    assert deciding.accepted(hidden, RCC, NOW) is None
    own = draw(state)
    assert deciding.accepted(own, own.selected, NOW) is None, "what she drew is hers already"


def test_a_decision_does_not_fall_on_another_study() -> None:
    decision = make_decision()
    closed = replace(make_state(), study=None)
    assert deciding.add_decision(closed, decision) is closed


def test_back_and_forth_is_by_new_decisions() -> None:
    start = make_state()
    done = accept(start)
    name = done.decisions[0].mark
    undone = deciding.brought_back(done, start, [name], Deed.UNDONE, LATER)
    assert [each.deed for each in undone.decisions] == [Deed.ACCEPTED, Deed.UNDONE]
    assert standing(undone) is Standing.OPEN
    again = deciding.brought_back(undone, done, [name], Deed.REDONE, LATER)
    assert standing(again) is Standing.ACCEPTED
    assert again.decisions[-1].circumstances.at == LATER
    assert len(again.decisions) == 3


def test_a_drawing_that_is_undone_is_gone_and_comes_back() -> None:
    start = make_state(blind=True)
    done = draw(start)
    undone = deciding.brought_back(done, start, ["m1"], Deed.UNDONE, LATER)
    assert marks_of(undone, UID) == ()
    assert undone.selected is None
    mark = only(deciding.brought_back(undone, done, ["m1"], Deed.REDONE, LATER))
    assert (mark.box, mark.standing) == (only(done).box, Standing.DRAWN)


@pytest.mark.parametrize("shift", [0, 20])
def test_a_newer_model_at_the_same_place_is_covered_by_the_word(shift: int) -> None:
    state = accept(make_state())
    analysis = make_analysis()
    box = Box(1000 + shift, 800, 1180 + shift, 970)
    newer = replace(make_finding(0.66), box=box)
    images = (replace(analysis.images[0], findings=(newer,)), *analysis.images[1:])
    state = replace(state, analysis=replace(analysis, images=images))
    mark = only(state)
    assert (mark.standing, mark.box, mark.score) == (Standing.ACCEPTED, box, 0.66)


def test_a_word_outlives_the_finding_that_it_was_about() -> None:
    state = accept(make_state())
    analysis = make_analysis()
    images = (replace(analysis.images[0], findings=()), *analysis.images[1:])
    mark = only(replace(state, analysis=replace(analysis, images=images)))
    assert (mark.standing, mark.key.index) == (Standing.ACCEPTED, -1)
    assert mark.said == make_finding(0.71)


def test_what_was_decided_is_shown_under_any_threshold() -> None:
    state = make_state()
    assert not only(state).is_shown(0.9)
    assert only(accept(state)).is_shown(0.9)


@pytest.mark.parametrize("state", [accept(make_state()), draw(make_state())])
def test_a_decision_is_the_same_through_json(state: SessionState) -> None:
    for decision in state.decisions:
        text = json.dumps(decision_to_json(decision))
        assert decision_from_json(json.loads(text)) == decision


def test_how_the_list_was_read_goes_through_json_and_older_words_do_not_say() -> None:
    (decision,) = accept(replace(make_state(), listed="ranked")).decisions
    document = decision_to_json(decision)
    assert decision_from_json(document).circumstances.listed == "ranked"
    about = cast("dict[str, object]", document["circumstances"])
    del about["listed"]
    assert decision_from_json(document).circumstances.listed == ""


@pytest.mark.parametrize("document", [3, [], {}, {"mark": "a"}])
def test_what_is_no_decision_is_refused(document: object) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        decision_from_json(document)


def test_what_was_kept_stands_before_what_was_said_since() -> None:
    kept = accept(make_state()).decisions
    state = draw(make_state())
    assert deciding.restore_decisions(state, ()) is state
    both = deciding.restore_decisions(state, kept)
    assert both.decisions == (*kept, *state.decisions)
