from __future__ import annotations

from pathlib import Path

import pytest

from ml.mammo.mammogram import Window
from tests.factories.analyses import make_analysis, make_image, make_study
from viewer.core import actions
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
WINDOWS = {image.sop_instance_uid: Window(2000, 1000) for image in STUDY.images}


def shown(state: SessionState):
    return [viewport.presentation for viewport in state.viewports]


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


def test_linked_window_drag_keeps_what_sets_images_apart():
    windows = dict(WINDOWS)
    first, second = (STUDY.images[i].sop_instance_uid for i in (0, 1))
    windows[second] = Window(500, 100)
    dragged = actions.drag_window(OPEN, windows, 0.1, 0.0)
    by_uid = {
        viewport.image.sop_instance_uid: viewport.presentation.window
        for viewport in dragged.viewports
        if viewport.image
    }
    assert by_uid[first] == Window(1900, 1000)
    assert by_uid[second] == Window(490, 100)


def test_an_unlinked_drag_changes_the_active_image_alone():
    state = actions.drag_window(actions.toggle_linked(OPEN), WINDOWS, 0.1, 0.2)
    assert [p.window is not None for p in shown(state)] == [True, False, False, False]


def test_a_window_never_becomes_too_narrow():
    state = OPEN
    for _ in range(5):
        state = actions.drag_window(state, WINDOWS, 0.0, -20.0)
    assert shown(state)[0].window.width == 2.0


def test_inversion_and_raw_air_go_there_and_back():
    for toggle, name in (
        (actions.toggle_inverted, "inverted"),
        (actions.toggle_raw_air, "raw_air"),
    ):
        on = toggle(OPEN)
        assert all(getattr(each, name) for each in shown(on))
        assert shown(toggle(on)) == shown(OPEN)


def test_panning_mirrors_the_other_breast():
    moved = cameras(actions.pan_by(OPEN, 10, -20))
    assert [camera.offset_columns for camera in moved] == [-20, 20, -20, 20]
    assert {camera.offset_rows for camera in moved} == {10}


@pytest.mark.parametrize("factor", [0.5, 1.25, 4.0])
def test_zoom_keeps_the_anchor_where_it_is(factor: float):
    before = cameras(actions.pan_by(OPEN, 7, 5))[0]
    after = cameras(actions.zoom_by(actions.pan_by(OPEN, 7, 5), factor, (60, -80)))[0]
    # What lies under the anchor, in pixels at zoom 1.
    for anchor, one, other in (
        (60, before.offset_rows, after.offset_rows),
        (-80, before.offset_columns, after.offset_columns),
    ):
        assert anchor / before.zoom - one == pytest.approx(anchor / after.zoom - other)


def test_fit_and_reset_bring_everything_back():
    changed = actions.toggle_inverted(actions.zoom_by(OPEN, 3))
    assert cameras(actions.fit(changed)) == cameras(OPEN)
    assert shown(actions.fit(changed)) == shown(changed)
    assert shown(actions.reset(changed)) == shown(OPEN)


def test_voi_cycles_from_the_readers_window_back_to_the_image():
    state = actions.set_window(OPEN, Window(1, 100))
    assert shown(actions.cycle_voi(state))[0].window is None


def test_selecting_a_finding_goes_to_its_viewport():
    key = FindingKey("1.2.3.LMLO", 0)
    state = actions.select_finding(OPEN, key)
    assert (state.selected, state.active) == (key, 3)
    assert actions.select_finding(state, key) is state


def test_an_extra_image_takes_the_active_slot_and_a_hung_one_is_gone_to():
    extra = make_image("RCC")
    placed = actions.place_image(actions.set_active(OPEN, 1), extra)
    assert placed.viewports[1].image is extra
    assert actions.place_image(OPEN, STUDY.images[3]).active == 3


def test_viewports_are_stepped_around():
    assert actions.step_active(OPEN, -1).active == 3
    assert actions.set_active(OPEN, 9) is OPEN


def test_lengths_are_drawn_and_forgotten():
    state = actions.add_length(OPEN, Length("1.2.3.RCC", (0, 0), (1, 1)))
    state = actions.move_length_end(state, (5, 6))
    assert state.lengths[0].end == (5, 6)
    assert actions.clear_lengths(state).lengths == ()
    assert actions.set_study(state, STUDY).lengths == ()


def test_nothing_happens_without_a_study():
    empty = SessionState()
    for action in (
        actions.fit,
        actions.reset,
        actions.toggle_one_up,
        actions.cycle_voi,
        actions.toggle_inverted,
        lambda state: actions.step_active(state, 1),
        lambda state: actions.set_zoom(state, 2),
    ):
        assert action(empty) is empty


def test_undo_brings_back_the_view_and_keeps_what_was_said():
    later = actions.set_analysis(actions.zoom_by(OPEN, 2), STUDY, make_analysis())
    undone = restore_view(later, OPEN)
    assert cameras(undone) == cameras(OPEN)
    assert undone.analysis is later.analysis


def test_the_tool_is_set():
    assert actions.set_tool(OPEN, Tool.LENGTH).tool is Tool.LENGTH
