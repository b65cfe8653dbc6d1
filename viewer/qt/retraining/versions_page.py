"""The last page: every version there is, how it scores, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from ml.texts import translate
from viewer.core.drift import Standing, sentence
from viewer.core.retraining import ROLES
from viewer.core.shadow import beside_text
from viewer.qt.cards import label
from viewer.qt.dialogs.base import name_button
from viewer.qt.once import swallow_second_click
from viewer.qt.retraining.pages import show_comparison
from viewer.qt.retraining.parts import Page, heading, line

if TYPE_CHECKING:
    from viewer.core.drift import Watched
    from viewer.core.retraining import Run
    from viewer.core.shadow import Beside
    from viewer.jobs.retrained import InUse, Line

DRIFT_SIGNS = {
    Standing.NOTHING: "none",
    Standing.FEW: "none",
    Standing.STEADY: "green",
    Standing.WATCH: "amber",
    Standing.ALARM: "red",
}
# Left, top, right, bottom: under the words of a line, beside its sign.
BESIDE_PX = (20, 0, 4, 8)


class PromotePage(Page):
    """Every version there is, and the way back.

    Signals
    -------
    back_requested : str, str
        Use the model of a role again that was in use before this one.
    shadow_requested : str, str
        Have a version of a role run in shadow; an empty one: none of that role.
    listed
        The versions are shown anew: what is known of them may be, too.
    """

    back_requested = Signal(str, str)
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
            show_comparison(run.comparison, rows)
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
                live = next((each.key for each in lines if each.live), "")
                head.addWidget(self._back(role, live))
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

    def _back(self, role: str, live: str) -> QPushButton:
        button = QPushButton()
        name_button(button, translate("Go back to the model before"))
        button.setAutoDefault(False)
        swallow_second_click(button)
        button.clicked.connect(lambda: self.back_requested.emit(role, live))
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
    audited = translate("audit {verdict}").format(verdict=translate(version.audit))
    parts = [version.added, audited]
    text = " · ".join(parts) if version.audit else version.added
    told = translate("overridden: {reason}")
    said = [text, *(told.format(reason=reason) for reason in version.overrides)]
    text = " · ".join(part for part in (*said, version.problem) if part)
    in_use = translate("in use") if version.live else ""
    right = translate("in shadow") if in_shadow else in_use
    sign = "green" if version.live else "none"
    if version.problem:
        sign = "red" if version.live else "amber"
    return line(sign, title, text, right)
