"""Openers that end, hang or are slow where a file's name says so; and what a run said."""

from __future__ import annotations

import csv
import os
import time
from typing import TYPE_CHECKING

from ml.screen.preparing import Ready, prepared

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ml.mammo.prepare import Wants


def poisonous(place: str, wants: Wants) -> Ready:
    """For a process: what a broken decoder does with some files."""
    if "abort" in place:
        os.abort()
    if "hang" in place:
        time.sleep(600)
    if "bug" in place:
        raise ZeroDivisionError(place)
    return prepared(place, wants)


def said(out: Path) -> Iterator[dict[str, str]]:
    """Each image's row, without what a clock said; scores as far as two machines agree."""
    with (out / "results.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            row.pop("milliseconds")
            yield {
                name: f"{float(value):.5f}" if "." in value and _is_number(value) else value
                for name, value in row.items()
            }


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
