"""The first page: which model is trained, on what, how long, and from what it begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QWidget

from ml.texts import translate
from viewer.core.retraining import PART_WORDS, PARTS, ROLES
from viewer.qt.cards import label
from viewer.qt.dialogs.base import name_button
from viewer.qt.retraining.parts import Page, heading, line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from viewer.core.retraining import Counted


class DataPage(Page):
    """What is wanted at the left; what the data have at the right.

    Signals
    -------
    folder_requested, table_requested
        Ask for a folder with a manifest, or for a manifest's file.
    """

    folder_requested = Signal()
    table_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        rows = self.clear(self.left)
        rows.addWidget(heading(translate("Model")))
        self.role = _Choice([(role, translate(word)) for role, word in ROLES])
        rows.addWidget(self.role)
        rows.addWidget(heading(translate("Data")))
        buttons = QHBoxLayout()
        self.folder, self.table = QPushButton(), QPushButton()
        name_button(self.folder, translate("Choose a folder…"))
        name_button(self.table, translate("Choose a manifest…"))
        for button in (self.folder, self.table):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        buttons.addStretch(1)
        rows.addLayout(buttons)
        self.said = label(
            translate("A folder with manifest.csv, as `mammoscope generate` writes one, too."),
            "dim",
        )
        rows.addWidget(self.said)
        rows.addWidget(heading(translate("How long")))
        self.part = _Choice([(share, translate(word)) for share, word in PARTS])
        rows.addWidget(self.part)
        rows.addWidget(heading(translate("It begins with")))
        self.beginning = _Choice(
            [
                (False, translate("the model in use")),
                (True, translate("nothing: from scratch")),
            ]
        )
        rows.addWidget(self.beginning)
        rows.addStretch(1)
        self.folder.clicked.connect(self.folder_requested)
        self.table.clicked.connect(self.table_requested)
        self.show_counted(None)

    def say(self, sentence: str) -> None:
        """Say why data cannot be used."""
        self.said.setText(sentence)
        self.said.setAccessibleName(sentence)

    def show_counted(self, counted: Counted | None) -> None:
        """Show what the chosen data have."""
        rows = self.clear(self.right)
        rows.addWidget(heading(translate("What the data have")))
        if counted is None:
            rows.addWidget(label(translate("Nothing is chosen yet."), "dim"))
        else:
            self.say(counted.manifest)
            for each in _lines(counted):
                rows.addWidget(each)
        rows.addStretch(1)


def _lines(counted: Counted) -> list[QWidget]:
    found: list[QWidget] = []
    for word, (patients, images, lesions) in zip(PART_WORDS, counted.parts, strict=True):
        text = translate("{images} images, {lesions} of them with a lesion").format(
            images=images, lesions=lesions
        )
        sign = "green" if patients else "amber"
        count = translate("patients: {count}").format(count=patients)
        found.append(line(sign, translate(word), text, count))
    if not counted.parts[2][0]:
        said = translate(
            "Without patients for testing a model can be trained, but not compared: it stays "
            "out of use. Give some patients the split test."
        )
        found.append(line("amber", said))
    if counted.generated:
        said = translate("generated images: {count}").format(count=counted.generated)
        found.append(line("none", said, translate("They may only train.")))
    return found


class _Choice(QWidget):
    """Chips of which one is chosen."""

    def __init__(self, values: Sequence[tuple[object, str]]) -> None:
        super().__init__()
        self._values = [value for value, _ in values]
        self._group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(5)
        for number, (_, text) in enumerate(values):
            chip = QPushButton()
            name_button(chip, text)
            chip.setProperty("kind", "chip")
            chip.setCheckable(True)
            chip.setAutoDefault(False)
            self._group.addButton(chip, number)
            row.addWidget(chip)
        row.addStretch(1)
        self._group.button(0).setChecked(True)

    @property
    def value(self) -> object:
        """What is chosen."""
        return self._values[self._group.checkedId()]

    def choose(self, value: object) -> None:
        """Choose by value."""
        self._group.button(self._values.index(value)).setChecked(True)
