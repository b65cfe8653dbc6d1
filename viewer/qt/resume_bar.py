"""A quiet line under the tool bar: jobs that an earlier run of the program left unfinished."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from ml.texts import translate
from viewer.jobs.describe import interrupted_of, interrupted_text
from viewer.qt import palette
from viewer.qt.dialogs.base import name_button

if TYPE_CHECKING:
    from viewer.library.job_row import JobRow
    from viewer.qt.long_jobs import LongJobs

STYLE = f"""
#resume {{ background: {palette.RAISED}; border-bottom: 1px solid {palette.LINE}; }}
#resume QPushButton {{ background: {palette.CARD}; border: 1px solid {palette.LINE};
  border-radius: 5px; padding: 3px 12px; }}
#resume QPushButton:hover {{ background: {palette.CHOSEN}; }}
#resume QPushButton:focus {{ border-color: {palette.ACCENT}; }}
"""


class ResumeBar(QFrame):
    """Offers interrupted jobs; takes no focus and covers nothing.

    Signals
    -------
    jobs_requested
        The user wants to see them first.
    """

    jobs_requested = Signal()

    def __init__(self, jobs: LongJobs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        # Those that the user put off: they stay in the list of jobs.
        self._put_off: set[int] = set()
        self.setObjectName("resume")
        self.setStyleSheet(STYLE)
        self.setAccessibleName(translate("Interrupted jobs"))
        self.sentence = QLabel()
        self.sentence.setTextFormat(Qt.TextFormat.PlainText)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 5, 12, 5)
        row.addWidget(self.sentence)
        self.go_on = self._button(row, translate("Go on"), self._resume)
        self.show_jobs = self._button(row, translate("Show jobs"), self.jobs_requested.emit)
        self.later = self._button(row, translate("Later"), self._put_off_all)
        row.addStretch(1)
        jobs.changed.connect(self._show)
        self._show(jobs.rows)

    def _button(self, row: QHBoxLayout, text: str, do: object) -> QPushButton:
        made = QPushButton()
        name_button(made, text)
        made.clicked.connect(do)
        row.addWidget(made)
        return made

    def _offered(self, rows: tuple[JobRow, ...]) -> tuple[JobRow, ...]:
        return tuple(row for row in interrupted_of(rows) if row.id not in self._put_off)

    def _show(self, rows: tuple[JobRow, ...]) -> None:
        offered = self._offered(rows)
        text = interrupted_text(offered) if offered else ""
        self.sentence.setText(text)
        self.sentence.setAccessibleName(text)
        self.setVisible(bool(offered))

    def _resume(self) -> None:
        for row in self._offered(self._jobs.rows):
            self._jobs.resume(row.id)

    def _put_off_all(self) -> None:
        self._put_off |= {row.id for row in self._offered(self._jobs.rows)}
        self._show(self._jobs.rows)
