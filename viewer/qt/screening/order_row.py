"""Which folder is screened, and where its results go."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QLineEdit, QPushButton

from ml.texts import translate
from viewer.qt.cards import label
from viewer.qt.dialogs.base import name_button

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget


class OrderRow(QFrame):
    """Two places, each with a button to choose it.

    Signals
    -------
    folder_changed
        Another folder is to be screened.
    changed
        One of the two places is another.
    """

    folder_changed = Signal()
    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("order")
        self.folder = _line(translate("Folder to screen"), translate("no folder chosen"))
        self.results = _line(translate("Folder of the results"), "")
        self.choose_folder = QPushButton()
        self.choose_results = QPushButton()
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 9, 16, 9)
        row.setSpacing(8)
        for title, line, button, ask in (
            (translate("Folder"), self.folder, self.choose_folder, self._ask_folder),
            (translate("Results"), self.results, self.choose_results, self._ask_results),
        ):
            name = label(title, "dim", wrap=False)
            name.setContentsMargins(0 if line is self.folder else 12, 0, 0, 0)
            row.addWidget(name)
            row.addWidget(line, 1)
            name_button(button, translate("Choose…"))
            button.setAccessibleName(f"{line.accessibleName()}…")
            button.setAutoDefault(False)
            button.clicked.connect(ask)
            row.addWidget(button)
        self.folder.editingFinished.connect(self._on_folder)
        self.results.editingFinished.connect(self.changed)
        self._known = ""

    @property
    def places(self) -> tuple[str, str]:
        """The folder and that of its results, whole; either may be empty."""
        return _whole(self.folder.text()), _whole(self.results.text())

    def put_folder(self, folder: str) -> None:
        """Take a folder as if it had been chosen."""
        self.folder.setText(folder)
        self._on_folder()

    def put_results(self, results: str) -> None:
        """Have the results go elsewhere."""
        self.results.setText(results)
        self.changed.emit()

    def show_places(self, folder: str, results: str) -> None:
        """Show the places of a list, and ask nothing."""
        self._known = folder
        self.folder.setText(folder)
        self.results.setText(results)

    def _on_folder(self) -> None:
        folder = self.folder.text().strip()
        if folder != self._known:
            self._known = folder
            self.folder_changed.emit()
            self.changed.emit()

    def _ask_folder(self) -> None:
        title = translate("Folder to screen")
        if name := QFileDialog.getExistingDirectory(self, title, self.folder.text()):
            self.put_folder(str(Path(name)))

    def _ask_results(self) -> None:
        title = translate("Folder of the results")
        if name := QFileDialog.getExistingDirectory(self, title, self.results.text()):
            self.put_results(str(Path(name)))


def _whole(text: str) -> str:
    plain = text.strip()
    return str(Path(plain).expanduser().absolute()) if plain else ""


def _line(name: str, empty: str) -> QLineEdit:
    made = QLineEdit()
    made.setAccessibleName(name)
    made.setPlaceholderText(empty)
    return made
