"""The left column: what to make, as chips and as a sentence that say the same."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QButtonGroup,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from ml.synth.order import MOST_STEPS
from ml.texts import translate
from viewer.core import studio
from viewer.qt.cards import label
from viewer.qt.dialogs.base import name_button
from viewer.qt.flow import FlowLayout

if TYPE_CHECKING:
    from collections.abc import Callable

    from viewer.core.studio import Chips, Draft, Generator

MOST_IMAGES = 100_000
MOST_SEED = 2**31 - 1
SENTENCE_PX = 92


class OrderPanel(QWidget):
    """Chips, sentence, numbers, and what to do with them.

    Attributes
    ----------
    draft
        What stands there; None while no generator is known.

    Signals
    -------
    add_requested
        Put the draft into the queue.
    balance_requested
        Choose a data set and see what it lacks.
    """

    add_requested = Signal()
    balance_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("column")
        self.draft: Draft | None = None
        self._generator: Generator | None = None
        self.chips: dict[tuple[str, str], QPushButton] = {}
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(16, 14, 16, 14)
        self._rows.setSpacing(6)
        self._chip_rows = QVBoxLayout()
        self._chip_rows.setSpacing(6)
        self._rows.addLayout(self._chip_rows)
        self.sentence = self._make_sentence()
        self.problem = label("", "problem")
        self._rows.addWidget(self.problem)
        self._make_numbers()
        self._make_buttons()
        self._rows.addStretch(1)
        self.setEnabled(False)

    @property
    def stops(self) -> tuple[QWidget, ...]:
        """Where the tab key goes, from top to bottom: chips are younger than what is below."""
        numbers = (self.count, self.seed, self.steps, self.guidance)
        return (*self.chips.values(), self.sentence, *numbers, self.add, self.balance)

    def show_generator(self, generator: Generator) -> None:
        """Offer what a generator can make; what was asked of another one stays, if it can."""
        before, self.draft = self.draft, None
        self._generator = generator
        self._clear_chips()
        self._make_chips(generator)
        self.setEnabled(True)
        self._take(
            studio.fit_draft(before, generator) if before else studio.first_draft(generator)
        )

    def _make_sentence(self) -> QPlainTextEdit:
        self._rows.addWidget(_heading(translate("Prompt")))
        made = QPlainTextEdit()
        made.setAccessibleName(translate("Prompt"))
        made.setTabChangesFocus(True)
        made.setFixedHeight(SENTENCE_PX)
        made.textChanged.connect(self._write)
        self._rows.addWidget(made)
        return made

    def _make_numbers(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(3)
        self.count = _whole(translate("Count"), 1, MOST_IMAGES)
        self.seed = _whole(translate("Seed"), 0, MOST_SEED)
        self.steps = _whole(translate("Steps"), 1, MOST_STEPS)
        self.guidance = QDoubleSpinBox()
        self.guidance.setRange(0, 100)
        self.guidance.setDecimals(1)
        self.guidance.setSingleStep(0.5)
        _plain(self.guidance, translate("Guidance"))
        editors = (self.count, self.seed, self.steps, self.guidance)
        for column, editor in enumerate(editors):
            heading = _heading(editor.accessibleName())
            heading.setBuddy(editor)
            grid.addWidget(heading, 0, column)
            grid.addWidget(editor, 1, column)
            editor.valueChanged.connect(self._number)
        self._rows.addLayout(grid)

    def _make_buttons(self) -> None:
        row = QHBoxLayout()
        row.setContentsMargins(0, 8, 0, 0)
        self.add = QPushButton()
        name_button(self.add, translate("Add to queue"))
        self.add.setProperty("kind", "deed")
        self.add.clicked.connect(self.add_requested)
        self.balance = QPushButton()
        name_button(self.balance, translate("Balance my data set…"))
        self.balance.clicked.connect(self.balance_requested)
        for button in (self.add, self.balance):
            button.setAutoDefault(False)
            row.addWidget(button, 1)
        self._rows.addLayout(row)

    def _clear_chips(self) -> None:
        self.chips.clear()
        while (item := self._chip_rows.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()

    def _make_chips(self, generator: Generator) -> None:
        for row in studio.ROWS:
            self._chip_rows.addWidget(_heading(" · ".join(translate(c.title) for c in row)))
            place = QWidget()
            flow = FlowLayout(place)
            for number, chips in enumerate(row):
                if number:
                    gap = QWidget()
                    gap.setFixedSize(6, 1)
                    flow.addWidget(gap)
                self._make_row(flow, chips, generator)
            self._chip_rows.addWidget(place)

    def _make_row(self, flow: FlowLayout, chips: Chips, generator: Generator) -> None:
        group = QButtonGroup(self)
        title = translate(chips.title)
        for word in studio.words_of_slot(chips.slot, generator):
            # The sentence's words are the model's, and are not translated.
            text = translate(word) if word == studio.NO_LESION else word
            chip = QPushButton(text)
            chip.setProperty("kind", "chip")
            chip.setCheckable(True)
            chip.setAutoDefault(False)
            chip.setAccessibleName(f"{title}: {text}")
            chip.clicked.connect(partial(self._choose, chips.slot, word))
            group.addButton(chip)
            flow.addWidget(chip)
            self.chips[chips.slot, word] = chip

    def _choose(self, slot: str, word: str) -> None:
        self._change(lambda draft, _: studio.choose(draft, slot, word))

    def _write(self) -> None:
        text = self.sentence.toPlainText()
        self._change(lambda draft, generator: studio.write_text(draft, text, generator))

    def _number(self) -> None:
        numbers = {
            "count": self.count.value(),
            "seed": self.seed.value(),
            "steps": self.steps.value(),
            "guidance": self.guidance.value(),
        }
        self._change(lambda draft, _: replace(draft, **numbers))

    def _change(self, action: Callable[[Draft, Generator], Draft]) -> None:
        if self.draft is not None and self._generator is not None:
            self._take(action(self.draft, self._generator))

    def _take(self, draft: Draft) -> None:
        if draft == self.draft or self._generator is None:
            return
        before, self.draft = self.draft, draft
        for (slot, word), chip in self.chips.items():
            on = studio.chosen_word(draft, slot) == word
            _check(chip, on)
            # The tab key finds the chosen word of a row, and arrows find the others.
            policy = Qt.FocusPolicy.StrongFocus if on else Qt.FocusPolicy.ClickFocus
            chip.setFocusPolicy(policy)
            chip.setEnabled(studio.is_open(draft, self._generator, slot, word))
        if self.sentence.toPlainText() != draft.text:
            self.sentence.setPlainText(draft.text)
        self.problem.setText(draft.problem)
        self.problem.setAccessibleName(draft.problem)
        self.problem.setVisible(bool(draft.problem))
        self.add.setEnabled(not draft.problem)
        if before is None:
            self._show_numbers(draft)

    def _show_numbers(self, draft: Draft) -> None:
        values = (draft.count, draft.seed, draft.steps, draft.guidance)
        editors = (self.count, self.seed, self.steps, self.guidance)
        for editor, value in zip(editors, values, strict=True):
            editor.blockSignals(True)
            editor.setValue(value)  # type: ignore[arg-type]
            editor.blockSignals(False)


def _check(chip: QPushButton, on: bool) -> None:
    group = chip.group()
    # An exclusive group would not let its last button go (the place of no lesion).
    group.setExclusive(False)
    chip.setChecked(on)
    group.setExclusive(True)


def _whole(name: str, low: int, high: int) -> QSpinBox:
    made = QSpinBox()
    made.setRange(low, high)
    _plain(made, name)
    return made


def _plain(editor: QAbstractSpinBox, name: str) -> None:
    editor.setAccessibleName(name)
    editor.setMinimumWidth(62)


def _heading(text: str) -> QLabel:
    made = QLabel(text.upper())
    made.setProperty("kind", "heading")
    return made
