"""What the pages of a retraining are put together from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ml.texts import mark, translate
from viewer.qt.cards import label

if TYPE_CHECKING:
    from PySide6.QtWidgets import QLayout

SIGNS = {"red": "✕", "amber": "!", "green": "✓", "none": "·"}
# What a screen reader says where others see the sign.
SIGN_WORDS = {
    "red": mark("red"),
    "amber": mark("amber"),
    "green": mark("green"),
}
_MARGIN_PX = 20


class Page(QFrame):
    """Two columns side by side, each of which scrolls."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        self.left, self.right = _column(), _column()
        row.addWidget(_scrolled(self.left, "page"), 1)
        row.addWidget(_scrolled(self.right, "right"), 1)

    @staticmethod
    def clear(column: QWidget) -> QVBoxLayout:
        """Take everything out of a column, and give its layout."""
        rows = column.layout()
        assert isinstance(rows, QVBoxLayout)
        _empty(rows)
        return rows


def _column() -> QWidget:
    made = QWidget()
    made.setObjectName("column")
    rows = QVBoxLayout(made)
    rows.setContentsMargins(_MARGIN_PX, 16, _MARGIN_PX, 16)
    rows.setSpacing(6)
    return made


def _scrolled(column: QWidget, name: str) -> QScrollArea:
    area = QScrollArea()
    area.setObjectName(name)
    area.setWidget(column)
    area.setWidgetResizable(True)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return area


def _empty(rows: QLayout) -> None:
    while (item := rows.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.setParent(None)
            widget.deleteLater()
        elif (inner := item.layout()) is not None:
            _empty(inner)


def heading(text: str) -> QLabel:
    """What stands over a part of a column."""
    made = label(text.upper(), "heading")
    made.setContentsMargins(0, 8, 0, 0)
    return made


def verdict_card(verdict: str, title: str, text: str) -> QFrame:
    """A coloured frame with what was found.

    Parameters
    ----------
    verdict
        ``"red"``, ``"amber"``, ``"green"`` or ``"none"``.
    """
    card = QFrame()
    card.setObjectName("verdict")
    card.setProperty("verdict", verdict)
    card.setAccessibleName(f"{title}. {text}")
    rows = QVBoxLayout(card)
    rows.setContentsMargins(16, 12, 16, 12)
    rows.setSpacing(4)
    head = label(title, "verdict")
    rows.addWidget(head)
    rows.addWidget(label(text))
    return card


def line(sign: str, title: str, text: str = "", right: str = "", tip: str = "") -> QFrame:
    """A sign, a title over a dim text, and a figure at the right.

    Parameters
    ----------
    sign
        A key of `SIGNS`.
    tip
        What the figure is, for who wants to know.
    """
    made = QFrame()
    made.setObjectName("line")
    word = translate(SIGN_WORDS[sign]) if sign in SIGN_WORDS else ""
    made.setAccessibleName(", ".join(part for part in (word, title, text) if part))
    row = QHBoxLayout(made)
    row.setContentsMargins(4, 8, 4, 8)
    row.setSpacing(10)
    mark_label = label(SIGNS[sign], sign, wrap=False)
    row.addWidget(mark_label, 0, Qt.AlignmentFlag.AlignTop)
    texts = QVBoxLayout()
    texts.setSpacing(2)
    texts.addWidget(label(title))
    if text:
        texts.addWidget(label(text, "dim"))
    row.addLayout(texts, 1)
    if right:
        figure = label(right, "dim", wrap=False)
        figure.setToolTip(tip)
        figure.setAccessibleDescription(tip)
        figure.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        row.addWidget(figure, 0, Qt.AlignmentFlag.AlignTop)
    return made
