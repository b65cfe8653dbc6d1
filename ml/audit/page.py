"""An audit's report as a Markdown page: the worst first."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from ml.audit.report import Verdict
from ml.texts import mark, translate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ml.audit.report import AuditReport, Check, Figure

VERDICTS = {
    Verdict.GREEN: mark("Green: nothing speaks against training on these data."),
    Verdict.AMBER: mark("Amber: look at what is below before training on these data."),
    Verdict.RED: mark("Red: what is trained on these data would learn something else."),
}
WORDS = {
    Verdict.GREEN: mark("green"),
    Verdict.AMBER: mark("amber"),
    Verdict.RED: mark("red"),
}


def markdown_page(report: AuditReport) -> str:
    """The whole page."""
    counted = translate(mark("{images} images of {patients} patients.")).format(
        images=report.images, patients=report.patients
    )
    parts = [
        f"# {translate(mark('Audit of {data}')).format(data=report.data)}\n",
        f"**{translate(VERDICTS[report.verdict])}** {counted}\n",
    ]
    if report.override:
        said = translate(mark("Used all the same, because: {reason}"))
        parts.append(f"**{said.format(reason=report.override)}**\n")
    for verdict in reversed(Verdict):
        parts += map(_section, report.of(verdict))
    return "\n".join(parts)


def _section(check: Check) -> str:
    lines = [f"## {translate(WORDS[check.verdict])}: {check.name}\n", f"{check.reason}\n"]
    if check.cure:
        lines.append(f"{translate(mark('What to do:'))} {check.cure}\n")
    if check.figures:
        lines += [_table(check.figures)]
    return "\n".join(lines)


def _table(figures: Iterable[Figure]) -> str:
    head = f"| {translate(mark('figure'))} | {translate(mark('value (95 % interval)'))} |\n"
    rows = (f"| {_cell(translate(each.name))} | {_shown(each)} |\n" for each in figures)
    return "".join([head, "| --- | --- |\n", *rows])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _shown(figure: Figure) -> str:
    if not isfinite(figure.value):
        return "-"
    text = f"{figure.value:.3f}".removesuffix(".000")
    if not (isfinite(figure.low) and isfinite(figure.high)):
        return text
    return f"{text} ({figure.low:.3f} to {figure.high:.3f})"
