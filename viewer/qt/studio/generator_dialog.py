"""Which generator the studio works with: the program's own or another folder, and a LoRA."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import (
    QDialogButtonBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
)

from ml.errors import MammoError
from ml.texts import translate
from viewer.core.studio import GeneratorChoice, read_words
from viewer.jobs.generators import look_up
from viewer.jobs.job import Job
from viewer.qt.cards import label
from viewer.qt.dialogs.base import PAGE, Button, Dialog, name_button

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from PySide6.QtWidgets import QWidget

    from viewer.core.studio import Generator
    from viewer.qt.job_runner import JobHandle, JobRunner

_log = logging.getLogger("viewer.qt")

MOST_MM = 5.0
WIDTH_PX = 620


class GeneratorDialog(Dialog):
    """OK checks what is chosen; what is wrong is said here, before anything is queued.

    Parameters
    ----------
    choice
        What holds now.
    own
        Where the program's own generator may lie.
    lane
        The device of new jobs.
    accepted
        Called with a choice that can be used, and what is known of it.
    """

    def __init__(
        self,
        choice: GeneratorChoice,
        own: Sequence[Path],
        lane: str,
        runner: JobRunner,
        accepted: Callable[[GeneratorChoice, Generator], None],
        parent: QWidget | None,
    ) -> None:
        super().__init__(translate("Choose a generator"), parent)
        self.setProperty(PAGE, "generating.md")
        self._own, self._lane, self._runner, self._accepted = own, lane, runner, accepted
        self._checking: JobHandle | None = None
        self.own = QRadioButton()
        self.other = QRadioButton()
        self.folder, self.lora, self.vendors = QLineEdit(), QLineEdit(), QLineEdit()
        self.pixel = QDoubleSpinBox()
        self._make_kinds()
        self._make_other()
        self._make_lora()
        self.problem = label("", "problem")
        self.rows.addWidget(self.problem)
        self.rows.addStretch(1)
        box = self.add_buttons(Button.Cancel, Button.Ok)
        self.ok = box.button(QDialogButtonBox.StandardButton.Ok)
        self.other.toggled.connect(self._show_kind)
        self.finished.connect(self._forget)
        self._put(choice)
        self.setMinimumWidth(WIDTH_PX)

    @property
    def choice(self) -> GeneratorChoice:
        """What stands there."""
        lora = self.lora.text().strip()
        if self.own.isChecked():
            return GeneratorChoice(lora=lora)
        words = read_words(self.vendors.text())
        folder, size = self.folder.text().strip(), self.pixel.value() or None
        return GeneratorChoice(folder, lora, words, size)

    def accept(self) -> None:
        """Check what is chosen; hand it over, or say what is wrong and stay open."""
        choice = self.choice
        if self.other.isChecked() and not choice.folder:
            self._say(translate("Name the folder of the other generator."))
            return
        self._say(translate("Checking the generator…"), kind="dim")
        self.ok.setEnabled(False)
        work = partial(look_up, choice, self._own, self._lane)
        job = Job(translate("Checking the generator"), work)
        self._checking = self._runner.submit(job, partial(self._take, choice), self._refuse)

    def _take(self, choice: GeneratorChoice, generator: Generator) -> None:
        self._checking = None
        self._accepted(choice, generator)
        super().accept()

    def _refuse(self, error: Exception) -> None:
        self._checking = None
        self.ok.setEnabled(True)
        if not isinstance(error, MammoError):
            self._say("")
            raise error
        _log.info("a generator was refused: %s", type(error).__name__)
        self._say(str(error))

    def _forget(self) -> None:
        # Closed while it was being checked: nobody waits for the answer.
        if self._checking is not None:
            self._checking.cancel()

    def _say(self, sentence: str, kind: str = "problem") -> None:
        self.problem.setProperty("kind", kind)
        self.problem.style().polish(self.problem)
        self.problem.setText(sentence)
        self.problem.setAccessibleName(sentence)

    def _put(self, choice: GeneratorChoice) -> None:
        (self.other if choice.folder else self.own).setChecked(True)
        self.folder.setText(choice.folder)
        self.lora.setText(choice.lora)
        self.vendors.setText(", ".join(choice.vendors))
        self.pixel.setValue(choice.pixel_mm or 0.0)
        self._show_kind()

    def _show_kind(self) -> None:
        for widget in self._of_other:
            widget.setEnabled(self.other.isChecked())

    # How it looks

    def _make_kinds(self) -> None:
        for radio, text in (
            (self.own, translate("The program's own")),
            (self.other, translate("Another folder")),
        ):
            radio.setText(text)
            radio.setAccessibleName(text)
            self.rows.addWidget(radio)

    def _make_other(self) -> None:
        choose = self._button(translate("Choose folder…"), self._choose_folder)
        self.rows.addLayout(_line(self.folder, translate("Folder of the generator"), choose))
        about = label(
            translate(
                "A pack of this program, or a Stable Diffusion folder as diffusers writes it; "
                "safetensors only. A Stable Diffusion folder does not say these two:"
            ),
            "dim",
        )
        self.rows.addWidget(about)
        self.pixel.setRange(0.0, MOST_MM)
        self.pixel.setDecimals(4)
        self.pixel.setSingleStep(0.05)
        self.pixel.setSuffix(" mm")
        self.pixel.setSpecialValueText(translate("not known"))
        self.vendors.setPlaceholderText(translate("as its sentences have them, with commas"))
        form = QFormLayout()
        for editor, text in (
            (self.vendors, translate("Makers' words")),
            (self.pixel, translate("Size of a pixel")),
        ):
            editor.setAccessibleName(text)
            name = QLabel(text)
            name.setBuddy(editor)
            form.addRow(name, editor)
        self.rows.addLayout(form)
        self._of_other = (self.folder, choose, self.vendors, self.pixel)

    def _make_lora(self) -> None:
        self.rows.addWidget(label(translate("LoRA"), "heading"))
        self.lora.setPlaceholderText(translate("none"))
        self.lora.setClearButtonEnabled(True)
        choose = self._button(translate("Choose file…"), self._choose_lora)
        self.rows.addLayout(_line(self.lora, translate("LoRA file"), choose))
        text = translate("A safetensors file that is put upon the generator's weights.")
        self.rows.addWidget(label(text, "dim"))

    def _button(self, text: str, do: Callable[[], None]) -> QPushButton:
        made = QPushButton()
        name_button(made, text)
        made.setAutoDefault(False)
        made.clicked.connect(do)
        return made

    def _choose_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(
            self, translate("Choose the generator's folder"), self.folder.text()
        )
        if name:
            self.folder.setText(name)

    def _choose_lora(self) -> None:
        name, _ = QFileDialog.getOpenFileName(
            self, translate("Choose a LoRA"), self.lora.text(), "safetensors (*.safetensors)"
        )
        if name:
            self.lora.setText(name)


def _line(editor: QLineEdit, name: str, button: QPushButton) -> QHBoxLayout:
    editor.setAccessibleName(name)
    row = QHBoxLayout()
    row.addWidget(editor, 1)
    row.addWidget(button)
    return row
