"""What becomes known of a breast: recall, the reader's category, later pathology or follow-up.

Pure functions. As with decisions, an outcome is made where the gesture is and added once it is
known who the reader is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from viewer.core.deciding import circumstances
from viewer.core.decision import Outcome, outcome_of, with_knowledge
from viewer.core.reading import breasts_to_read
from viewer.core.state import Impression

if TYPE_CHECKING:
    from ml.mammo.codes import Laterality
    from viewer.core.decision import AssessmentCategory, Proof, Truth
    from viewer.core.state import SessionState


def with_impression(
    state: SessionState, side: Laterality, impression: Impression, at: str
) -> Outcome | None:
    """The breast's outcome with the reader's recall or no recall; None where there is none."""
    outcome = _next(state, side, at)
    return outcome and replace(outcome, recall=impression is Impression.RECALL)


def with_known(
    state: SessionState,
    side: Laterality,
    assessment: AssessmentCategory | None,
    proof: tuple[Proof, Truth] | None,
    known: tuple[str, int | None],
    at: str,
) -> Outcome | None:
    """The breast's outcome with what became known of it.

    Parameters
    ----------
    assessment, proof, known
        As of `with_knowledge`.

    Raises
    ------
    ValueError
        Where the date is none.
    """
    outcome = _next(state, side, at)
    return outcome and with_knowledge(outcome, assessment, proof, known)


def is_known(state: SessionState, outcome: Outcome) -> bool:
    """Whether an outcome says nothing that was not said of its breast before."""
    before = outcome_of(state.outcomes, outcome.laterality)
    plain = before or Outcome(outcome.laterality, outcome.circumstances)
    return _word(plain) == _word(outcome)


def add_outcome(state: SessionState, study_uid: str, outcome: Outcome) -> SessionState:
    """Let an outcome hold, signed with the reader's name, where its study is still open."""
    if state.study is None or state.study.uid != study_uid:
        return state
    signed = replace(outcome.circumstances, reader=state.reader)
    return replace(state, outcomes=(*state.outcomes, replace(outcome, circumstances=signed)))


def restore_outcomes(state: SessionState, kept: tuple[Outcome, ...]) -> SessionState:
    """Put what the library kept of the opened study before what was said since."""
    return replace(state, outcomes=(*kept, *state.outcomes)) if kept else state


def _next(state: SessionState, side: Laterality, at: str) -> Outcome | None:
    if side not in breasts_to_read(state.study):
        return None
    now = circumstances(state, at)
    lesion, malignancy = _said(state, side)
    known = outcome_of(state.outcomes, side) or Outcome(side, now)
    return replace(known, circumstances=now, lesion_score=lesion, malignancy_score=malignancy)


def _word(outcome: Outcome) -> tuple[object, ...]:
    return (
        *(outcome.recall, outcome.assessment, outcome.proof, outcome.truth),
        *(outcome.proof_date, outcome.follow_up_months),
    )


def _said(state: SessionState, side: Laterality) -> tuple[float | None, float | None]:
    images = state.analysis.images if state.analysis else ()
    own = [each for each in images if each.laterality is side]
    lesion = [each.lesion_score for each in own if each.lesion_score is not None]
    malignancy = [each.malignancy_score for each in own if each.malignancy_score is not None]
    return max(lesion, default=None), max(malignancy, default=None)
