"""Ask the reader's name, once: it is kept with everything that she decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QLineEdit

from ml.texts import translate
from viewer.qt.dialogs.base import Button, Dialog

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget


class ReaderDialog(Dialog):
    """One line for a name; OK waits until there is one.

    Parameters
    ----------
    named
        Called with the name when the reader presses OK.
    """

    def __init__(self, named: Callable[[str], None], parent: QWidget | None) -> None:
        super().__init__(translate("Who is reading?"), parent)
        self._named = named
        self.add_text(
            translate(
                "Your name is kept with what you decide, in the library on this computer. "
                "You can change it in the settings."
            )
        )
        self.name = QLineEdit()
        self.name.setAccessibleName(translate("Your name"))
        self.name.setPlaceholderText(translate("Your name"))
        self.name.textChanged.connect(self._on_text)
        self.rows.addWidget(self.name)
        self._ok = self.add_buttons(Button.Cancel, Button.Ok).button(Button.Ok)
        self._on_text("")
        self.setMinimumWidth(380)

    def accept(self) -> None:
        """Hand the name over."""
        name = " ".join(self.name.text().split())
        if name:
            self._named(name)
            super().accept()

    def _on_text(self, text: str) -> None:
        self._ok.setEnabled(bool(text.strip()))
