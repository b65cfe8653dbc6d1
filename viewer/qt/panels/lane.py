"""The line at the bottom: what the background does, and what always holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QLabel, QStatusBar, QWidget

from ml.texts import translate
from viewer.qt.share_bar import ShareBar

if TYPE_CHECKING:
    from viewer.core.state import SessionState
    from viewer.qt.session import Session

BAR_PX = 110


class LaneLine(QStatusBar):
    """Background work at the left; "network off" and "research use only" at the right."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(translate("What the background does"))
        self.setSizeGripEnabled(False)
        self.work = QLabel()
        self.addWidget(self.work)
        self.long = QLabel()
        self.bar = ShareBar(translate("Progress of the running job"))
        self.bar.setFixedWidth(BAR_PX)
        for widget in (self.long, self.bar):
            self.addWidget(widget)
        for text in (translate("network off"), translate("Research use only")):
            label = QLabel(text)
            label.setAccessibleName(text)
            self.addPermanentWidget(label)
        session.changed.connect(self._on_changed)
        self._show(session.state)

    def _on_changed(self, old: SessionState, new: SessionState) -> None:
        if (old.lane, old.opening, old.background) != (new.lane, new.opening, new.background):
            self._show(new)

    def _show(self, state: SessionState) -> None:
        text = state.opening or state.lane or translate("Ready")
        self.work.setText(text)
        self.work.setAccessibleName(text)
        background = state.background
        self.long.setText(background.text)
        self.long.setAccessibleName(background.text)
        self.long.setVisible(bool(background.text))
        self.bar.show_share(background.share)
        self.bar.setVisible(background.share is not None)
