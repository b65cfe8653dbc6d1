"""The table of a list: bands, columns, keys, and that ten thousand rows are no burden."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt

from tests.factories.worklists import make_few, make_many, make_rank, make_worklist
from viewer.core.read_study import Status
from viewer.core.screening import Part, View, listed_of, with_current, with_status, with_view
from viewer.core.screening_words import Column
from viewer.core.state import BLIND
from viewer.qt import palette
from viewer.qt.screening.table import ListTable

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from viewer.core.screening import Listed

Role = Qt.ItemDataRole


@pytest.fixture
def table(qtbot: QtBot) -> ListTable:
    made = ListTable()
    qtbot.addWidget(made)
    made.resize(1000, 600)
    made.show()
    return made


def few(view: View | None = None) -> Listed:
    return with_view(listed_of(make_few(), View(), {}), view or View())


def texts(table: ListTable, column: int = 0, role: int = Role.DisplayRole) -> list[str]:
    model = table.lines
    return [model.index(row, column).data(role) for row in range(model.rowCount())]


def test_a_band_stands_over_each_group(table: ListTable) -> None:
    table.show_listed(few())
    places = texts(table)
    assert places[0].startswith("ATTENTION: NOT WHOLLY ANALYZED · 2 ·")
    assert places[3].startswith("RANKED · 4 ·")
    assert places[1:3] + places[4:] == ["1", "2", "3", "4", "5", "6"]
    assert table.columnSpan(0, 0) == table.lines.columnCount()
    assert table.lines.key_at(0) == ""


def test_the_group_on_top_is_not_filtered_away_but_by_asking_for_the_other(
    table: ListTable,
) -> None:
    table.show_listed(few(View(text="woman 0.9")))
    bands = [text for text in texts(table) if "·" in text]
    assert "the filter leaves 0 of 2" in bands[0]
    assert "the filter leaves 1 of 4" in bands[1]
    table.show_listed(few(View(part=Part.RANKED)))
    assert [text for text in texts(table) if "ATTENTION" in text] == []
    assert len(table.lines.bands()) == 1


def test_a_blind_table_has_no_bands_and_no_columns_of_the_models(table: ListTable) -> None:
    table.show_listed(few(View(order=BLIND)))
    assert table.lines.bands() == ()
    titles = [
        table.lines.headerData(n, Qt.Orientation.Horizontal, Role.DisplayRole)
        for n in range(table.lines.columnCount())
    ]
    assert titles == ["Status", "Patient", "Study date", "Images", "Remarks"]
    everything = [
        str(table.lines.index(row, column).data(role))
        for row in range(table.lines.rowCount())
        for column in range(table.lines.columnCount())
        for role in (Role.DisplayRole, Role.ToolTipRole, Role.AccessibleTextRole)
    ]
    assert not any("%" in text or "operating" in text for text in everything)


def test_keys_walk_over_bands_and_enter_opens(qtbot: QtBot, table: ListTable) -> None:
    table.show_listed(few())
    table.choose("partial")
    wanted: list[str] = []
    table.wanted.connect(wanted.append)
    qtbot.keyClick(table, Qt.Key.Key_Down)
    assert table.chosen == "0.9"
    qtbot.keyClick(table, Qt.Key.Key_Return)
    qtbot.keyClick(table, Qt.Key.Key_Up)
    qtbot.keyClick(table, Qt.Key.Key_Return)
    assert wanted == ["0.9", "partial"]


def test_the_cursor_stays_on_its_study_and_follows_the_one_at_hand(table: ListTable) -> None:
    table.show_listed(few())
    table.choose("0.7")
    table.show_listed(few(View(column=Column.SCORE)))
    assert table.chosen == "0.7"
    table.show_listed(with_current(few(), "0.3"))
    assert table.chosen == "0.3"
    row = table.lines.row_of("0.3")
    assert table.lines.index(row, 1).data() == "▸ unread"
    assert table.lines.index(row, 1).data(Role.AccessibleTextRole) == "Status: unread"


def test_what_is_said_of_a_study_shows_without_a_new_table(
    qtbot: QtBot, table: ListTable
) -> None:
    listed = few()
    table.show_listed(listed)
    with qtbot.assertNotEmitted(table.lines.modelReset):
        table.show_listed(with_status(listed, "0.9", Status.RECALLED))
    row = table.lines.row_of("0.9")
    assert table.lines.index(row, 1).data() == "recalled"
    colour = table.lines.index(row, 1).data(Role.ForegroundRole).color().name()
    assert colour == palette.READER


def test_what_is_above_the_operating_point_has_the_machines_colour(table: ListTable) -> None:
    table.show_listed(few())
    score = table.lines.columns.index(Column.SCORE)
    rows = [table.lines.row_of(key) for key in ("0.9", "0.1")]
    above, below = (
        table.lines.index(row, score).data(Role.ForegroundRole).color().name() for row in rows
    )
    assert (above, below) == (palette.MACHINE, palette.TEXT)


def test_a_title_that_is_pressed_tells_its_column(qtbot: QtBot, table: ListTable) -> None:
    table.show_listed(few())
    with qtbot.waitSignal(table.sorted_by) as pressed:
        table.horizontalHeader().sectionClicked.emit(3)
    assert pressed.args == [Column.DATE]
    table.show_listed(few(View(column=Column.DATE, falling=True)))
    assert table.horizontalHeader().isSortIndicatorShown()


def test_an_empty_list_is_no_trouble(table: ListTable) -> None:
    table.show_listed(listed_of(make_worklist(), View(), {}))
    assert table.lines.rowCount() == 0
    assert table.chosen == ""
    table.show_listed(listed_of(make_worklist(make_rank("1")), View(order=BLIND), {}))
    assert table.lines.rowCount() == 1


def test_ten_thousand_rows_are_shown_sorted_and_walked_at_once(
    qtbot: QtBot, table: ListTable
) -> None:
    listed = listed_of(make_many(10000), View(), {})
    began = time.thread_time()
    table.show_listed(listed)
    listed = with_view(listed, View(column=Column.DATE, falling=True))
    table.show_listed(listed)
    table.show_listed(with_current(listed, listed.shown[7000].key))
    qtbot.keyClick(table, Qt.Key.Key_Down)
    assert table.chosen == listed.shown[7001].key
    assert time.thread_time() - began < 4
