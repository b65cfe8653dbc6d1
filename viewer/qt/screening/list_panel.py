"""The list with all that it is read by: its order, its filters, the way to the next study."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ml.texts import mark, translate
from viewer.core.annotations import day
from viewer.core.read_study import Status
from viewer.core.screening import Part, View, counts_text, hidden_text
from viewer.core.screening_words import (
    STATUS_WORDS,
    TITLES,
    columns_of,
    patient_text,
    remarks_of,
)
from viewer.core.state import RANKED
from viewer.qt.cards import label
from viewer.qt.dialogs.base import name_button
from viewer.qt.screening.table import ListTable

if TYPE_CHECKING:
    from viewer.core.screening import Listed
    from viewer.core.screening_words import Column

# While somebody types, the list stands still.
TYPED_MS = 150
PARTS = {
    Part.ALL: mark("all groups"),
    Part.ATTENTION: mark("attention alone"),
    Part.RANKED: mark("ranked alone"),
}
READING = {
    "previous": (mark("Previous"), "Ctrl+Up"),
    "open": (mark("Open"), "Ctrl+Return"),
    "next": (mark("Next"), "Ctrl+Down"),
    "next_unread": (mark("Next unread"), "Ctrl+Right"),
}


class ListPanel(QWidget):
    """Shows a list; what the reader asks for is told, and done elsewhere.

    Signals
    -------
    view_wanted : View
        The list is to be seen otherwise.
    wanted : str
        A study is to be opened, by its key.
    pressed : str
        A name of `READING`.
    """

    view_wanted = Signal(object)
    wanted = Signal(str)
    pressed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = View()
        self._listed: Listed | None = None
        self.text = QLineEdit()
        self.status, self.part, self.column = QComboBox(), QComboBox(), QComboBox()
        self.falling = QPushButton()
        self.show_all = QPushButton()
        self.hides = label("", "hides")
        self.counts = label("", "dim", wrap=False)
        self.remarks = label("", "remarks")
        self.table = ListTable()
        self.buttons: dict[str, QPushButton] = {}
        self._typed = QTimer(self, interval=TYPED_MS, singleShot=True)
        self._hidden_row = QWidget()
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(self._make_tools())
        rows.addWidget(self._hidden_row)
        rows.addWidget(self.table, 1)
        rows.addWidget(self.remarks)
        rows.addWidget(self._make_under())
        self._fill_hidden_row()
        self._connect()

    def show_listed(self, listed: Listed) -> None:
        """Show a list, and how it is seen."""
        view, self._view = listed.view, listed.view
        self.table.show_listed(listed)
        if not self._typed.isActive() and self.text.text().strip() != view.text.strip():
            self.text.setText(view.text)
        self._fill_columns()
        _choose(self.status, view.status)
        _choose(self.part, view.part)
        self.part.setVisible(view.order == RANKED)
        self.falling.setChecked(view.falling)
        self.falling.setEnabled(view.column is not None)
        for told, text in (
            (self.hides, hidden_text(listed)),
            (self.counts, counts_text(listed)),
        ):
            told.setText(text)
            told.setAccessibleName(text)
        self._hidden_row.setVisible(bool(listed.hidden))
        self._listed = listed
        self._show_remarks()

    def sort_by(self, column: Column) -> None:
        """Sort by a column: falling where it was rising, and the order itself after that."""
        view = self._view
        if view.column is not column:
            self.view_wanted.emit(replace(view, column=column, falling=False))
        elif not view.falling:
            self.view_wanted.emit(replace(view, falling=True))
        else:
            self.view_wanted.emit(replace(view, column=None, falling=False))

    def _show_remarks(self) -> None:
        """All that is to be known of the study under the cursor: a row has room for little."""
        listed, chosen = self._listed, self.table.chosen
        rank = listed.rank(chosen) if listed is not None and chosen else None
        text = ""
        if listed is not None and rank is not None:
            who = " · ".join(filter(None, (patient_text(rank), day(rank.date))))
            text = "\n".join((who, *remarks_of(rank, blind=listed.view.order != RANKED)))
        self.remarks.setText(text)
        self.remarks.setAccessibleName(text)
        self.remarks.setVisible(bool(text))

    def _ask(self) -> None:
        """Tell how the controls stand now."""
        self._typed.stop()
        status = self.status.currentData()
        column = self.column.currentData()
        view = View(
            order=self._view.order,
            column=column or None,
            falling=self.falling.isChecked() and bool(column),
            text=self.text.text(),
            status=Status(status) if status else None,
            part=Part(self.part.currentData()),
        )
        if view != self._view:
            self.view_wanted.emit(view)

    def _forget_filters(self) -> None:
        self.text.clear()
        self._typed.stop()
        self.view_wanted.emit(replace(self._view, text="", status=None, part=Part.ALL))

    def _make_tools(self) -> QFrame:
        tools = QFrame()
        tools.setObjectName("tools")
        row = QHBoxLayout(tools)
        row.setContentsMargins(16, 8, 16, 8)
        row.setSpacing(6)
        self.text.setAccessibleName(translate("Find"))
        self.text.setPlaceholderText(translate("Find a patient, a date, a remark"))
        row.addWidget(self.text, 1)
        self._fill_filters()
        for box in (self.status, self.part):
            row.addWidget(box)
        row.addSpacing(12)
        row.addWidget(label(translate("Sort by"), "dim", wrap=False))
        row.addWidget(self.column)
        row.addWidget(self.falling)
        return tools

    def _fill_filters(self) -> None:
        self.status.setAccessibleName(translate("Status"))
        self.status.addItem(translate("any status"), None)
        for status, words in STATUS_WORDS.items():
            self.status.addItem(translate(words), status)
        self.part.setAccessibleName(translate("Groups"))
        for part, words in PARTS.items():
            self.part.addItem(translate(words), part)
        self.column.setAccessibleName(translate("Sort by"))
        name_button(self.falling, translate("Falling"))
        self.falling.setProperty("kind", "chip")
        self.falling.setCheckable(True)
        self.falling.setAutoDefault(False)

    def _fill_columns(self) -> None:
        """The columns of the order at hand."""
        columns = columns_of(self._view.order)
        if self.column.count() != len(columns) + 1:
            self.column.blockSignals(True)
            self.column.clear()
            self.column.addItem(translate("the order itself"), None)
            for column in columns:
                self.column.addItem(translate(TITLES[column]), column)
            self.column.blockSignals(False)
        _choose(self.column, self._view.column)

    def _fill_hidden_row(self) -> None:
        self._hidden_row.setObjectName("tools")
        row = QHBoxLayout(self._hidden_row)
        row.setContentsMargins(16, 5, 16, 5)
        name_button(self.show_all, translate("Show all"))
        self.show_all.setAutoDefault(False)
        row.addWidget(self.hides, 1)
        row.addWidget(self.show_all)
        self._hidden_row.hide()

    def _make_under(self) -> QFrame:
        under = QFrame()
        under.setObjectName("under")
        row = QHBoxLayout(under)
        row.setContentsMargins(16, 8, 16, 8)
        row.setSpacing(8)
        self.counts.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row.addWidget(self.counts, 1)
        for name, (words, keys) in READING.items():
            button = QPushButton()
            name_button(button, translate(words))
            button.setToolTip(keys)
            button.setAutoDefault(False)
            button.clicked.connect(lambda _=False, name=name: self.pressed.emit(name))
            QShortcut(QKeySequence(keys), self, button.click)
            self.buttons[name] = button
            row.addWidget(button)
        self.buttons["next_unread"].setProperty("kind", "deed")
        return under

    def _connect(self) -> None:
        self.table.wanted.connect(self.wanted)
        self.table.sorted_by.connect(self.sort_by)
        self.table.moved.connect(self._show_remarks)
        self.falling.clicked.connect(self._ask)
        for box in (self.status, self.part, self.column):
            box.currentIndexChanged.connect(self._ask)
        self.text.textChanged.connect(self._on_typed)
        self.text.returnPressed.connect(self._on_found)
        self._typed.timeout.connect(self._ask)
        self.show_all.clicked.connect(self._forget_filters)
        QShortcut(QKeySequence("Ctrl+F"), self, self._begin_to_find)

    def _on_typed(self, text: str) -> None:
        if text != self._view.text:
            self._typed.start()

    def _on_found(self) -> None:
        self._ask()
        self.table.setFocus(Qt.FocusReason.OtherFocusReason)

    def _begin_to_find(self) -> None:
        self.text.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.text.selectAll()


def _choose(box: QComboBox, value: object) -> None:
    """Show a choice, and ask for nothing by it."""
    found = next((n for n in range(box.count()) if box.itemData(n) == value), 0)
    if found != box.currentIndex():
        box.blockSignals(True)
        box.setCurrentIndex(found)
        box.blockSignals(False)
