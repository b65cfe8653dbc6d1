"""The losses of a training, kept beside it: a window that opens late draws all of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ml.control import PassedOn
from ml.files import replacing
from ml.train.order import is_next_point

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ml.control import Control


class Recorded(PassedOn):
    """Passes everything on, and writes down the losses that are told.

    Parameters
    ----------
    control
        To whom it is passed on.
    path
        Gets a line a point, ``{"done": 12, "of": 900, "stage": "patches", "loss": 0.7}``;
        a training that goes on adds to it, in the place of what came after its checkpoint.
    """

    def __init__(self, control: Control, path: Path) -> None:
        super().__init__(control)
        self._path = path
        self._kept = 0
        if path.exists():
            self._keep(_whole_lines(path))

    def say(self, done: int, of: int, news: Mapping[str, object] | None = None) -> None:
        """Write a loss down where the last one is far enough back, and pass it on.

        Whoever hears of a loss is told its step, too: news arrive before the row of the job.
        """
        if news and "loss" in news:
            news = {"done": done, "of": of, **news}
            if done <= self._kept:
                self._go_back_to(done)
            if is_next_point(self._kept, done, of):
                with self._path.open("a", encoding="utf-8") as table:
                    table.write(json.dumps(news) + "\n")
                self._kept = done
        super().say(done, of, news)

    def _go_back_to(self, done: int) -> None:
        """Forget the points from a step on: it is done again."""
        self._keep([line for line in _whole_lines(self._path) if _step_of(line) < done])

    def _keep(self, lines: list[str]) -> None:
        with replacing(self._path) as fresh:
            fresh.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        self._kept = _step_of(lines[-1]) if lines else 0


def _whole_lines(path: Path) -> list[str]:
    """The lines of a table whose last one may be half written."""
    return path.read_text(encoding="utf-8").rpartition("\n")[0].splitlines()


def _step_of(line: str) -> int:
    return int(json.loads(line)["done"])
