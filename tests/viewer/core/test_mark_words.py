from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ml.mammo.codes import FindingType
from ml.mammo.geometry import Box
from tests.factories.words import NOW, RCC, accept, draw, make_outcome, make_state
from viewer.core import deciding
from viewer.core.decision import Decision, Proof
from viewer.core.diagnosis import describe
from viewer.core.mark_words import label_of, standing_text
from viewer.core.marks import Mark, marks_of
from viewer.core.outcome_words import outcome_text

if TYPE_CHECKING:
    from viewer.core.state import SessionState

UID = "1.2.3.RCC"


def after(state: SessionState, decision: Decision | None) -> SessionState:
    assert decision is not None
    return deciding.add_decision(state, decision)


def first(state: SessionState) -> Mark:
    return marks_of(state, UID)[0]


def test_a_mark_tells_without_colour_what_became_of_it() -> None:
    start = make_state()
    assert label_of(first(start), start) == "mass 0.71"
    state = accept(start)
    assert label_of(first(state), state) == "✓ mass 0.71"
    state = after(start, deciding.rejected(start, RCC, NOW))
    assert label_of(first(state), state) == "✕ mass 0.71"
    state = draw(make_state(blind=True))
    assert label_of(first(state), state) == "✎ asymmetry"


def test_a_row_says_what_was_decided() -> None:
    start = make_state()
    assert standing_text(first(start)) == ""
    state = after(start, deciding.rejected(start, RCC, NOW))
    assert standing_text(first(state)) == "rejected"
    state = after(start, deciding.retyped(start, RCC, FindingType.ASYMMETRY, NOW))
    state = after(state, deciding.moved(state, RCC, Box(0, 0, 90, 90), NOW))
    assert standing_text(first(state)) == "accepted, was mass, box changed"
    state = after(state, deciding.taken_away(state, RCC, NOW))
    assert standing_text(first(state)) == ""


@pytest.mark.parametrize(("blind", "text"), [(True, "unseen"), (False, "seen")])
def test_a_drawing_says_whether_the_marks_were_seen(blind: bool, text: str) -> None:
    state = draw(make_state(blind=blind))
    drawn = marks_of(state, UID)[-1]
    assert standing_text(drawn) == f"drawn, marks {text}"


def test_the_panel_lists_what_was_drawn_with_and_without_results() -> None:
    results = describe(draw(make_state()))
    rows = [row for card in results.breasts for row in card.findings]
    assert [row.word for row in rows if row.word] == ["drawn, marks seen"]
    assert results.drawn == ()
    blind = describe(draw(make_state(blind=True)))
    assert [row.title for row in blind.drawn] == ["Asymmetry · RCC"]
    assert blind.unselected.drawn == (replace(blind.drawn[0], selected=False),)


def test_an_outcome_in_words() -> None:
    outcome = make_outcome()
    assert outcome_text(None) == ""
    assert outcome_text(outcome) == "BI-RADS 4A · benign, follow-up 2027-02-03 (14 months)"
    tissue = replace(outcome, proof=Proof.PATHOLOGY, follow_up_months=None, assessment=None)
    assert outcome_text(tissue) == "benign, pathology 2027-02-03"
