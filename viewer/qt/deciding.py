"""The reader's decisions in the window: ask what must be asked, then tell the session."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QDialog, QMenu

from ml.mammo.codes import FindingType, Laterality
from ml.texts import translate
from viewer.core import deciding, outcomes
from viewer.core.decision import Deed, outcome_of
from viewer.core.mark_words import finding_name
from viewer.core.marks import mark_of
from viewer.core.reading import breasts_to_read, utc_now
from viewer.qt.dialogs.outcome import OutcomeDialog
from viewer.qt.dialogs.reader import ReaderDialog

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtCore import QPoint

    from ml.mammo.geometry import Box
    from viewer.core.decision import Decision, Outcome
    from viewer.core.state import FindingKey, Impression
    from viewer.qt.canvas.canvas import Canvas
    from viewer.qt.dialogs.outcome import Known
    from viewer.qt.preferences import Preferences
    from viewer.qt.session import Action, Session


class Deciding(QObject):
    """Turn what the reader does to marks and breasts into decisions and outcomes.

    The first one waits until she has told her name; cancelled, it is not said.

    Parameters
    ----------
    canvas
        Shows the boxes that she draws; menus open there.
    now
        Gives the time that is kept with what she says.
    """

    def __init__(
        self,
        session: Session,
        preferences: Preferences,
        canvas: Canvas,
        now: Callable[[], str] = utc_now,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._preferences = preferences
        self._canvas = canvas
        self._now = now
        self._waiting: list[Action] = []
        self.menu: QMenu | None = None
        canvas.box_drawn.connect(self.draw)
        canvas.box_changed.connect(self.change_box)

    # Marks; without a key the selected one is meant

    def decide(self, deed: Deed, key: FindingKey | None = None) -> None:
        """Accept, reject or take away a mark, or ask for its type."""
        state, now = self._session.state, self._now()
        key = key or state.selected
        if deed is Deed.RETYPED:
            self.ask_type(key)
        elif deed is Deed.ACCEPTED:
            self._say(deciding.accepted(state, key, now))
        elif deed is Deed.REJECTED:
            self._say(deciding.rejected(state, key, now))
        else:
            self._say(deciding.taken_away(state, key, now))

    def ask_type(self, key: FindingKey | None = None) -> None:
        """Offer the types for a mark."""
        mark = mark_of(self._session.state, key or self._session.state.selected)
        if mark is not None:
            choose = partial(self.retype, mark.key)
            self._offer_types(choose, self._beside(mark.box), mark.finding_type)

    def retype(self, key: FindingKey, finding_type: FindingType) -> None:
        """Call a mark something else."""
        self._say(deciding.retyped(self._session.state, key, finding_type, self._now()))

    def change_box(self, key: FindingKey, box: Box) -> None:
        """Give a mark another box."""
        self._say(deciding.moved(self._session.state, key, box, self._now()))

    def draw(self, place: tuple[str, int | None], box: Box) -> None:
        """Ask what a new box is; nothing is drawn where she does not say."""
        self._offer_types(partial(self._draw_as, place, box), self._beside(box))

    def _draw_as(
        self, place: tuple[str, int | None], box: Box, finding_type: FindingType
    ) -> None:
        state, name = self._session.state, deciding.new_mark()
        self._say(deciding.drawn(state, place, box, finding_type, self._now(), name))

    # Breasts

    def record_impression(self, side: Laterality, impression: Impression) -> None:
        """Keep the reader's recall or no recall with the breast's outcome."""
        state = self._session.state
        self._say_of_breast(
            outcomes.with_impression(state, side, impression, self._now()), side
        )

    def ask_outcome(self, side: Laterality) -> None:
        """Ask for what is known of a breast."""
        state = self._session.state
        study = state.study
        if study is None or side not in breasts_to_read(study):
            return
        right = side is Laterality.RIGHT
        title = (
            translate("Outcome, right breast") if right else translate("Outcome, left breast")
        )
        known = partial(self._record_known, side)
        OutcomeDialog(
            title,
            outcome_of(state.outcomes, side),
            known,
            self._canvas.window(),
            study_date=lambda: study.date,
            in_the_way=partial(self._lack_of_study, study.uid),
        ).open()

    def _lack_of_study(self, uid: str) -> str:
        """Another window, such as a list of screenings, may open another study meanwhile."""
        study = self._session.state.study
        if study is not None and study.uid == uid:
            return ""
        return translate(
            "Another study is open now: open the one that this is about again, then press OK."
        )

    def _record_known(self, side: Laterality, known: Known) -> None:
        state, day = self._session.state, (known.day, known.months)
        outcome = outcomes.with_known(
            state, side, known.assessment, known.proof, day, self._now()
        )
        self._say_of_breast(outcome, side)

    # Who says it

    def _say(self, decision: Decision | None) -> None:
        if decision is None:
            self._canvas.let_go()
        else:
            self._sign(partial(deciding.add_decision, decision=decision))

    def _say_of_breast(self, outcome: Outcome | None, side: Laterality) -> None:
        study = self._session.state.study
        if outcome is None or study is None or outcomes.is_known(self._session.state, outcome):
            return
        self._sign(partial(outcomes.add_outcome, study_uid=study.uid, outcome=outcome))

    def _sign(self, action: Action) -> None:
        if self._session.state.reader:
            self._session.apply(action)
            self._canvas.let_go()
            return
        self._waiting.append(action)
        if len(self._waiting) == 1:
            dialog = ReaderDialog(self._preferences.name_reader, self._canvas.window())
            dialog.finished.connect(self._on_asked)
            dialog.open()

    def _on_asked(self, result: int) -> None:
        waiting, self._waiting = self._waiting, []
        if result == QDialog.DialogCode.Accepted:
            for action in waiting:
                self._session.apply(action)
        self._canvas.let_go()

    # The small menu of types

    def _offer_types(
        self,
        choose: Callable[[FindingType], None],
        at: QPoint,
        current: FindingType | None = None,
    ) -> None:
        menu = QMenu(self._canvas)
        menu.setAccessibleName(translate("Type of the mark"))
        menu.setTitle(translate("Type of the mark"))
        for finding_type in FindingType:
            action = menu.addAction(finding_name(finding_type))
            action.setCheckable(True)
            action.setChecked(finding_type is current)
            action.triggered.connect(lambda _=False, chosen=finding_type: choose(chosen))
            if finding_type is (current or FindingType.MASS):
                menu.setActiveAction(action)
        # An action is triggered after its menu is hidden.
        menu.aboutToHide.connect(lambda: QTimer.singleShot(0, self, partial(self._end, menu)))
        self.menu = menu
        menu.popup(at)

    def _end(self, menu: QMenu) -> None:
        if self.menu is menu:
            self.menu = None
        menu.deleteLater()
        if not self._waiting:
            self._canvas.let_go()

    def _beside(self, box: Box) -> QPoint:
        """Where a menu for a box opens: at its lower right corner, else at the cursor."""
        index = self._session.state.active
        corners = [
            self._canvas.position_of(index, corner)
            for corner in ((box.row0, box.col0), (box.row1, box.col1))
        ]
        there = [corner for corner in corners if corner is not None]
        if not there:
            return QCursor.pos()
        place = there[0]
        place.setX(max(each.x() for each in there))
        place.setY(max(each.y() for each in there))
        inside = self._canvas.rect()
        if not inside.contains(place):
            return QCursor.pos()
        return self._canvas.mapToGlobal(place)
