"""The program in the user's language: our texts, Qt's own, and the direction of writing."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from PySide6.QtCore import QLibraryInfo, QLocale, Qt, QTranslator

from ml.texts import is_right_to_left, language, use_language
from viewer.core.language import spoken

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

_log = logging.getLogger("viewer.qt")
# By any of these gettext knows what to speak.
_VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")


def speak(application: QApplication, wanted: str) -> None:
    """Speak a language from now on; pictures hang the same way in all of them.

    Parameters
    ----------
    wanted
        As its catalogue is called; empty: what the system speaks.
    """
    for old in application.findChildren(QTranslator):
        application.removeTranslator(old)
        old.deleteLater()
    if wanted:
        use_language(wanted)
    elif not any(os.environ.get(name) for name in _VARIABLES):
        # Windows and macOS tell no variable.
        use_language(spoken(QLocale.system().uiLanguages()))
    name = language().replace("-", "_")
    QLocale.setDefault(QLocale(name) if wanted else QLocale.system())
    if name != "en":
        translator = QTranslator(application)
        folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
        if translator.load(f"qtbase_{name}", folder):
            application.installTranslator(translator)
        else:
            _log.info("Qt's own texts are not here in %s", name)
    ltr, rtl = Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft
    application.setLayoutDirection(rtl if is_right_to_left() else ltr)
