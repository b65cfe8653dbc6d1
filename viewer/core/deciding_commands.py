"""The part of the table of commands that is about the reader's word on marks."""

from __future__ import annotations

from ml.texts import mark
from viewer.core.command import Command, Group
from viewer.core.command import make_command as _command

DECIDING_COMMANDS: tuple[Command, ...] = (
    _command(
        "accept",
        mark("Accept the finding"),
        "A",
        Group.FINDINGS,
        mark("Say that the machine is right about the selected finding."),
    ),
    _command(
        "reject",
        mark("Reject the finding"),
        "X",
        Group.FINDINGS,
        mark("Say that there is no such finding at the selected place."),
    ),
    _command(
        "retype",
        mark("Type of the mark…"),
        "T",
        Group.FINDINGS,
        mark("Choose what the selected mark is: mass, calcifications, distortion, asymmetry."),
    ),
    _command(
        "tool_draw",
        mark("Draw tool"),
        "M",
        Group.FINDINGS,
        mark("Drag a box around what the machine missed, then choose what it is."),
        mark("Draw"),
        checkable=True,
    ),
    _command(
        "draw_here",
        mark("Box in the middle"),
        "Shift+M",
        Group.FINDINGS,
        mark("Draw a box in the middle of the active viewport without the mouse."),
    ),
    _command(
        "take_away",
        mark("Remove the mark"),
        "Del Backspace",
        Group.FINDINGS,
        mark("Remove your own drawing, or withdraw your word on a finding of the machine's."),
    ),
    _command(
        "mark_left",
        mark("Mark to the left"),
        "Alt+Left",
        Group.FINDINGS,
        mark("Move the selected mark to the left."),
    ),
    _command(
        "mark_right",
        mark("Mark to the right"),
        "Alt+Right",
        Group.FINDINGS,
        mark("Move the selected mark to the right."),
    ),
    _command(
        "mark_up",
        mark("Mark up"),
        "Alt+Up",
        Group.FINDINGS,
        mark("Move the selected mark up."),
    ),
    _command(
        "mark_down",
        mark("Mark down"),
        "Alt+Down",
        Group.FINDINGS,
        mark("Move the selected mark down."),
    ),
    _command(
        "mark_wider",
        mark("Mark wider"),
        "Alt+Shift+Right",
        Group.FINDINGS,
        mark("Move the right edge of the selected mark to the right."),
    ),
    _command(
        "mark_narrower",
        mark("Mark narrower"),
        "Alt+Shift+Left",
        Group.FINDINGS,
        mark("Move the right edge of the selected mark to the left."),
    ),
    _command(
        "mark_taller",
        mark("Mark taller"),
        "Alt+Shift+Down",
        Group.FINDINGS,
        mark("Move the lower edge of the selected mark down."),
    ),
    _command(
        "mark_shorter",
        mark("Mark shorter"),
        "Alt+Shift+Up",
        Group.FINDINGS,
        mark("Move the lower edge of the selected mark up."),
    ),
    _command(
        "outcome_right",
        mark("Outcome of the right breast…"),
        "Ctrl+F5",
        Group.FINDINGS,
        mark("Give a BI-RADS category, and later what tissue or follow-up showed."),
    ),
    _command(
        "outcome_left",
        mark("Outcome of the left breast…"),
        "Ctrl+F7",
        Group.FINDINGS,
        mark("Give a BI-RADS category, and later what tissue or follow-up showed."),
    ),
)
