"""What is known of each row, in words that can be counted; what is left out, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.audit.naming import IS_LABEL, IS_NAME, OURS, counts_images, says_label, speaks_of_lesion

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from enum import Enum

    from ml.mammo.mammogram import Mammogram
    from ml.manifest import ManifestRow

# More distinct values than this for each patient of whom it says something, and a column is
# a name: four images of a woman have one accession number. So few may be makers of few women.
MOST_DISTINCT = 0.5
FEW = 5
# A column of more different numbers than this is cut into fifths.
MOST_NUMBERS = 12
PARTS = 5
# The prompts of `ml.synth` end with it, and those of others.
LESION_WORDS = re.compile(r",? with an? .*$", re.IGNORECASE)
# The year is the first group: 20100131 and DICOM's DT; 2010-01, 2010-01-31T10:12; 31.01.2010.
DATES = (
    re.compile(
        r"((?:19|20)\d\d)(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:\d{4,6}(?:\.\d*)?)?"
    ),
    re.compile(
        r"((?:19|20)\d\d)[-/](?:0?[1-9]|1[0-2])(?:[-/](?:0?[1-9]|[12]\d|3[01]))?(?:[T ].*)?"
    ),
    re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.]((?:19|20)\d\d)(?:[T ,].*)?"),
)
HEADER_VIEW, HEADER_SIDE = "header: view", "header: laterality"
HEADER = "header: "
UNTOLD = "(not said)"


@dataclass(frozen=True, slots=True)
class Known:
    """Columns by name, each with one word a row; and those left out, with a marked reason.

    Attributes
    ----------
    doubtful
        Of those left out: the ones whose name speaks of the lesion and of something else.
    """

    columns: Mapping[str, tuple[str, ...]]
    left_out: Mapping[str, str]
    doubtful: Mapping[str, tuple[str, ...]]


def known_columns(
    rows: Sequence[ManifestRow], headers: Sequence[Mapping[str, str]] = ()
) -> Known:
    """What the table and the headers say of some rows.

    Whether a column is a name is told by how many values it has, whatever it is called: dates
    become years first, and numbers are measurements unless they count images or patients.

    Parameters
    ----------
    headers
        `header_words` of each row; may be left out.
    """
    told = [_words(row, header) for row, header in zip(rows, headers or [{}] * len(rows))]  # noqa: B905 as many as rows
    patients = [row.patient_id for row in rows]
    names = dict.fromkeys(name for words in told for name in words)
    columns: dict[str, tuple[str, ...]] = {}
    left_out: dict[str, str] = {}
    doubtful: dict[str, tuple[str, ...]] = {}
    for name in names:
        values = _years(tuple(words.get(name) or UNTOLD for words in told))
        reason = _why_not(name, values, patients)
        if reason:
            left_out[name] = reason
        elif len(set(values)) == 1:
            continue
        elif _is_doubtful(name):
            left_out[name] = IS_LABEL
            doubtful[name] = _in_parts(values)
        else:
            columns[name] = _in_parts(values)
    return Known(columns, left_out, doubtful)


def header_words(mammogram: Mammogram) -> dict[str, str]:
    """What a file says of itself, by a name that no column of a table has.

    Its view and side are here, too: they count where the table does not say them.
    """
    form, spacing, how = mammogram.pixel_format, mammogram.spacing, mammogram.acquisition
    return {
        "header: kind of file": mammogram.kind.value,
        "header: file name ends with": mammogram.path.suffix.lower(),
        "header: transfer syntax": mammogram.transfer_syntax_uid,
        "header: pixel spacing": f"{spacing.row_mm:.4g}" if spacing else "",
        "header: bits stored": str(form.bits_stored),
        "header: bits allocated": str(form.bits_allocated),
        "header: inverted": str(form.inverted),
        "header: rows": str(mammogram.rows),
        "header: columns": str(mammogram.columns),
        "header: compressed with loss": str(mammogram.lossy is not None),
        "header: intent": mammogram.intent.value if mammogram.intent else "",
        "header: maker": f"{how.manufacturer} {how.model}".strip(),
        "header: institution": how.institution,
        "header: year": mammogram.study_date[:4],
        "header: synthetic": str(mammogram.synthetic),
        HEADER_VIEW: _word(mammogram.view and mammogram.view.value),
        HEADER_SIDE: _word(mammogram.laterality and mammogram.laterality.value),
    }


def _words(row: ManifestRow, header: Mapping[str, str]) -> dict[str, str]:
    said = dict(header)
    view, side = said.pop(HEADER_VIEW, ""), said.pop(HEADER_SIDE, "")
    words = {
        "laterality": _word(row.laterality) or side,
        "view": _word(row.view) or view,
        "source": _word(row.source),
        "split": _word(row.split),
        "density": _word(row.density),
        **row.extra,
        **said,
    }
    if "prompt" in words:
        words["prompt"] = LESION_WORDS.sub("", words["prompt"])
    return words


def _word(value: Enum | None) -> str:
    return "" if value is None else str(value.value)


def _why_not(name: str, values: Sequence[str], patients: Sequence[str]) -> str:
    """Why a column is left out; empty where it is not, or where its name leaves it open."""
    if name in OURS:
        return OURS[name]
    if not name.startswith(HEADER) and says_label(name):
        return IS_LABEL
    pairs = zip(values, patients, strict=True)
    said = [(value, patient) for value, patient in pairs if value != UNTOLD]
    distinct, women = ({pair[at] for pair in said} for at in (0, 1))
    if len(distinct) <= MOST_DISTINCT * len(women):
        return ""
    is_text = _numbers(values) is None and len(distinct) > FEW
    return IS_NAME if is_text or counts_images(name) else ""


def _is_doubtful(name: str) -> bool:
    return not name.startswith(HEADER) and speaks_of_lesion(name)


def _years(values: tuple[str, ...]) -> tuple[str, ...]:
    """The year of each where all that is said are dates."""
    found = {value: _year(value) for value in set(values) - {UNTOLD}}
    return tuple(found.get(value, value) for value in values) if all(found.values()) else values


def _year(value: str) -> str:
    return next((date[1] for form in DATES if (date := form.fullmatch(value))), "")


def _in_parts(values: tuple[str, ...]) -> tuple[str, ...]:
    """Many different numbers become fifths of their order; words stay."""
    numbers = _numbers(values)
    if numbers is None or len(set(values)) <= MOST_NUMBERS:
        return values
    edges = np.nanquantile(numbers, np.arange(1, PARTS) / PARTS)
    return tuple(
        UNTOLD if np.isnan(number) else f"part {1 + int(np.searchsorted(edges, number))}"
        for number in numbers
    )


def _numbers(values: Iterable[str]) -> list[float] | None:
    """The column as numbers, NaN where nothing is said; None where a value is none."""
    try:
        numbers = [float("nan") if value == UNTOLD else float(value) for value in values]
    except ValueError:
        return None
    return (
        numbers
        if all(abs(number) < float("inf") or number != number for number in numbers)
        else None
    )
