"""Outcomes of my reads: what was said and became known, the figures, what to read next."""

from __future__ import annotations

from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QTextDocument
from PySide6.QtPrintSupport import QPrintDialog, QPrinter
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ml.mammo.codes import Laterality
from ml.texts import counted, mark, translate
from viewer.core.decision import outcome_of
from viewer.core.read_audit import MEANINGS, TITLES, audit_of_reads, in_period
from viewer.core.read_words import (
    COLUMNS,
    SOURCE,
    audit_text,
    cells_of,
    count_text,
    left_out_text,
    name_of,
    period_text,
    read_text,
    reads_csv,
    value_text,
)
from viewer.core.teaching import why
from viewer.qt.dialogs.base import PAGE, Button, Dialog, name_button
from viewer.qt.dialogs.outcome import OutcomeDialog
from viewer.qt.dialogs.reader import ReaderDialog

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtGui import QShowEvent

    from viewer.core.read_audit import ReadAudit
    from viewer.core.read_study import ReadStudy
    from viewer.core.teaching import Proposals, Unread
    from viewer.qt.dialogs.outcome import Known
    from viewer.qt.reads import Reads

UNREAD_COLUMNS = (mark("Study"), mark("Breast"), mark("Why"))
BREASTS = {Laterality.RIGHT: mark("right"), Laterality.LEFT: mark("left")}
_FIGURES_PX = 330


