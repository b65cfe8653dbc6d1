"""The log file: what the program did, without a word of the patient's."""

from __future__ import annotations

import logging
from collections import deque
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LARGEST_BYTES = 1_000_000
KEPT_FILES = 3
ROOMS = ("viewer", "ml")
FORM = "%(asctime)s %(levelname)s %(name)s %(message)s"
KEPT_LINES = 40


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
    handler.setFormatter(logging.Formatter(FORM))
    last = LastLines()
    for name in ROOMS:
        room = logging.getLogger(name)
        room.setLevel(logging.INFO)
        for old in [h for h in room.handlers if isinstance(h, RotatingFileHandler | LastLines)]:
            room.removeHandler(old)
            old.close()
        room.addHandler(handler)
        room.addHandler(last)
    return handler


class LastLines(logging.Handler):
    """Keeps the first lines of what was logged last, for a report of what broke."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: deque[str] = deque(maxlen=KEPT_LINES)
        self.setFormatter(logging.Formatter(FORM))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep its first line: further ones are a report of their own."""
        self.lines.append(self.format(record).partition("\n")[0])


def last_lines() -> tuple[str, ...]:
    """The last lines of the log; none where it was not started."""
    kept = (h for h in logging.getLogger(ROOMS[0]).handlers if isinstance(h, LastLines))
    return tuple(line for each in kept for line in each.lines)
