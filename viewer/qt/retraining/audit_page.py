"""The second page: what the audit says of the data, and what cures it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QPushButton, QVBoxLayout, QWidget

from ml.audit.report import Verdict
from ml.texts import mark, translate
from viewer.core.audit_words import Deed, cures_of, figure_of, name_of, reason_of
from viewer.qt.cards import label
from viewer.qt.dialogs.base import name_button
from viewer.qt.retraining.charts import chance_chart
from viewer.qt.retraining.data_page import fill_made
from viewer.qt.retraining.parts import Page, heading, line, verdict_card
from viewer.qt.row import Row

if TYPE_CHECKING:
    from ml.audit.report import AuditReport
    from viewer.core.audit_words import Cure
    from viewer.core.retraining import Made, Run

VERDICT_TITLES = {
    Verdict.RED: mark("Red: this data would teach the wrong thing"),
    Verdict.AMBER: mark("Amber: look at this before you train"),
    Verdict.GREEN: mark("Green: nothing speaks against this data"),
}
ORDER_OF_VERDICTS = (Verdict.RED, Verdict.AMBER, Verdict.GREEN)
# What the button of a deed says, and what it does.
DEED_WORDS: dict[Deed, tuple[str, str]] = {
    Deed.PLAN: (
        mark("Plan images…"),
        mark(
            "Opens the studio with what these data lack. Plan images with and without a lesion "
            "alike: else they are told by being synthetic."
        ),
    ),
    Deed.USE: (
        mark("Use synthetic images"),
        mark(
            "Adds a finished generation to these data, to be audited as a new training. Take "
            "images with and without a lesion alike."
        ),
    ),
    Deed.MEND: (
        mark("Mend a copy"),
        mark(
            "Writes a copy of the tables into this training's folder: each patient in one "
            "split, generated images for training only. Your own tables stay as they are."
        ),
    ),
}


class AuditPage(Page):
    """What was looked at at the left; the blind probe and the cures at the right.

    Signals
    -------
    plan_requested, mend_requested
        Plan images that the data lack, or write a mended copy of the tables.
    made_requested : str
        Add the images of a finished generation, by its folder.

    Attributes
    ----------
    plans
        Whether there is a studio that plans.
    cures
        The buttons, by cure and deed.
    """

    plan_requested = Signal()
    mend_requested = Signal()
    made_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.plans = False
        self.cures: dict[tuple[str, Deed], QPushButton] = {}
        self._made: tuple[Made, ...] = ()
        self._run: Run | None = None
        self._told = ("", "")

    def show_made(self, made: tuple[Made, ...]) -> None:
        """Offer other finished generations."""
        if made != self._made:
            self._made = made
            if self._run is not None:
                self.show_run(self._run)

    def tell(self, run: Run, sentence: str) -> None:
        """Keep saying what was done with a run's data."""
        self._told = (run.order.out, sentence)

    def show_run(self, run: Run) -> None:
        """Show a run's audit, or that there is none yet."""
        self._run = run
        self.cures = {}
        left, right = self.clear(self.left), self.clear(self.right)
        if run.audit is None:
            left.addWidget(
                verdict_card(
                    "none",
                    translate("Not audited yet"),
                    translate(
                        "The audit asks what a network could learn from these images "
                        "instead of disease. It takes some minutes, in the background."
                    ),
                )
            )
        else:
            self._show_checks(run.audit, left)
            self._show_cures(run, run.audit, right)
        if self._told[0] == run.order.out:
            left.addWidget(label(self._told[1], "dim"))
        left.addStretch(1)
        right.addStretch(1)

    @staticmethod
    def _show_checks(audit: AuditReport, rows: QVBoxLayout) -> None:
        worst = audit.of(audit.verdict)[0] if audit.checks else None
        text = (
            reason_of(worst)
            if worst and audit.verdict is not Verdict.GREEN
            else translate("{images} images of {patients} patients were looked at.").format(
                images=audit.images, patients=audit.patients
            )
        )
        title = translate(VERDICT_TITLES[audit.verdict])
        rows.addWidget(verdict_card(audit.verdict.value, title, text))
        for verdict in ORDER_OF_VERDICTS:
            for check in audit.of(verdict):
                name, reason = name_of(check), reason_of(check)
                rows.addWidget(line(verdict.value, name, reason, *figure_of(check)))

    def _show_cures(self, run: Run, audit: AuditReport, rows: QVBoxLayout) -> None:
        blind = next((check for check in audit.checks if check.chance), None)
        if blind is not None:
            rows.addWidget(heading(translate("With lesions hidden, beside guessing")))
            rows.addWidget(chance_chart(blind.chance, blind.figures[0].value, reason_of(blind)))
        cures = cures_of(audit)
        if cures:
            rows.addWidget(heading(translate("What cures it")))
        for number, cure in enumerate(cures, 1):
            rows.addWidget(self._cure(run, number, cure))
        if audit.override:
            rows.addWidget(heading(translate("Overridden")))
            rows.addWidget(label(audit.override))

    def _cure(self, run: Run, number: int, cure: Cure) -> QFrame:
        """What is to be done, and the buttons of what the program does of it."""
        made = QFrame()
        made.setObjectName("line")
        made.setAccessibleName(cure.text)
        buttons: list[QPushButton] = []
        for deed in cure.deeds:
            if self._can(deed, run):
                button = self._button(deed)
                # There may be several of a name: each says of which cure it is.
                button.setAccessibleDescription(f"{cure.text} {button.toolTip()}")
                buttons.append(button)
                self.cures[cure.text, deed] = button
        rows = QVBoxLayout(made)
        rows.setContentsMargins(4, 8, 4, 8)
        rows.addLayout(Row(label(f"{number}  {cure.text}"), *buttons))
        return made

    def _can(self, deed: Deed, run: Run) -> bool:
        """Whether it can be done of this run, here and now."""
        return {
            Deed.PLAN: self.plans,
            Deed.USE: bool(self._made),
            # What has begun to learn from some tables does not go on with others.
            Deed.MEND: not run.curve and not run.trained,
        }[deed]

    def _button(self, deed: Deed) -> QPushButton:
        text, tip = DEED_WORDS[deed]
        button = QPushButton()
        name_button(button, translate(text))
        button.setAutoDefault(False)
        if deed is Deed.USE:
            fill_made(button, self._made, self.made_requested.emit)
        else:
            asked = self.plan_requested if deed is Deed.PLAN else self.mend_requested
            button.clicked.connect(lambda: asked.emit())
        button.setToolTip(translate(tip))
        return button