class OutcomesDialog(Dialog):
    """The reads over the unread cases, and the figures beside both.

    Parameters
    ----------
    reads
        Reads and writes off the GUI thread.
    open_path
        Opens a study in the viewer.
    keep_name
        Keeps the reader's name, where she was not asked before.
    """

    def __init__(
        self,
        reads: Reads,
        open_path: Callable[[Path], object],
        keep_name: Callable[[str], None],
        parent: QWidget | None,
    ) -> None:
        super().__init__(translate("Outcomes of my reads"), parent)
        self.setProperty(PAGE, "outcomes.md")
        # What was asked of the library is answered later, also when this was closed meanwhile.
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        self._reads = reads
        self._open_path = open_path
        self._keep_name = keep_name
        self._studies: tuple[ReadStudy, ...] = ()
        self.shown: tuple[ReadStudy, ...] = ()
        self.proposed: tuple[Unread, ...] = ()
        self.first, self.last = _day(translate("From")), _day(translate("To"))
        self.list = _tree(translate("Studies read"), COLUMNS)
        self.unread = _tree(translate("Unread studies that would teach most"), UNREAD_COLUMNS)
        self.buttons: dict[str, QPushButton] = {}
        self.figures = _Figures()
        self.unread_note = _label("", "dim")
        self._lay_out()
        self.sentence = self.add_text("")
        self.sentence.hide()
        self._add_foot()
        for editor in (self.first, self.last):
            editor.editingFinished.connect(self._show)
        self.list.currentItemChanged.connect(self._enable)
        self.unread.currentItemChanged.connect(self._enable)
        self.list.itemActivated.connect(self._open)
        self.unread.itemActivated.connect(self._open_unread)
        reads.read.connect(self._on_read)
        reads.proposed.connect(self._on_proposed)
        reads.told.connect(self._say)
        self.resize(1260, 740)
        self._enable()

    def showEvent(self, event: QShowEvent) -> None:
        """Read anew: much may have been said since."""
        super().showEvent(event)
        self._reads.refresh()

    def changeEvent(self, event: QEvent) -> None:
        """Read anew what was said in the main window meanwhile."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.ActivationChange and self.isActiveWindow():
            self._reads.read_words()

    @property
    def chosen(self) -> ReadStudy | None:
        """The read study that the buttons act on."""
        index = self.list.currentIndex().row()
        return self.shown[index] if 0 <= index < len(self.shown) else None

    @property
    def period(self) -> str:
        """Which reads these are, in words."""
        days = sorted(study.read_at[:10] for study in self.shown if study.read_at)
        ends = (days[0], days[-1]) if days else ("?", "?")
        first, last = self.first.text().strip(), self.last.text().strip()
        return period_text(first or ends[0], last or ends[1], self._reads.reader)

    def text(self) -> str:
        """The page that is saved and printed."""
        return audit_text(audit_of_reads(self.shown), self.period)

    def ask(self, side: Laterality, *_: object) -> None:
        """Ask what became known of a breast of the chosen study."""
        study = self.chosen
        if study is None:
            return
        right = side is Laterality.RIGHT
        breast = (
            translate("Outcome, right breast") if right else translate("Outcome, left breast")
        )
        title = f"{breast} · {name_of(study)}"
        known = partial(self._known, study, side)
        outcome = outcome_of(study.breasts(), side)
        self._reads.look_up_date(study)
        study_date = partial(self._reads.study_date, study)
        OutcomeDialog(title, outcome, known, self, study_date=study_date).open()

    def _known(self, study: ReadStudy, side: Laterality, known: Known) -> None:
        fields = (known.assessment, known.proof, known.day, known.months)
        if self._reads.reader:
            self._reads.keep(study, side, fields)
            return
        dialog = ReaderDialog(self._keep_name, self)

        def on_asked(result: int) -> None:
            if result == QDialog.DialogCode.Accepted:
                self._reads.keep(study, side, fields)

        dialog.finished.connect(on_asked)
        dialog.open()

    def _lay_out(self) -> None:
        left, right = QVBoxLayout(), QVBoxLayout()
        left.addLayout(self._make_period())
        left.addWidget(self.list, 3)
        left.addLayout(self._make_row(_READ_BUTTONS))
        left.addWidget(_label(translate("Unread studies that would teach most"), "heading"))
        left.addWidget(self.unread, 2)
        row = self._make_row(_UNREAD_BUTTONS)
        row.addWidget(self.unread_note, 100)
        left.addLayout(row)
        right.addWidget(self.figures)
        right.addStretch(1)
        columns = QHBoxLayout()
        columns.setSpacing(18)
        columns.addLayout(left, 1)
        columns.addLayout(right)
        self.rows.addLayout(columns, 1)
        for name, side in (("right", Laterality.RIGHT), ("left", Laterality.LEFT)):
            self.buttons[name].clicked.connect(partial(self.ask, side))
        self.buttons["open"].clicked.connect(self._open)
        self.buttons["open_unread"].clicked.connect(self._open_unread)

    def _make_period(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addWidget(_label(translate("Studies read"), "heading"))
        row.addStretch(1)
        for editor in (self.first, self.last):
            row.addWidget(_label(editor.accessibleName(), "dim"))
            row.addWidget(editor)
        return row

    def _make_row(self, texts: dict[str, str]) -> QHBoxLayout:
        row = QHBoxLayout()
        for name, text in texts.items():
            button = QPushButton()
            name_button(button, translate(text))
            button.setAutoDefault(False)
            row.addWidget(button)
            self.buttons[name] = button
        row.addStretch(1)
        return row

    def _add_foot(self) -> None:
        box = self.add_buttons(Button.Close)
        deeds = {"text": self._save_text, "csv": self._save_csv, "print": self._print}
        for name, text in _FOOT_BUTTONS.items():
            button = QPushButton()
            name_button(button, translate(text))
            button.setAutoDefault(False)
            button.clicked.connect(deeds[name])
            box.addButton(button, box.ButtonRole.ResetRole)
            self.buttons[name] = button

    def _on_read(self, studies: Sequence[ReadStudy]) -> None:
        told = self.sentence.text()
        self._studies = tuple(studies)
        self._show()
        if not self.sentence.text():
            self._say(told)

    def _show(self) -> None:
        first, last = self.first.text().strip(), self.last.text().strip()
        if not (_is_day(first) and _is_day(last)):
            self._say(translate("Give the date as year-month-day, such as 2026-03-04."))
            return
        self._say("")
        chosen = self.chosen
        reads = in_period(self._studies, first, last, self._reads.reader)
        self.shown = tuple(sorted(reads, key=lambda study: study.read_at, reverse=True))
        self.list.clear()
        for study in self.shown:
            item = _item(cells_of(study))
            self.list.addTopLevelItem(item)
            if chosen is not None and chosen.uid == study.uid:
                self.list.setCurrentItem(item)
        self.figures.show_audit(audit_of_reads(self.shown))
        self._enable()

    def _on_proposed(self, proposals: Proposals) -> None:
        self.unread.clear()
        self.proposed = tuple(proposal.case for proposal in proposals.cases)
        for proposal in proposals.cases:
            worth = proposal.worth
            side = translate(BREASTS[worth.side]) if worth.side in BREASTS else ""
            name = proposal.case.label or proposal.case.uid
            self.unread.addTopLevelItem(_item((name, side, why(worth))))
        self.unread_note.setText(_note(proposals))
        self._enable()

    def _enable(self, *_: object) -> None:
        study = self.chosen
        for name in ("right", "left"):
            self.buttons[name].setEnabled(study is not None)
        self.buttons["open"].setEnabled(study is not None and bool(study.path))
        self.buttons["open_unread"].setEnabled(self.unread.currentItem() is not None)
        for name in _FOOT_BUTTONS:
            self.buttons[name].setEnabled(bool(self.shown))

    def _open(self, *_: object) -> None:
        study = self.chosen
        if study is not None and study.path:
            self._open_path(Path(study.path))

    def _open_unread(self, *_: object) -> None:
        index = self.unread.currentIndex().row()
        if not 0 <= index < len(self.proposed):
            return
        case, window = self.proposed[index], self.parentWidget()
        if case.listed is None:
            self._open_path(Path(case.path))
            return
        self._reads.open_listed(case.listed)
        if window is not None:
            window.raise_()
            window.activateWindow()

    def _save_text(self) -> None:
        self._save(translate("Save as text"), "reads.txt", self.text())

    def _save_csv(self) -> None:
        self._save(translate("Save as CSV"), "reads.csv", reads_csv(self.shown))

    def _save(self, title: str, name: str, text: str) -> None:
        path, _ = QFileDialog.getSaveFileName(self, title, name)
        if path:
            self._reads.save(Path(path), text)

    def _print(self) -> None:
        printer = QPrinter()
        dialog = QPrintDialog(printer, self)
        document = QTextDocument(self.text(), self)
        dialog.accepted.connect(lambda: document.print_(printer))
        dialog.setWindowModality(Qt.WindowModality.WindowModal)
        dialog.show()

    def _say(self, sentence: str) -> None:
        self.sentence.setText(sentence)
        self.sentence.setAccessibleName(sentence)
        self.sentence.setVisible(bool(sentence))


_READ_BUTTONS = {
    "right": mark("Outcome, right breast…"),
    "left": mark("Outcome, left breast…"),
    "open": mark("Open"),
}
_UNREAD_BUTTONS = {"open_unread": mark("Open")}
_FOOT_BUTTONS = {
    "text": mark("Save as text…"),
    "csv": mark("Save as CSV…"),
    "print": mark("Print…"),
}


class _Figures(QWidget):
    """The figures, one under the other, each with what it rests on."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedWidth(_FIGURES_PX)
        self._shown: list[QLabel] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setVerticalSpacing(3)

    def show_audit(self, audit: ReadAudit) -> None:
        """Put the figures of some reads in place of those before."""
        for widget in self._shown:
            self._grid.removeWidget(widget)
            widget.deleteLater()
        self._shown = []
        self._add(translate("Figures of these reads"), "heading")
        self._add(read_text(audit), "")
        for share in audit.shares:
            self._add(f"{translate(TITLES[share.figure])}: {value_text(share)}", "title")
            self._add(count_text(share), "")
            self._add(translate(MEANINGS[share.figure]), "dim")
        self._add(left_out_text(audit), "")
        self._add(translate(SOURCE), "dim")

    def _add(self, text: str, kind: str) -> None:
        if text:
            made = _label(text, kind)
            # A gap before each figure: what belongs to it stands close under it.
            if kind == "title":
                made.setContentsMargins(0, 9, 0, 0)
            self._shown.append(made)
            self._grid.addWidget(made, self._grid.rowCount(), 0)


