"""The diagnosis panel: what the machine says of the open study, and the reader's own word."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from ml.texts import RESEARCH_USE_ONLY, translate
from viewer.core import actions, reading
from viewer.core.cards import Content, Verdict
from viewer.core.commands import command_keys
from viewer.core.diagnosis import describe, is_same_diagnosis
from viewer.qt import palette
from viewer.qt.cards import Card, ScoreBar, label, pair
from viewer.qt.finding_line import FindingLine
from viewer.qt.reading_cards import ImpressionsCard, ThresholdCard

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from PySide6.QtWidgets import QLayout

    from ml.mammo.codes import Laterality
    from viewer.core.cards import BreastCard, DensityCard, Diagnosis, FindingRow, ImageRow
    from viewer.core.decision import Deed
    from viewer.core.state import FindingKey, Impression, SessionState
    from viewer.qt.session import Session

STYLE = f"""
#diagnosis, #diagnosis QWidget#body {{ background: {palette.GROUND}; }}
#diagnosis QScrollArea {{ background: {palette.GROUND}; border: none; }}
QLabel {{ background: transparent; color: {palette.TEXT}; }}
#card {{ background: {palette.CARD}; border: 1px solid {palette.LINE}; border-radius: 6px; }}
#alarms {{ background: {palette.ALARM_GROUND}; border: 1px solid {palette.ALARM};
  border-radius: 6px; }}
#alarms QLabel {{ color: {palette.ALARM}; }}
QLabel[kind="heading"] {{ color: {palette.DIM}; font-weight: 600; }}
QLabel[kind="title"], QLabel[kind="value"] {{ font-weight: 600; }}
QLabel[kind="dim"], QLabel[kind="BELOW"], QLabel[kind="NONE"] {{ color: {palette.DIM}; }}
QLabel[kind="ABOVE"] {{ color: {palette.MACHINE}; font-weight: 600; }}
QLabel[kind="AT"] {{ color: {palette.TEXT}; font-weight: 600; }}
QLabel[kind="chip"], QLabel[kind="chosen"] {{ border: 1px solid {palette.LINE};
  border-radius: 9px; padding: 1px 7px; }}
QLabel[kind="chosen"] {{ background: {palette.CHOSEN}; }}
QPushButton {{ background: {palette.CARD}; color: {palette.TEXT};
  border: 1px solid {palette.LINE}; border-radius: 9px; padding: 3px 9px; }}
