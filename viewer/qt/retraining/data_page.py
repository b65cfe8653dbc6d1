"""The first page: which model is trained, on what, how long, and from what it begins."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QComboBox, QHBoxLayout, QPushButton, QWidget

from ml.texts import counted, translate
from viewer.core.retraining import MODES, PART_WORDS, PARTS, ROLES
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
    folder_requested, table_requested, corrections_requested
        Ask for a folder with a manifest, for a manifest's file, or for what the reader
        corrected.
    taken_out : str
        A data set shall have no part in it.
    """

    folder_requested = Signal()
    table_requested = Signal()
    corrections_requested = Signal()
    taken_out = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.mode = _modes()
        rows = self.clear(self.left)
        rows.addWidget(heading(translate("Model")))
        self.role = _Choice([(role, translate(word)) for role, word in ROLES])
        rows.addWidget(self.role)
        rows.addWidget(heading(translate("Data")))
        buttons, below = QHBoxLayout(), QHBoxLayout()
        self.folder, self.table, self.corrections = QPushButton(), QPushButton(), QPushButton()
        name_button(self.folder, translate("Add a folder…"))
        name_button(self.table, translate("Add a manifest…"))
        name_button(self.corrections, translate("Add my corrections"))
        for button in (self.folder, self.table, self.corrections):
            button.setAutoDefault(False)
            (below if button is self.corrections else buttons).addWidget(button)
        for line_of_buttons in (buttons, below):
            line_of_buttons.addStretch(1)
            rows.addLayout(line_of_buttons)
        self.said = label("", "dim")
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
        rows.addWidget(heading(translate("What teaches")))
        rows.addWidget(self.mode)
        rows.addStretch(1)
        self.folder.clicked.connect(self.folder_requested)
        self.table.clicked.connect(self.table_requested)
        self.corrections.clicked.connect(self.corrections_requested)
        self.show_counted(None)

    def say(self, sentence: str) -> None:
        """Say why data cannot be used."""
        self.said.setText(sentence)
        self.said.setAccessibleName(sentence)

    def show_counted(self, data: Counted | None) -> None:
        """Show what the chosen data have."""
        self.say(
            translate(
                "Folders with manifest.csv: patients' images, your corrections, and synthetic "
                "ones, as the studio keeps them. All together are one data set."
            )
        )
        rows = self.clear(self.right)
        rows.addWidget(heading(translate("What the data have")))
        if data is None:
            rows.addWidget(label(translate("Nothing is chosen yet."), "dim"))
        else:
            for name in data.sets:
                rows.addWidget(self._set(name))
            for each in _lines(data):
                rows.addWidget(each)
        rows.addStretch(1)

    def _set(self, name: str) -> QWidget:
        """A data set with a button that takes it out."""
        made = QWidget()
        row = QHBoxLayout(made)
        row.setContentsMargins(0, 0, 0, 0)
        text = label(Path(name).name, "value", wrap=False)
        text.setToolTip(name)
        row.addWidget(text, 1)
        out = QPushButton()
        name_button(out, translate("Take out"))
        out.setAccessibleName(translate("Take out {name}").format(name=Path(name).name))
        out.setAutoDefault(False)
        out.clicked.connect(partial(self.taken_out.emit, name))
        row.addWidget(out)
        return made


def _modes() -> QComboBox:
    made = QComboBox()
    made.setAccessibleName(translate("What teaches"))
    # Its longest sentence would push a narrow window's page out of sight.
    made.setMinimumContentsLength(24)
    made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    for mode, words in MODES:
        made.addItem(translate(words), mode)
    return made


def _lines(data: Counted) -> list[QWidget]:
    found: list[QWidget] = []
    for word, (patients, images, lesions) in zip(PART_WORDS, data.parts, strict=True):
        text = counted(
            "{images} image, {lesions} of them with a lesion",
            "{images} images, {lesions} of them with a lesion",
            images,
        ).format(images=images, lesions=lesions)
        sign = "green" if patients else "amber"
        count = translate("patients: {count}").format(count=patients)
        found.append(line(sign, translate(word), text, count))
    if not data.parts[2][0]:
        said = translate(
            "Without patients for testing a model can be trained, but not compared: it stays "
            "out of use. Give some patients the split test."
        )
        found.append(line("amber", said))
    if data.generated:
        said = translate("generated images: {count}").format(count=data.generated)
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
