"""A screened folder for reading and printing: the list of reading in HTML, page by page.

No script, and no other file than the thumbnails. Everything that comes from a header, a file's
name or a model is escaped.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from ml.mammo.codes import Laterality
from ml.screen.markup import STYLE, foreign, per_cent, row, two
from ml.screen.ranking import Group
from ml.screen.rows import Standing
from ml.screen.scores import scores_section
from ml.screen.sheets import all_ways, sheet_name, sheet_of, ways
from ml.texts import RESEARCH_USE_ONLY, is_right_to_left, language, mark, translate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from ml.findings import ModelUse
    from ml.screen.ranking import BreastRank, Placed, StudyRank, Summary
    from ml.screen.sheets import Sheet

TITLES = {
    Group.ATTENTION: mark("Attention: not wholly analyzed"),
    Group.RANKED: mark("Ranked"),
}
NOTES = {
    Group.ATTENTION: mark(
        "Read these first: what is shown of them is only what the models could look at."
    ),
    Group.RANKED: mark(
        "By falling probability, by score where there is none. A low place clears no study: "
        "each is to be read."
    ),
}
SKIPPED = {
    Standing.COPY: mark("Copies of an image"),
    Standing.OTHER: mark("Files that are no mammogram"),
    Standing.DAMAGED: mark("Damaged files"),
}
BREASTS = {
    Laterality.RIGHT: mark("Right breast"),
    Laterality.LEFT: mark("Left breast"),
    Laterality.BOTH: mark("Both breasts"),
}
# Of what a model's probabilities are, as `ModelUse.prevalences` names it.
CALIBRATIONS = {
    "detector": mark("detector"),
    "lesion": mark("lesion"),
    "malignancy": mark("malignancy"),
}
SKIPPED_CSV = "skipped.csv"


@dataclass(frozen=True, slots=True)
class About:
    """What a report is of.

    Attributes
    ----------
    folder
        What was screened.
    models
        By role, as `Analysis` names them.
    written_at
        ISO 8601 UTC.
    """

    folder: str
    models: Mapping[str, ModelUse]
    written_at: str
    summary: Summary


def html_page(
    about: About,
    sheet: Sheet,
    ranks: Iterable[StudyRank],
    thumbnail: Callable[[str], str | None],
) -> Iterator[str]:
    """A page, part by part.

    Parameters
    ----------
    ranks
        Those that stand on it, in the order of reading.
    thumbnail
        From an image's place to its picture, relative to the page; None where there is none.
    """
    title = escape(translate(mark("Screened studies")))
    yield _opening(_title(about, sheet))
    yield f'<p class="research">{escape(translate(RESEARCH_USE_ONLY))}</p><h1>{title}</h1>\n'
    yield _made(about) + ways(sheet)
    if sheet.is_first:
        yield from _head(about, sheet)
    begins = {Group.ATTENTION: 1, Group.RANKED: about.summary.attention + 1}
    numbered = enumerate(ranks, sheet.first)
    for group, members in groupby(numbered, key=lambda pair: pair[1].group):
        yield _group(group, is_continued=begins[group] < sheet.first)
        for place, rank in members:
            yield _study(place, rank, thumbnail)
    yield f"{ways(sheet)}</body></html>\n"


def _opening(title: str) -> str:
    direction = "rtl" if is_right_to_left() else "ltr"
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(language())}" dir="{direction}"><head>'
        '<meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>"
    )


def _title(about: About, sheet: Sheet) -> str:
    """For a tab, a bookmark and the edge of a printed page."""
    folder = Path(about.folder).name or about.folder
    title = translate(mark("Screened studies of {folder}")).format(folder=folder)
    if sheet.is_first:
        return title
    page = translate(mark("page {page} of {pages}"))
    return f"{title}, {page.format(page=f'{sheet.number:,}', pages=f'{sheet.of:,}')}"


def _made(about: About) -> str:
    """What was screened, when and with what: on each page, since each may be printed alone."""
    uses = (f"{use.name}@{use.version}" for use in about.models.values())
    when = f"{about.written_at[:16].replace('T', ' ')} UTC"
    point = about.summary.threshold
    known = translate(mark("lesion score {value} or more")).format(value=two(point))
    rows = (
        (translate(mark("Folder")), foreign(about.folder)),
        (translate(mark("Written")), foreign(when)),
        (translate(mark("Models")), ", ".join(foreign(use) for use in dict.fromkeys(uses))),
        (
            translate(mark("Operating point")),
            escape(translate(mark("not known")) if point is None else known),
        ),
    )
    lines = (f"<dt>{escape(name)}</dt><dd>{value}</dd>" for name, value in rows)
    return f"<dl>{''.join(lines)}</dl>\n"


def _head(about: About, sheet: Sheet) -> Iterator[str]:
    """What stands on the first page only."""
    summary = about.summary
    yield f'<div class="sides">{_counts(summary)}{_models(about.models)}</div>\n'
    if summary.skipped:
        told = translate(mark("{file} names the files that were passed over, and says why."))
        link = f'<a href="{SKIPPED_CSV}">{SKIPPED_CSV}</a>'
        yield f'<p class="note">{escape(told).format(file=link)}</p>\n'
    yield _jump(summary, sheet) + all_ways(sheet.studies) + scores_section(summary)
    if not sheet.studies:
        yield f"<p>{escape(translate(mark('No study was found.')))}</p>\n"


def _jump(summary: Summary, sheet: Sheet) -> str:
    """Where the second group begins: it may be pages away."""
    if not 0 < summary.attention < sheet.studies:
        return ""
    number = sheet_of(summary.attention + 1)
    page = "" if number == sheet.number else sheet_name(number)
    told = translate(mark("{group}: from place {place}")).format(
        group=translate(TITLES[Group.RANKED]), place=f"{summary.attention + 1:,}"
    )
    return (
        f'<p class="jump"><a href="#{Group.ATTENTION.value}">'
        f"{escape(translate(TITLES[Group.ATTENTION]))}</a> · "
        f'<a href="{page}#{Group.RANKED.value}">{escape(told)}</a></p>\n'
    )


def _group(group: Group, *, is_continued: bool) -> str:
    title = translate(TITLES[group])
    if is_continued:
        title = translate(mark("{group} (continued)")).format(group=title)
    return (
        f'<h2 id="{group.value}">{escape(title)}</h2>\n'
        f'<p class="note">{escape(translate(NOTES[group]))}</p>\n'
    )


def _counts(summary: Summary) -> str:
    rows: list[tuple[str, int]] = [
        (translate(mark("Studies")), summary.studies),
        (translate(mark("Not wholly analyzed")), summary.attention),
        (translate(mark("At or above the operating point")), summary.above),
        (translate(mark("Images")), summary.images),
        (translate(mark("Analyzed")), summary.analyzed),
        (translate(mark("Refused")), summary.refused),
        (translate(mark("Failed")), summary.failed),
        (translate(mark("Not yet analyzed")), summary.waiting),
    ]
    words = {standing.value: sentence for standing, sentence in SKIPPED.items()}
    rows += [(translate(words.get(kind, kind)), n) for kind, n in summary.skipped.items()]
    lines = (
        f'<tr><th>{escape(name)}</th><td class="number">{count:,}</td></tr>'
        for name, count in rows
    )
    return f"<table>{''.join(lines)}</table>"


def _models(models: Mapping[str, ModelUse]) -> str:
    head = row(
        (
            translate(mark("Model")),
            translate(mark("Operating point")),
            translate(mark("Prevalence of its probabilities")),
        ),
        "th",
    )
    return (
        f'<div class="wide"><table>{head}{"".join(map(_model, models.values()))}</table></div>'
    )


def _model(use: ModelUse) -> str:
    point = use.operating_point
    held = (
        f"{translate(CALIBRATIONS.get(name, name))} {per_cent(share)}"
        for name, share in use.prevalences.items()
    )
    cells = (
        foreign(f"{use.name}@{use.version}"),
        foreign(f"{point.name} ({two(point.threshold)})"),
        escape(", ".join(held) or translate(mark("not known"))),
    )
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _study(place: int, rank: StudyRank, thumbnail: Callable[[str], str | None]) -> str:
    kinds = ["study", *(["attention"] if rank.group is Group.ATTENTION else [])]
    kinds += ["above"] if rank.above else []
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in rank.reasons)
    return (
        f'<article class="{" ".join(kinds)}"><h3>{_name(place, rank)}</h3>'
        f'<p class="figures">{escape(" · ".join(_figures(rank)))}</p>'
        + (f'<ul class="reasons">{reasons}</ul>' if reasons else "")
        + _breasts(rank.breasts)
        + _pictures(rank.places, thumbnail)
        + f'<p class="uid">{foreign(rank.study_uid)}</p></article>\n'
    )


def _name(place: int, rank: StudyRank) -> str:
    patient = rank.patient_id or translate(mark("no patient ID"))
    parts = [foreign(patient, "auto"), *([foreign(_date(rank.date))] if rank.date else [])]
    tag = f' <span class="tag">{escape(translate(mark("synthetic")))}</span>'
    return (
        f'<span class="place">{place:,}</span> {" · ".join(parts)}'
        f"{tag if rank.synthetic else ''}"
    )


def _date(date: str) -> str:
    """A date of the standard's form as people write it; anything else as it is."""
    if len(date) == 8 and date.isdecimal():
        return f"{date[:4]}-{date[4:6]}-{date[6:]}"
    return date


