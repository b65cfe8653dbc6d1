"""All long jobs: how they stand, and what may be done with them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QPlainTextEdit,
    QPushButton,
    QSplitter,
    QTreeWidget,
    QTreeWidgetItem,
)

from ml.texts import mark, translate
from viewer.jobs import describe
from viewer.qt.dialogs.base import PAGE, Button, Dialog, name_button
from viewer.qt.share_bar import ShareBar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtWidgets import QWidget

    from viewer.library.job_row import JobRow, LogLine
    from viewer.qt.long_jobs import LongJobs

COLUMNS = (
    mark("Job"),
    mark("Device"),
    mark("State"),
    mark("Progress"),
    mark("Done"),
    mark("Time left"),
    mark("Memory"),
)
PROGRESS = COLUMNS.index("Progress")
_WIDTHS_PX = (260, 64, 92, 120, 84, 92, 80)
BUTTONS: dict[str, str] = {
    "pause": mark("Pause"),
    "resume": mark("Resume"),
    "cancel": mark("Cancel job"),
    "retry": mark("Try again"),
    "retry_on_cpu": mark("Try on the CPU"),
    "up": mark("Earlier"),
    "down": mark("Later"),
    "remove": mark("Remove"),
}
LOG_EVERY_MS = 500
_ID = Qt.ItemDataRole.UserRole


class JobsDialog(Dialog):
    """A list of jobs over the log of the chosen one; the buttons act on that one."""

    def __init__(self, jobs: LongJobs, parent: QWidget | None) -> None:
        super().__init__(translate("Jobs"), parent)
        self.setProperty(PAGE, "studio.md")
        # What was asked of the queue is answered later, also when this was closed meanwhile.
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        self._jobs = jobs
        self.list = self._make_list()
        self.log = QPlainTextEdit()
        self.log.setReadOnly(True)
        self.log.setTabChangesFocus(True)
        self.log.setAccessibleName(translate("Log of the chosen job"))
        self.log.setPlaceholderText(translate("The job has told nothing in words yet."))
        self.sentence = self.add_text("")
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.list)
        split.addWidget(self.log)
        split.setSizes([300, 140])
        self.rows.insertWidget(0, split, 1)
        self.buttons = self._make_buttons()
        self.remove_all = QPushButton()
        name_button(self.remove_all, translate("Remove all that ended"))
        self.remove_all.clicked.connect(lambda: jobs.remove_ended())
        box = self.add_buttons(Button.Close)
        box.addButton(self.remove_all, box.ButtonRole.ResetRole)
        self._log_timer = QTimer(self)
        self._log_timer.setSingleShot(True)
        self._log_timer.setInterval(LOG_EVERY_MS)
        self._log_timer.timeout.connect(self._read_log)
        remove = QShortcut(QKeySequence.StandardKey.Delete, self.list)
        remove.setContext(Qt.ShortcutContext.WidgetShortcut)
        remove.activated.connect(self.buttons["remove"].click)
        jobs.changed.connect(self._show)
        jobs.failed.connect(self._say)
        self.list.currentItemChanged.connect(self._choose)
        self.resize(900, 540)
        self._show(jobs.rows)

    @property
    def chosen(self) -> JobRow | None:
        """The job that the buttons act on."""
        item = self.list.currentItem()
        return self._jobs.row(int(item.data(0, _ID))) if item else None

    def _make_list(self) -> QTreeWidget:
        made = QTreeWidget()
        made.setAccessibleName(translate("Jobs"))
        made.setHeaderLabels([translate(title) for title in COLUMNS])
        made.setRootIsDecorated(False)
        made.setUniformRowHeights(True)
        made.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        made.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        made.header().setStretchLastSection(False)
        for column, width in enumerate(_WIDTHS_PX):
            made.setColumnWidth(column, width)
        return made

    def _make_buttons(self) -> dict[str, QPushButton]:
        row, made = QHBoxLayout(), dict[str, QPushButton]()
        for name, text in BUTTONS.items():
            button = QPushButton()
            name_button(button, translate(text))
            button.setAutoDefault(False)
            button.clicked.connect(partial(self._act, name))
            row.addWidget(button)
            made[name] = button
        row.addStretch(1)
        self.rows.addLayout(row)
        return made

    def _show(self, rows: Sequence[JobRow]) -> None:
        chosen = self.chosen
        if [row.id for row in rows] != self._ids():
            self._fill(rows, chosen.id if chosen else 0)
        for index, row in enumerate(rows):
            self._fill_item(self.list.topLevelItem(index), row)
        self._show_chosen()

    def _ids(self) -> list[int]:
        items = (self.list.topLevelItem(i) for i in range(self.list.topLevelItemCount()))
        return [int(item.data(0, _ID)) for item in items if item]

    def _fill(self, rows: Sequence[JobRow], chosen: int) -> None:
        self.list.blockSignals(True)
        self.list.clear()
        for row in rows:
            item = QTreeWidgetItem([""] * len(COLUMNS))
            item.setData(0, _ID, row.id)
            self.list.addTopLevelItem(item)
            bar = ShareBar(translate("Progress of {title}").format(title=row.title))
            self.list.setItemWidget(item, PROGRESS, bar)
            if row.id == chosen:
                self.list.setCurrentItem(item)
        self.list.blockSignals(False)
        first = self.list.topLevelItem(0)
        if first is not None and not self.list.selectedItems():
            self.list.setCurrentItem(first)

    def _fill_item(self, item: QTreeWidgetItem | None, row: JobRow) -> None:
        if item is None:
            return
        cells = cells_of(row)
        for column, text in enumerate(cells):
            item.setText(column, text)
            item.setToolTip(column, row.sentence or text)
        item.setData(
            0, Qt.ItemDataRole.AccessibleTextRole, ", ".join(part for part in cells if part)
        )
        bar = self.list.itemWidget(item, PROGRESS)
        if isinstance(bar, ShareBar):
            bar.show_share(describe.share_of(row))

    def _choose(self, *_: object) -> None:
        self.log.clear()
        self._show_chosen()
        self._read_log()

    def _show_chosen(self) -> None:
        row = self.chosen
        fitting = describe.fitting(row, self._jobs.rows) if row else frozenset[str]()
        for name, button in self.buttons.items():
            button.setEnabled(name in fitting)
        self.buttons["retry_on_cpu"].setVisible("retry_on_cpu" in fitting)
        self.remove_all.setEnabled(any(each.state.is_ended for each in self._jobs.rows))
        self._say(row.sentence if row else "")
        if not self._log_timer.isActive():
            self._log_timer.start()

    def _read_log(self) -> None:
        row = self.chosen
        if row is not None:
            self._jobs.log(row.id, partial(self._show_log, row.id))

    def _show_log(self, job_id: int, lines: Sequence[LogLine]) -> None:
        row = self.chosen
        text = "\n".join(f"{line.at}  {line.sentence}" for line in lines)
        if row is not None and row.id == job_id and self.log.toPlainText() != text:
            self.log.setPlainText(text)
            bar = self.log.verticalScrollBar()
            bar.setValue(bar.maximum())

    def _say(self, sentence: str) -> None:
        self.sentence.setText(sentence)
        self.sentence.setAccessibleName(sentence)
        self.sentence.setVisible(bool(sentence))

    def _act(self, name: str) -> None:
        row = self.chosen
        if row is not None:
            self._deeds(row)[name]()

    def _deeds(self, row: JobRow) -> dict[str, Callable[[], None]]:
        jobs, waiting = self._jobs, describe.waiting_of(self._jobs.rows, row.lane)
        place = next((i for i, each in enumerate(waiting) if each.id == row.id), 0)
        return {
            "pause": lambda: jobs.pause(row.id),
            "resume": lambda: jobs.resume(row.id),
            "cancel": lambda: jobs.cancel(row.id),
            "retry": lambda: jobs.retry(row.id),
            "retry_on_cpu": lambda: jobs.retry(row.id, describe.CPU),
            "up": lambda: jobs.move(row.id, max(place - 1, 0)),
            "down": lambda: jobs.move(row.id, place + 1),
            "remove": lambda: jobs.remove_ended(row.id),
        }


def cells_of(row: JobRow) -> tuple[str, ...]:
    """The words of one line, column by column; the bar has no words."""
    return (
        row.title,
        describe.device_text(row.lane),
        describe.state_text(row),
        "",
        describe.progress_text(row),
        describe.left_text(row),
        describe.memory_text(row),
    )
