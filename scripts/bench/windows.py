"""The real window, driven: what the benchmarks of the viewer share."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

from PySide6.QtCore import QEventLoop, QTimer

from viewer.app import make_application, make_window

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from PySide6.QtWidgets import QApplication

    from viewer.qt.main_window import MainWindow

LONGEST_S = 120.0
SIZE = (1920, 1080)


class TooLongError(Exception):
    """What was waited for never came."""


@cache
def application() -> QApplication:
    """Make the one application, and keep it: Qt ends with it."""
    return make_application()


def new_window() -> MainWindow:
    """Show an empty window that analyzes nothing by itself."""
    application()
    window = make_window()
    window.analyzer.analyze = lambda: None
    window.resize(*SIZE)
    window.show()
    wait(window.isVisible)
    return window


def wait(condition: Callable[[], bool]) -> None:
    """Let Qt work as it does in use until the condition holds, looked at every millisecond.

    Not by `processEvents` again and again: that would take Python's lock from the threads that
    decode, and measure itself.
    """
    application()
    loop, timer = QEventLoop(), QTimer()
    end = time.perf_counter() + LONGEST_S

    def look() -> None:
        if condition() or time.perf_counter() > end:
            loop.quit()

    timer.timeout.connect(look)
    timer.start(1)
    loop.exec()
    timer.stop()
    if time.perf_counter() > end:
        raise TooLongError


def seconds_to_paint(window: MainWindow, paths: Sequence[Path]) -> tuple[float, float]:
    """Open files; return the seconds to the first image painted and to the last full one."""
    first: list[float] = []
    start = time.perf_counter()
    canvas = window.canvas

    def painted() -> bool:
        viewports = window.session.state.viewports
        pictures = [window.images.picture(v.image) for v in viewports if v.image]
        if not first and any(picture is not None for picture in pictures):
            canvas.repaint()
            first.append(time.perf_counter() - start)
        return bool(pictures) and canvas.is_complete

    window.open_paths(list(paths))
    wait(painted)
    canvas.repaint()
    return first[0], time.perf_counter() - start
