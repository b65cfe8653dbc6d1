"""What each command of the table does in the main window."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ml.mammo.codes import Laterality
from viewer.core import actions, reading, viewing
from viewer.core.decision import Deed
from viewer.core.state import FindingKey, Impression
from viewer.display.render import PRESETS
from viewer.qt.canvas.scene import visible_marks
from viewer.qt.commands import TOOLS

if TYPE_CHECKING:
    from collections.abc import Callable

    from viewer.core.state import SessionState
    from viewer.qt.main_window import MainWindow

PAN_SHARE = 0.1
ZOOM_STEP = 1.25
# A key press changes the window by a tenth.
GRAY_STEP = 0.1
WIDTH_STEP = 0.15

Handlers = dict[str, "Callable[[], object]"]


def handlers_for(window: MainWindow) -> Handlers:
    """A function for every command."""
    return {
        **_file(window),
        **_study(window),
        **_view(window),
        **_image(window),
        **_findings(window),
        **_deciding(window),
        **_dialogs(window),
    }


def _file(window: MainWindow) -> Handlers:
    return {
        "open_files": window.choose_files,
        "open_together": partial(window.choose_files, together=True),
        "open_folder": window.choose_folder,
        "screen": window.show_screening,
        "open_sample": window.open_sample,
        "quit": window.close,
    }


def _study(window: MainWindow) -> Handlers:
    return {
        "next_study": partial(window.step_study, 1),
        "previous_study": partial(window.step_study, -1),
        "hang_together": lambda: window.opener.hang_together(),
        "close_study": _apply(window, actions.close_study),
        "show_refused": window.show_refused,
        "undo": window.session.undo,
        "redo": window.session.redo,
    }


def _view(window: MainWindow) -> Handlers:
    canvas = window.canvas
    return {
        "fit": _apply(window, viewing.fit),
        "one_to_one": canvas.one_to_one,
        "zoom_in": partial(canvas.zoom, ZOOM_STEP),
        "zoom_out": partial(canvas.zoom, 1 / ZOOM_STEP),
        "pan_left": partial(canvas.pan, 0.0, -PAN_SHARE),
        "pan_right": partial(canvas.pan, 0.0, PAN_SHARE),
        "pan_up": partial(canvas.pan, -PAN_SHARE, 0.0),
        "pan_down": partial(canvas.pan, PAN_SHARE, 0.0),
        "one_up": _apply(window, viewing.toggle_one_up),
        "next_viewport": _apply(window, lambda state: viewing.step_active(state, 1)),
        "previous_viewport": _apply(window, lambda state: viewing.step_active(state, -1)),
        "linked": _apply(window, viewing.toggle_linked),
        "next_frame": _apply(window, lambda state: viewing.step_frame(state, 1)),
        "previous_frame": _apply(window, lambda state: viewing.step_frame(state, -1)),
        "reset": _apply(window, viewing.reset),
    }


def _image(window: MainWindow) -> Handlers:
    canvas = window.canvas
    tools = {
        name: _apply(window, partial(actions.set_tool, tool=tool))
        for name, tool in TOOLS.items()
    }
    return {
        **tools,
        "loupe_here": canvas.toggle_loupe,
        "brighter": partial(canvas.change_window, GRAY_STEP, 0.0),
        "darker": partial(canvas.change_window, -GRAY_STEP, 0.0),
        "more_contrast": partial(canvas.change_window, 0.0, -WIDTH_STEP),
        "less_contrast": partial(canvas.change_window, 0.0, WIDTH_STEP),
        "next_voi": _apply(window, viewing.cycle_voi),
        "auto_window": canvas.window_on_breast,
        **{name: partial(canvas.window_on_breast, part) for name, part in PRESETS.items()},
        "invert": _apply(window, viewing.toggle_inverted),
        "raw_air": _apply(window, viewing.toggle_raw_air),
        "clear_lengths": _apply(window, actions.clear_lengths),
    }


def _findings(window: MainWindow) -> Handlers:
    return {
        "next_finding": partial(_step_finding, window, 1),
        "previous_finding": partial(_step_finding, window, -1),
        "heat_map": _apply(window, actions.toggle_heat_map),
        "reveal": partial(_reveal, window),
        "blind_first_read": partial(_toggle_blind, window),
        **{
            f"impression_{side.name}_{said.name}".lower(): partial(_record, window, side, said)
            for side in (Laterality.RIGHT, Laterality.LEFT)
            for said in Impression
        },
    }


def _deciding(window: MainWindow) -> Handlers:
    canvas, deciding = window.canvas, window.deciding
    return {
        "accept": partial(deciding.decide, Deed.ACCEPTED),
        "reject": partial(deciding.decide, Deed.REJECTED),
        "retype": partial(deciding.decide, Deed.RETYPED),
        "take_away": partial(deciding.decide, Deed.REMOVED),
        "draw_here": canvas.draw_here,
        "mark_left": partial(canvas.nudge, 0, -1),
        "mark_right": partial(canvas.nudge, 0, 1),
        "mark_up": partial(canvas.nudge, -1, 0),
        "mark_down": partial(canvas.nudge, 1, 0),
        "mark_wider": partial(canvas.nudge, 0, 1, resize=True),
        "mark_narrower": partial(canvas.nudge, 0, -1, resize=True),
        "mark_taller": partial(canvas.nudge, 1, 0, resize=True),
        "mark_shorter": partial(canvas.nudge, -1, 0, resize=True),
        "outcome_right": partial(deciding.ask_outcome, Laterality.RIGHT),
        "outcome_left": partial(deciding.ask_outcome, Laterality.LEFT),
    }


def _dialogs(window: MainWindow) -> Handlers:
    return {
        "analyze": lambda: window.analyzer.analyze(),
        "generate": window.show_studio,
        "retrain": window.show_retraining,
        "outcomes": window.show_outcomes,
        "corrections": window.write_corrections,
        "jobs": window.show_jobs,
        "settings": partial(_show_settings, window),
        "manual": partial(_show_manual, window),
        "tour": window.start_tour,
        "shortcuts": partial(_show_shortcuts, window),
        "display": partial(_show_display, window),
        "update": window.show_update,
        "about": partial(_show_about, window),
    }


def _apply(
    window: MainWindow, action: Callable[[SessionState], SessionState]
) -> Callable[[], object]:
    return lambda: window.session.apply(action)


def _step_finding(window: MainWindow, by: int) -> None:
    state = window.session.state
    keys: list[FindingKey] = []
    for viewport in state.viewports:
        keys += [mark.key for mark in reversed(visible_marks(state, viewport))]
    if not keys:
        return
    at = keys.index(state.selected) + by if state.selected in keys else min(by, 0)
    key = keys[at % len(keys)]
    window.session.apply(lambda now: actions.select_finding(now, key))


def _reveal(window: MainWindow) -> None:
    now = reading.utc_now()
    window.session.apply(lambda state: reading.reveal(state, now))


def _toggle_blind(window: MainWindow) -> None:
    now = reading.utc_now()
    window.session.apply(
        lambda state: reading.set_blind_first_read(state, not state.blind_first_read, now)
    )


def _record(window: MainWindow, side: Laterality, said: Impression) -> None:
    now = reading.utc_now()
    # First: the impression may reveal the marks, and the outcome says whether they were seen.
    window.deciding.record_impression(side, said)
    window.session.apply(lambda state: reading.record_impression(state, side, said, now))


def _show_settings(window: MainWindow) -> None:
    from viewer.qt.dialogs.settings import SettingsDialog

    preferences = window.preferences
    SettingsDialog(preferences.settings, preferences.change, window).show()


def _show_manual(window: MainWindow) -> None:
    from viewer.qt.dialogs.manual import fitting_page, show_manual

    show_manual(window, fitting_page())


def _show_shortcuts(window: MainWindow) -> None:
    from viewer.core.commands import shortcut_sections
    from viewer.qt.dialogs.shortcuts import ShortcutsDialog

    ShortcutsDialog(shortcut_sections(), window).show()


def _show_display(window: MainWindow) -> None:
    from viewer.qt.dialogs.display import DisplayDialog

    DisplayDialog(window.preferences, window).show()


def _show_about(window: MainWindow) -> None:
    from viewer.qt.dialogs.about import AboutDialog, model_lines

    AboutDialog(model_lines(), window).show()
