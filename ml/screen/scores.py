"""How the lesion scores of a folder lie, beside those that the model was measured on."""

from __future__ import annotations

from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING

from ml.screen.markup import row, two
from ml.screen.ranking import BINS, LEVELS
from ml.texts import mark, translate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ml.distribution import Distribution, Part
    from ml.screen.ranking import Summary

# Of the plot, in units of its own.
_WIDTH, _HEIGHT = 560, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 10, 26, 224


def scores_section(summary: Summary) -> str:
    """A plot, a table and a note; nothing where no image has a score."""
    if not summary.quantiles:
        return ""
    heading = escape(translate(mark("Lesion scores of the images")))
    return (
        f'<section class="scores"><h2>{heading}</h2><div class="sides"><figure class="plot">'
        f"{_plot(summary)}</figure>{_quantiles(summary)}</div>"
        f'<p class="note">{escape(_scores_note(summary))}</p></section>\n'
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
    name = translate(mark("operating point {point}")).format(point=two(threshold))
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
        row((f"{level}\N{NO-BREAK SPACE}%", *(f"{column[number]:.2f}" for column in columns)))
        for number, level in enumerate(LEVELS)
    )
    return f'<div class="wide"><table>{row(heads, "th")}{"".join(rows)}</table></div>'


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
