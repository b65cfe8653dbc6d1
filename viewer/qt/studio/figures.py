"""The right column: how good the batch is, what was filtered out, what the data set lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from ml.texts import counted, translate
from viewer.core import lacks
from viewer.core.batch import FigureLine, figure_lines, filtered_out
from viewer.qt import palette
from viewer.qt.cards import label
from viewer.qt.dialogs.base import name_button

if TYPE_CHECKING:
    from collections.abc import Sequence

    from viewer.core.batch import Batch
    from viewer.core.lacks import DataSet, LackCell

MOST_WANTED = 10_000
# Red, green, blue: where nothing is missing, and where all is.
COLD, WARM = (25, 36, 43), (107, 47, 34)


class FiguresPanel(QWidget):
    """What is known of a batch and of a data set; nothing is made up.

    Signals
    -------
    plan_requested : int
        Queue what the data set lacks of so many images of each kind.
    """

    plan_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("column")
        self._data: DataSet | None = None
        self._paints = True
        rows = QVBoxLayout(self)
        rows.setContentsMargins(16, 14, 16, 14)
        rows.setSpacing(4)
        rows.addWidget(_heading(translate("This batch beside real films")))
        self.figures = Lines(rows)
        rows.addWidget(_heading(translate("Filtered out")))
        self.filtered = Lines(rows)
        rows.addWidget(_heading(translate("What your data set lacks")))
        self.name = label("", "dim")
        rows.addWidget(self.name)
        self.table = QGridLayout()
        self.table.setSpacing(3)
        rows.addLayout(self.table)
        self._make_plan(rows)
        self.problem = label("", "problem")
        rows.addWidget(self.problem)
        rows.addStretch(1)
        self.show_batch(None)
        self._show_data()

    def show_batch(self, batch: Batch | None) -> None:
        """Show what was measured of a batch."""
        self.figures.show(figure_lines(batch.figures if batch else ()))
        refused = filtered_out(batch) if batch else ()
        counted = [FigureLine(why, str(count), f"{why}: {count}") for why, count in refused]
        nothing = translate("nothing yet")
        self.filtered.show(counted or [FigureLine(nothing, "", nothing)])

    def show_data_set(self, data: DataSet, *, paints: bool) -> None:
        """Show what a data set has, and what the plan would make."""
        self._data, self._paints = data, paints
        self._show_data()

    def say(self, sentence: str) -> None:
        """Say why a data set cannot be counted."""
        self.problem.setText(sentence)
        self.problem.setAccessibleName(sentence)
        self.problem.setVisible(bool(sentence))

    def _make_plan(self, rows: QVBoxLayout) -> None:
        self.wanted = QSpinBox()
        self.wanted.setRange(1, MOST_WANTED)
        self.wanted.setValue(lacks.WANTED)
        self.wanted.setAccessibleName(translate("Images of each kind and side"))
        self.wanted.valueChanged.connect(self._show_data)
        self.wanted_label = QLabel(translate("of each kind and side"))
        self.wanted_label.setBuddy(self.wanted)
        self.queue_plan = QPushButton()
        self.queue_plan.setProperty("kind", "deed")
        self.queue_plan.setAutoDefault(False)
        self.queue_plan.clicked.connect(lambda: self.plan_requested.emit(self.wanted.value()))
        row = QHBoxLayout()
        row.setContentsMargins(0, 6, 0, 0)
        for widget in (self.wanted, self.wanted_label):
            row.addWidget(widget)
        row.addStretch(1)
        rows.addLayout(row)
        rows.addWidget(self.queue_plan)

    def _show_data(self) -> None:
        data = self._data
        for widget in (self.wanted, self.wanted_label, self.queue_plan):
            widget.setVisible(data is not None)
        _clear(self.table)
        self.say("")
        if data is None:
            text = translate("“Balance my data set…” counts a data set's images of each kind.")
            _say(self.name, text)
            return
        unplaced = data.census.unplaced
        text = counted(
            "{count} image is of no known kind", "{count} images are of no known kind", unplaced
        ).format(count=unplaced)
        _say(self.name, f"{data.folder}\n{text}" if unplaced else data.folder)
        self._fill_table(data)
        plan = lacks.plan_of(data, self.wanted.value())
        count = lacks.images_of(plan)
        queue = counted(
            "Queue the plan: {count} image", "Queue the plan: {count} images", count
        )
        name_button(self.queue_plan, queue.format(count=count))
        unable = lacks.has_lesions(plan) and not self._paints
        self.queue_plan.setEnabled(bool(count) and not unable)
        if unable:
            self.say(translate("The plan has lesions, and this generator paints none."))

    def _fill_table(self, data: DataSet) -> None:
        for column, (_, title) in enumerate(lacks.DENSITIES, 1):
            head = QLabel(translate(title))
            head.setProperty("kind", "dim")
            self.table.addWidget(head, 0, column, Qt.AlignmentFlag.AlignHCenter)
        for number, row in enumerate(lacks.lack_rows(data, self.wanted.value()), 1):
            self.table.addWidget(QLabel(row.title), number, 0)
            for column, cell in enumerate(row.cells, 1):
                words = lacks.cell_sentence(row, lacks.DENSITIES[column - 1][1], cell)
                self.table.addWidget(_cell(cell, words), number, column)


class Lines:
    """Names at the left and values at the right, one line each."""

    def __init__(self, rows: QVBoxLayout) -> None:
        self._rows = QVBoxLayout()
        self._rows.setSpacing(0)
        self._rows.setContentsMargins(0, 0, 0, 10)
        rows.addLayout(self._rows)
        self.lines: tuple[FigureLine, ...] | None = None

    def show(self, lines: Sequence[FigureLine]) -> None:
        """Put these lines in the place of the others."""
        if tuple(lines) == self.lines:
            return
        self.lines = tuple(lines)
        _clear(self._rows)
        for each in lines:
            line = QWidget()
            line.setToolTip(each.told)
            row = QHBoxLayout(line)
            row.setContentsMargins(0, 0, 0, 0)
            row.setSpacing(0)
            left, right = label(each.name, "figure"), label(each.value, "figure", wrap=False)
            right.setAccessibleName(each.told)
            right.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            row.addWidget(left, 1)
            row.addWidget(right)
            self._rows.addWidget(line)


def _cell(cell: LackCell, words: str) -> QLabel:
    made = QLabel(str(cell.has))
    made.setAlignment(Qt.AlignmentFlag.AlignCenter)
    made.setMinimumHeight(22)
    made.setAccessibleName(words)
    made.setToolTip(words)
    colour = _between(cell.share)
    made.setStyleSheet(f"background: {colour.name()}; border-radius: 3px; {_TEXT}")
    return made


_TEXT = f"color: {palette.TEXT};"


def _between(share: float) -> QColor:
    """From cold, where nothing is missing, to warm where all is."""
    ends = zip(COLD, WARM, strict=True)
    red, green, blue = (round(cold + (warm - cold) * share) for cold, warm in ends)
    return QColor(red, green, blue)


def _say(where: QLabel, text: str) -> None:
    where.setText(text)
    where.setAccessibleName(text)


def _clear(layout: QVBoxLayout | QGridLayout) -> None:
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        if widget is not None:
            widget.hide()
            widget.deleteLater()


def _heading(text: str) -> QLabel:
    made = QLabel(text.upper())
    made.setProperty("kind", "heading")
    return made
