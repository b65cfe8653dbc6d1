"""A report in pages: which studies stand on which, what the files are called, how they link.

The first is ``report.html``, the second ``report-2.html``, and so on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from ml.texts import mark, translate

if TYPE_CHECKING:
    from collections.abc import Iterator

# Some 2,000 small pictures: what a browser opens, searches and prints in a second or two.
STUDIES_A_SHEET = 500
# Also what a page was to become, where the writing was killed.
_FURTHER = re.compile(r"(?:report-(\d+)\.html|\.report-(\d+)\.html\.part)")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page of a report.

    Attributes
    ----------
    number, of
        Which page of how many; the first is 1.
    first, last
        The places that it holds in the order of reading; the first study's is 1. A report
        without a study has one page, from 1 to 0.
    studies
        On all pages.
    """

    number: int
    of: int
    first: int
    last: int
    studies: int

    @property
    def name(self) -> str:
        """Of its file."""
        return sheet_name(self.number)

    @property
    def is_first(self) -> bool:
        """Whether the report is opened here."""
        return self.number == 1


def sheet_name(number: int) -> str:
    """What the file of a page is called."""
    return "report.html" if number == 1 else f"report-{number}.html"


def number_in(name: str) -> int | None:
    """Which page a file is or was to become; None for the first one and for all other files."""
    met = _FURTHER.fullmatch(name)
    return None if met is None else int(met[1] or met[2])


def sheet_of(place: int) -> int:
    """The number of the page that holds a place."""
    return (place - 1) // STUDIES_A_SHEET + 1


def sheets_of(studies: int) -> tuple[Sheet, ...]:
    """The pages of so many studies, at least one."""
    of = sheet_of(max(studies, 1))
    return tuple(
        Sheet(
            number,
            of,
            (number - 1) * STUDIES_A_SHEET + 1,
            min(number * STUDIES_A_SHEET, studies),
            studies,
        )
        for number in range(1, of + 1)
    )


def ways(sheet: Sheet) -> str:
    """What a page holds and the links to the others; nothing where there is one page."""
    if sheet.of == 1:
        return ""
    told = translate(mark("Page {page} of {pages}: studies {first} to {last} of {count}"))
    counts = {
        "page": sheet.number,
        "pages": sheet.of,
        "first": sheet.first,
        "last": sheet.last,
        "count": sheet.studies,
    }
    told = told.format(**{name: f"{count:,}" for name, count in counts.items()})
    return (
        f'<nav aria-label="{escape(translate(mark("Pages")))}">'
        f"<span>{escape(told)}</span>{''.join(_links(sheet))}</nav>\n"
    )


def _links(sheet: Sheet) -> Iterator[str]:
    targets = (
        (translate(mark("First page")), 1, ""),
        (translate(mark("Previous page")), sheet.number - 1, ' rel="prev"'),
        (translate(mark("Next page")), sheet.number + 1, ' rel="next"'),
        (translate(mark("Last page")), sheet.of, ""),
    )
    for word, number, relation in targets:
        # What leads nowhere keeps its room: the others stay where they are.
        if number == sheet.number or not 1 <= number <= sheet.of:
            yield f'<span class="nowhere">{escape(word)}</span>'
        else:
            yield f'<a href="{sheet_name(number)}"{relation}>{escape(word)}</a>'


def all_ways(studies: int) -> str:
    """A link to each page by what it holds: for the first page only, or it would be much."""
    sheets = sheets_of(studies)
    if len(sheets) == 1:
        return ""
    links = (
        f'<li><a href="{each.name}">{each.first:,}\N{EN DASH}{each.last:,}</a></li>'
        for each in sheets
    )
    told = escape(translate(mark("All pages, by the places they hold")))
    return (
        f'<details class="all"><summary>{told}</summary><ol>{"".join(links)}</ol></details>\n'
    )
