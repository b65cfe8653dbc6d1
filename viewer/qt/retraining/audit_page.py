"""The second page: what the audit says of the data, and what cures it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml.audit.report import Verdict
from ml.texts import mark, translate
from viewer.qt.cards import label
from viewer.qt.retraining.charts import chance_chart
from viewer.qt.retraining.parts import Page, heading, line, verdict_card

if TYPE_CHECKING:
    from PySide6.QtWidgets import QVBoxLayout

    from ml.audit.report import AuditReport, Check
    from viewer.core.retraining import Run

VERDICT_TITLES = {
    Verdict.RED: mark("Red: this data would teach the wrong thing"),
    Verdict.AMBER: mark("Amber: look at this before you train"),
    Verdict.GREEN: mark("Green: nothing speaks against this data"),
}
ORDER_OF_VERDICTS = (Verdict.RED, Verdict.AMBER, Verdict.GREEN)


class AuditPage(Page):
    """What was looked at at the left; the blind probe and the cures at the right."""

    def show_run(self, run: Run) -> None:
        """Show a run's audit, or that there is none yet."""
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
            self._show_cures(run.audit, right)
        left.addStretch(1)
        right.addStretch(1)

    @staticmethod
    def _show_checks(audit: AuditReport, rows: QVBoxLayout) -> None:
        worst = audit.of(audit.verdict)[0] if audit.checks else None
        text = (
            str(worst.reason)
            if worst and audit.verdict is not Verdict.GREEN
            else translate("{images} images of {patients} patients were looked at.").format(
                images=audit.images, patients=audit.patients
            )
        )
        title = translate(VERDICT_TITLES[audit.verdict])
        rows.addWidget(verdict_card(audit.verdict.value, title, text))
        for verdict in ORDER_OF_VERDICTS:
            for check in audit.of(verdict):
                rows.addWidget(
                    line(verdict.value, str(check.name), str(check.reason), _figure(check))
                )

    @staticmethod
    def _show_cures(audit: AuditReport, rows: QVBoxLayout) -> None:
        blind = next((check for check in audit.checks if check.chance), None)
        if blind is not None:
            rows.addWidget(heading(translate("Lesion-blind probe against its null")))
            rows.addWidget(
                chance_chart(blind.chance, blind.figures[0].value, str(blind.reason))
            )
        cures = dict.fromkeys(
            str(check.cure)
            for verdict in (Verdict.RED, Verdict.AMBER)
            for check in audit.of(verdict)
            if check.cure
        )
        if cures:
            rows.addWidget(heading(translate("What cures it")))
        for number, cure in enumerate(cures, 1):
            rows.addWidget(line("none", f"{number}  {cure}"))
        if audit.override:
            rows.addWidget(heading(translate("Overridden")))
            rows.addWidget(label(audit.override))


def _figure(check: Check) -> str:
    if not check.figures:
        return ""
    first = check.figures[0]
    counted = float(first.value).is_integer() and first.value > 1
    return f"{translate(first.name)} {first.value:{'.0f' if counted else '.2f'}}"
