"""The choice how a list is read: ranked, or blind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QWidget

from ml.texts import mark, translate
from viewer.core.state import BLIND, RANKED
from viewer.qt.cards import label
from viewer.qt.dialogs.base import name_button

if TYPE_CHECKING:
    from collections.abc import Mapping

WORDS: Mapping[str, str] = {RANKED: mark("Ranked"), BLIND: mark("Blind, by date")}
EXPLAINED: Mapping[str, str] = {
    RANKED: mark("By what the models say. It is kept with what you say of each study."),
    BLIND: mark(
        "By date. No word of the models is in the list, nor beside the images until you have "
        "spoken. It is kept with what you say of each study."
    ),
}


class OrderChoice(QWidget):
    """Two buttons, one of which is down.

    Signals
    -------
    chosen : str
        `viewer.core.state.RANKED` or `BLIND`.
    """

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.buttons: dict[str, QPushButton] = {}
        group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(label(translate("Read the list"), "dim", wrap=False))
        for order, words in WORDS.items():
            button = QPushButton()
            name_button(button, translate(words))
            button.setToolTip(translate(EXPLAINED[order]))
            button.setProperty("kind", "chip")
            button.setCheckable(True)
            button.setAutoDefault(False)
            button.clicked.connect(lambda _=False, order=order: self.chosen.emit(order))
            group.addButton(button)
            self.buttons[order] = button
            row.addWidget(button)

    def show_order(self, order: str) -> None:
        """Show how the list is read."""
        self.buttons[order].setChecked(True)
