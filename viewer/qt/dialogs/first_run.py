"""The first run: what is asked once, in three short steps, before there is a window."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ml.texts import mark, translate, use_language
from viewer.core import first_run
from viewer.core.language import AUTO, LANGUAGES
from viewer.jobs.devices import describe_computing
from viewer.jobs.job import Job
from viewer.qt import palette
from viewer.qt.dialogs.base import Dialog, name_button
from viewer.qt.dialogs.folder_row import FolderRow
from viewer.qt.dialogs.pattern import Pattern, screens
from viewer.qt.job_runner import JobRunner
from viewer.qt.language import speak

if TYPE_CHECKING:
    from collections.abc import Callable

    from viewer.core.first_run import Computing
    from viewer.core.home import Home
    from viewer.qt.preferences import Preferences

# The steps, and the words on their two buttons.
STATEMENT, DISPLAY, PLACES = range(3)
_TITLES = (mark("Welcome to Mammoscope"), mark("Your display"), mark("You and your data"))
_BACK = (mark("Decline and leave"), mark("Back"), mark("Back"))
_ON = (mark("I accept"), mark("Continue"), mark("Start reading"))
_WIDTH_PX, _HEIGHT_PX = 620, 470
STYLE = f"""
#first QLabel {{ font-size: 13px; }}
#first QLabel[kind="title"] {{ font-size: 18px; font-weight: 600; }}
#first QLabel[kind="strong"] {{ font-weight: 600; color: {palette.STANDING}; }}
#first QLabel[kind="dim"] {{ color: {palette.DIM}; }}
#first QPushButton[kind="deed"] {{ background: {palette.DEED}; }}
"""


class FirstRunDialog(Dialog):
    """Statement and language; display and computer; name and places.

    Parameters
    ----------
    preferences
        Get what was said, when it is over.
    describe
        Called on a thread: what there is to compute with.
    """

    def __init__(
        self,
        preferences: Preferences,
        home: Home,
        parent: QWidget | None = None,
        describe: Callable[[], Computing] = describe_computing,
    ) -> None:
        super().__init__("Mammoscope", parent)
        self.setObjectName("first")
        self.setStyleSheet(STYLE)
        self._preferences = preferences
        self._texts: list[tuple[Callable[[str], object], str]] = []
        self._computing: Computing | None = None
        self._checked = False
        set_by_system = preferences.settings.language == AUTO
        self._language_before = os.environ.get("LANGUAGE", "") if set_by_system else ""
        self._add_head()
        self.steps = QStackedWidget()
        self._pages = (self._statement(), self._display(), self._places(home))
        for page in self._pages:
            self.steps.addWidget(page)
        self.rows.addWidget(self.steps, 1)
        self._add_foot()
        self._go(STATEMENT)
        self.take_room(_WIDTH_PX, _HEIGHT_PX)
        self._runner = JobRunner(self, disk_threads=1)
        self._runner.submit(Job("", describe), self._on_computing, self._on_unknown)

    def accept(self) -> None:
        """Keep what was said, and go on to the window."""
        today = datetime.now(UTC).astimezone().date()
        settings = first_run.accept(self._preferences.settings, today)
        if self._checked:
            seen = self.seen.isChecked()
            settings = first_run.check_display(settings, today, seen=seen)
        reader = " ".join(self.reader.text().split())
        language = self._language()
        self._preferences.change(replace(settings, reader=reader, language=language))
        self._runner.close()
        super().accept()

    def reject(self) -> None:
        """Decline; whoever accepted and closes the later steps has said enough."""
        if self.steps.currentIndex() != STATEMENT:
            self.accept()
            return
        self._runner.close()
        super().reject()

    def _add_head(self) -> None:
        self.rows.setContentsMargins(28, 22, 28, 18)
        self.rows.setSpacing(14)
        self._title, self._count = QLabel(), QLabel()
        self._title.setProperty("kind", "title")
        self._count.setProperty("kind", "dim")
        row = QHBoxLayout()
        row.addWidget(self._title, 1)
        row.addWidget(self._count)
        self.rows.addLayout(row)

    def _add_foot(self) -> None:
        self.back, self.on = QPushButton(), QPushButton()
        self.on.setProperty("kind", "deed")
        self.on.setDefault(True)
        self.back.setAutoDefault(False)
        self.back.clicked.connect(self._on_back)
        self.on.clicked.connect(self._on_on)
        row = QHBoxLayout()
        row.addWidget(self.back)
        row.addStretch(1)
        row.addWidget(self.on)
        self.rows.addLayout(row)

    def _statement(self) -> QWidget:
        page, rows = _page()
        for index, sentence in enumerate(first_run.STATEMENT):
            rows.addWidget(self._label(sentence, "strong" if index == 0 else ""))
        rows.addStretch(1)
        self.language = QComboBox()
        self.language.addItem("")
        self._say(partial(self.language.setItemText, 0), mark("Language of the system"))
        self.language.addItems(list(LANGUAGES))
        self.language.setCurrentIndex(
            1 + list(LANGUAGES).index(self._preferences.settings.language)
            if self._preferences.settings.language in LANGUAGES
            else 0
        )
        self._say(self.language.setAccessibleName, mark("Language"))
        self.language.currentIndexChanged.connect(self._on_language)
        row = QHBoxLayout()
        row.addWidget(self._label(mark("Language"), "dim"))
        row.addWidget(self.language)
        row.addStretch(1)
        rows.addLayout(row)
        return page

    def _display(self) -> QWidget:
        page, rows = _page()
        self._screens, self._meaning = _text(), _text("dim")
        rows.addWidget(self._screens)
        rows.addWidget(self._meaning)
        pattern = Pattern()
        self._say(pattern.setAccessibleName, first_run.PATTERN)
        rows.addWidget(pattern)
        self.seen = QCheckBox()
        self.seen.setChecked(first_run.was_seen(self._preferences.settings))
        self._say(partial(_name_check, self.seen), first_run.SQUARES)
        rows.addWidget(self.seen)
        rows.addWidget(self._label(first_run.IF_NOT, "dim"))
        rows.addStretch(1)
        self._found = _text()
        rows.addWidget(self._found)
        return page

    def _places(self, home: Home) -> QWidget:
        page, rows = _page()
        rows.addWidget(
            self._label(
                mark(
                    "Your name is kept with what you decide, in the library on this computer. "
                    "You can leave it out: you are asked at your first decision."
                )
            )
        )
        self.reader = QLineEdit(self._preferences.settings.reader)
        self._say(self.reader.setPlaceholderText, mark("Your name"))
        self._say(self.reader.setAccessibleName, mark("Your name"))
        rows.addWidget(self.reader)
        rows.addSpacing(8)
        rows.addWidget(
            self._label(
                mark(
                    "The library, your decisions, trained models and generated images lie in "
                    "this folder; your own images stay where they are."
                )
            )
        )
        self.folder = FolderRow(home.data)
        rows.addWidget(self.folder)
        rows.addStretch(1)
        rows.addWidget(
            self._label(
                mark(
                    "The sample study opens next, with a tour of two minutes if you like. "
                    "The manual is under F1."
                ),
                "dim",
            )
        )
        return page

    def _label(self, text: str, kind: str = "") -> QLabel:
        made = _text(kind)
        self._say(partial(_tell, made), text)
        return made

    def _say(self, put: Callable[[str], object], text: str) -> None:
        """Say a marked text with this, now and in every language that is chosen."""
        self._texts.append((put, text))

    def _retell(self) -> None:
        step = self.steps.currentIndex()
        for put, text in self._texts:
            put(translate(text))
        _tell(self._title, translate(_TITLES[step]))
        count = translate("{step} of {steps}")
        _tell(self._count, count.format(step=step + 1, steps=self.steps.count()))
        name_button(self.back, translate(_BACK[step]))
        name_button(self.on, translate(_ON[step]))
        self.folder.retell()
        found = screens()
        _tell(self._screens, "\n".join(first_run.screen_lines(found)))
        _tell(self._meaning, first_run.screen_meaning(found))
        computing = self._computing
        _tell(
            self._found,
            first_run.computing_sentence(computing)
            if computing
            else translate("Looking for a graphics card…"),
        )

    def _go(self, step: int) -> None:
        self.steps.setCurrentIndex(step)
        self._retell()
        # What stands on another step takes no room on the keyboard's way.
        for index, page in enumerate(self._pages):
            page.setEnabled(index == step)
        first = (self.on, self.seen, self.reader)[step]
        first.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_on(self) -> None:
        step = self.steps.currentIndex()
        self._checked = self._checked or step == DISPLAY
        if step == PLACES:
            self.accept()
        else:
            self._go(step + 1)

    def _on_back(self) -> None:
        step = self.steps.currentIndex()
        if step == STATEMENT:
            self.reject()
        else:
            self._go(step - 1)

    def _language(self) -> str:
        index = self.language.currentIndex()
        return list(LANGUAGES)[index - 1] if index else AUTO

    def _on_language(self) -> None:
        application = QApplication.instance()
        if not isinstance(application, QApplication):
            return
        wanted = LANGUAGES.get(self._language(), "")
        if not wanted:
            use_language(self._language_before)
        speak(application, wanted)
        self._retell()

    def _on_computing(self, found: Computing) -> None:
        self._computing = found
        self._retell()

    def _on_unknown(self, error: Exception) -> None:
        raise error


def _page() -> tuple[QWidget, QVBoxLayout]:
    page = QWidget()
    rows = QVBoxLayout(page)
    rows.setContentsMargins(0, 0, 0, 0)
    rows.setSpacing(10)
    return page, rows


def _text(kind: str = "") -> QLabel:
    made = QLabel()
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(True)
    if kind:
        made.setProperty("kind", kind)
    return made


def _tell(label: QLabel, text: str) -> None:
    label.setText(text)
    label.setAccessibleName(text)


def _name_check(box: QCheckBox, text: str) -> None:
    box.setText(text)
    box.setAccessibleName(text)
