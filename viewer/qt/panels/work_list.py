"""The work list: the studies that were opened, and the files that were not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from ml.texts import translate
from viewer.core import actions
from viewer.core.work_list import describe_study
from viewer.qt.own_keys import OwnKeys

if TYPE_CHECKING:
    from ml.mammo.study import Study
    from viewer.core.state import SessionState
    from viewer.qt.session import Session


class WorkListPanel(QWidget):
    """A row a study; choosing one opens it.

    Signals
    -------
    refused_files_requested
        The reader asks which files were not opened.
    """

    refused_files_requested = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._heading = QLabel()
        self._heading.setProperty("kind", "heading")
        self.studies = QListWidget()
        # By Tab only: after a click the arrows go on panning the images.
        self.studies.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        OwnKeys(self.studies)
        self.studies.setAccessibleName(translate("Work list"))
        self.studies.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.studies.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.studies.currentRowChanged.connect(self._choose)
        self._refused_heading = QLabel()
        self._refused_heading.setProperty("kind", "heading")
        self.refused = QListWidget()
        # By Tab only: after a click the arrows go on panning the images.
        self.refused.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        OwnKeys(self.refused)
        self.refused.setAccessibleName(translate("Files that were not opened"))
        self.refused.setWordWrap(True)
        self.refused.setMaximumHeight(170)
        self.refused.itemActivated.connect(self._ask_for_refused)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(8, 10, 4, 4)
        for widget in (self._heading, self.studies, self._refused_heading, self.refused):
            rows.addWidget(widget, 1 if widget is self.studies else 0)
        session.changed.connect(self._on_changed)
        self._show(session.state)

    def _on_changed(self, old: SessionState, new: SessionState) -> None:
        if (old.studies, old.study, old.refusals) != (new.studies, new.study, new.refusals):
            self._show(new)

    def _show(self, state: SessionState) -> None:
        count = translate("WORK LIST · {count}").format(count=len(state.studies))
        self._heading.setText(count if state.studies else translate("WORK LIST"))
        self.studies.blockSignals(True)
        self.studies.clear()
        for study in state.studies:
            self.studies.addItem(_study_item(study))
        if state.study in state.studies:
            self.studies.setCurrentRow(state.studies.index(state.study))
        self.studies.blockSignals(False)
        self._show_refusals(state)

    def _show_refusals(self, state: SessionState) -> None:
        text = translate("NOT OPENED · {count}").format(count=len(state.refusals))
        self._refused_heading.setText(text)
        self.refused.clear()
        for refusal in state.refusals:
            item = QListWidgetItem(refusal.sentence)
            item.setToolTip(str(refusal.path))
            self.refused.addItem(item)
        for widget in (self._refused_heading, self.refused):
            widget.setVisible(bool(state.refusals))

    def _ask_for_refused(self, item: QListWidgetItem) -> None:
        del item
        self.refused_files_requested.emit()

    def _choose(self, row: int) -> None:
        studies = self._session.state.studies
        if 0 <= row < len(studies) and studies[row] is not self._session.state.study:
            self._session.apply(lambda state: actions.set_study(state, studies[row]))


def _study_item(study: Study) -> QListWidgetItem:
    row = describe_study(study)
    item = QListWidgetItem(f"{row.title}  ({row.count})\n{row.detail}")
    item.setToolTip(f"{row.title}\n{row.detail}")
    return item
