"""The parts of the diagnosis panel that the reader works with: threshold and impressions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QLabel, QPushButton, QSlider

from ml.mammo.codes import Laterality
from ml.texts import translate
from viewer.core.outcome_words import outcome_text
from viewer.core.state import Impression
from viewer.qt.cards import Card, label, pair
from viewer.qt.own_keys import OwnKeys
from viewer.qt.row import Row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from viewer.core.cards import ImpressionRow

_STEPS = 100


class ThresholdCard(Card):
    """A slider over scores.

    Signals
    -------
    chosen : float
        The reader moved the slider.
    reset_requested
        The reader asks for the model's operating point.
    """

    chosen = Signal(float)
    reset_requested = Signal()

    def __init__(self) -> None:
        super().__init__(translate("Threshold"))
        self._value = label("", "value", wrap=False)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setObjectName("threshold")
        self.slider.setRange(0, _STEPS)
        self.slider.setPageStep(5)
        self.slider.setAccessibleName(translate("Threshold of the findings that are shown"))
        self.slider.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        OwnKeys(self.slider)
        self.slider.valueChanged.connect(self._moved)
        self.reset = _button(translate("Operating point"))
        self.reset.clicked.connect(self.reset_requested)
        self.add(pair(label(translate("Threshold"), "title"), self._value))
        self.add(Row(self.slider, self.reset))

    def show_threshold(self, threshold: float) -> None:
        """Put the slider where the state is, without saying that it was moved."""
        self._value.setText(f"{threshold:.2f}")
        with QSignalBlocker(self.slider):
            self.slider.setValue(round(threshold * _STEPS))

    def _moved(self, value: int) -> None:
        self.chosen.emit(value / _STEPS)


class ImpressionsCard(Card):
    """The reader's word on each breast: two buttons a breast, with their keys.

    Signals
    -------
    said : (Laterality, Impression)
        The reader pressed one of the buttons.
    outcome_requested : Laterality
        She wants to say what is known of a breast.
    """

    said = Signal(object, object)
    outcome_requested = Signal(object)

    def __init__(self, keys: Mapping[str, str]) -> None:
        super().__init__(translate("Impression"))
        self._keys = keys
        self.buttons: dict[tuple[Laterality, Impression], QPushButton] = {}
        self.outcomes: dict[Laterality, QPushButton] = {}
        self._known: dict[Laterality, QLabel] = {}
        self.add(label(translate("Impression"), "title"))
        self._add_side(Laterality.RIGHT, translate("Right"))
        self._add_side(Laterality.LEFT, translate("Left"))
        self._note = label("", "dim")
        self.add(self._note)

    def show_impressions(self, rows: tuple[ImpressionRow, ...], note: str) -> None:
        """Press the buttons of what was said; a breast without images has none to press.

        Parameters
        ----------
        note
            What was said before the reveal.
        """
        self._note.setText(note)
        self._note.setVisible(bool(note))
        current = {row.laterality: row for row in rows}
        for (side, impression), button in self.buttons.items():
            row = current.get(side)
            button.setEnabled(row is not None)
            button.setChecked(row is not None and row.current is impression)
            first = row is not None and row.before is impression
            button.setToolTip(translate("Said before the reveal.") if first else "")
        for side, button in self.outcomes.items():
            row = current.get(side)
            button.setEnabled(row is not None)
            known = outcome_text(row.outcome if row else None)
            self._known[side].setText(known)
            self._known[side].setAccessibleName(known)

    def _add_side(self, side: Laterality, title: str) -> None:
        group = QButtonGroup(self)
        # Not exclusive: what is pressed follows the state, and none may be.
        group.setExclusive(False)
        row = Row(label(title))
        for impression, word in (
            (Impression.NORMAL, translate("Normal")),
            (Impression.RECALL, translate("Recall")),
        ):
            key = self._keys.get(f"impression_{side.name}_{impression.name}".lower(), "")
            button = _button(f"{word}  {key}".rstrip())
            name = translate("Impression, {side}: {word}").format(side=title, word=word)
            button.setAccessibleName(name)
            button.setCheckable(True)
            button.clicked.connect(lambda _=False, s=side, i=impression: self._said(s, i))
            self.buttons[side, impression] = button
            group.addButton(button)
            row.addWidget(button)
        self.add(row)
        self._add_outcome(side, title)

    def _add_outcome(self, side: Laterality, title: str) -> None:
        button = _button(translate("Outcome…"))
        button.setAccessibleName(translate("Outcome, {side}").format(side=title))
        button.setToolTip(self._keys.get(f"outcome_{side.name}".lower(), ""))
        button.clicked.connect(lambda _=False: self.outcome_requested.emit(side))
        self.outcomes[side] = button
        self._known[side] = label("", "dim")
        self.add(pair(self._known[side], button))

    def _said(self, side: Laterality, impression: Impression) -> None:
        # A click turns a checkable button over; what holds is what the state then says.
        self.buttons[side, impression].setChecked(True)
        self.said.emit(side, impression)


def _button(text: str) -> QPushButton:
    button = QPushButton(text)
    button.setAccessibleName(text)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    button.setAutoDefault(False)
    return button
