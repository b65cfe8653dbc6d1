"""The reader's word on a finding and on a breast, with who said it, when and after seeing what.

Values that are never changed: whoever thinks again says something new, and what was said
before stays in the history.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ml.findings import Finding
    from ml.mammo.codes import FindingType, Laterality
    from ml.mammo.geometry import Box


class Deed(Enum):
    """What the reader did; the value is what the library holds."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    RETYPED = "retyped"
    MOVED = "moved"
    DRAWN = "drawn"
    REMOVED = "removed"
    WITHDRAWN = "withdrawn"
    UNDONE = "undone"
    REDONE = "redone"


class Standing(Enum):
    """What holds of a mark."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    DRAWN = "drawn"
    REMOVED = "removed"


class AssessmentCategory(Enum):
    """The reader's category of a breast, BI-RADS 5th edition; never a model's."""

    INCOMPLETE = "0"
    NEGATIVE = "1"
    BENIGN = "2"
    PROBABLY_BENIGN = "3"
    SUSPICIOUS = "4"
    LOW_SUSPICION = "4A"
    MODERATE_SUSPICION = "4B"
    HIGH_SUSPICION = "4C"
    MALIGNANT = "5"
    PROVEN = "6"


class Proof(Enum):
    """How it is known what a breast had; named as a manifest's `reference_standard`."""

    PATHOLOGY = "pathology"
    FOLLOW_UP = "follow_up"


class Truth(Enum):
    """What a breast had; named as a manifest's `label`."""

    NORMAL = "normal"
    BENIGN = "benign"
    MALIGNANT = "malignant"


@dataclass(frozen=True, slots=True)
class Speaker:
    """A model that had spoken when the reader did.

    Attributes
    ----------
    role
        ``"detector"``, ``"classifier"``.
    weights_sha256, card_sha256
        Of its weights and its card.
    """

    role: str
    name: str
    version: str
    weights_sha256: str
    card_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Under which something was said.

    Attributes
    ----------
    reader
        Her name as in the settings.
    at
        ISO 8601 UTC.
    marks_shown
        Whether the machine's marks were visible at that moment.
    marks_seen
        Whether they were, or had been before.
    synthetic
        Whether the image shows nobody.
    models
        Those that had spoken by then, whether she could see it or not.
    listed
        How the list of a screened folder was read that the study was taken from: ``"ranked"``
        or ``"blind"``; empty where it was opened otherwise.
    """

    reader: str
    at: str
    marks_shown: bool
    marks_seen: bool
    synthetic: bool
    models: tuple[Speaker, ...] = ()
    listed: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """One step of the reader's on one mark, and how the mark stands after it.

    Attributes
    ----------
    mark
        Names the mark for good; the same in all its decisions.
    deed
        What she did; `standing`, `finding_type` and `box` are what holds since.
    frame
        Counted from 1; None for a single image.
    said
        What the machine had said of the place; None where the reader drew the mark herself.
    """

    mark: str
    sop_instance_uid: str
    deed: Deed
    standing: Standing
    finding_type: FindingType
    box: Box
    frame: int | None
    said: Finding | None
    circumstances: Circumstances


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is known of one breast in one study; each holds all that is known by then.

    Attributes
    ----------
    recall
        Whether the woman is called back; None where that was not said.
    assessment
        None where no category was given.
    proof, truth
        How it became known what the breast had, and what that was; None while it is not known.
    proof_date
        ISO 8601: of the tissue's report, or of the last visit of a follow-up.
    follow_up_months
        How long the breast was watched; None without a follow-up.
    lesion_score, malignancy_score
        What the machine had said: the greatest of the breast's images; None where it had not.
    """

    laterality: Laterality
    circumstances: Circumstances
    recall: bool | None = None
    assessment: AssessmentCategory | None = None
    proof: Proof | None = None
    truth: Truth | None = None
    proof_date: str = ""
    follow_up_months: int | None = None
    lesion_score: float | None = None
    malignancy_score: float | None = None


def with_knowledge(
    outcome: Outcome,
    assessment: AssessmentCategory | None,
    proof: tuple[Proof, Truth] | None,
    known: tuple[str, int | None],
) -> Outcome:
    """An outcome with the reader's category, and with what tissue or time showed.

    Parameters
    ----------
    proof
        How it is known, and what it was; None: it is not known (any more).
    known
        The date, ISO 8601, and for a follow-up its length in months.

    Raises
    ------
    ValueError
        Where the date is none.
    """
    outcome = replace(outcome, assessment=assessment)
    if proof is None:
        return replace(outcome, proof=None, truth=None, proof_date="", follow_up_months=None)
    how, truth = proof
    day, months = known
    return replace(
        outcome,
        proof=how,
        truth=truth,
        proof_date=date.fromisoformat(day).isoformat(),
        follow_up_months=months if how is Proof.FOLLOW_UP else None,
    )


def last_words(decisions: tuple[Decision, ...]) -> dict[str, Decision]:
    """What holds of each mark: its latest decision, by the mark's name."""
    return {decision.mark: decision for decision in decisions}


def outcome_of(outcomes: tuple[Outcome, ...], laterality: Laterality) -> Outcome | None:
    """What holds of a breast: the latest outcome; None where none was given."""
    of_side = (each for each in reversed(outcomes) if each.laterality is laterality)
    return next(of_side, None)
