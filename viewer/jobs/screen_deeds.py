"""What the window of a screening offers, and what its bottom line says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml.texts import counted, mark, translate
from viewer.jobs import describe
from viewer.jobs.foot import Deed, Foot, at_work
from viewer.library.job_row import JobState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from viewer.library.job_row import JobRow

SCREEN, START, RETRY_FAILED = "screen", "start", "retry_failed"
_PHASES = {
    "indexing": mark("Looking through the folder"),
    "analyzing": mark("Screening"),
}


def row_into(rows: Sequence[JobRow], results: str) -> JobRow | None:
    """The newest screening that writes into a folder."""
    found = [row for row in rows if row.kind == SCREEN and row.spec.get("out") == results]
    return max(found, key=lambda row: row.id, default=None)


def foot_of(
    row: JobRow | None, rows: Sequence[JobRow], *, again: bool, failed: bool = False
) -> Foot:
    """What is said and offered.

    Parameters
    ----------
    row
        The screening into the chosen folder; None where there was none yet.
    again
        Whether a list lies there already.
    failed
        Whether images in it failed, and may do better now.
    """
    if row is not None and not row.state.is_ended:
        return at_work(row, rows, _progress(row))
    word = translate("Screen again") if again else translate("Screen")
    first = Deed(START, word, first=not again)
    retry = (Deed(RETRY_FAILED, translate("Try failed images again")),) if failed else ()
    return Foot(_ended(row) if row is not None else _idle(again), (*retry, first))


def rate_text(news: Mapping[str, object]) -> str:
    """How fast images are looked at: ``"220 images a minute"``; empty where nobody knows."""
    rate = news.get("images_a_minute")
    if not isinstance(rate, int | float) or rate <= 0:
        return ""
    return translate("{rate} images a minute").format(
        rate=f"{rate:,.{0 if rate >= 10 else 1}f}"
    )


def done_text(row: JobRow) -> str:
    """What a screening that is done found: ``"400 studies, 31 not wholly analyzed."``."""
    studies, attention = (row.news.get(name) for name in ("studies", "attention"))
    if not (isinstance(studies, int) and isinstance(attention, int)):
        return translate("The folder is screened.")
    return counted(
        "The folder is screened: {studies} study, {attention} of them not wholly analyzed.",
        "The folder is screened: {studies} studies, {attention} of them not wholly analyzed.",
        studies,
    ).format(studies=f"{studies:,}", attention=f"{attention:,}")


def _progress(row: JobRow) -> tuple[str, ...]:
    phase = _PHASES.get(str(row.news.get("phase", "")))
    running = row.state is JobState.RUNNING and not row.stopping
    state = translate(phase) if running and phase else describe.state_text(row)
    indexed = row.news.get("indexed")
    files = ""
    if isinstance(indexed, int) and indexed:
        files = counted("{count} file", "{count} files", indexed).format(count=f"{indexed:,}")
    return (
        state[:1].upper() + state[1:],
        files or _images(row),
        rate_text(row.news) if running else "",
        _left(row) if running else "",
        translate("you can read meanwhile"),
    )


def _left(row: JobRow) -> str:
    """How long it still takes; by the rate of the last images until the queue knows."""
    rate = row.news.get("images_a_minute")
    if row.eta_s is None and isinstance(rate, int | float) and rate > 0:
        left_s = 60 * max(row.of - row.done, 0) / rate
        return translate("{time} left").format(time=describe.duration_text(left_s))
    return describe.left_text(row)


def _images(row: JobRow) -> str:
    if not row.of:
        return ""
    text = counted("{done} of {count} image", "{done} of {count} images", row.of)
    return text.format(done=f"{row.done:,}", count=f"{row.of:,}")


def _ended(row: JobRow) -> str:
    if row.state is JobState.DONE:
        return done_text(row)
    if row.state is JobState.CANCELLED:
        return translate("It was cancelled; what was looked at stays, and is not done again.")
    return row.sentence


def _idle(again: bool) -> str:
    if again:
        return translate("Screening again looks only at what is new in the folder.")
    return translate("It runs in the background; you can read meanwhile.")
