"""Openers of images that end, hang or are slow where a file's name says so."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from ml.screen.preparing import Ready, prepared

if TYPE_CHECKING:
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
