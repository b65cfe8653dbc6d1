"""The pages after the first: audit, training, comparison, promotion. Each shows a `Run`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from ml.audit.report import Verdict
from ml.texts import mark, translate
from viewer.core.drift import Standing, sentence
from viewer.core.retraining import ROLES, reading
from viewer.core.shadow import beside_text
from viewer.qt.cards import label
from viewer.qt.dialogs.base import name_button
from viewer.qt.retraining.charts import LEAST_PX, CurveChart, chance_chart
from viewer.qt.retraining.parts import Page, heading, line, verdict_card
from viewer.qt.retraining.samples import SamplesView

if TYPE_CHECKING:
    from PySide6.QtWidgets import QVBoxLayout

    from ml.audit.report import AuditReport, Check
    from ml.registry import Figure
    from viewer.core.drift import Watched
    from viewer.core.retraining import Comparison, Helps, Run
    from viewer.core.shadow import Beside
    from viewer.jobs.retrained import InUse, Line

VERDICT_TITLES = {
    Verdict.RED: mark("Red: this data would teach the wrong thing"),
    Verdict.AMBER: mark("Amber: look at this before you train"),
    Verdict.GREEN: mark("Green: nothing speaks against this data"),
}
DRIFT_SIGNS = {
    Standing.NOTHING: "none",
    Standing.FEW: "none",
    Standing.STEADY: "green",
    Standing.WATCH: "amber",
    Standing.ALARM: "red",
}
HELPS_SIGNS = {
    "helps": "green",
    "too few to tell": "amber",
    "other errors": "amber",
    "harms": "red",
}
# Of a curve that need not leave room for samples: Qt's QWIDGETSIZE_MAX.
FREE_PX = 16_777_215
# Left, top, right, bottom: under the words of a line, beside its sign.
BESIDE_PX = (20, 0, 4, 8)
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
        rows.addWidget(line(sign, told.words, told.sentence, translate(told.figure)))


def _figure_line(figure: Figure) -> QWidget:
    interval = translate("{low} to {high}, {count} patients; {data}").format(
        low=f"{figure.low:.3f}", high=f"{figure.high:.3f}", count=figure.n, data=figure.data
    )
    return line("none", translate(figure.name), interval, f"{figure.value:.3f}")


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
            _show_comparison(run.comparison, left)
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


def _show_comparison(compared: Comparison, rows: QVBoxLayout) -> None:
    if compared.promoted:
        title = translate("Shown to be no worse")
        rows.addWidget(verdict_card("green", title, translate("It may be put into use.")))
    else:
        title = translate("Not shown to be as good")
        rows.addWidget(verdict_card("red", title, compared.reasons[0]))
    for told in compared.told:
        rows.addWidget(line("green" if told.fits else "red", told.sentence))
    sentences = {told.sentence for told in compared.told}
    for reason in compared.reasons:
        if reason not in sentences:
            rows.addWidget(line("red", reason))


class PromotePage(Page):
    """Every version there is, and the way back.

    Signals
    -------
    back_requested : str
        Use the earlier model of a role again.
    shadow_requested : str, str
        Have a version of a role run in shadow; an empty one: none of that role.
    listed
        The versions are shown anew: what is known of them may be, too.
    """

    back_requested = Signal(str)
    shadow_requested = Signal(str, str)
    listed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.backs: dict[str, QPushButton] = {}
        self.shadows: dict[tuple[str, str], QPushButton] = {}
        self._in_shadow: tuple[Beside, ...] | None = None
        self._in_use: InUse | None = None
        self._watched: tuple[Watched, ...] = ()

    def show_run(self, run: Run) -> None:
        """Show what was decided of the run's model."""
        rows = self.clear(self.right)
        rows.addWidget(heading(translate("This model")))
        if run.comparison is None:
            rows.addWidget(label(translate("It was not compared yet.")))
        else:
            _show_comparison(run.comparison, rows)
        rows.addStretch(1)

    def show_versions(self, in_use: InUse) -> None:
        """List all versions; those in use have a sign."""
        self._in_use = in_use
        self._show_left(in_use)
        self.listed.emit()

    def show_shadows(self, told: tuple[Beside, ...]) -> None:
        """Say of each version in shadow how it compares with the one in use."""
        self._in_shadow = told
        if self._in_use is not None:
            self._show_left(self._in_use)

    def show_drift(self, watched: tuple[Watched, ...]) -> None:
        """Say of each model in use whether it scores as its card says."""
        self._watched = watched
        if self._in_use is not None:
            self._show_left(self._in_use)

    def _show_left(self, in_use: InUse) -> None:
        rows = self.clear(self.left)
        self.backs, self.shadows = {}, {}
        for role, word in ROLES:
            lines = [each for each in in_use.lines if each.role == role]
            head = QHBoxLayout()
            head.addWidget(heading(translate(word)), 1)
            if role in in_use.may_go_back:
                head.addWidget(self._back(role))
            rows.addLayout(head)
            for each in reversed(lines):
                told = next((t for t in self._in_shadow or () if t.key == each.key), None)
                rows.addLayout(self._version(each, told))
                if told is not None:
                    rows.addWidget(_beside_line(told))
            for watched in self._watched:
                if watched.role == role:
                    rows.addWidget(_drift_line(watched))
        rows.addStretch(1)

    def _version(self, version: Line, told: Beside | None) -> QHBoxLayout:
        """A version, and where it is not in use the button that has it run in shadow."""
        row = QHBoxLayout()
        row.addWidget(_version_line(version, in_shadow=told is not None), 1)
        # Without a library nothing that it says could be kept.
        if version.key and not version.live and self._in_shadow is not None:
            asked = "" if told else version.key
            button = QPushButton()
            name_button(button, translate("End shadow") if told else translate("Run in shadow"))
            button.setToolTip(
                translate("It looks at what you have analyzed, behind you, and shows nothing.")
            )
            button.setAutoDefault(False)
            button.clicked.connect(lambda: self.shadow_requested.emit(version.role, asked))
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
            self.shadows[version.role, version.key] = button
        return row

    def _back(self, role: str) -> QPushButton:
        button = QPushButton()
        name_button(button, translate("Go back to the model before"))
        button.setAutoDefault(False)
        button.clicked.connect(lambda: self.back_requested.emit(role))
        self.backs[role] = button
        return button


def _beside_line(told: Beside) -> QWidget:
    made = label(beside_text(told), "dim")
    made.setContentsMargins(*BESIDE_PX)
    return made


def _drift_line(watched: Watched) -> QWidget:
    sign = DRIFT_SIGNS[watched.standing]
    if watched.maker is None:
        return line(sign, translate("Scores of late"), sentence(watched))
    return line(sign, sentence(watched))


def _version_line(version: Line, *, in_shadow: bool) -> QWidget:
    title = version.key or translate("The model that comes with the program")
    parts = [version.added, translate("audit {verdict}").format(verdict=version.audit)]
    text = " · ".join(parts) if version.audit else version.added
    if version.override:
        text += " · " + translate("overridden: {reason}").format(reason=version.override)
    in_use = translate("in use") if version.live else ""
    right = translate("in shadow") if in_shadow else in_use
    return line("green" if version.live else "none", title, text, right)
