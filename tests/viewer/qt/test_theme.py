"""The style sheet: what is small can still be seen, and where the keyboard is too."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QCheckBox, QSpinBox, QWidget

from viewer.qt import palette, theme

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

BRIGHT = 200


def brightest(widget: QWidget, left: int, top: int, right: int, bottom: int) -> int:
    """The brightest gray of a part of what is drawn."""
    image = widget.grab().toImage()
    inside = ((x, y) for x in range(left, right) for y in range(top, bottom))
    return max(image.pixelColor(x, y).lightness() for x, y in inside)


def shown(qtbot: QtBot, widget: QWidget) -> None:
    widget.setStyleSheet(theme.STYLE)
    widget.resize(120, 28)
    qtbot.addWidget(widget)
    widget.show()


@pytest.mark.parametrize("half", [0, 1])
def test_both_arrows_of_a_spin_box_are_seen(qtbot: QtBot, half: int) -> None:
    box = QSpinBox()
    box.setValue(50)
    shown(qtbot, box)
    assert brightest(box, 104, 2 + 13 * half, 117, 13 + 13 * half) > BRIGHT


def test_a_check_box_is_seen_checked_or_not(qtbot: QtBot) -> None:
    box = QCheckBox()
    shown(qtbot, box)
    assert brightest(box, 0, 0, 16, 28) > 100
    box.setChecked(True)
    assert brightest(box, 3, 10, 11, 18) > BRIGHT


def test_every_picture_of_the_style_sheet_is_there() -> None:
    named = re.findall(r'url\("(.*?)"\)', theme.STYLE)
    assert named
    for name in named:
        path = Path(name)
        assert path.is_file()
        assert path.with_name(f"{path.stem}@2x.png").is_file()


@pytest.mark.parametrize("kind", ["QLineEdit", "QPlainTextEdit", "QTreeWidget", "QComboBox"])
def test_where_the_keyboard_is_shows(kind: str) -> None:
    rule = re.search(rf"{kind}:focus[^{{]*{{([^}}]*)}}", theme.STYLE)
    assert rule is not None
    assert palette.ACCENT in rule.group(1)
