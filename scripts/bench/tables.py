"""Figures of a benchmark: a row each, printed as a table and written as JSON."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Row:
    """One figure.

    Attributes
    ----------
    what
        What was measured.
    value, unit
        The median where it was measured several times.
    goal
        Empty where there is none.
    met
        Whether the goal is reached; None without one.
    """

    what: str
    value: float
    unit: str
    goal: str = ""
    met: bool | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """What one benchmark found."""

    title: str
    rows: tuple[Row, ...]


def at_most(what: str, value: float, unit: str, most: float) -> Row:
    """Make a row whose goal is to stay at or under `most`."""
    return Row(what, value, unit, f"<= {most:g}", value <= most)


def at_least(what: str, value: float, unit: str, least: float) -> Row:
    """Make a row whose goal is to reach `least`."""
    return Row(what, value, unit, f">= {least:g}", value >= least)


def median_ms(work: Callable[[], object], times: int = 5) -> float:
    """Measure `work` several times, after one that does not count."""
    work()
    return statistics.median(_once_ms(work) for _ in range(times))


def _once_ms(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def as_text(table: Table) -> str:
    """Write a table for a terminal."""
    width = max((len(row.what) for row in table.rows), default=0)
    lines = [table.title, "-" * len(table.title)]
    for row in table.rows:
        verdict = {True: "met", False: "MISSED", None: ""}[row.met]
        figure = f"{row.value:>9.1f} {row.unit:<5}"
        lines.append(f"{row.what:<{width}}  {figure} {row.goal:<8} {verdict}".rstrip())
    return "\n".join(lines)


def write_json(path: Path, tables: Sequence[Table]) -> None:
    """Write all tables and what they were measured on."""
    machine = {
        "system": platform.system(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
    }
    document = {"machine": machine, "tables": [asdict(table) for table in tables]}
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
