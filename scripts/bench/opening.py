"""A four-view study of 4096 x 3328 in each transfer syntax, to the last viewport painted."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from studies import SYNTAXES, write_large_study
from tables import Row, Table, at_most, median_ms
from windows import new_window, seconds_to_paint

from ml.mammo.pixels import read_pixels
from ml.mammo.scan import find_images

TIMES = 3


def measure() -> Table:
    """Measure the window beside the bare decoder, on the same files."""
    rows: list[Row] = []
    for syntax in SYNTAXES:
        with tempfile.TemporaryDirectory() as folder:
            paths = write_large_study(Path(folder), syntax)
            images = find_images(paths).images
            bare = median_ms(lambda: [read_pixels(image) for image in images], TIMES)  # noqa: B023
            first, last = _opened(paths)
        rows.append(Row(f"{syntax}: bare decode, one after the other", bare, "ms"))
        rows.append(
            at_most(f"{syntax}: to the last viewport / bare decode", last / bare, "x", 1.3)
        )
        goal = f"{syntax}: to the first paint"
        preview = syntax == "JPEG 2000"
        rows.append(at_most(goal, first, "ms", 400) if preview else Row(goal, first, "ms"))
    return Table("Opening four 4096 x 3328 views", tuple(rows))


def _opened(paths: list[Path]) -> tuple[float, float]:
    """Median milliseconds to the first and the last paint, each in a window of its own."""
    firsts, lasts = [], []
    for _ in range(TIMES):
        window = new_window()
        first, last = seconds_to_paint(window, paths)
        window.close()
        firsts.append(first * 1000)
        lasts.append(last * 1000)
    return statistics.median(firsts), statistics.median(lasts)