QPushButton:hover {{ background: {palette.RAISED}; }}
QPushButton:focus {{ border-color: {palette.ACCENT}; }}
QPushButton:checked {{ border-color: {palette.READER}; color: {palette.READER}; }}
QPushButton:disabled {{ color: {palette.DIM}; }}
QPushButton[kind="deed"] {{ padding: 0; border-radius: 5px; }}
"""


class DiagnosisPanel(QWidget):
    """Draw `viewer.core.diagnosis.describe` of the session's state.

    Parameters
    ----------
    session
        Whose state is drawn and to which gestures are applied.
    keys
        The keys of commands by their ids, shown on the buttons; None: the table's.
    now
        Gives the time that is kept with a reveal.

    Signals
    -------
    retry_requested
        The reader asks for the analysis (again).
    refused_files_requested
        The reader asks which files were not opened.
    finding_chosen : FindingKey
        The reader clicked a row, also one that was selected already: centre its box.
    decision_requested : Deed, FindingKey
        She pressed a button of a row.
    impression_given : Laterality, Impression
        She is about to say so: the state is still as she saw it.
    outcome_requested : Laterality
        She wants to say what is known of a breast.
    """

    retry_requested = Signal()
    refused_files_requested = Signal()
    finding_chosen = Signal(object)
    decision_requested = Signal(object, object)
    impression_given = Signal(object, object)
    outcome_requested = Signal(object)

    def __init__(
        self,
        session: Session,
        keys: Mapping[str, str] | None = None,
        now: Callable[[], str] = reading.utc_now,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._keys = command_keys() if keys is None else keys
        self._now = now
        self._shown: Diagnosis | None = None
        self._lines: dict[FindingKey, FindingLine] = {}
        self.setObjectName("diagnosis")
        self.setAccessibleName(translate("Diagnosis"))
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setStyleSheet(STYLE)
        self._lay_out()
        session.changed.connect(self._on_changed)
        self._show(session.state)

    def _lay_out(self) -> None:
        self._threshold = ThresholdCard()
        self._threshold.chosen.connect(self._choose_threshold)
        self._threshold.reset_requested.connect(partial(self._choose_threshold, None))
        self._impressions = ImpressionsCard(self._keys)
        self._impressions.said.connect(self._record)
        self._impressions.outcome_requested.connect(self.outcome_requested)
        self._machine = QVBoxLayout()
        self._machine.setSpacing(8)
        self._footer = label("", "dim")
        body = QWidget()
        body.setObjectName("body")
        rows = QVBoxLayout(body)
        rows.setSpacing(8)
        rows.addWidget(label(translate("DIAGNOSIS"), "heading"))
        rows.addLayout(self._machine)
        for widget in (self._threshold, self._impressions, self._footer):
            rows.addWidget(widget)
        rows.addStretch(1)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setAccessibleName(translate("Diagnosis"))
        self._scroll.setWidget(body)
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 0, 0)
        around.addWidget(self._scroll)

    def _on_changed(self, old: SessionState, new: SessionState) -> None:
        if not is_same_diagnosis(old, new):
            self._show(new)

    def _show(self, state: SessionState) -> None:
        diagnosis = describe(state)
        if diagnosis == self._shown:
            return
        if self._shown is None or diagnosis.unselected != self._shown.unselected:
            self._redraw(diagnosis)
        self._shown = diagnosis
        self._select(state.selected)

    def _select(self, selected: FindingKey | None) -> None:
        for key, line in self._lines.items():
            line.row.setChecked(key == selected)
        if selected in self._lines:
            self._scroll.ensureWidgetVisible(self._lines[selected])

    def _redraw(self, diagnosis: Diagnosis) -> None:
        focused = self._focused_line()
        self._lines = {}
        _empty(self._machine)
        for card in self._cards(diagnosis):
            self._machine.addWidget(card)
            # A layout shows what is added only at the next turn of the event loop.
            card.show()
        results = diagnosis.content is Content.RESULTS
        self._threshold.setVisible(results)
        self._threshold.show_threshold(diagnosis.threshold)
        self._impressions.setVisible(bool(diagnosis.impressions))
        self._impressions.show_impressions(diagnosis.impressions, diagnosis.reading_note)
        footer = diagnosis.footer or (translate(RESEARCH_USE_ONLY),)
        self._footer.setText("\n".join(footer))
        self._footer.setAccessibleName(" ".join(footer))
        self._focus_line(*focused)

    def _focused_line(self) -> tuple[FindingKey | None, Deed | None]:
        for key, line in self._lines.items():
            if line.row.hasFocus() or line.focused():
                return key, line.focused()
        return None, None

    def _focus_line(self, key: FindingKey | None, deed: Deed | None) -> None:
        line = self._lines.get(key) if key else None
        if line is not None:
            button = line.buttons.get(deed) if deed else None
            (button or line.row).setFocus()

    def _cards(self, diagnosis: Diagnosis) -> list[Card]:
        cards: list[Card] = []
        if diagnosis.alarms:
            cards.append(_alarms(diagnosis.alarms))
        if diagnosis.message:
            cards.append(self._message(diagnosis))
        cards.extend(self._breast(card) for card in diagnosis.breasts)
        if diagnosis.drawn:
            cards.append(self._drawn(diagnosis.drawn))
        if diagnosis.density is not None:
            cards.append(_density(diagnosis.density))
        if diagnosis.refused:
            cards.append(_refused(diagnosis.refused))
        if diagnosis.files_refused:
            cards.append(self._files(diagnosis.files_refused))
        return cards

    def _message(self, diagnosis: Diagnosis) -> Card:
        card = Card(diagnosis.message)
        card.add(label(diagnosis.message))
        if diagnosis.content in (Content.FAILED, Content.NOT_ANALYZED):
            again = diagnosis.content is Content.FAILED
            text = translate("Try again") if again else translate("Analyze")
            card.add(_action(text, self.retry_requested.emit))
        if diagnosis.content is Content.BLIND:
            text = f"{translate('Reveal')}  {self._keys.get('reveal', '')}".rstrip()
            card.add(_action(text, self._reveal))
        return card

    def _breast(self, content: BreastCard) -> Card:
        card = Card(content.title)
        verdict = label(translate(content.verdict.value), content.verdict.name, wrap=False)
        card.add(pair(label(content.title, "title"), verdict))
        if content.bar is not None:
            card.add(ScoreBar(content.bar, content.tick, _bar_name(content)))
        for figure in content.figures:
            name = label(figure.label)
            name.setToolTip(f"{figure.reason}\n{_combined()}".strip())
            card.add(pair(name, label(figure.value, "value", wrap=False)))
        for row in content.findings:
            card.add(self._line(row))
        if content.hidden:
            text = translate("{count} below the threshold").format(count=content.hidden)
            card.add(label(text, "dim"))
        for image in content.images:
            card.add(_image_line(image))
        if content.verdict is Verdict.NONE and not content.images:
            card.add(label(translate("No image of this breast was analyzed."), "dim"))
        return card

    def _line(self, row: FindingRow) -> FindingLine:
        line = FindingLine(row)
        line.row.clicked.connect(partial(self._choose_finding, row.key))
        line.wanted.connect(partial(self._want, row.key))
        self._lines[row.key] = line
        return line

    def _want(self, key: FindingKey, deed: Deed) -> None:
        self.decision_requested.emit(deed, key)

    def _drawn(self, rows: tuple[FindingRow, ...]) -> Card:
        card = Card(translate("Drawn by the reader"))
        card.add(label(translate("Drawn by the reader"), "title"))
        for row in rows:
            card.add(self._line(row))
        return card

    def _files(self, count: int) -> Card:
        text = translate("Files that were not opened: {count}").format(count=count)
        card = Card(text)
        card.add(label(text))
        card.add(_action(translate("Which, and why"), self.refused_files_requested.emit))
        return card

    def _choose_finding(self, key: FindingKey, checked: bool = True) -> None:
        del checked
        self._session.apply(partial(actions.select_finding, key=key))
        self._select(self._session.state.selected)
        self.finding_chosen.emit(key)

    def _choose_threshold(self, threshold: float | None) -> None:
        self._session.apply(partial(actions.set_threshold, threshold=threshold), step=False)

    def _record(self, side: Laterality, impression: Impression) -> None:
        self.impression_given.emit(side, impression)
        said = partial(
            reading.record_impression, laterality=side, impression=impression, now=self._now()
        )
        self._session.apply(said, step=False)

    def _reveal(self) -> None:
        self._session.apply(partial(reading.reveal, now=self._now()), step=False)


def _alarms(sentences: tuple[str, ...]) -> Card:
    card = Card(translate("Alarms"), kind="alarms")
    for sentence in sentences:
        card.add(label(sentence))
    return card


def _density(content: DensityCard) -> Card:
    card = Card(translate("Density"))
    title = label(translate("Density"), "title")
    title.setToolTip(translate("The mean over the images that were analyzed."))
    card.add(pair(title, label(content.grade.value, "title", wrap=False)))
    chips = QHBoxLayout()
    chips.setSpacing(6)
    for grade, share in content.shares:
        kind = "chosen" if grade is content.grade else "chip"
        chip = label(f"{grade.value} {share:.2f}", kind, wrap=False)
        chips.addWidget(chip)
    chips.addStretch(1)
    card.add(chips)
    return card


def _refused(rows: tuple[ImageRow, ...]) -> Card:
    card = Card(translate("Not analyzed"))
    card.add(label(translate("Not analyzed"), "title"))
    for row in rows:
        card.add(label(f"{row.title}: {row.text}", "dim"))
    return card


def _image_line(row: ImageRow) -> QLayout:
    text = label(row.text, "dim", wrap=False)
    text.setToolTip(row.reason)
    return pair(label(row.title, "dim"), text)


def _bar_name(content: BreastCard) -> str:
    score = translate("lesion score {score}").format(score=f"{content.bar:.2f}")
    if content.tick is None:
        return f"{content.title}: {score}"
    point = translate("operating point {point}").format(point=f"{content.tick:.2f}")
    return f"{content.title}: {score}, {point}"


def _combined() -> str:
    return translate("The greatest over the images of this breast.")


def _action(text: str, pressed: Callable[[], object]) -> QPushButton:
    button = QPushButton(text)
    button.setAccessibleName(text)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    button.clicked.connect(lambda _=False: pressed())
    return button


def _empty(layout: QVBoxLayout) -> None:
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
