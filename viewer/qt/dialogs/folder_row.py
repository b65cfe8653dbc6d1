"""A folder's path with a button that opens it in the desktop."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from ml.texts import translate
from viewer.qt.dialogs.base import name_button

if TYPE_CHECKING:
    from pathlib import Path

_log = logging.getLogger("viewer.qt")


class FolderRow(QWidget):
    """The path, to be read and copied, and the button; the folder is made when it is opened."""

    def __init__(self, folder: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._folder = folder
        self.path = QLabel(str(folder))
        self.path.setTextFormat(Qt.TextFormat.PlainText)
        self.path.setWordWrap(True)
        self.path.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.path.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.button = QPushButton()
        self.button.clicked.connect(self._open)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.path, 1)
        row.addWidget(self.button)
        self.retell()

    def retell(self) -> None:
        """Say it in the language of now."""
        self.path.setAccessibleName(translate("Folder"))
        name_button(self.button, translate("Open this folder"))

    def _open(self) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            _log.info("a folder of the program's own cannot be made")
            sentence = translate("{folder} cannot be made: {why}.")
            self.path.setText(sentence.format(folder=self._folder, why=error.strerror))
            return
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._folder)))
