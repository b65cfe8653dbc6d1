"""A screen that nobody sees (Xvfb), whose pixels are read while a program draws on it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from types import TracebackType

    from numpy.typing import NDArray

COLUMNS, ROWS = 1600, 950
# The four viewports of the window, as shares of the screen: rows, columns.
CELLS = tuple(
    (rows, columns)
    for rows in ((0.1, 0.5), (0.55, 0.9))
    for columns in ((0.17, 0.48), (0.48, 0.79))
)
# Tissue is gray and not black; so much of a viewport at least is tissue.
GRAY_FROM, TINT, SHARE = 50, 10, 0.05
# The header of an X window dump: big-endian words, https://www.x.org (XWDFile.h).
HEADER_SIZE, HEADER_ROW_BYTES, HEADER_COLORS, COLOR_BYTES = 0, 12, 19, 12


class ScreenError(Exception):
    """The screen did not come up, or what was to be seen did not."""


class VirtualScreen:
    """Xvfb while a ``with`` lasts; `name` is what DISPLAY wants."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp())
        self.name = ""

    def __enter__(self) -> VirtualScreen:
        if shutil.which("Xvfb") is None or shutil.which("xdotool") is None:
            raise ScreenError("Xvfb or xdotool is missing: apt-get install xvfb xdotool")
        read, write = os.pipe()
        size = f"{COLUMNS}x{ROWS}x24"
        options = ["-screen", "0", size, "-ac", "-nolisten", "tcp", "-fbdir", str(self._folder)]
        self._server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), *options],
            pass_fds=(write,),
            stderr=subprocess.DEVNULL,
        )
        os.close(write)
        with os.fdopen(read) as told:
            number = told.readline().strip()
        if not number:
            raise ScreenError("Xvfb did not start")
        self.name = f":{number}"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.terminate()
        self._server.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def pixels(self) -> NDArray[np.uint8]:
        """What is on the screen now, shape (rows, columns, 3): blue, green, red."""
        data = np.fromfile(self._folder / "Xvfb_screen0", np.uint8)
        words = data[:100].view(">u4")
        start = int(words[HEADER_SIZE]) + int(words[HEADER_COLORS]) * COLOR_BYTES
        width = int(words[HEADER_ROW_BYTES])
        rows = data[start : start + width * ROWS].reshape(ROWS, width)
        return rows[:, : COLUMNS * 4].reshape(ROWS, COLUMNS, 4)[..., :3]

    def wait_for_study(self, process: subprocess.Popen[str], longest_s: float = 120.0) -> float:
        """Wait until all four viewports show tissue; return the seconds that it took.

        Raises
        ------
        ScreenError
            Where the program ends before, or it takes too long.
        """
        start = time.perf_counter()
        while not shows_study(self.pixels()):
            if process.poll() is not None:
                said = (process.stdout.read() if process.stdout else "").strip()
                raise ScreenError(f"the program ended with {process.returncode}: {said}")
            if time.perf_counter() - start > longest_s:
                raise ScreenError(f"no study was to be seen within {longest_s:.0f} s")
            time.sleep(0.02)
        return time.perf_counter() - start

    def press(self, keys: str, title: str = "Mammoscope") -> None:
        """Press keys in the window of a title."""
        find = ["xdotool", "search", "--onlyvisible", "--name", title]
        environment = {**os.environ, "DISPLAY": self.name}
        subprocess.run(
            [*find, "windowfocus", "--sync", "key", "--clearmodifiers", keys],
            check=False,
            capture_output=True,
            env=environment,
        )


def shows_study(pixels: NDArray[np.uint8]) -> bool:
    """Whether every viewport shows tissue: pixels that are gray and not black.

    Parameters
    ----------
    pixels
        Shape (rows, columns, 3).
    """
    rows, columns = pixels.shape[:2]
    for (top, bottom), (left, right) in CELLS:
        cell = pixels[
            int(top * rows) : int(bottom * rows), int(left * columns) : int(right * columns)
        ].astype(np.int16)
        gray = (cell.min(axis=2) >= GRAY_FROM) & (np.ptp(cell, axis=2) <= TINT)
        if gray.mean() < SHARE:
            return False
    return True
