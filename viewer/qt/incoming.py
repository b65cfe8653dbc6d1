"""What others ask a program that runs to open: another start of it, and the desktop."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QFileOpenEvent

from viewer.core.start import TOKEN_VARIABLE, Start
from viewer.qt.instance import Door

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from PySide6.QtWidgets import QApplication, QWidget

    from viewer.qt.instance import Claim

# The first pictures come before what hears other starts.
DOOR_AFTER_MS = 400


class Incoming(QObject):
    """Keeps what is asked for until there is a window, and hands it on from then.

    Parameters
    ----------
    claim
        None: other starts are not heard.
    files
        Whether the system sends files as events, as macOS does. Every event of the program
        passes here then.
    """

    def __init__(
        self,
        application: QApplication,
        claim: Claim | None,
        *,
        files: bool = sys.platform == "darwin",
    ) -> None:
        super().__init__(application)
        self._serve: Callable[[Start], None] | None = None
        self._waiting: list[Start] = []
        self._front: QWidget | None = None
        self._door = Door(claim, self) if claim is not None else None
        if self._door is not None:
            self._door.asked.connect(self.ask)
            QTimer.singleShot(DOOR_AFTER_MS, self, self._door.open)
        self._application = application if files else None
        if files:
            application.installEventFilter(self)

    def serve(self, handle: Callable[[Start], None]) -> None:
        """Hand everything to `handle` from now on, what waited first."""
        self._serve = handle
        waiting, self._waiting = self._waiting, []
        for start in waiting:
            handle(start)

    def ask(self, start: Start) -> None:
        """Someone asks for this."""
        if self._front is not None:
            come_to_front(self._front, start.token)
        if self._serve is None:
            self._waiting.append(start)
        else:
            self._serve(start)

    @contextmanager
    def raising(self, window: QWidget) -> Generator[None]:
        """Bring a window to the front whenever someone asks for something meanwhile."""
        self._front = window
        try:
            yield
        finally:
            self._front = None

    def close(self) -> None:
        """Hear nobody any more."""
        self._serve = None
        if self._application is not None:
            self._application.removeEventFilter(self)
        if self._door is not None:
            self._door.close()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt
        """Take files that the desktop gives to a program that runs (macOS)."""
        if event.type() is QEvent.Type.FileOpen and isinstance(event, QFileOpenEvent):
            self.ask(Start((Path(event.file()),)))
            return True
        return super().eventFilter(watched, event)


def come_to_front(window: QWidget, token: str = "") -> None:
    """Show a window above all others, as far as the desktop lets it."""
    if token:
        # Qt takes it from there, once.
        os.environ[TOKEN_VARIABLE] = token
    window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
    window.show()
    window.raise_()
    window.activateWindow()
