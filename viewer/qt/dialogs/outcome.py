"""What is known of one breast: the reader's category, and what tissue or time showed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from PySide6.QtGui import QIntValidator
from PySide6.QtWidgets import QComboBox, QFormLayout, QLineEdit, QWidget

from ml.texts import translate
from viewer.core.decision import AssessmentCategory, Proof, Truth
from viewer.core.follow_up import counted_months, lack_of_follow_up
from viewer.core.outcome_words import ASSESSMENTS, PROOFS, TRUTHS
from viewer.qt.dialogs.base import Button, Dialog

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from viewer.core.decision import Outcome

_LONGEST_MONTHS = 600


@dataclass(frozen=True, slots=True)
class Known:
    """What the reader put into the dialog."""

    assessment: AssessmentCategory | None
    proof: tuple[Proof, Truth] | None
    day: str
    months: int | None


class OutcomeDialog(Dialog):
    """A form; OK checks the dates and hands over what is known.

    Parameters
    ----------
    title
        Names the breast.
    outcome
        What was known before.
    known
        Called with the form's content when the reader presses OK and all of it is good.
    study_date
        Gives the date of the study, DA form, as far as it is known by then.
    in_the_way
        Gives a sentence while the form's content cannot be kept, whatever it is.
    """

    def __init__(
        self,
        title: str,
        outcome: Outcome | None,
        known: Callable[[Known], None],
        parent: QWidget | None,
        study_date: Callable[[], str] = str,
        in_the_way: Callable[[], str] = str,
    ) -> None:
        super().__init__(title, parent)
        self._known, self._study_date, self._in_the_way = known, study_date, in_the_way
        form = QFormLayout()
        self.assessment = _choice(ASSESSMENTS, translate("not given"))
        self.proof = _choice(PROOFS, translate("not known yet"))
        self.truth = _choice(TRUTHS, "")
        self.day = QLineEdit()
        self.day.setPlaceholderText(translate("year-month-day, such as 2026-03-04"))
        self.months = QLineEdit()
        self.months.setValidator(QIntValidator(1, _LONGEST_MONTHS, self.months))
        self.months.setPlaceholderText(translate("empty: counted from the dates"))
        for name, editor in (
            (translate("BI-RADS category"), self.assessment),
            (translate("Known by"), self.proof),
            (translate("What it was"), self.truth),
            (translate("Date"), self.day),
            (translate("Months of follow-up"), self.months),
        ):
            editor.setAccessibleName(name)
            form.addRow(name, editor)
        self.rows.addLayout(form)
        self.problem = self.add_text("")
        self.problem.hide()
        self.add_buttons(Button.Cancel, Button.Ok)
        if outcome is not None:
            self._put(outcome)
        self.proof.currentIndexChanged.connect(self._enable)
        self._enable()
        self.setMinimumWidth(420)

    def accept(self) -> None:
        """Check what was put in; hand it over, or say what is missing and stay open."""
        sentence = self._in_the_way() or self._lack()
        if sentence:
            self.problem.setText(sentence)
            self.problem.setAccessibleName(sentence)
            self.problem.show()
            return
        proof, truth = self.proof.currentData(), self.truth.currentData()
        day = self.day.text().strip()
        months = None
        if proof is Proof.FOLLOW_UP:
            counted = counted_months(self._study_date(), day)
            months = self._said_months() if counted is None else counted
        how = None if proof is None else (proof, truth)
        self._known(Known(self.assessment.currentData(), how, day, months))
        super().accept()

    def _put(self, outcome: Outcome) -> None:
        for editor, value in (
            (self.assessment, outcome.assessment),
            (self.proof, outcome.proof),
            (self.truth, outcome.truth),
        ):
            editor.setCurrentIndex(max(editor.findData(value), 0))
        self.day.setText(outcome.proof_date)
        months = outcome.follow_up_months
        # What follows from the dates follows from them when they are changed, too.
        if months and months != counted_months(self._study_date(), outcome.proof_date):
            self.months.setText(str(months))

    def _enable(self) -> None:
        proof = self.proof.currentData()
        for editor in (self.truth, self.day):
            editor.setEnabled(proof is not None)
        self.months.setEnabled(proof is Proof.FOLLOW_UP)

    def _lack(self) -> str:
        if self.proof.currentData() is None:
            return ""
        if self.truth.currentData() is None:
            return translate("Say what it was: normal, benign or malignant.")
        try:
            day = date.fromisoformat(self.day.text().strip())
        except ValueError:
            return translate("Give the date as year-month-day, such as 2026-03-04.")
        if day > date.today():
            return translate("The date lies ahead.")
        if self.proof.currentData() is not Proof.FOLLOW_UP:
            return ""
        if self.months.text() and not self.months.hasAcceptableInput():
            text = translate("Give the months of follow-up as a number from 1 to {most}.")
            return text.format(most=_LONGEST_MONTHS)
        return lack_of_follow_up(self._study_date(), day, self._said_months())

    def _said_months(self) -> int | None:
        return int(self.months.text()) if self.months.text() else None


def _choice(
    words: Mapping[AssessmentCategory, str] | Mapping[Proof, str] | Mapping[Truth, str],
    none: str,
) -> QComboBox:
    box = QComboBox()
    box.addItem(none, None)
    for value, word in words.items():
        box.addItem(translate(word), value)
    return box
