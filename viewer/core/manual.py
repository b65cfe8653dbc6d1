"""The manual's pages: their contents, their headings, and what is found in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from viewer.core.search import fits, folded

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

INDEX = "index.md"
# A line of the table of contents: `- [Start](start.md): open a study and read it`.
_ENTRY = re.compile(r"^- \[(?P<title>[^\]]+)\]\((?P<page>[^)#:]+\.md)\)(?:: (?P<about>.*))?$")
_HEADING = re.compile(r"^(#+) +(.*)$")
# Signs of Markdown, and the targets of links, are no words of the text.
_SIGNS = re.compile(r"\]\([^)]*\)|[`*\[\]|]|!\[")
_EXCERPT = 110


@dataclass(frozen=True, slots=True)
class Entry:
    """A page in the table of contents.

    Attributes
    ----------
    page
        Its file's name.
    about
        What it is about; empty where nothing is said.
    """

    page: str
    title: str
    about: str


@dataclass(frozen=True, slots=True)
class Section:
    """What stands under one heading of a page, without the signs of Markdown."""

    page: str
    title: str
    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A place in the manual where all words stand.

    Attributes
    ----------
    heading
        That it stands under; the title of the page where it stands under no other.
    excerpt
        Some words about the first of those that were looked for.
    """

    page: str
    title: str
    heading: str
    excerpt: str


def contents(index: str) -> tuple[Entry, ...]:
    """The pages in the order of the table of contents."""
    found = (_ENTRY.match(line) for line in index.splitlines())
    return tuple(
        Entry(each["page"], each["title"], each["about"] or "") for each in found if each
    )


def read_sections(folder: Path) -> tuple[Section, ...]:
    """Every section of every page in the table of contents; a page that is missing is none."""
    listed = contents((folder / INDEX).read_text(encoding="utf-8"))
    pages = [each.page for each in listed if (folder / each.page).is_file()]
    sections: list[Section] = []
    for page in pages:
        sections += sections_of(page, (folder / page).read_text(encoding="utf-8"))
    return tuple(sections)


def sections_of(page: str, text: str) -> tuple[Section, ...]:
    """The sections of one page, in its order."""
    title = heading = ""
    lines: list[str] = []
    sections: list[Section] = []

    def close() -> None:
        body = " ".join(" ".join(lines).split())
        if heading or body:
            sections.append(Section(page, title, heading, body))
        lines.clear()

    for line in text.splitlines():
        found = _HEADING.match(line)
        if found is None:
            lines.append(_SIGNS.sub("", line))
            continue
        close()
        heading = _SIGNS.sub("", found[2])
        title = title or heading
    close()
    return tuple(sections)


def search(sections: Sequence[Section], words: str) -> tuple[Hit, ...]:
    """Where all words stand in one section; those with all of them in the heading first."""
    if not words.strip():
        return ()
    found = [each for each in sections if fits(words, each.title, each.heading, each.text)]
    found.sort(key=lambda each: not fits(words, each.heading))
    return tuple(
        Hit(each.page, each.title, each.heading, _excerpt(each.text, words)) for each in found
    )


def slug(heading: str) -> str:
    """How a link names a heading: ``"A blind first read"`` is ``a-blind-first-read``."""
    plain = re.sub(r"[^\w\- ]", "", _SIGNS.sub("", heading).lower())
    return plain.replace(" ", "-")


def _excerpt(text: str, words: str) -> str:
    low = folded(text)
    # Folding may change the length of a text by some letters: near enough for an excerpt.
    places = [low.find(word) for word in folded(words).split()]
    first = min((place for place in places if place >= 0), default=0)
    start = max(0, first - _EXCERPT // 3)
    start = text.rfind(" ", 0, start) + 1 if start else 0
    cut = text[start : start + _EXCERPT]
    rest = len(text) > start + _EXCERPT
    return ("…" if start else "") + cut.strip() + ("…" if rest else "")
