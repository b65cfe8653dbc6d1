"""A breast's outcome in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml.texts import counted, mark, translate
from viewer.core.decision import AssessmentCategory, Proof, Truth

if TYPE_CHECKING:
    from viewer.core.decision import Outcome

# As the BI-RADS atlas names them, 5th edition.
ASSESSMENTS = {
    AssessmentCategory.INCOMPLETE: mark("0: incomplete"),
    AssessmentCategory.NEGATIVE: mark("1: negative"),
    AssessmentCategory.BENIGN: mark("2: benign"),
    AssessmentCategory.PROBABLY_BENIGN: mark("3: probably benign"),
    AssessmentCategory.SUSPICIOUS: mark("4: suspicious"),
    AssessmentCategory.LOW_SUSPICION: mark("4A: low suspicion"),
    AssessmentCategory.MODERATE_SUSPICION: mark("4B: moderate suspicion"),
    AssessmentCategory.HIGH_SUSPICION: mark("4C: high suspicion"),
    AssessmentCategory.MALIGNANT: mark("5: highly suggestive of malignancy"),
    AssessmentCategory.PROVEN: mark("6: known malignancy"),
}
PROOFS = {Proof.PATHOLOGY: mark("pathology"), Proof.FOLLOW_UP: mark("follow-up")}
TRUTHS = {
    Truth.NORMAL: mark("normal"),
    Truth.BENIGN: mark("benign"),
    Truth.MALIGNANT: mark("malignant"),
}


def outcome_text(outcome: Outcome | None) -> str:
    """``"BI-RADS 4A · malignant, pathology 2026-03-04"``; empty where nothing is known."""
    if outcome is None:
        return ""
    parts: list[str] = []
    if outcome.assessment is not None:
        parts.append(translate("BI-RADS {category}").format(category=outcome.assessment.value))
    if outcome.proof is not None and outcome.truth is not None:
        parts.append(_proof_text(outcome.proof, outcome.truth, outcome))
    return " · ".join(parts)


def _proof_text(proof: Proof, truth: Truth, outcome: Outcome) -> str:
    text = f"{translate(TRUTHS[truth])}, {translate(PROOFS[proof])} {outcome.proof_date}"
    if outcome.follow_up_months is None:
        return text
    count = outcome.follow_up_months
    months = counted("{count} month", "{count} months", count).format(count=count)
    return f"{text} ({months})"
