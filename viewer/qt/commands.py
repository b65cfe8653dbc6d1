"""The commands table as `QAction`s: menus, tool buttons and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QToolButton

from ml.texts import translate
from viewer.core.command import Group
from viewer.core.commands import COMMANDS
from viewer.core.state import Tool

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from PySide6.QtWidgets import QMainWindow, QMenu, QToolBar

    from viewer.core.command import Command
    from viewer.core.state import SessionState

# A gap before these on the tool bar.
_BREAKS = frozenset({"tool_window", "fit", "linked", "reveal"})
# What is done with the selected mark.
_ON_MARK = frozenset(
    (
        *("accept", "reject", "retype", "take_away"),
        *("mark_left", "mark_right", "mark_up", "mark_down"),
        *("mark_wider", "mark_narrower", "mark_taller", "mark_shorter"),
    )
)
_TOOL_BAR_ORDER = (
    *("open_files", "tool_window", "tool_zoom", "tool_pan", "tool_loupe", "tool_length"),
    *(
        "tool_draw",
        "invert",
        "fit",
        "one_to_one",
        "reset",
        "linked",
        "reveal",
        "blind_first_read",
    ),
    "heat_map",
)
TOOLS = {
    "tool_window": Tool.WINDOW,
    "tool_zoom": Tool.ZOOM,
    "tool_pan": Tool.PAN,
    "tool_loupe": Tool.LOUPE,
    "tool_length": Tool.LENGTH,
    "tool_draw": Tool.DRAW,
}


class Commands:
    """Every command of the table, as an action that calls its handler.

    Parameters
    ----------
    window
        Owns the actions; keys work wherever the focus is in it.
    handlers
        What each command does, by its id: all of the table's, and no other.
    """

    def __init__(
        self, window: QMainWindow, handlers: Mapping[str, Callable[[], object]]
    ) -> None:
        missing = {each.id for each in COMMANDS} ^ set(handlers)
        if missing:
            raise ValueError(f"commands and handlers differ: {sorted(missing)}")
        self.actions: dict[str, QAction] = {}
        tools = QActionGroup(window)
        for each in COMMANDS:
            action = _action(window, each, handlers[each.id])
            self.actions[each.id] = action
            if each.id in TOOLS:
                tools.addAction(action)
        # In every window of the program.
        self.actions["manual"].setShortcutContext(Qt.ShortcutContext.ApplicationShortcut)

    def fill_menus(self, window: QMainWindow) -> dict[Group, QMenu]:
        """One menu a group, in the order of the table."""
        menus: dict[Group, QMenu] = {}
        for group in Group:
            menu = window.menuBar().addMenu(translate(group.value))
            for each in COMMANDS:
                if each.group is group:
                    menu.addAction(self.actions[each.id])
            menus[group] = menu
        return menus

    def fill_tool_bar(self, bar: QToolBar) -> None:
        """A button with its key for every command that has a word for it."""
        by_id = {each.id: each for each in COMMANDS}
        for name in _TOOL_BAR_ORDER:
            if name in _BREAKS:
                bar.addSeparator()
            bar.addWidget(_button(by_id[name], self.actions[name]))

    def show(self, state: SessionState) -> None:
        """Check and enable what a state allows."""
        viewport = state.viewports[state.active] if state.viewports else None
        presentation = viewport.presentation if viewport else None
        checked = {
            **{name: state.tool is tool for name, tool in TOOLS.items()},
            "one_up": state.one_up,
            "linked": state.linked,
            "heat_map": state.heat_map_shown,
            "blind_first_read": state.blind_first_read,
            "invert": presentation is not None and presentation.inverted,
            "raw_air": presentation is not None and presentation.raw_air,
        }
        for name, on in checked.items():
            self.actions[name].setChecked(on)
        for name in _ON_MARK:
            self.actions[name].setEnabled(state.selected is not None)
        self.actions["reveal"].setEnabled(state.study is not None and not state.machine_shown)
        self.actions["show_refused"].setEnabled(bool(state.refusals))
        self.actions["hang_together"].setEnabled(len(state.studies) > 1)


def _action(window: QMainWindow, each: Command, handler: Callable[[], object]) -> QAction:
    action = QAction(translate(each.title), window)
    action.setObjectName(each.id)
    action.setShortcuts([QKeySequence(keys) for keys in each.keys])
    action.setCheckable(each.checkable)
    keys = f" ({each.keys[0]})" if each.keys else ""
    action.setToolTip(f"{translate(each.description)}{keys}")
    action.setStatusTip("")
    action.triggered.connect(lambda _=False: handler())
    window.addAction(action)
    return action


def _button(each: Command, action: QAction) -> QToolButton:
    button = QToolButton()
    button.setDefaultAction(action)
    key = f"  {each.keys[0]}" if each.keys else ""
    word = translate(each.tool_bar)
    button.setText(word + key)
    # The action's own text is longer; a button that followed it would jump.
    action.changed.connect(lambda: button.setText(word + key))
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
    button.setAccessibleName(translate(each.title))
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
