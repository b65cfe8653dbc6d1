"""Decisions and outcomes as a reader gives them."""

from __future__ import annotations

from dataclasses import replace

from ml.mammo.codes import FindingType, Laterality
from ml.mammo.geometry import Box
from tests.factories.analyses import make_analysis, make_study
from viewer.core import deciding, outcomes
from viewer.core.decision import AssessmentCategory, Decision, Outcome, Proof, Truth
from viewer.core.state import FindingKey, SessionState

NOW, LATER = "2026-01-01T10:00:00Z", "2026-01-01T10:05:00Z"
READER = "Dr. A. Reader"
RCC = FindingKey("1.2.3.RCC", 0)


def make_state(*, blind: bool = False) -> SessionState:
    """The study of the drawing, analyzed."""
    return SessionState(
        study=make_study(), analysis=make_analysis(), reader=READER, blind_first_read=blind
    )


def accept(state: SessionState, key: FindingKey = RCC) -> SessionState:
    decision = deciding.accepted(state, key, NOW)
    assert decision is not None
    return deciding.add_decision(state, decision)


DRAWN_BOX = Box(100, 200, 150, 260)


def draw(state: SessionState, box: Box = DRAWN_BOX, name: str = "m1") -> SessionState:
    decision = deciding.drawn(state, ("1.2.3.RCC", None), box, FindingType.ASYMMETRY, NOW, name)
    assert decision is not None
    return deciding.add_decision(state, decision)


def make_decision() -> Decision:
    return accept(make_state()).decisions[0]


def make_outcome() -> Outcome:
    state, side = make_state(), Laterality.RIGHT
    category, proof = AssessmentCategory.LOW_SUSPICION, (Proof.FOLLOW_UP, Truth.BENIGN)
    outcome = outcomes.with_known(state, side, category, proof, ("2027-02-03", 14), NOW)
    assert outcome is not None
    return replace(outcome, recall=True)
