"""The reads and their figures in words: for the window, a text and a table."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from ml.mammo.codes import Laterality
from ml.texts import RESEARCH_USE_ONLY, counted, mark, translate
from viewer.core.decision import Standing
from viewer.core.outcome_words import outcome_text
from viewer.core.read_audit import MEANINGS, TITLES, is_positive

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from viewer.core.decision import Outcome
    from viewer.core.read_audit import ReadAudit, Share
    from viewer.core.read_study import ReadStudy

SOURCE = mark(
    "Definitions: ACR BI-RADS Atlas, 5th edition (2013), Follow-up and Outcome Monitoring. "
    "Intervals: 95 %, Wilson 1927. The unit is the study."
)
COLUMNS = (
    mark("Study"),
    mark("Read on"),
    mark("Right breast"),
    mark("Left breast"),
    mark("Findings"),
)
SIDES = (Laterality.RIGHT, Laterality.LEFT)
_CALLED = {True: mark("recall"), False: mark("normal")}
_STANDING = {
    Standing.ACCEPTED: mark("{count} accepted"),
    Standing.REJECTED: mark("{count} rejected"),
    Standing.DRAWN: mark("{count} drawn"),
}
_TABLE = (
    *("study", "read_at", "reader", "laterality", "recall", "positive", "assessment"),
    *("proof", "truth", "proof_date", "follow_up_months", "marks_seen", "listed"),
)


def cells_of(study: ReadStudy) -> tuple[str, ...]:
    """One line of the list of reads, column by column."""
    breasts = (breast_text(study.breast(side)) for side in SIDES)
    return name_of(study), study.read_at[:10], *breasts, marks_text(study)


def name_of(study: ReadStudy) -> str:
    """As in the list of recent studies; its UID where it was taken out of that."""
    return study.label or study.uid


def breast_text(outcome: Outcome | None) -> str:
    """``"recall · BI-RADS 4A · benign, pathology 2026-03-04"``."""
    if outcome is None:
        return ""
    called = "" if outcome.recall is None else translate(_CALLED[outcome.recall])
    return " · ".join(part for part in (called, outcome_text(outcome)) if part)


def marks_text(study: ReadStudy) -> str:
    """``"2 accepted, 1 rejected"``."""
    counted = study.standings()
    return ", ".join(
        translate(word).format(count=counted[standing])
        for standing, word in _STANDING.items()
        if counted.get(standing)
    )


def value_text(share: Share) -> str:
    """``"60.0 % (31.3 to 83.2)"``; a word where there is nothing to reckon with."""
    if share.value is None or share.interval is None:
        return translate(mark("none yet"))
    low, high = share.interval
    unit = " %" if share.per == 100 else ""
    return translate(mark("{value}{unit} ({low} to {high})")).format(
        value=f"{share.value:.1f}", unit=unit, low=f"{low:.1f}", high=f"{high:.1f}"
    )


def count_text(share: Share) -> str:
    """``"6 of 10, 2 unknown"``."""
    text = translate(mark("{count} of {of}")).format(count=share.count, of=share.of)
    if not share.unknown:
        return text
    return text + ", " + translate(mark("{count} unknown")).format(count=share.unknown)


def read_text(audit: ReadAudit) -> str:
    """``"12 studies read"``."""
    text = counted("{count} study read", "{count} studies read", audit.read)
    return text.format(count=audit.read)


def left_out_text(audit: ReadAudit) -> str:
    """What the figures do not rest on; empty where they rest on everything."""
    parts = (
        (audit.unread, mark("{count} without a word on a breast")),
        (audit.synthetic, mark("{count} synthetic")),
        (audit.proven_before, mark("{count} with a cancer known before (category 6)")),
    )
    told = [translate(text).format(count=count) for count, text in parts if count]
    if not told:
        return ""
    return translate(mark("Left out: {what}.")).format(what=", ".join(told))


def period_text(first: str, last: str, reader: str) -> str:
    """``"Reads from 2026-01-01 to 2026-12-31 by Dr. A"``."""
    text = translate(mark("Reads from {first} to {last}")).format(first=first, last=last)
    return f"{text}, {reader}" if reader else text


def audit_text(audit: ReadAudit, period: str) -> str:
    """The figures as a page of plain text."""
    lines = [translate(mark("Outcomes of my reads")), period]
    lines += [read_text(audit), ""]
    for share in audit.shares:
        title = translate(TITLES[share.figure])
        lines.append(f"{title}: {value_text(share)}; {count_text(share)}")
        lines.append(f"    {translate(MEANINGS[share.figure])}")
    lines += ["", left_out_text(audit), translate(SOURCE)]
    lines.append(translate(RESEARCH_USE_ONLY))
    return "\n".join(line for line in lines) + "\n"


def reads_csv(studies: Iterable[ReadStudy]) -> str:
    """One line a breast: what was said and what is known, in words that programs read."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_TABLE)
    for study in studies:
        writer.writerows(_row(study, breast) for breast in study.breasts())
    return text.getvalue()


def _row(study: ReadStudy, breast: Outcome) -> Sequence[str]:
    return (
        *(_inert(study.uid), study.read_at, _inert(study.read_by), breast.laterality.value),
        *(_word(breast.recall), _word(is_positive(breast))),
        breast.assessment.value if breast.assessment else "",
        breast.proof.value if breast.proof else "",
        breast.truth.value if breast.truth else "",
        breast.proof_date,
        "" if breast.follow_up_months is None else str(breast.follow_up_months),
        _word(breast.circumstances.marks_seen),
        breast.circumstances.listed,
    )


def _word(said: bool | None) -> str:
    return {True: "yes", False: "no", None: ""}[said]


def _inert(text: str) -> str:
    """A spreadsheet would run a cell that begins so (OWASP, CSV injection)."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text
