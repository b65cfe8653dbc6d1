"""What all dialogs share: a title, a body, buttons, and that they never block the program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPlainTextEdit, QVBoxLayout

from ml.texts import translate

if TYPE_CHECKING:
    from PySide6.QtWidgets import QPushButton, QWidget

Button = QDialogButtonBox.StandardButton
# A window, or a part of one, says by this property which page of the manual speaks of it.
PAGE = "manual_page"


class Dialog(QDialog):
    """A dialog with an accessible name that is let go when it is closed.

    Parameters
    ----------
    title
        Of the window, and its accessible name.
    """

    def __init__(self, title: str, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.rows = QVBoxLayout(self)
        self.rows.setSpacing(10)

    def take_room(self, width_px: int, height_px: int) -> None:
        """Take so much of the screen, or as much as there is."""
        room = self.screen().availableSize()
        self.resize(min(width_px, room.width()), min(height_px, room.height()))

    def add_text(self, text: str) -> QLabel:
        """Put a wrapped, selectable paragraph under the rest."""
        made = QLabel(text)
        made.setTextFormat(Qt.TextFormat.PlainText)
        made.setWordWrap(True)
        made.setAccessibleName(text)
        self.rows.addWidget(made)
        return made

    def add_page(self, text: str, name: str) -> QPlainTextEdit:
        """Put a long text under the rest, to be read, searched and copied."""
        page = QPlainTextEdit(text)
        page.setReadOnly(True)
        page.setAccessibleName(name)
        page.setTabChangesFocus(True)
        self.rows.addWidget(page, 1)
        return page

    def add_buttons(self, *buttons: QDialogButtonBox.StandardButton) -> QDialogButtonBox:
        """Put a row of buttons under the rest; OK accepts, Cancel and Close reject."""
        box = QDialogButtonBox(self)
        for each in buttons:
            button = box.addButton(each)
            # The style's own pictures are drawn for light windows.
            button.setIcon(QIcon())
            name_button(button, _word(each))
        box.accepted.connect(self.accept)
        box.rejected.connect(self.reject)
        self.rows.addWidget(box)
        return box


def bring_up(parent: QWidget, kind: type[QDialog]) -> bool:
    """Bring a window of this kind to the front, closed or not; False where there is none."""
    for each in parent.findChildren(kind):
        each.show()
        each.raise_()
        each.activateWindow()
        return True
    return False


def name_button(button: QPushButton, text: str) -> None:
    """Give a button its text and the same accessible name, and let the keyboard reach it."""
    button.setText(text)
    button.setAccessibleName(text)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)


def _word(button: QDialogButtonBox.StandardButton) -> str:
    return {
        Button.Close: translate("Close"),
        Button.Ok: translate("OK"),
        Button.Cancel: translate("Cancel"),
        Button.RestoreDefaults: translate("Restore defaults"),
    }[button]
