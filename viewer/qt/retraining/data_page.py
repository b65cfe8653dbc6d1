"""The first page: which model is trained, on what, how long, and from what it begins."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ml.texts import counted, translate
from ml.train.order import MOST_DOSE
from viewer.core.retraining import DOSED, MODES, PART_WORDS, PARTS, ROLES, most_dose
from viewer.qt.cards import label
from viewer.qt.dialogs.base import name_button
from viewer.qt.retraining.parts import Page, heading, line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ml.train.order import TrainingOrder
    from viewer.core.retraining import Counted, Made

# As many as real ones, which a training takes unasked; and the least that can be asked for.
NO_DOSE, LEAST_DOSE = 1.0, 0.01


class DataPage(Page):
    """What is wanted at the left; what the data have at the right.

    Signals
    -------
    folder_requested, table_requested, corrections_requested
        Ask for a folder with a manifest, for a manifest's file, or for what the reader
        corrected.
    made_requested : str
        Add the images of a finished generation, by its folder.
    taken_out : str
        A data set shall have no part in it.
    """

    folder_requested = Signal()
    table_requested = Signal()
    corrections_requested = Signal()
    made_requested = Signal(str)
    taken_out = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.mode = _modes()
        rows = self.clear(self.left)
        rows.addWidget(heading(translate("Model")))
        self.role = _Choice([(role, translate(word)) for role, word in ROLES])
        rows.addWidget(self.role)
        rows.addWidget(heading(translate("Data")))
        self._add_buttons(rows)
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
        self._add_dose(rows)
        rows.addStretch(1)
        self.folder.clicked.connect(self.folder_requested)
        self.table.clicked.connect(self.table_requested)
        self.corrections.clicked.connect(self.corrections_requested)
        self.mode.currentIndexChanged.connect(self._show_dose)
        self.show_made(())
        self.show_counted(None)

    @property
    def asked_dose(self) -> float:
        """Synthetic images for each real one; of no meaning in the modes without them."""
        return self.dose.value() if self.mode.currentData() in DOSED else NO_DOSE

    def show_order(self, order: TrainingOrder) -> None:
        """Choose what a training was begun with, for one that shall be like it."""
        self.role.choose(order.role)
        self.part.choose(order.part)
        self.beginning.choose(order.from_scratch)
        self.mode.setCurrentIndex(self.mode.findData(order.mode))
        if self.mode.currentData() in DOSED:
            self.dose.setValue(order.dose)

    def show_made(self, made: Sequence[Made]) -> None:
        """Offer the finished generations."""
        fill_made(self.made, made, self.made_requested.emit)

    def _add_buttons(self, rows: QVBoxLayout) -> None:
        """What adds data, two beside each other."""
        self.folder, self.table, self.corrections = QPushButton(), QPushButton(), QPushButton()
        self.made = QPushButton()
        name_button(self.folder, translate("Add a folder…"))
        name_button(self.table, translate("Add a manifest…"))
        name_button(self.corrections, translate("Add my corrections"))
        name_button(self.made, translate("Add synthetic images"))
        for pair in ((self.folder, self.table), (self.corrections, self.made)):
            row = QHBoxLayout()
            for button in pair:
                button.setAutoDefault(False)
                row.addWidget(button)
            row.addStretch(1)
            rows.addLayout(row)

    def _add_dose(self, rows: QVBoxLayout) -> None:
        """How many synthetic images, for the modes that have any."""
        self._dosed = QWidget()
        column = QVBoxLayout(self._dosed)
        column.setContentsMargins(0, 0, 0, 0)
        row = QHBoxLayout()
        self.dose = QDoubleSpinBox()
        self.dose.setRange(LEAST_DOSE, MOST_DOSE)
        self.dose.setSingleStep(0.25)
        self.dose.setValue(NO_DOSE)
        words = translate("Synthetic images for each real one")
        self.dose.setAccessibleName(words)
        named = label(words, wrap=False)
        named.setBuddy(self.dose)
        row.addWidget(self.dose)
        row.addWidget(named)
        row.addStretch(1)
        column.addLayout(row)
        self.enough = label("", "dim")
        column.addWidget(self.enough)
        rows.addWidget(self._dosed)
        self._show_dose()

    def _show_dose(self, _: int = 0) -> None:
        self._dosed.setVisible(self.mode.currentData() in DOSED)

    def _limit_dose(self, data: Counted | None) -> None:
        """No more than there are images for: a training of more would be refused."""
        most = most_dose(data) if data is not None else 0.0
        self.dose.setMaximum(most or MOST_DOSE)
        text = ""
        if data is not None:
            text = (
                translate("There are images for up to {most}.").format(most=f"{most:g}")
                if most
                else translate("These data have no synthetic images: add some.")
            )
        self.enough.setText(text)
        self.enough.setAccessibleName(text)
        self.enough.setVisible(bool(text))

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
        self._limit_dose(data)
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


def fill_made(
    button: QPushButton, made: Sequence[Made], chosen: Callable[[str], object]
) -> None:
    """Give a button a menu of finished generations; without any it is grey and says why."""
    for before in button.findChildren(QMenu):
        before.deleteLater()
    menu = QMenu(button)
    menu.setAccessibleName(button.text())
    menu.setToolTipsVisible(True)
    for one in made:
        action = menu.addAction(one.words)
        action.setToolTip(one.folder)
        action.triggered.connect(lambda _=False, folder=one.folder: chosen(folder))
    button.setMenu(menu)
    button.setEnabled(bool(made))
    button.setToolTip(
        "" if made else translate("No generation is finished yet; the studio makes images.")
    )


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
        """Choose by value; one that is not offered changes nothing."""
        if value in self._values:
            self._group.button(self._values.index(value)).setChecked(True)