def _figures(rank: StudyRank) -> Iterator[str]:
    if rank.probability is not None:
        probability = translate(mark("lesion, probability {value}"))
        yield probability.format(value=per_cent(rank.probability))
    if rank.score is not None:
        yield translate(mark("lesion, score {value}")).format(value=two(rank.score))
    yield _verdict(rank.above)
    if rank.density is not None:
        yield translate(mark("density {grade}")).format(grade=rank.density.value)
    yield translate(mark("images: {count}")).format(count=rank.images)


def _verdict(above: bool | None) -> str:
    if above is None:
        return translate(mark("not assessed"))
    if above:
        return translate(mark("at or above operating point"))
    return translate(mark("below operating point"))


def _breasts(breasts: Iterable[BreastRank]) -> str:
    rows = [
        row(
            (
                translate(BREASTS[breast.laterality]),
                two(breast.score),
                per_cent(breast.probability),
                per_cent(breast.malignancy_probability),
                _verdict(breast.above),
            )
        )
        for breast in breasts
    ]
    if not rows:
        return ""
    heads = (
        "",
        translate(mark("lesion, score")),
        translate(mark("probability")),
        translate(mark("malignancy, probability")),
        "",
    )
    return f'<div class="wide"><table>{row(heads, "th")}{"".join(rows)}</table></div>'


def _pictures(places: Iterable[Placed], thumbnail: Callable[[str], str | None]) -> str:
    shown = (
        f'<figure title="{escape(placed.place)}">{_picture(placed, thumbnail(placed.place))}'
        f"<figcaption>{foreign(placed.title)}</figcaption></figure>"
        for placed in places
    )
    return f'<div class="pictures">{"".join(shown)}</div>'


def _picture(placed: Placed, link: str | None) -> str:
    if link is None:
        return '<span class="none"></span>'
    source = escape(quote(link, errors="surrogateescape"))
    return f'<img loading="lazy" alt="{escape(placed.title)}" src="{source}">'
