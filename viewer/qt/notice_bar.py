"""A line under the tool bar for what the user must not miss: it stays until she closes it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from ml.texts import translate
from viewer.qt import palette
from viewer.qt.dialogs.base import name_button

STYLE = f"""
#notice {{ background: {palette.ALARM_GROUND}; border-bottom: 1px solid {palette.ALARM}; }}
#notice QLabel {{ color: {palette.ALARM}; background: transparent; }}
#notice QPushButton {{ background: {palette.CARD}; border: 1px solid {palette.LINE};
  border-radius: 5px; padding: 3px 12px; }}
#notice QPushButton:hover {{ background: {palette.CHOSEN}; }}
#notice QPushButton:focus {{ border-color: {palette.ACCENT}; }}
"""


class NoticeBar(QFrame):
    """Sentences one under the other; takes no focus and covers nothing."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("notice")
        self.setStyleSheet(STYLE)
        self.setAccessibleName(translate("Notices"))
        self.sentence = QLabel()
        self.sentence.setTextFormat(Qt.TextFormat.PlainText)
        self.sentence.setWordWrap(True)
        self.dismiss = QPushButton()
        name_button(self.dismiss, translate("Understood"))
        self.dismiss.clicked.connect(self._clear)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 5, 12, 5)
        row.addWidget(self.sentence, 1)
        row.addWidget(self.dismiss)
        self._clear()

    def tell(self, sentence: str) -> None:
        """Add a sentence; an empty one says nothing."""
        if sentence:
            self._show("\n".join(filter(None, (self.sentence.text(), sentence))))

    def _clear(self) -> None:
        self._show("")

    def _show(self, text: str) -> None:
        self.sentence.setText(text)
        self.sentence.setAccessibleName(text)
        self.setVisible(bool(text))
