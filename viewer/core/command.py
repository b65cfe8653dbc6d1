"""What a command is: its menu, its keys, its words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ml.texts import mark


class Group(Enum):
    """A menu."""

    FILE = mark("File")
    STUDY = mark("Study")
    VIEW = mark("View")
    IMAGE = mark("Image")
    MEASURE = mark("Measure")
    FINDINGS = mark("Findings")
    TOOLS = mark("Tools")
    HELP = mark("Help")


@dataclass(frozen=True, slots=True)
class Command:
    """Something that the reader can do.

    Attributes
    ----------
    id
        Names it in the code, and the method that does it.
    title, description
        Marked texts: in the menu, and in tool tips and the manual.
    keys
        In Qt's portable form; the first is shown.
    tool_bar
        The word on its tool button; empty: none.
    checkable
        It is a switch.
    """

    id: str
    title: str
    keys: tuple[str, ...]
    group: Group
    description: str
    tool_bar: str = ""
    checkable: bool = False


def make_command(
    name: str,
    title: str,
    keys: str,
    group: Group,
    description: str,
    tool_bar: str = "",
    *,
    checkable: bool = False,
) -> Command:
    """A command from its words; `keys` are parted by spaces."""
    return Command(
        name,
        title,
        tuple(keys.split(" ")) if keys else (),
        group,
        description,
        tool_bar,
        checkable,
    )
