"""The one table of commands: menus, tool bar, keys, the shortcut list and the manual."""

from __future__ import annotations

from ml.texts import mark, translate
from viewer.core.command import Command, Group
from viewer.core.command import make_command as _command
from viewer.core.deciding_commands import DECIDING_COMMANDS
from viewer.core.shortcuts import Section
from viewer.core.viewing_commands import VIEWING_COMMANDS

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
        "screen",
        mark("Screen a folder…"),
        "Ctrl+Shift+S",
        Group.FILE,
        mark("Have every study in a folder looked at, and read them from a list."),
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
    *VIEWING_COMMANDS,
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
    *DECIDING_COMMANDS,
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
        "retrain",
        mark("Retrain models…"),
        "Ctrl+M",
        Group.TOOLS,
        mark("Audit data, train a model on them, compare it with the one in use, promote it."),
    ),
    _command(
        "outcomes",
        mark("Outcomes of my reads…"),
        "Ctrl+Shift+R",
        Group.TOOLS,
        mark("List what you read and what became known of it, with recall rate, PPV and more."),
    ),
    _command(
        "corrections",
        mark("My corrections as training data…"),
        "",
        Group.TOOLS,
        mark("Write what you accepted, rejected and drew as a data set for trainings."),
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
        "manual",
        mark("Manual"),
        "F1",
        Group.HELP,
        mark("Read the manual at the page of the window that you are in, or search it."),
    ),
    _command(
        "tour",
        mark("Tour"),
        "",
        Group.HELP,
        mark("Be shown in two minutes what is where."),
    ),
    _command(
        "shortcuts",
        mark("Keyboard shortcuts"),
        "Shift+F1",
        Group.HELP,
        mark("List every command and its keys."),
    ),
    _command(
        "display",
        mark("Check the display…"),
        "",
        Group.HELP,
        mark("Look at the test pattern, and keep whether you see its faint squares."),
    ),
    _command(
        "update",
        mark("Update from a file…"),
        "",
        Group.HELP,
        mark("Take a newer version from its archive, or go back to the one before."),
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
