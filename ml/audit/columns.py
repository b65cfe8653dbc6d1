"""What is known of each row, in words that can be counted; what is left out, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from enum import Enum

    from ml.mammo.mammogram import Mammogram
    from ml.manifest import ManifestRow

# More distinct values than this a row, and a column is a name.
MOST_DISTINCT = 0.5
# A column of more different numbers than this is cut into fifths.
MOST_NUMBERS = 12
PARTS = 5
NAMES = re.compile(
    r"(^|_)(path|file|filename|name|uid|id|patient|sha256|hash|seed|host|reason|accession)(_|$)"
)
# What is said of the lesion itself, or is another word for the label.
OF_LESION = re.compile(
    r"lesion|finding|bi.?rads|patholog|assess|abnormal|severity|diagnos|outcome|label|"
    r"descriptor|mass|calc|cancer|malignan|subtlety|biops|recall|detectab|reference_standard"
)
# The prompts of `ml.synth` end with it, and those of others.
LESION_WORDS = re.compile(r",? with an? .*$", re.IGNORECASE)
IS_NAME = mark("a name: nearly one value a row")
IS_LABEL = mark("says the label in other words, or describes the lesion")
UNTOLD = "(not said)"


@dataclass(frozen=True, slots=True)
class Known:
    """Columns by name, each with one word a row; and those left out, with a marked reason."""

    columns: Mapping[str, tuple[str, ...]]
    left_out: Mapping[str, str]


def known_columns(
    rows: Sequence[ManifestRow], headers: Sequence[Mapping[str, str]] = ()
) -> Known:
    """What the table and the headers say of some rows.

    Parameters
    ----------
    headers
        `header_words` of each row; may be left out.
    """
    told = [_words(row, header) for row, header in zip(rows, headers or [{}] * len(rows))]  # noqa: B905 as many as rows
    names = dict.fromkeys(name for words in told for name in words)
    columns: dict[str, tuple[str, ...]] = {}
    left_out: dict[str, str] = {}
    for name in names:
        values = tuple(words.get(name) or UNTOLD for words in told)
        reason = _why_not(name, values)
        if reason:
            left_out[name] = reason
        elif len(set(values)) > 1:
            columns[name] = _in_parts(values)
    return Known(columns, left_out)


def header_words(mammogram: Mammogram) -> dict[str, str]:
    """What a file says of itself, by a name that no column of a table has."""
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
    }


def _words(row: ManifestRow, header: Mapping[str, str]) -> dict[str, str]:
    words = {
        "laterality": _word(row.laterality),
        "view": _word(row.view),
        "source": _word(row.source),
        "split": _word(row.split),
        "density": _word(row.density),
        **row.extra,
        **header,
    }
    if "prompt" in words:
        words["prompt"] = LESION_WORDS.sub("", words["prompt"])
    return words


def _word(value: Enum | None) -> str:
    return "" if value is None else str(value.value)


def _why_not(name: str, values: Sequence[str]) -> str:
    plain = re.sub(r"\W+", "_", name.lower())
    if not name.startswith("header: "):
        if NAMES.search(plain):
            return IS_NAME
        if OF_LESION.search(plain):
            return IS_LABEL
    distinct = len(set(values)) / max(len(values), 1)
    return IS_NAME if distinct > MOST_DISTINCT and _numbers(values) is None else ""


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
