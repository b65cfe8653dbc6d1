"""A screened folder as one HTML page: the list of reading, for a screen and for paper.

No script, and no other file than the thumbnails. Everything that comes from a header, a file's
name or a model is escaped.
"""

from __future__ import annotations

from html import escape
from itertools import groupby, pairwise
from typing import TYPE_CHECKING
from urllib.parse import quote

from ml.mammo.codes import Laterality
from ml.screen.ranking import BINS, LEVELS, Group
from ml.screen.rows import Standing
from ml.texts import mark, translate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ml.distribution import Distribution, Part
    from ml.findings import ModelUse
    from ml.screen.ranking import BreastRank, Placed, StudyRank, Summary

RESEARCH_USE_ONLY = mark("Research use only. Not a medical device.")
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
SKIPPED_CSV = "skipped.csv"
STYLE = """
:root{color-scheme:light dark;--ink:#1c2430;--soft:#556070;--line:#d6dce3;--back:#fff;
--card:#f6f8fa;--blue:#1f5fa8;--red:#b3261e;--bar:#a9c4e4}
@media screen and (prefers-color-scheme:dark){:root{--ink:#e4e8ee;--soft:#a3adba;
--line:#39414d;--back:#14181e;--card:#1c2129;--blue:#7fb2ee;--red:#ff8a80;--bar:#3c5a80}}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back);
max-width:68rem;margin:0 auto 3rem;padding:0 1.2rem}
h1{font-size:1.7rem;margin:1.2rem 0 .4rem}
h2{margin-top:2.4rem;border-bottom:2px solid var(--blue);padding-bottom:.2rem}
h3{margin:0;font-size:1.05rem;overflow-wrap:anywhere}
.research{margin:0 -1.2rem;padding:.5rem 1.2rem;border-bottom:1px solid var(--line);
color:var(--red);font-weight:600}
.note,.uid,figcaption{color:var(--soft)}.note{max-width:46rem}
.uid,figcaption{font-size:.85em;margin:.4rem 0 0;overflow-wrap:anywhere}
.sides{display:flex;flex-wrap:wrap;gap:1rem 2.5rem;align-items:flex-start}
.wide{overflow-x:auto}
table{border-collapse:collapse;margin:.5rem 0;font-variant-numeric:tabular-nums}
th,td{padding:.2rem 1rem .2rem 0;text-align:left;vertical-align:top;
border-bottom:1px solid var(--line)}
th{font-weight:600;color:var(--soft)}td.number,th.number{text-align:right}
.study{border:1px solid var(--line);border-left:4px solid var(--line);border-radius:4px;
background:var(--card);padding:.8rem 1rem;margin:1rem 0;break-inside:avoid}
.study.above{border-left-color:var(--blue)}.study.attention{border-left-color:var(--red)}
.place{display:inline-block;min-width:2.2rem;color:var(--soft)}
.tag{border:1px solid currentColor;border-radius:3px;padding:0 .35rem;font-size:.8em;
font-weight:400;color:var(--soft)}
.figures{margin:.2rem 0}.reasons{margin:.4rem 0;padding-left:1.2rem;color:var(--red);
overflow-wrap:anywhere}
.pictures{display:flex;flex-wrap:wrap;gap:.6rem;margin-top:.5rem}
.pictures figure{margin:0;max-width:9rem}
.pictures img{display:block;height:9rem;max-width:100%;object-fit:contain;background:#000}
.pictures .none{display:block;width:5rem;height:9rem;border:1px dashed var(--soft)}
.plot{margin:.5rem 0 0;flex:1 1 20rem;max-width:40rem}
.plot>svg{display:block;width:100%;height:auto;font-size:12px}.plot text{fill:var(--soft)}
.plot path{fill:none;stroke-width:1.8;stroke:var(--ink)}.plot rect{fill:var(--bar)}
.plot .axis{stroke:var(--line);stroke-width:1}.plot .with,.with path{stroke-dasharray:5 3}
.plot .point{stroke:var(--red);stroke-width:1.2}
.key{white-space:nowrap;margin-left:.8rem}.key svg{width:24px;height:12px}
@media screen{.study{content-visibility:auto;contain-intrinsic-size:auto 20rem}}
@media print{body{font-size:10.5pt;max-width:none;margin:0;padding:0}a{color:inherit}
h2,.note{break-after:avoid}table{break-inside:avoid}
.study{background:none}.bars{print-color-adjust:exact}}
"""
# Of the plot, in units of its own.
_WIDTH, _HEIGHT = 560, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 10, 26, 224


