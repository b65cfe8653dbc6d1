"""The list of commands and keys, as the dialog and the manual show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ml.texts import translate

if TYPE_CHECKING:
    from collections.abc import Sequence


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


def shortcuts_page(sections: Sequence[Section]) -> str:
    """The manual's page of commands and keys, as Markdown."""
    parts = [f"# {translate('Keyboard shortcuts')}\n"]
    for section in sections:
        parts.append(f"## {section.title}\n")
        parts.append(f"| {translate('Command')} | {translate('Keys')} |\n|---|---|")
        parts += [f"| {title} | {_cell(keys)} |" for title, keys in section.rows]
        parts.append("")
    return "\n".join(parts)


def _cell(keys: str) -> str:
    return " ".join(f"`{key}`" for key in keys.split(", ")) if keys else ""
