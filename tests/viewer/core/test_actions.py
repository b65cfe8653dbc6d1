from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.factories.analyses import make_analysis, make_study
from viewer.core import actions, deciding, reading, viewing
from viewer.core.state import (
    AnalysisPhase,
    FindingKey,
    Length,
    Refusal,
    SessionState,
    Tool,
    restore_view,
)

STUDY = make_study()
OPEN = actions.open_studies(SessionState(), [STUDY])


def cameras(state: SessionState):
    return [viewport.camera for viewport in state.viewports]


def test_opening_hangs_the_first_study_and_keeps_what_was_refused():
    refusal = Refusal(Path("bad.dcm"), "It is short.")
    state = actions.open_studies(SessionState(opening="Reading"), [STUDY], [refusal])
    assert (state.study, state.refusals, state.opening) == (STUDY, (refusal,), "")
    assert len(state.viewports) == 4


def test_opening_nothing_keeps_the_open_study():
    refusal = Refusal(Path("bad.dcm"), "It is short.")
    state = actions.open_studies(OPEN, [], [refusal])
    assert (state.study, state.refusals) == (STUDY, (refusal,))


def test_a_study_opened_again_stands_in_the_list_once():
    again = make_study()
    assert actions.open_studies(OPEN, [again]).studies == (again,)


def test_a_lone_image_fills_the_canvas():
    assert actions.set_study(SessionState(), make_study(("LCC",))).one_up
    assert not OPEN.one_up


def test_an_analysis_of_a_study_that_was_closed_is_not_shown():
    closed = actions.close_study(OPEN)
    assert (closed.study, closed.studies) == (None, ())
    assert actions.set_analysis(closed, STUDY, make_analysis()) is closed
    assert actions.fail_analysis(closed, STUDY, "no") is closed


def test_the_analysis_goes_through_its_phases():
    waiting = actions.start_analysis(OPEN, STUDY)
    assert waiting.analysis_phase is AnalysisPhase.WAITING
    assert actions.set_analysis(waiting, STUDY, make_analysis()).analysis_phase is (
        AnalysisPhase.DONE
    )
    failed = actions.fail_analysis(waiting, STUDY, "No memory.")
    assert (failed.analysis_phase, failed.analysis_error) == (
        AnalysisPhase.FAILED,
        "No memory.",
    )


def test_stepping_through_the_work_list_stops_at_its_ends():
    other = make_study(("RCC",))
    state = SessionState(studies=(STUDY, other), study=STUDY)
    after = actions.step_study(state, 1)
    assert after.study is other
    assert actions.step_study(after, 1) is after


def test_selecting_a_finding_goes_to_its_viewport():
    key = FindingKey("1.2.3.LMLO", 0)
    state = actions.select_finding(OPEN, key)
    assert (state.selected, state.active) == (key, 3)
    assert actions.select_finding(state, key) is state


def test_lengths_are_drawn_and_forgotten():
    state = actions.add_length(OPEN, Length("1.2.3.RCC", (0, 0), (1, 1)))
    state = actions.move_length_end(state, (5, 6))
    assert state.lengths[0].end == (5, 6)
    assert actions.clear_lengths(state).lengths == ()
    assert actions.set_study(state, STUDY).lengths == ()


def test_undo_brings_back_the_view_and_keeps_what_was_said():
    later = actions.set_analysis(viewing.zoom_by(OPEN, 2), STUDY, make_analysis())
    undone = restore_view(later, OPEN)
    assert cameras(undone) == cameras(OPEN)
    assert undone.analysis is later.analysis


def test_the_tool_is_set():
    assert actions.set_tool(OPEN, Tool.LENGTH).tool is Tool.LENGTH


def test_a_study_of_a_list_says_how_the_list_is_read():
    first, second = make_study(), replace(make_study(), uid="9.9")
    state = actions.open_listed(OPEN, ((first,), ()), "blind")
    assert (state.study, state.listed) == (first, "blind")
    assert actions.set_study(state, STUDY).listed == ""
    assert actions.close_study(state).listed == ""
    state = actions.open_listed(state, ((second,), ()), "ranked", earlier=(first,))
    assert (state.study, state.listed) == (second, "ranked")
    assert first not in state.studies


def test_a_study_of_a_list_that_cannot_be_opened_leaves_the_other_as_it_is():
    listed = actions.open_listed(OPEN, ((STUDY,), ()), "blind")
    refusal = Refusal(Path("bad.dcm"), "It is short.")
    state = actions.open_listed(listed, ((), (refusal,)), "ranked", earlier=(STUDY,))
    assert (state.study, state.studies, state.listed) == (STUDY, (STUDY,), "blind")
    assert state.refusals == (refusal,)


def test_the_machine_is_silent_of_a_study_of_a_blind_list_until_the_reader_spoke():
    state = actions.open_listed(OPEN, ((STUDY,), ()), "blind")
    assert not state.machine_shown
    assert reading.reveal(state, "2026-01-01T10:00:00Z").machine_shown
    shown = actions.show_ranks(state)
    assert (shown.listed, shown.machine_shown) == ("ranked", True)
    assert actions.show_ranks(OPEN) is OPEN


def test_what_is_said_of_a_listed_study_says_so():
    state = actions.open_listed(OPEN, ((STUDY,), ()), "blind")
    assert deciding.circumstances(state, "2026-01-01T10:00:00Z").listed == "blind"
    assert deciding.circumstances(OPEN, "2026-01-01T10:00:00Z").listed == ""
