"""The list of commands and keys, as the dialog and the manual show it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Section:
    """The commands of one menu.

    Attributes
    ----------
    rows
        Pairs of a command's title and its keys, in the order of the menu.
    """

    title: str
    rows: tuple[tuple[str, str], ...]
