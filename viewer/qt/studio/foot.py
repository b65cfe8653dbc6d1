"""The studio's bottom line: how far the batch is, and what may be done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from ml.texts import translate
from viewer.jobs import describe
from viewer.qt.dialogs.base import name_button
from viewer.qt.share_bar import ShareBar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from viewer.core.batch import Batch
    from viewer.library.job_row import JobRow


class Foot(QFrame):
    """Progress at the left, buttons at the right.

    Signals
    -------
    steered : str
        ``"pause"``, ``"resume"``, ``"retry"`` or ``"cancel"``.
    save_requested
        Save what is kept.
    """

    steered = Signal(str)
    save_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("foot")
        self._deed = "pause"
        self.state = QLabel()
        self.bar = ShareBar(translate("Progress of the batch"))
        self.bar.setMinimumWidth(110)
        self.bar.setMaximumWidth(250)
        self.times = QLabel()
        self.times.setProperty("kind", "dim")
        self.times.setWordWrap(True)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 10, 16, 10)
        row.setSpacing(14)
        row.addWidget(self.state)
        row.addWidget(self.bar)
        row.addWidget(self.times, 1)
        self.steer = self._button(row, translate("Pause"))
        self.steer.clicked.connect(lambda: self.steered.emit(self._deed))
        self.cancel = self._button(row, translate("Cancel"))
        self.cancel.clicked.connect(lambda: self.steered.emit("cancel"))
        self.save = self._button(row, "")
        self.save.setProperty("kind", "deed")
        self.save.clicked.connect(self.save_requested)
        self.show_job(None, ())
        self.show_batch(None)

    def show_job(self, row: JobRow | None, rows: Sequence[JobRow]) -> None:
        """Show how the batch's job stands."""
        text = describe.batch_text(row) if row else translate("No batch yet")
        _say(self.state, text)
        self.bar.show_share(describe.share_of(row) if row else None)
        self.bar.setVisible(row is not None)
        _say(self.times, _times(row))
        fitting = describe.fitting(row, rows) if row else frozenset[str]()
        deed = next((each for each in describe.STEERING if each[0] in fitting), None)
        self._deed, word = deed or describe.STEERING[0]
        name_button(self.steer, translate(word))
        self.steer.setEnabled(deed is not None)
        self.cancel.setEnabled("cancel" in fitting)

    def show_batch(self, batch: Batch | None) -> None:
        """Show how many images would be saved."""
        count = len(batch.kept) if batch else 0
        name_button(self.save, translate("Save {count} as DICOM…").format(count=count))
        self.save.setEnabled(count > 0)

    def say(self, sentence: str) -> None:
        """Say what came of a wish, until the job tells something new."""
        _say(self.times, sentence)

    def _button(self, row: QHBoxLayout, text: str) -> QPushButton:
        made = QPushButton()
        name_button(made, text)
        made.setAutoDefault(False)
        row.addWidget(made)
        return made


def _times(row: JobRow | None) -> str:
    if row is None:
        return ""
    if row.sentence:
        return row.sentence
    times = [describe.each_text(row), describe.left_text(row)]
    if not row.state.is_ended:
        times.append(translate("resumes after a restart"))
    return " · ".join(part for part in times if part)


def _say(where: QLabel, text: str) -> None:
    where.setText(text)
    where.setAccessibleName(text)
