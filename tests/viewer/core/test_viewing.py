from __future__ import annotations

import pytest

from ml.mammo.mammogram import Window
from tests.factories.analyses import make_image, make_study
from viewer.core import actions, viewing
from viewer.core.state import SessionState

STUDY = make_study()
OPEN = actions.open_studies(SessionState(), [STUDY])
WINDOWS = {image.sop_instance_uid: Window(2000, 1000) for image in STUDY.images}


def shown(state: SessionState):
    return [viewport.presentation for viewport in state.viewports]


def cameras(state: SessionState):
    return [viewport.camera for viewport in state.viewports]


def test_linked_window_drag_keeps_what_sets_images_apart():
    windows = dict(WINDOWS)
    first, second = (STUDY.images[i].sop_instance_uid for i in (0, 1))
    windows[second] = Window(500, 100)
    dragged = viewing.drag_window(OPEN, windows, 0.1, 0.0)
    by_uid = {
        viewport.image.sop_instance_uid: viewport.presentation.window
        for viewport in dragged.viewports
        if viewport.image
    }
    assert by_uid[first] == Window(1900, 1000)
    assert by_uid[second] == Window(490, 100)


def test_an_unlinked_drag_changes_the_active_image_alone():
    state = viewing.drag_window(viewing.toggle_linked(OPEN), WINDOWS, 0.1, 0.2)
    assert [p.window is not None for p in shown(state)] == [True, False, False, False]


def test_a_window_never_becomes_too_narrow():
    state = OPEN
    for _ in range(5):
        state = viewing.drag_window(state, WINDOWS, 0.0, -20.0)
    assert shown(state)[0].window.width == 2.0


def test_inversion_and_raw_air_go_there_and_back():
    for toggle, name in (
        (viewing.toggle_inverted, "inverted"),
        (viewing.toggle_raw_air, "raw_air"),
    ):
        on = toggle(OPEN)
        assert all(getattr(each, name) for each in shown(on))
        assert shown(toggle(on)) == shown(OPEN)


def test_panning_mirrors_the_other_breast():
    moved = cameras(viewing.pan_by(OPEN, 10, -20))
    assert [camera.offset_columns for camera in moved] == [-20, 20, -20, 20]
    assert {camera.offset_rows for camera in moved} == {10}


@pytest.mark.parametrize("factor", [0.5, 1.25, 4.0])
def test_zoom_keeps_the_anchor_where_it_is(factor: float):
    before = cameras(viewing.pan_by(OPEN, 7, 5))[0]
    after = cameras(viewing.zoom_by(viewing.pan_by(OPEN, 7, 5), factor, (60, -80)))[0]
    # What lies under the anchor, in pixels at zoom 1.
    for anchor, one, other in (
        (60, before.offset_rows, after.offset_rows),
        (-80, before.offset_columns, after.offset_columns),
    ):
        assert anchor / before.zoom - one == pytest.approx(anchor / after.zoom - other)


def test_fit_and_reset_bring_everything_back():
    changed = viewing.toggle_inverted(viewing.zoom_by(OPEN, 3))
    assert cameras(viewing.fit(changed)) == cameras(OPEN)
    assert shown(viewing.fit(changed)) == shown(changed)
    assert shown(viewing.reset(changed)) == shown(OPEN)


def test_voi_cycles_from_the_readers_window_back_to_the_image():
    state = viewing.set_window(OPEN, Window(1, 100))
    assert shown(viewing.cycle_voi(state))[0].window is None


def test_an_extra_image_takes_the_active_slot_and_a_hung_one_is_gone_to():
    extra = make_image("RCC")
    placed = viewing.place_image(viewing.set_active(OPEN, 1), extra)
    assert placed.viewports[1].image is extra
    assert viewing.place_image(OPEN, STUDY.images[3]).active == 3


def test_viewports_are_stepped_around():
    assert viewing.step_active(OPEN, -1).active == 3
    assert viewing.set_active(OPEN, 9) is OPEN


def test_nothing_happens_without_a_study():
    empty = SessionState()
    for action in (
        viewing.fit,
        viewing.reset,
        viewing.toggle_one_up,
        viewing.cycle_voi,
        viewing.toggle_inverted,
        lambda state: viewing.step_active(state, 1),
        lambda state: viewing.set_zoom(state, 2),
    ):
        assert action(empty) is empty
