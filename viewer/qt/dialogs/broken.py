"""Something broke: the one place where a bug reaches the user, and the session goes on."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialogButtonBox

from ml.texts import translate
from viewer.core.report import error_report
from viewer.qt.dialogs.base import Button, Dialog, name_button

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from PySide6.QtWidgets import QWidget

_log = logging.getLogger("viewer.qt")


class BrokenDialog(Dialog):
    """An identity-free report that can be copied.

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
        self.resize(640, 420)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.page.toPlainText())


def install_excepthook(show: Callable[[str], object]) -> None:
    """Send every error that nothing caught to the log and to `show`, and keep running.

    Parameters
    ----------
    show
        Called with the report on the thread that broke.
    """

    def hook(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        report = error_report(error)
        _log.error("something broke\n%s", report)
        show(report)

    sys.excepthook = hook
