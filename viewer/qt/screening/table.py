"""The list as a table: fast with many thousands of studies, for only what is seen is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from PySide6.QtGui import QBrush, QColor, QFont
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from ml.texts import mark, translate
from viewer.core.read_study import Status
from viewer.core.screening import Part
from viewer.core.screening_words import EXPLAINED, TITLES, Column, cell, columns_of, is_above
from viewer.core.state import RANKED
from viewer.qt import palette

if TYPE_CHECKING:
    from viewer.core.screening import Line, Listed

Index: TypeAlias = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole
ROW_PX = 26
# The last one takes the room that is left.
WIDTHS_PX = {
    Column.PLACE: 56,
    Column.STATUS: 82,
    Column.PATIENT: 152,
    Column.DATE: 90,
    Column.PROBABILITY: 86,
    Column.SCORE: 56,
    Column.RIGHT: 54,
    Column.LEFT: 54,
    Column.DENSITY: 64,
    Column.IMAGES: 62,
}
_ROOM_PX = 110
_NUMBERS = frozenset(
    (
        *(Column.PLACE, Column.PROBABILITY, Column.SCORE, Column.RIGHT, Column.LEFT),
        *(Column.DENSITY, Column.IMAGES),
    )
)
_BANDS = {
    True: mark("ATTENTION: NOT WHOLLY ANALYZED · {count} · read these first"),
    False: mark("RANKED · {count} · a low place clears no study: each is to be read"),
}
_STATUS_COLOURS = {
    Status.UNREAD: palette.TEXT,
    Status.READ: palette.DIM,
    Status.RECALLED: palette.READER,
}
_HERE = "▸ "


@dataclass(frozen=True, slots=True)
class Band:
    """A line over a group; it stays where a filter leaves nothing of the group.

    Attributes
    ----------
    shown, count
        Studies of the group: those below the line, and all.
    """

    attention: bool
    shown: int
    count: int


class ListModel(QAbstractTableModel):
    """The lines of a list, with a band over each group where it is ranked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._listed: Listed | None = None
        self.columns: tuple[Column, ...] = columns_of(RANKED)
        self.entries: tuple[Line | Band, ...] = ()

    def show_listed(self, listed: Listed) -> bool:
        """Show a list; True where other lines are shown than before."""
        known, columns = self._listed, columns_of(listed.view.order)
        seen = known is not None and (known.view, known.lines) == (listed.view, listed.lines)
        # The same lines stand in the same order: comparing them would take longer.
        kept = known is not None and seen and known.shown is listed.shown
        entries = self.entries if kept else _entries(listed)
        if known is not None and columns == self.columns and entries == self.entries:
            self._listed = listed
            last = self.index(len(entries) - 1, len(columns) - 1)
            self.dataChanged.emit(self.index(0, 0), last)
            return False
        self.beginResetModel()
        self._listed, self.columns, self.entries = listed, columns, entries
        self.endResetModel()
        return True

    def key_at(self, row: int) -> str:
        """The study of a row; empty for a band."""
        entry = self.entries[row] if 0 <= row < len(self.entries) else None
        return "" if entry is None or isinstance(entry, Band) else entry.key

    def row_of(self, key: str) -> int:
        """The row of a study; -1 where it is not shown."""
        found = (
            row
            for row, entry in enumerate(self.entries)
            if not isinstance(entry, Band) and entry.key == key
        )
        return next(found, -1)

    def bands(self) -> tuple[int, ...]:
        """The rows of the bands."""
        return tuple(n for n, entry in enumerate(self.entries) if isinstance(entry, Band))

    def rowCount(self, parent: Index | None = None) -> int:
        """Lines and bands."""
        return 0 if parent is not None and parent.isValid() else len(self.entries)

    def columnCount(self, parent: Index | None = None) -> int:
        """Fewer where the list is blind."""
        return 0 if parent is not None and parent.isValid() else len(self.columns)

    def flags(self, index: Index) -> Qt.ItemFlag:
        """A band cannot be chosen."""
        if index.isValid() and isinstance(self.entries[index.row()], Band):
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        """The columns' titles."""
        if orientation is not Qt.Orientation.Horizontal or section >= len(self.columns):
            return None
        column = self.columns[section]
        if role == Role.DisplayRole:
            return translate(TITLES[column])
        if role == Role.ToolTipRole:
            return translate(EXPLAINED[column]) if column in EXPLAINED else None
        return _alignment(column) if role == Role.TextAlignmentRole else None

    def data(self, index: Index, role: int = 0) -> Any:
        """A cell's text and how it looks."""
        if not index.isValid() or self._listed is None:
            return None
        entry = self.entries[index.row()]
        if isinstance(entry, Band):
            return _band_data(entry, index.column(), role)
        return self._line_data(self._listed, entry, self.columns[index.column()], role)

    def _line_data(self, listed: Listed, line: Line, column: Column, role: int) -> Any:
        if role == Role.TextAlignmentRole:
            return _alignment(column)
        if role == Role.ForegroundRole:
            return QBrush(QColor(_colour(listed, line, column)))
        if role == Role.BackgroundRole:
            return QBrush(QColor(palette.RAISED)) if line.key == listed.current else None
        if role not in (Role.DisplayRole, Role.ToolTipRole, Role.AccessibleTextRole):
            return None
        status, blind = listed.status(line.key), listed.view.order != RANKED
        text = cell(line.rank, line.place, status, column, blind=blind)
        if role == Role.AccessibleTextRole:
            return f"{translate(TITLES[column])}: {text}"
        here = role == Role.DisplayRole and line.key == listed.current
        return _HERE + text if here and column is Column.STATUS else text


