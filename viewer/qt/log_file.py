"""The log file: what the program did, without a word of the patient's."""

from __future__ import annotations

import logging
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LARGEST_BYTES = 1_000_000
KEPT_FILES = 3
ROOMS = ("viewer", "ml")


def start_log(folder: Path) -> RotatingFileHandler | None:
    """Let the rooms' loggers write to a file.

    Returns
    -------
    RotatingFileHandler or None
        None where the folder cannot be written: a full disk must not keep the program shut.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(
            folder / "mammoscope.log",
            maxBytes=LARGEST_BYTES,
            backupCount=KEPT_FILES,
            encoding="utf-8",
            delay=True,
        )
    except OSError:
        return None
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    for name in ROOMS:
        room = logging.getLogger(name)
        room.setLevel(logging.INFO)
        for old in [h for h in room.handlers if isinstance(h, RotatingFileHandler)]:
            room.removeHandler(old)
            old.close()
        room.addHandler(handler)
    return handler
