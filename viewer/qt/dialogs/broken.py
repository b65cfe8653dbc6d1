"""Something broke: the one place where a bug reaches the user, and the session goes on."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialogButtonBox, QFileDialog

from ml.files import replacing
from ml.texts import translate
from viewer.core.report import error_report
from viewer.qt.dialogs.base import Button, Dialog, name_button
from viewer.qt.log_file import last_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from PySide6.QtWidgets import QWidget

_log = logging.getLogger("viewer.qt")
FILE_NAME = "mammoscope-report.txt"


class BrokenDialog(Dialog):
    """An identity-free report that can be copied and saved.

    Parameters
    ----------
    report
        As `viewer.core.report.error_report` writes it.
    """

    def __init__(self, report: str, parent: QWidget | None) -> None:
        super().__init__(translate("Something broke"), parent)
        self.add_text(
            translate(
                "The program made a mistake. The study stays open; save what you need. The "
                "report below names no patient and no file of yours: please send it on."
            )
        )
        self.page = self.add_page(report, translate("Report"))
        buttons = self.add_buttons(Button.Close)
        self.copy_button = buttons.addButton("", QDialogButtonBox.ButtonRole.ActionRole)
        name_button(self.copy_button, translate("Copy report"))
        self.copy_button.clicked.connect(self._copy)
        self.save_button = buttons.addButton("", QDialogButtonBox.ButtonRole.ActionRole)
        name_button(self.save_button, translate("Save report…"))
        self.save_button.clicked.connect(self._ask_place)
        self.saved = self.add_text("")
        self.saved.hide()
        self.resize(640, 460)

    def save(self, path: Path) -> None:
        """Write the report, and say where it is or why it could not be written."""
        try:
            with replacing(path) as fresh:
                fresh.write_text(self.page.toPlainText(), encoding="utf-8")
        except OSError as error:
            text = translate("The report cannot be written to {path}: {why}.")
            self.saved.setText(text.format(path=path, why=error.strerror))
        else:
            self.saved.setText(translate("Saved as {path}.").format(path=path))
        self.saved.setAccessibleName(self.saved.text())
        self.saved.show()

    def _ask_place(self) -> None:
        title, kind = translate("Save report"), translate("Text (*.txt)")
        name, _ = QFileDialog.getSaveFileName(self, title, FILE_NAME, kind)
        if name:
            self.save(Path(name))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.page.toPlainText())


def install_excepthook(
    show: Callable[[str], object], known: Callable[[], Sequence[str]] = tuple
) -> None:
    """Send every error that nothing caught to the log and to `show`, and keep running.

    Parameters
    ----------
    show
        Called with the report on the thread that broke.
    known
        What names patients at the moment: none of it stands in a report.
    """

    def hook(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        report = error_report(error, last_lines(), known())
        _log.error("something broke\n%s", report)
        show(report)

    sys.excepthook = hook
