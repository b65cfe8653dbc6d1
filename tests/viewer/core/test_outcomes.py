from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ml.mammo.codes import Laterality
from tests.factories.analyses import make_study
from tests.factories.words import LATER, NOW, READER, make_outcome, make_state
from viewer.core import outcomes
from viewer.core.decision import AssessmentCategory, Outcome, Proof, Truth, outcome_of
from viewer.core.decision_json import outcome_from_json, outcome_to_json
from viewer.core.read_study import Status, status_of
from viewer.core.state import Impression, Reading, SessionState

RIGHT, LEFT = Laterality.RIGHT, Laterality.LEFT


def added(state: SessionState, outcome: Outcome | None) -> SessionState:
    assert outcome is not None
    return outcomes.add_outcome(state, "1.2.3", outcome)


def test_each_outcome_holds_all_that_is_known_of_the_breast() -> None:
    state = make_state()
    state = added(state, outcomes.with_impression(state, RIGHT, Impression.RECALL, NOW))
    category = AssessmentCategory.MODERATE_SUSPICION
    none = ("", None)
    state = added(state, outcomes.with_known(state, RIGHT, category, None, none, LATER))
    proof, known = (Proof.PATHOLOGY, Truth.MALIGNANT), ("2026-03-04", 5)
    state = added(state, outcomes.with_known(state, RIGHT, category, proof, known, LATER))
    known = outcome_of(state.outcomes, RIGHT)
    assert known is not None
    assert (known.recall, known.assessment) == (True, category)
    assert (known.proof, known.truth, known.proof_date) == (*proof, "2026-03-04")
    assert known.follow_up_months is None, "tissue needs no waiting"
    assert (known.lesion_score, known.malignancy_score) == (0.63, 0.22)
    assert known.circumstances.reader == READER
    assert len(state.outcomes) == 3
    assert outcome_of(state.outcomes, LEFT) is None


def test_what_turned_out_wrong_is_taken_back() -> None:
    state = added(make_state(), make_outcome())
    again = outcomes.with_known(state, RIGHT, None, None, ("", None), LATER)
    state = added(state, again)
    known = outcome_of(state.outcomes, RIGHT)
    assert known is not None
    assert (known.proof, known.truth, known.proof_date, known.follow_up_months) == (
        *(None, None, ""),
        None,
    )
    assert known.recall is True


def test_a_date_that_is_none_is_refused() -> None:
    proof = (Proof.FOLLOW_UP, Truth.NORMAL)
    with pytest.raises(ValueError, match="isoformat"):
        outcomes.with_known(make_state(), RIGHT, None, proof, ("soon", 12), NOW)


def test_what_was_said_before_is_known() -> None:
    state, none = make_state(), ("", None)
    nothing = outcomes.with_known(state, RIGHT, None, None, none, NOW)
    assert nothing is not None
    assert outcomes.is_known(state, nothing)
    assert not outcomes.is_known(state, make_outcome())
    assert outcomes.is_known(added(state, make_outcome()), make_outcome())


def test_a_breast_without_images_has_no_outcome() -> None:
    state = replace(make_state(), study=make_study(("LCC",)))
    assert outcomes.with_impression(state, RIGHT, Impression.NORMAL, NOW) is None
    assert outcomes.with_known(state, RIGHT, None, None, ("", None), NOW) is None


def test_an_outcome_does_not_fall_on_another_study() -> None:
    state = replace(make_state(), study=replace(make_study(), uid="9"))
    assert outcomes.add_outcome(state, "1.2.3", make_outcome()) is state


@pytest.mark.parametrize(
    "outcome", [make_outcome(), Outcome(LEFT, make_outcome().circumstances)]
)
def test_an_outcome_is_the_same_through_json(outcome: Outcome) -> None:
    text = json.dumps(outcome_to_json(outcome))
    assert outcome_from_json(json.loads(text)) == outcome


def test_what_was_kept_stands_before_what_was_said_since() -> None:
    state = added(make_state(), make_outcome())
    assert outcomes.restore_outcomes(state, ()) is state
    assert outcomes.restore_outcomes(state, (make_outcome(),)).outcomes == (
        make_outcome(),
        *state.outcomes,
    )


def test_a_study_stands_as_its_breasts_were_called_last() -> None:
    recalled = make_outcome()
    normal = replace(recalled, recall=False)
    other = replace(recalled, laterality=LEFT, recall=None)
    assert status_of(Reading(), ()) is Status.UNREAD
    assert status_of(Reading(revealed_at=NOW), ()) is Status.READ
    assert status_of(Reading(), (recalled, other)) is Status.RECALLED
    assert status_of(Reading(), (recalled, normal)) is Status.READ
    assert status_of(Reading(seen_before=True), ()) is Status.UNREAD