def html_page(
    models: Mapping[str, ModelUse],
    ranks: Iterable[StudyRank],
    summary: Summary,
    thumbnail: Callable[[str], str | None],
) -> Iterator[str]:
    """The page, part by part: it may be larger than what fits into memory.

    Parameters
    ----------
    ranks
        In the order of reading.
    thumbnail
        From an image's place to its picture, relative to the page; None where there is none.
    """
    title = escape(translate(mark("Screened studies")))
    yield (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head><body>"
        f'<p class="research">{escape(translate(RESEARCH_USE_ONLY))}</p><h1>{title}</h1>\n'
    )
    yield from _head(models, summary)
    if not summary.studies:
        yield f"<p>{escape(translate(mark('No study was found.')))}</p>\n"
    numbered = enumerate(ranks, 1)
    for group, members in groupby(numbered, key=lambda pair: pair[1].group):
        yield f'<h2 id="{group.value}">{escape(translate(TITLES[group]))}</h2>\n'
        yield f'<p class="note">{escape(translate(NOTES[group]))}</p>\n'
        for place, rank in members:
            yield _study(place, rank, thumbnail)
    yield "</body></html>\n"


def _head(models: Mapping[str, ModelUse], summary: Summary) -> Iterator[str]:
    yield f'<div class="sides">{_counts(summary)}{_models(models)}</div>\n'
    if summary.skipped:
        told = translate(mark("{file} names the files that were passed over, and says why."))
        link = f'<a href="{SKIPPED_CSV}">{SKIPPED_CSV}</a>'
        yield f'<p class="note">{escape(told).format(file=link)}</p>\n'
    heading = escape(translate(mark("Lesion scores of the images")))
    if summary.quantiles:
        yield (
            f'<h2>{heading}</h2><div class="sides"><figure class="plot">'
            f"{_plot(summary)}</figure>{_quantiles(summary)}</div>"
            f'<p class="note">{escape(_scores_note(summary))}</p>\n'
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
    head = _row(
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
    held = (f"{name} {100 * share:.1f} %" for name, share in use.prevalences.items())
    return _row(
        (
            f"{use.name} {use.version}",
            f"{point.name} ({point.threshold:.2f})",
            ", ".join(held) or translate(mark("not known")),
        )
    )


def _plot(summary: Summary) -> str:
    """Images by lesion score: bars for the folder, lines for the card."""
    folder = [count / sum(summary.bins) for count in summary.bins]
    lines = [
        (name, kind, _shares(part))
        for name, kind, part in _parts(summary.distribution)
        if part.quantiles
    ]
    top = max(share for shares in (folder, *(each[2] for each in lines)) for share in shares)
    bars = "".join(
        f'<rect x="{_x(number):.1f}" y="{_y(share / top):.1f}" width="{_x(1) - _x(0) - 1:.1f}" '
        f'height="{_BOTTOM - _y(share / top):.1f}"/>'
        for number, share in enumerate(folder)
    )
    steps = "".join(f'<path class="{kind}" d="{_steps(s, top)}"/>' for _, kind, s in lines)
    title = escape(translate(mark("Share of the images by lesion score")))
    legend = [(translate(mark("this folder")), "bars"), *(each[:2] for each in lines)]
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{title}">'
        f'<g class="bars">{bars}</g>{steps}{_axis(top)}{_point(summary.threshold)}</svg>'
        f"<figcaption>{title}: {''.join(_key(*each) for each in legend)}</figcaption>"
    )


def _parts(known: Distribution | None) -> Iterator[tuple[str, str, Part]]:
    """The name, the line and the scores of each part of a card's images."""
    if known is not None:
        yield translate(mark("card, without lesion")), "without", known.without
        yield translate(mark("card, with lesion")), "with", known.with_lesion


def _shares(part: Part) -> list[float]:
    """The share of a part's images in each bin."""
    to = [0.0, *(part.share_to(number / BINS) for number in range(1, BINS + 1))]
    return [high - low for low, high in pairwise(to)]


def _x(bin_number: float) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * bin_number / BINS


def _y(share: float) -> float:
    """From a share of the highest one."""
    return _BOTTOM - (_BOTTOM - _TOP) * share


def _steps(shares: Iterable[float], top: float) -> str:
    steps = (
        f"V{_y(share / top):.1f}H{_x(number):.1f}" for number, share in enumerate(shares, 1)
    )
    return f"M{_x(0):.1f},{_BOTTOM}{''.join(steps)}V{_BOTTOM}"


def _axis(top: float) -> str:
    marks = "".join(
        f'<text x="{_x(BINS * score):.1f}" y="{_BOTTOM + 16}" text-anchor="middle">{score:g}'
        "</text>"
        for score in (0, 0.25, 0.5, 0.75, 1)
    )
    return (
        f'<path class="axis" d="M{_LEFT},{_TOP}V{_BOTTOM}H{_WIDTH - _RIGHT}"/>{marks}'
        f'<text x="{_LEFT - 5}" y="{_TOP + 4}" text-anchor="end">{100 * top:.0f} %</text>'
        f'<text x="{_LEFT - 5}" y="{_BOTTOM}" text-anchor="end">0</text>'
    )


def _point(threshold: float | None) -> str:
    if threshold is None or not 0 <= threshold <= 1:
        return ""
    x = _x(BINS * threshold)
    # On the side where there is room.
    anchor, away = ("end", -4) if threshold > 0.5 else ("start", 4)
    name = translate(mark("operating point {point}")).format(point=_two(threshold))
    return (
        f'<path class="point" d="M{x:.1f},{_TOP - 14}V{_BOTTOM}"/>'
        f'<text x="{x + away:.1f}" y="{_TOP - 5}" text-anchor="{anchor}">{escape(name)}</text>'
    )


def _key(name: str, kind: str) -> str:
    drawn = '<rect y="2" width="24" height="8"/>' if kind == "bars" else '<path d="M0,6H24"/>'
    return f'<span class="key"><svg class="{kind}">{drawn}</svg> {escape(name)}</span> '


def _quantiles(summary: Summary) -> str:
    heads = [translate(mark("share of images")), translate(mark("this folder"))]
    columns: list[Sequence[float]] = [summary.quantiles]
    parts = _parts(summary.distribution)
    for (name, _, _), known in zip(parts, summary.card_quantiles or (), strict=True):
        if known:
            heads.append(name)
            columns.append(known)
    rows = (
        _row((f"{level} %", *(f"{column[number]:.2f}" for column in columns)))
        for number, level in enumerate(LEVELS)
    )
    return f'<div class="wide"><table>{_row(heads, "th")}{"".join(rows)}</table></div>'


def _scores_note(summary: Summary) -> str:
    said = translate(mark("In each row: this share of the images has at most these scores."))
    known = summary.distribution
    if known is None:
        return (
            f"{said} {translate(mark('The card of the model says nothing to compare with.'))}"
        )
    compared = translate(
        mark(
            "The card's scores are of {data}, {without} images without and {with_lesion} with "
            "a lesion. Where this folder lies elsewhere, its images are not like those."
        )
    )
    return f"{said} " + compared.format(
        data=known.data, without=known.without.images, with_lesion=known.with_lesion.images
    )


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
        + f'<p class="uid">{escape(rank.study_uid)}</p></article>\n'
    )