def _note(proposals: Proposals) -> str:
    parts: list[str] = []
    if proposals.without:
        text = counted(
            "{count} unread study has no calibrated probability.",
            "{count} unread studies have no calibrated probability.",
            proposals.without,
        )
        parts.append(text.format(count=proposals.without))
    if proposals.away:
        text = translate("Files not found: {count}.")
        parts.append(text.format(count=proposals.away))
    parts.append(translate("The order says nothing of what a study shows."))
    return " ".join(parts)


def _is_day(text: str) -> bool:
    try:
        return not text or date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _day(name: str) -> QLineEdit:
    editor = QLineEdit()
    editor.setAccessibleName(name)
    editor.setPlaceholderText(translate("year-month-day"))
    editor.setFixedWidth(120)
    return editor


def _label(text: str, kind: str) -> QLabel:
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(True)
    if kind:
        made.setProperty("kind", kind)
    return made


def _tree(name: str, columns: Sequence[str]) -> QTreeWidget:
    made = QTreeWidget()
    made.setAccessibleName(name)
    made.setHeaderLabels([translate(title) for title in columns])
    made.setRootIsDecorated(False)
    made.setUniformRowHeights(True)
    made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    header = made.header()
    header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
    header.setStretchLastSection(True)
    for column, width in enumerate((170, 84, 236, 236)[: len(columns) - 1]):
        made.setColumnWidth(column, width)
    return made


def _item(cells: Sequence[str]) -> QTreeWidgetItem:
    item = QTreeWidgetItem(list(cells))
    told = ", ".join(cell for cell in cells if cell)
    item.setData(0, Qt.ItemDataRole.AccessibleTextRole, told)
    for column, text in enumerate(cells):
        item.setToolTip(column, text)
    return item