class ListTable(QTableView):
    """Shows the list and says which study is wanted.

    Signals
    -------
    wanted : str
        A study's key: it is to be opened.
    sorted_by : Column
        A column's title was pressed.
    moved
        The cursor is on another study.
    """

    wanted = Signal(str)
    sorted_by = Signal(object)
    moved = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.lines = ListModel(self)
        self._current = ""
        self._sized = False
        self.setModel(self.lines)
        self.setAccessibleName(translate("Studies of the folder"))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(ROW_PX)
        titles = self.horizontalHeader()
        titles.setStretchLastSection(True)
        titles.setHighlightSections(False)
        titles.setSectionsClickable(True)
        titles.sectionClicked.connect(self._press_title)
        self.activated.connect(self._want)
        self.selectionModel().currentRowChanged.connect(self._on_moved)

    @property
    def chosen(self) -> str:
        """The key of the study under the cursor; empty where there is none."""
        return self.lines.key_at(self.currentIndex().row())

    def show_listed(self, listed: Listed) -> None:
        """Show a list; the cursor stays on its study, or goes to the one at hand."""
        chosen, columns = self.chosen, self.lines.columns
        if listed.current != self._current:
            self._current = chosen = listed.current
        if self.lines.show_listed(listed):
            self.clearSpans()
            for row in self.lines.bands():
                self.setSpan(row, 0, 1, len(self.lines.columns))
            chosen = chosen if self.lines.row_of(chosen) >= 0 else listed.current
        if chosen != self.chosen:
            self.choose(chosen)
        if columns != self.lines.columns or not self._sized:
            self._size_columns()
        self._show_sorting(listed)

    def choose(self, key: str) -> None:
        """Put the cursor on a study and have it seen."""
        row = self.lines.row_of(key)
        if row >= 0:
            index = self.lines.index(row, 0)
            flags = QItemSelectionModel.SelectionFlag
            self.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
            self.scrollTo(index)

    def _size_columns(self) -> None:
        self._sized = True
        for number, column in enumerate(self.lines.columns[:-1]):
            # A blind list has room for long names.
            roomy = column is Column.PATIENT and Column.SCORE not in self.lines.columns
            self.setColumnWidth(number, WIDTHS_PX[column] + (_ROOM_PX if roomy else 0))

    def _show_sorting(self, listed: Listed) -> None:
        titles, view = self.horizontalHeader(), listed.view
        titles.setSortIndicatorShown(view.column is not None)
        if view.column in self.lines.columns:
            order = (
                Qt.SortOrder.DescendingOrder if view.falling else Qt.SortOrder.AscendingOrder
            )
            titles.setSortIndicator(self.lines.columns.index(view.column), order)

    def _on_moved(self, *_: object) -> None:
        self.moved.emit()

    def _press_title(self, section: int) -> None:
        self.sorted_by.emit(self.lines.columns[section])

    def _want(self, index: QModelIndex) -> None:
        if key := self.lines.key_at(index.row()):
            self.wanted.emit(key)


def _entries(listed: Listed) -> tuple[Line | Band, ...]:
    if listed.view.order != RANKED:
        return listed.shown
    entries: list[Line | Band] = []
    for attention, without in ((True, Part.RANKED), (False, Part.ATTENTION)):
        count = sum(line.needs_attention is attention for line in listed.lines)
        shown = [line for line in listed.shown if line.needs_attention is attention]
        if count and listed.view.part is not without:
            entries += (Band(attention, len(shown), count), *shown)
    return tuple(entries)


def _band_data(band: Band, column: int, role: int) -> Any:
    colour = palette.ALARM if band.attention else palette.DIM
    ground = palette.ALARM_GROUND if band.attention else palette.CARD
    text = translate(_BANDS[band.attention]).format(count=_count_text(band))
    told = {
        Role.DisplayRole: text if column == 0 else "",
        Role.AccessibleTextRole: text,
        Role.ForegroundRole: QBrush(QColor(colour)),
        Role.BackgroundRole: QBrush(QColor(ground)),
        Role.FontRole: _bold(),
    }
    return told.get(Role(role))


def _count_text(band: Band) -> str:
    if band.shown == band.count:
        return f"{band.count:,}"
    text = translate(mark("the filter leaves {shown} of {count}"))
    return text.format(shown=f"{band.shown:,}", count=f"{band.count:,}")


def _colour(listed: Listed, line: Line, column: Column) -> str:
    status = listed.status(line.key)
    if column is Column.STATUS:
        return _STATUS_COLOURS[status]
    if listed.view.order == RANKED:
        if is_above(line.rank, column):
            return palette.MACHINE
        if column is Column.REMARKS:
            return palette.STANDING if line.needs_attention else palette.DIM
    return palette.DIM if status is not Status.UNREAD else palette.TEXT


def _bold() -> QFont:
    font = QFont()
    # As the theme's; a font of its own would else come in the system's size.
    font.setPixelSize(12)
    font.setBold(True)
    return font


def _alignment(column: Column) -> int:
    side = Qt.AlignmentFlag.AlignRight if column in _NUMBERS else Qt.AlignmentFlag.AlignLeft
    return int((side | Qt.AlignmentFlag.AlignVCenter).value)
