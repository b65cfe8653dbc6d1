from dataclasses import replace

import pytest

from ml.mammo.codes import Laterality
from tests.factories.analyses import make_analysis, make_study
from viewer.core import actions, reading
from viewer.core.state import BLIND, FindingKey, Impression, Reading, SessionState

RIGHT, LEFT = Laterality.RIGHT, Laterality.LEFT
NOW, LATER = "2026-01-01T10:00:00Z", "2026-01-01T10:05:00Z"


def opened(*, blind: bool, titles: tuple[str, ...] = ("RCC", "LCC")) -> SessionState:
    study = make_study(titles)
    return SessionState(study=study, analysis=make_analysis(), blind_first_read=blind)


def test_marks_stay_hidden_until_both_breasts_are_judged():
    state = opened(blind=True)
    state = reading.record_impression(state, RIGHT, Impression.RECALL, NOW)
    assert not state.machine_shown
    state = reading.record_impression(state, LEFT, Impression.NORMAL, LATER)
    assert state.machine_shown
    assert state.reading.revealed_at == LATER
    assert dict(state.reading.before) == {RIGHT: Impression.RECALL, LEFT: Impression.NORMAL}
    assert dict(state.reading.after) == {}


def test_a_study_of_one_breast_needs_one_impression():
    state = opened(blind=True, titles=("LCC", "LMLO"))
    assert reading.record_impression(state, RIGHT, Impression.RECALL, NOW) is state
    assert reading.record_impression(state, LEFT, Impression.RECALL, NOW).machine_shown


def test_the_first_impression_may_be_changed_while_it_is_blind_and_never_after():
    state = opened(blind=True)
    for impression in (Impression.RECALL, Impression.NORMAL):
        state = reading.record_impression(state, RIGHT, impression, NOW)
    state = reading.record_impression(state, LEFT, Impression.NORMAL, NOW)
    state = reading.record_impression(state, RIGHT, Impression.RECALL, LATER)
    assert state.reading.before[RIGHT] is Impression.NORMAL
    assert state.reading.after[RIGHT] is Impression.RECALL
    assert state.reading.revealed_at == NOW


def test_the_reveal_key_shows_the_marks_once():
    state = reading.reveal(opened(blind=True), NOW)
    assert state.machine_shown
    assert reading.reveal(state, LATER).reading.revealed_at == NOW


def test_reveal_says_nothing_without_a_study_or_a_blind_read():
    assert reading.reveal(SessionState(blind_first_read=True), NOW).reading.revealed_at == ""
    assert reading.reveal(opened(blind=False), NOW).reading.revealed_at == ""


def test_without_the_switch_every_impression_is_an_informed_one():
    state = reading.record_impression(opened(blind=False), RIGHT, Impression.RECALL, NOW)
    assert dict(state.reading.before) == {}
    assert state.reading.after[RIGHT] is Impression.RECALL


def test_turning_the_switch_off_over_hidden_marks_is_a_reveal():
    state = reading.set_blind_first_read(opened(blind=True), False, NOW)
    assert state.machine_shown
    assert state.reading.revealed_at == NOW


def test_turning_the_switch_on_hides_the_marks_and_remembers_that_they_were_seen():
    seen = replace(opened(blind=False), selected=FindingKey("1.2.3.RCC", 0))
    state = reading.set_blind_first_read(seen, True, NOW)
    assert not state.machine_shown
    assert state.reading.seen_before
    assert state.selected is None


def test_a_read_begun_before_the_analysis_came_is_still_blind():
    waiting = replace(opened(blind=False), analysis=None)
    assert not reading.set_blind_first_read(waiting, True, NOW).reading.seen_before


def analyzed(*, blind: bool) -> SessionState:
    """A study whose analysis has just come."""
    state = replace(opened(blind=blind), analysis=None)
    assert state.study is not None
    return actions.set_analysis(state, state.study, make_analysis())


def test_marks_that_come_into_view_are_remembered_and_hidden_ones_are_not():
    shown, hidden = analyzed(blind=False), analyzed(blind=True)
    assert shown.reading.seen_before
    assert reading.has_seen(shown)
    assert hidden.reading == Reading()
    assert not reading.has_seen(hidden)


def test_a_study_that_is_left_and_opened_again_was_seen_whatever_the_library_kept():
    study = analyzed(blind=False).study
    left = actions.set_study(analyzed(blind=False), None)
    again = actions.set_study(replace(left, blind_first_read=True), study)
    assert again.reading == Reading()
    assert reading.has_seen(again)
    assert not reading.has_seen(actions.set_study(again, replace(make_study(), uid="9")))
    made = tuple(replace(image, synthetic=True) for image in make_study().images)
    assert not reading.has_seen(actions.set_study(again, replace(make_study(), images=made)))


def test_a_first_read_that_was_blind_stays_so_once_it_is_revealed():
    state = analyzed(blind=True)
    for side in (RIGHT, LEFT):
        state = reading.record_impression(state, side, Impression.NORMAL, NOW)
    assert not state.reading.seen_before
    assert reading.has_seen(state)
    again = actions.set_study(replace(state, blind_first_read=False), state.study)
    assert again.study is not None
    early = actions.set_analysis(again, again.study, make_analysis())
    assert early.reading.seen_before
    assert reading.restore_reading(early, state.reading).reading == state.reading


def test_what_came_before_the_kept_reading_is_added_to_it():
    kept = Reading({RIGHT: Impression.RECALL})
    state = reading.restore_reading(analyzed(blind=False), kept)
    assert state.reading == replace(kept, seen_before=True)


def test_whoever_looks_at_the_ranks_of_a_blind_list_sees_the_marks():
    state = replace(opened(blind=False), listed=BLIND)
    assert not reading.has_seen(state)
    assert actions.show_ranks(state).reading.seen_before


def test_off_and_on_again_does_not_launder_what_was_seen():
    state = reading.set_blind_first_read(opened(blind=True), False, NOW)
    state = reading.set_blind_first_read(state, True, LATER)
    assert not state.machine_shown
    assert state.reading.seen_before


def test_a_finished_first_read_stays_revealed():
    state = opened(blind=True)
    for side in (RIGHT, LEFT):
        state = reading.record_impression(state, side, Impression.NORMAL, NOW)
    for on in (False, True):
        state = reading.set_blind_first_read(state, on, LATER)
    assert state.machine_shown
    assert state.reading.revealed_at == NOW


def test_an_unturned_switch_changes_nothing():
    state = opened(blind=True)
    assert reading.set_blind_first_read(state, True, NOW) is state


@pytest.mark.parametrize("kept", [None, Reading(revealed_at=NOW)])
def test_a_kept_reading_comes_back_with_its_study(kept: Reading | None):
    state = reading.restore_reading(opened(blind=True), kept)
    assert state.machine_shown is (kept is not None)


def test_times_are_utc_to_the_second():
    assert len(reading.utc_now()) == len(NOW)
    assert reading.utc_now().endswith("Z")
