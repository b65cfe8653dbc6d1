"""A row of widgets that breaks where it is too long."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QApplication, QWidget

from viewer.qt.row import SPACING_PX, Row

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


class Block(QWidget):
    """As wide as it asks for, and no narrower."""

    def __init__(self, width: int, height: int = 20) -> None:
        super().__init__()
        self._size = QSize(width, height)

    def sizeHint(self) -> QSize:
        return self._size

    def minimumSizeHint(self) -> QSize:
        return self._size


def laid_out(qtbot: QtBot, width: int, *blocks: Block) -> QWidget:
    around = QWidget()
    qtbot.addWidget(around)
    around.setLayout(Row(*blocks))
    around.resize(width, 200)
    around.show()
    QApplication.processEvents()
    return around


def test_where_there_is_room_all_stand_in_one_line(qtbot: QtBot) -> None:
    first, second = Block(100), Block(50)
    around = laid_out(qtbot, 300, first, second)
    assert around.isVisible()
    assert first.y() == second.y()
    assert second.geometry().right() == 299
    assert first.width() == 300 - 50 - SPACING_PX


def test_what_is_too_long_goes_on_below_and_nothing_is_cut(qtbot: QtBot) -> None:
    first, second, third = Block(100), Block(90), Block(90)
    around = laid_out(qtbot, 200, first, second, third)
    assert [block.y() > first.y() for block in (second, third)] == [False, True]
    assert third.geometry().right() == 199
    layout = around.layout()
    assert isinstance(layout, Row)
    assert layout.heightForWidth(200) > layout.heightForWidth(400)
    assert layout.minimumSize().width() == 100


def test_from_right_to_left_the_first_is_at_the_right(qtbot: QtBot) -> None:
    first, second = Block(100), Block(50)
    around = laid_out(qtbot, 300, first, second)
    around.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    around.resize(301, 200)
    QApplication.processEvents()
    assert second.x() == 0
    assert first.geometry().right() == 300


@pytest.mark.parametrize("taken", [0, 1])
def test_a_widget_is_let_go(qtbot: QtBot, taken: int) -> None:
    around = laid_out(qtbot, 300, Block(100), Block(50))
    layout = around.layout()
    assert isinstance(layout, Row)
    assert layout.takeAt(taken) is not None
    assert layout.count() == 1
    assert layout.takeAt(5) is None
