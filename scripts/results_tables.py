"""What the pages of results are put together from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


def table(headings: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    rows = [headings, ["---"] * len(headings), *lines]
    return "".join(f"| {' | '.join(map(cell, row))} |\n" for row in rows)


def cell(text: str) -> str:
    """Text that breaks no table."""
    return text.replace("|", "\\|").replace("\n", " ")


def estimate(given: Mapping[str, float | None] | None) -> str:
    """A figure with its interval; a dash where it is not defined."""
    if given is None or given["value"] is None:
        return "-"
    text = f"{given['value']:.3f}"
    low, high = given["low"], given["high"]
    return text if low is None or high is None else f"{text} ({low:.3f} to {high:.3f})"
