"""The bottom line of a window of long jobs: what is at work, and what may be done next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from ml.texts import translate
from viewer.qt.dialogs.base import name_button
from viewer.qt.once import swallow_second_click
from viewer.qt.share_bar import ShareBar

if TYPE_CHECKING:
    from viewer.jobs.foot import Deed
    from viewer.jobs.foot import Foot as Content


class Foot(QFrame):
    """A sentence at the left, buttons at the right.

    Signals
    -------
    pressed : str
        The name of a deed.
    """

    pressed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("foot")
        self._deeds: tuple[Deed, ...] = ()
        self.buttons: dict[str, QPushButton] = {}
        self.sentence = QLabel()
        self.sentence.setWordWrap(True)
        self.sentence.setProperty("kind", "dim")
        self.bar = ShareBar(translate("Progress"))
        self.bar.setMaximumWidth(250)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 10, 16, 10)
        row.setSpacing(14)
        row.addWidget(self.bar)
        row.addWidget(self.sentence, 1)
        self._row = QHBoxLayout()
        self._row.setSpacing(10)
        row.addLayout(self._row)

    def show_foot(self, content: Content, *, enabled: bool) -> None:
        """Show a sentence, and a button for each deed."""
        self.sentence.setText(content.sentence)
        self.sentence.setAccessibleName(content.sentence)
        self.bar.setVisible(content.share is not None)
        self.bar.show_share(content.share)
        if content.deeds != self._deeds:
            self._make_buttons(content.deeds)
        for button in self.buttons.values():
            button.setEnabled(enabled)

    def _make_buttons(self, deeds: tuple[Deed, ...]) -> None:
        # A button that stays is not made anew: it may have the keyboard.
        for button in self.buttons.values():
            button.setParent(None)
            button.deleteLater()
        self.buttons = {}
        self._deeds = deeds
        for deed in deeds:
            button = QPushButton()
            name_button(button, deed.text)
            button.setAutoDefault(False)
            swallow_second_click(button)
            if deed.first:
                button.setProperty("kind", "deed")
            button.clicked.connect(lambda _=False, name=deed.name: self.pressed.emit(name))
            self.buttons[deed.name] = button
            self._row.addWidget(button)
