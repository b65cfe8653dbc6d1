"""From a mouse event to the painted canvas, dragging the window of four large views."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from studies import write_large_study
from tables import Row, Table, at_most
from windows import application, new_window, seconds_to_paint

EVENTS = 200


def measure() -> Table:
    """Drag back and forth; each event waits for its paint."""
    with tempfile.TemporaryDirectory() as folder:
        window = new_window()
        seconds_to_paint(window, write_large_study(Path(folder), "uncompressed"))
    canvas = window.canvas
    middle = canvas.rect().center() - QPoint(canvas.width() // 5, canvas.height() // 5)
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=middle)
    took: list[float] = []
    for number in range(EVENTS):
        place = middle + QPoint(4 * (number % 50) + 8, 2 * (number % 30))
        start = time.perf_counter()
        QTest.mouseMove(canvas, place)
        application().processEvents()
        took.append((time.perf_counter() - start) * 1000)
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=middle)
    size = f"canvas {canvas.width()} x {canvas.height()}"
    window.close()
    took.sort()
    rows: tuple[Row, ...] = (
        at_most(f"median, {size}", statistics.median(took), "ms", 8),
        at_most("99th percentile", took[int(0.99 * len(took))], "ms", 16),
    )
    return Table("Window drag over four 4096 x 3328 views, event to paint", rows)
