"""The pages of the training and of the comparison. Each shows a `Run`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml.texts import translate
from viewer.core.audit_words import figure_name, figure_number, figure_value
from viewer.core.retraining import reading
from viewer.qt.cards import label
from viewer.qt.retraining.charts import LEAST_PX, CurveChart
from viewer.qt.retraining.parts import Page, heading, line, verdict_card
from viewer.qt.retraining.samples import SamplesView

if TYPE_CHECKING:
    from PySide6.QtWidgets import QVBoxLayout, QWidget

    from ml.registry import Figure
    from viewer.core.retraining import Comparison, Helps, Run

HELPS_SIGNS = {
    "helps": "green",
    "too few to tell": "amber",
    "other errors": "amber",
    "harms": "red",
}
# Of a curve that need not leave room for samples: Qt's QWIDGETSIZE_MAX.
FREE_PX = 16_777_215


class TrainPage(Page):
    """The curve over the samples; at the right what it says, and the figures in the end."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.curve = CurveChart()
        rows = self.clear(self.left)
        rows.addWidget(heading(translate("Errors while it learns")))
        rows.addWidget(self.curve.widget, 1)
        self.samples = SamplesView()
        rows.addWidget(self.samples)

    def show_run(self, run: Run) -> None:
        """Draw the curve and the samples, and say what they mean."""
        self.curve.show(run.curve)
        self.samples.show_samples(run.samples)
        self.curve.widget.setMaximumHeight(LEAST_PX if run.samples else FREE_PX)
        rows = self.clear(self.right)
        rows.addWidget(heading(translate("What the curve says")))
        rows.addWidget(label(reading(run.curve)))
        if run.trained:
            rows.addWidget(heading(translate("What the model reaches")))
            for figure in run.figures:
                rows.addWidget(_figure_line(figure))
        if run.helps is not None:
            _show_helps(run.helps, rows)
        rows.addStretch(1)


def _show_helps(helps: Helps, rows: QVBoxLayout) -> None:
    rows.addWidget(heading(translate("Do synthetic images help?")))
    rows.addWidget(label(helps.sentence))
    for told in helps.told:
        sign = HELPS_SIGNS.get(told.verdict, "none")
        name = translate(told.figure)
        rows.addWidget(line(sign, told.words, told.sentence, figure_name(told.figure), name))


def _figure_line(figure: Figure) -> QWidget:
    name = figure.name
    low, high = (figure_number(name, limit) for limit in (figure.low, figure.high))
    interval = translate("{low} to {high}, {count} patients; {data}").format(
        low=low, high=high, count=figure.n, data=figure.data
    )
    tip = f"{translate(name)}: {figure.value:.3f}"
    return line("none", figure_name(name), interval, figure_value(name, figure.value), tip)


class ComparePage(Page):
    """The new model and the one in use on the same patients."""

    def show_run(self, run: Run) -> None:
        """Show what the gate said, or that it was not asked."""
        left, right = self.clear(self.left), self.clear(self.right)
        if run.comparison is None:
            text = translate(
                "A new model goes live only if it is shown to be no worse than the one in use."
            )
            left.addWidget(verdict_card("none", translate("Not compared yet"), text))
        else:
            show_comparison(run.comparison, left)
        right.addWidget(heading(translate("How it is decided")))
        for text in (
            translate("Both models look at the same patients, whom neither was taught."),
            translate(
                "Not the difference counts but its confidence limit: even that must lie inside "
                "the margin of the settings."
            ),
            translate(
                "Patients that are asked again and again end by saying yes by chance: the "
                "limit is made wider each time."
            ),
            translate("The audit of the training data must have been green."),
        ):
            right.addWidget(line("none", text))
        left.addStretch(1)
        right.addStretch(1)


def show_comparison(compared: Comparison, rows: QVBoxLayout) -> None:
    """What the gate said, figure by figure, under what it comes to."""
    sign, title = compared.headline
    text = translate("It may be put into use.") if compared.promoted else compared.reasons[0]
    rows.addWidget(verdict_card(sign, title, text))
    for told in compared.told:
        rows.addWidget(line(told.sign, told.sentence))
    sentences = {told.sentence for told in compared.told}
    for reason in compared.reasons:
        if reason not in sentences:
            rows.addWidget(line(sign, reason))
    for remark in compared.remarks:
        rows.addWidget(line("none", remark))
