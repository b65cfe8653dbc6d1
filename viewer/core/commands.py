"""The one table of commands: menus, tool bar, keys, the shortcut list and the manual."""

from __future__ import annotations

from ml.texts import mark, translate
from viewer.core.command import Command, Group
from viewer.core.command import make_command as _command
from viewer.core.shortcuts import Section

COMMANDS: tuple[Command, ...] = (
    _command(
        "open_files",
        mark("Open files…"),
        "Ctrl+O",
        Group.FILE,
        mark("Open DICOM, PNG, JPEG or TIFF images, or a DICOMDIR."),
        mark("Open"),
    ),
    _command(
        "open_folder",
        mark("Open folder…"),
        "Ctrl+Shift+O",
        Group.FILE,
        mark("Open every mammogram in a folder and below it."),
    ),
    _command(
        "open_together",
        mark("Open files together…"),
        "Ctrl+Alt+O",
        Group.FILE,
        mark("Hang files as one study, also where they name different studies or patients."),
    ),
    _command(
        "open_sample",
        mark("Open the sample study"),
        "",
        Group.FILE,
        mark("Open the simulated study that comes with the program."),
    ),
    _command(
        "quit",
        mark("Quit"),
        "Ctrl+Q",
        Group.FILE,
        mark("Leave the program."),
    ),
    _command(
        "next_study",
        mark("Next study"),
        "PgDown",
        Group.STUDY,
        mark("Open the next study of the work list."),
    ),
    _command(
        "previous_study",
        mark("Previous study"),
        "PgUp",
        Group.STUDY,
        mark("Open the previous study of the work list."),
    ),
    _command(
        "hang_together",
        mark("Hang all together"),
        "Ctrl+T",
        Group.STUDY,
        mark("Hang all studies of the work list as one, with an alarm that says what differs."),
    ),
    _command(
        "close_study",
        mark("Close study"),
        "Ctrl+W",
        Group.STUDY,
        mark("Take the open study off the work list and stop its analysis."),
    ),
    _command(
        "show_refused",
        mark("Files that were not opened…"),
        "",
        Group.STUDY,
        mark("List the files that were refused, and why."),
    ),
    _command(
        "undo",
        mark("Undo"),
        "Ctrl+Z",
        Group.VIEW,
        mark("Show the images as before the last step."),
    ),
    _command(
        "fit",
        mark("Fit the breasts"),
        "F",
        Group.VIEW,
        mark("Show whole breasts, all at one scale."),
        mark("Fit"),
    ),
    _command(
        "one_to_one",
        mark("One to one"),
        "1",
        Group.VIEW,
        mark("One screen pixel for each pixel of the image."),
        mark("1:1"),
    ),
    _command(
        "zoom_in",
        mark("Zoom in"),
        "+ =",
        Group.VIEW,
        mark("Enlarge the images."),
    ),
    _command(
        "zoom_out",
        mark("Zoom out"),
        "-",
        Group.VIEW,
        mark("Shrink the images."),
    ),
    _command(
        "pan_left",
        mark("Move left"),
        "Left",
        Group.VIEW,
        mark("Move the image to the left."),
    ),
    _command(
        "pan_right",
        mark("Move right"),
        "Right",
        Group.VIEW,
        mark("Move the image to the right."),
    ),
    _command("pan_up", mark("Move up"), "Up", Group.VIEW, mark("Move the image up.")),
    _command("pan_down", mark("Move down"), "Down", Group.VIEW, mark("Move the image down.")),
    _command(
        "one_up",
        mark("One viewport alone"),
        "O",
        Group.VIEW,
        mark("Let the active viewport fill the canvas, or bring all back (double click)."),
        checkable=True,
    ),
    _command(
        "next_viewport",
        mark("Next viewport"),
        "N",
        Group.VIEW,
        mark("Go to the next viewport."),
    ),
    _command(
        "previous_viewport",
        mark("Previous viewport"),
        "Shift+N",
        Group.VIEW,
        mark("Go to the previous viewport."),
    ),
    _command(
        "linked",
        mark("Link the viewports"),
        "K",
        Group.VIEW,
        mark("Let window, zoom and pan act on all viewports."),
        mark("Linked"),
        checkable=True,
    ),
    _command(
        "next_frame",
        mark("Next slice"),
        ".",
        Group.VIEW,
        mark("Show the next slice of a tomosynthesis image."),
    ),
    _command(
        "previous_frame",
        mark("Previous slice"),
        ",",
        Group.VIEW,
        mark("Show the previous slice of a tomosynthesis image."),
    ),
    _command(
        "reset",
        mark("Reset"),
        "Home",
        Group.VIEW,
        mark("Show images as when they were opened."),
        mark("Reset"),
    ),
    _command(
        "tool_window",
        mark("Window tool"),
        "W",
        Group.IMAGE,
        mark("Drag up and down for brightness, left and right for contrast."),
        mark("Window"),
        checkable=True,
    ),
    _command(
        "tool_zoom",
        mark("Zoom tool"),
        "Z",
        Group.IMAGE,
        mark("Drag up and down to enlarge and shrink (also the wheel)."),
        mark("Zoom"),
        checkable=True,
    ),
    _command(
        "tool_pan",
        mark("Pan tool"),
        "P",
        Group.IMAGE,
        mark("Drag to move the image (also with the middle button)."),
        mark("Pan"),
        checkable=True,
    ),
    _command(
        "tool_loupe",
        mark("Loupe"),
        "L",
        Group.IMAGE,
        mark("Press and move for a magnifying glass on the full pixels."),
        mark("Loupe"),
        checkable=True,
    ),
    _command(
        "loupe_here",
        mark("Loupe in the middle"),
        "Shift+L",
        Group.IMAGE,
        mark("Show or hide the magnifying glass without the mouse; arrow keys move the image."),
        checkable=True,
    ),
    _command(
        "brighter",
        mark("Brighter"),
        "Ctrl+Up",
        Group.IMAGE,
        mark("Lower the window's center."),
    ),
    _command(
        "darker",
        mark("Darker"),
        "Ctrl+Down",
        Group.IMAGE,
        mark("Raise the window's center."),
    ),
    _command(
        "more_contrast",
        mark("More contrast"),
        "Ctrl+Right",
        Group.IMAGE,
        mark("Make the window narrower."),
    ),
    _command(
        "less_contrast",
        mark("Less contrast"),
        "Ctrl+Left",
        Group.IMAGE,
        mark("Make the window wider."),
    ),
    _command(
        "next_voi",
        mark("Next window of the image"),
        "V",
        Group.IMAGE,
        mark("Show images through the next of their own windows and tables."),
    ),
    _command(
        "auto_window",
        mark("Window on the breast"),
        "B",
        Group.IMAGE,
        mark("Choose the window by what the breast's pixels hold."),
    ),
    _command(
        "preset_dense",
        mark("Window on dense tissue"),
        "Ctrl+1",
        Group.IMAGE,
        mark("Spread the brighter half of the breast over all grays."),
    ),
    _command(
        "preset_fatty",
        mark("Window on fat and skin"),
        "Ctrl+2",
        Group.IMAGE,
        mark("Spread the darker half of the breast over all grays."),
    ),
    _command(
        "preset_soft",
        mark("Soft window"),
        "Ctrl+3",
        Group.IMAGE,
        mark("Show the whole breast with less contrast."),
    ),
    _command(
        "invert",
        mark("Invert"),
        "I",
        Group.IMAGE,
        mark("Black on white, or white on black; air stays black."),
        mark("Invert"),
        checkable=True,
    ),
    _command(
        "raw_air",
        mark("Raw air"),
        "A",
        Group.IMAGE,
        mark("Show what the skin-line mask hides."),
        checkable=True,
    ),
    _command(
        "tool_length",
        mark("Length tool"),
        "D",
        Group.MEASURE,
        mark("Drag a line: its length in mm, or in pixels where there is no scale."),
        mark("Length"),
        checkable=True,
    ),
    _command(
        "clear_lengths",
        mark("Remove all lengths"),
        "Shift+D",
        Group.MEASURE,
        mark("Forget every line that was drawn in this study."),
    ),
    _command(
        "next_finding",
        mark("Next finding"),
        "G",
        Group.FINDINGS,
        mark("Go to the next finding and centre it."),
    ),
    _command(
        "previous_finding",
        mark("Previous finding"),
        "Shift+G",
        Group.FINDINGS,
        mark("Go to the previous finding and centre it."),
    ),
    _command(
        "heat_map",
        mark("Heat map"),
        "H",
        Group.FINDINGS,
        mark("Show where the classifier looked."),
        mark("Heat map"),
        checkable=True,
    ),
    _command(
        "reveal",
        mark("Reveal"),
        "R",
        Group.FINDINGS,
        mark("Show what the machine says of this study."),
        mark("Reveal"),
    ),
    _command(
        "blind_first_read",
        mark("Blind first read"),
        "Ctrl+B",
        Group.FINDINGS,
        mark("Hide the machine's word until the reader has spoken."),
        mark("Blind"),
        checkable=True,
    ),
    _command(
        "impression_right_normal",
        mark("Right breast: normal"),
        "F5",
        Group.FINDINGS,
        mark("Record the impression of the right breast: normal."),
    ),
    _command(
        "impression_right_recall",
        mark("Right breast: recall"),
        "F6",
        Group.FINDINGS,
        mark("Record the impression of the right breast: recall."),
    ),
    _command(
        "impression_left_normal",
        mark("Left breast: normal"),
        "F7",
        Group.FINDINGS,
        mark("Record the impression of the left breast: normal."),
    ),
    _command(
        "impression_left_recall",
        mark("Left breast: recall"),
        "F8",
        Group.FINDINGS,
        mark("Record the impression of the left breast: recall."),
    ),
    _command(
        "analyze",
        mark("Analyze again"),
        "Ctrl+R",
        Group.TOOLS,
        mark("Have the models look at the open study, whatever they said before."),
    ),
    _command(
        "generate",
        mark("Generate synthetic mammograms…"),
        "Ctrl+G",
        Group.TOOLS,
        mark("Have mammograms made that show nobody, with lesions at known places."),
    ),
    _command(
        "jobs",
        mark("Jobs…"),
        "Ctrl+J",
        Group.TOOLS,
        mark("List the long jobs: pause, resume, cancel, try again, change their order."),
    ),
    _command(
        "settings",
        mark("Settings…"),
        "Ctrl+,",
        Group.TOOLS,
        mark("Change the settings."),
    ),
    _command(
        "shortcuts",
        mark("Keyboard shortcuts"),
        "F1",
        Group.HELP,
        mark("List every command and its keys."),
    ),
    _command("about", mark("About Mammoscope"), "", Group.HELP, mark("Version and models.")),
)


def command(name: str) -> Command:
    """The command of this id.

    Raises
    ------
    KeyError
        Where there is none.
    """
    return _BY_ID[name]


def command_keys() -> dict[str, str]:
    """The first key of every command that has one, by its id."""
    return {each.id: each.keys[0] for each in COMMANDS if each.keys}


def shortcut_sections() -> tuple[Section, ...]:
    """Every command and its keys, under its menu, as dialog and manual show it."""
    return tuple(
        Section(
            translate(group.value),
            tuple(
                (translate(each.title), ", ".join(each.keys))
                for each in COMMANDS
                if each.group is group
            ),
        )
        for group in Group
    )


_BY_ID = {each.id: each for each in COMMANDS}