def _name(place: int, rank: StudyRank) -> str:
    patient = rank.patient_id or translate(mark("no patient ID"))
    text = " · ".join(part for part in (patient, _date(rank.date)) if part)
    tag = f' <span class="tag">{escape(translate(mark("synthetic")))}</span>'
    return f'<span class="place">{place}</span> {escape(text)}{tag if rank.synthetic else ""}'


def _date(date: str) -> str:
    """A date of the standard's form as people write it; anything else as it is."""
    if len(date) == 8 and date.isdecimal():
        return f"{date[:4]}-{date[4:6]}-{date[6:]}"
    return date


def _figures(rank: StudyRank) -> Iterator[str]:
    if rank.probability is not None:
        probability = translate(mark("lesion, probability {value}"))
        yield probability.format(value=_per_cent(rank.probability))
    if rank.score is not None:
        yield translate(mark("lesion, score {value}")).format(value=_two(rank.score))
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
        _row(
            (
                translate(BREASTS[breast.laterality]),
                _two(breast.score),
                _per_cent(breast.probability),
                _per_cent(breast.malignancy_probability),
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
    return f'<div class="wide"><table>{_row(heads, "th")}{"".join(rows)}</table></div>'


def _pictures(places: Iterable[Placed], thumbnail: Callable[[str], str | None]) -> str:
    shown = (
        f'<figure title="{escape(placed.place)}">{_picture(placed, thumbnail(placed.place))}'
        f"<figcaption>{escape(placed.title)}</figcaption></figure>"
        for placed in places
    )
    return f'<div class="pictures">{"".join(shown)}</div>'


def _picture(placed: Placed, link: str | None) -> str:
    if link is None:
        return '<span class="none"></span>'
    source = escape(quote(link, errors="surrogateescape"))
    return f'<img loading="lazy" alt="{escape(placed.title)}" src="{source}">'


def _row(cells: Iterable[str], tag: str = "td") -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"


def _two(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _per_cent(value: float | None) -> str:
    """Where cancer is rare, two decimals would all be nought."""
    return "" if value is None else f"{100 * value:.1f} %"
