"""Tells that a screening ended, wherever the reader is by then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import QApplication, QSystemTrayIcon

from ml.texts import translate
from viewer.jobs.screen_deeds import SCREEN, done_text
from viewer.library.job_row import JobState
from viewer.qt import palette

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from viewer.library.job_row import JobRow
    from viewer.qt.long_jobs import LongJobs

SHOWN_MS = 15000
_ICON_PX = 32


class EndTeller(QObject):
    """Follows the long jobs and tells when a screening is done, or could not be.

    Signals
    -------
    told : str
        In a sentence.
    chosen
        The reader pressed the notification.
    """

    told = Signal(str)
    chosen = Signal()

    def __init__(self, jobs: LongJobs, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._at_work: set[int] = set()
        self._tray: QSystemTrayIcon | None = None
        self._away = QTimer(self, interval=SHOWN_MS, singleShot=True)
        self._away.timeout.connect(self._hide)
        jobs.changed.connect(self._look)

    def _look(self, rows: tuple[JobRow, ...]) -> None:
        screenings = [row for row in rows if row.kind == SCREEN]
        ended = [row for row in screenings if row.state.is_ended and row.id in self._at_work]
        self._at_work = {row.id for row in screenings if not row.state.is_ended}
        for row in ended:
            # Whoever cancelled it knows.
            if row.state is not JobState.CANCELLED:
                self._tell(row)

    def _tell(self, row: JobRow) -> None:
        sentence = done_text(row) if row.state is JobState.DONE else row.sentence
        self.told.emit(f"{row.title}. {sentence}")
        QApplication.alert(self._window)
        if QSystemTrayIcon.isSystemTrayAvailable():
            self._notify(row.title, sentence)

    def _notify(self, title: str, sentence: str) -> None:
        """On the desktop, where it has a place for that."""
        if self._tray is None:
            self._tray = QSystemTrayIcon(_icon(), self)
            self._tray.setToolTip(translate("Mammoscope"))
            self._tray.messageClicked.connect(self.chosen)
        self._tray.show()
        icon = QSystemTrayIcon.MessageIcon.Information
        self._tray.showMessage(title, sentence, icon, SHOWN_MS)
        self._away.start()

    def _hide(self) -> None:
        if self._tray is not None:
            self._tray.hide()


def _icon() -> QIcon:
    """The program has no picture of its own: a plain square in its colour."""
    picture = QPixmap(_ICON_PX, _ICON_PX)
    picture.fill(QColor(palette.PROGRESS))
    return QIcon(picture)
