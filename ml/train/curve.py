"""The losses of a training, kept beside it: a window that opens late draws all of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ml.control import Control
from ml.train.order import is_next_point

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Recorded(Control):
    """Passes everything on, and writes down the losses that are told.

    Parameters
    ----------
    control
        To whom it is passed on.
    path
        Gets a line a point, ``{"done": 12, "of": 900, "stage": "patches", "loss": 0.7}``;
        a training that goes on adds to it.
    """

    def __init__(self, control: Control, path: Path) -> None:
        self._control = control
        self._path = path
        self._kept = 0

    def breathe(self) -> None:
        """Wait where the other waits."""
        self._control.breathe()

    def say(self, done: int, of: int, news: Mapping[str, object] | None = None) -> None:
        """Write a loss down where the last one is far enough back, and pass it on.

        Whoever hears of a loss is told its step, too: news arrive before the row of the job.
        """
        if news and "loss" in news:
            news = {"done": done, "of": of, **news}
            if is_next_point(self._kept, done, of):
                with self._path.open("a", encoding="utf-8") as table:
                    table.write(json.dumps(news) + "\n")
                self._kept = done
        self._control.say(done, of, news)

    def log(self, sentence: str) -> None:
        """Pass it on."""
        self._control.log(sentence)
