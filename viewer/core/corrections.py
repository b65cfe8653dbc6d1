"""What the reader's word on an image teaches: a training's rows, boxes and hard negatives.

Pure functions, one rule a function. An image of which the reader said nothing is no row. Only
pathology, or a follow-up of at least 12 months, says what a breast had: nothing else gives a
label, and nothing else may measure a model. The months are counted where the dates are known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ml.manifest import (
    MARKS_SEEN,
    BoxRow,
    Label,
    Manifest,
    ManifestRow,
    ReferenceStandard,
    Source,
    Split,
)
from viewer.core.decision import Proof, Standing, Truth, last_words
from viewer.core.follow_up import as_counted
from viewer.core.read_study import is_established

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ml.mammo.codes import Laterality, ViewPosition
    from viewer.core.decision import Decision, Outcome

LABELS = {
    Truth.NORMAL: Label.NORMAL,
    Truth.BENIGN: Label.BENIGN,
    Truth.MALIGNANT: Label.MALIGNANT,
}
STANDARDS = {
    Proof.PATHOLOGY: ReferenceStandard.PATHOLOGY,
    Proof.FOLLOW_UP: ReferenceStandard.FOLLOW_UP,
}
# Columns beside a manifest's own.
DEED, SAID_TYPE, SAID_SCORE = "deed", "machine_type", "machine_score"
FOUND = frozenset((Standing.ACCEPTED, Standing.DRAWN))


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What an image's header says.

    Attributes
    ----------
    file
        Where it lies, a whole path.
    patient_id
        Never empty.
    study_date
        DA form; empty where it is not known.
    """

    sop_instance_uid: str
    file: str
    patient_id: str
    laterality: Laterality | None
    view: ViewPosition | None
    study_date: str = ""


@dataclass(frozen=True, slots=True)
class Taught:
    """One image's part of a data set."""

    row: ManifestRow
    boxes: tuple[BoxRow, ...]
    hard: tuple[BoxRow, ...]


def taught_by(
    facts: ImageFacts, decisions: Sequence[Decision], outcome: Outcome | None
) -> Taught | None:
    """An image's row, boxes and hard negatives.

    Parameters
    ----------
    decisions
        All on marks of this image, the oldest first.
    outcome
        What holds of its breast.

    Returns
    -------
    Taught or None
        None where the reader said nothing of the image and nothing is established of its
        breast, and where what she said is contradicted (`is_contradicted`).
    """
    outcome = outcome and as_counted(outcome, facts.study_date)
    words = tuple(last_words(tuple(decisions)).values())
    found = [word for word in words if word.standing in FOUND]
    rejected = [word for word in words if word.standing is Standing.REJECTED]
    proven = outcome if is_established(outcome) else None
    if not (found or rejected or proven) or is_contradicted(decisions, outcome):
        return None
    name = f"{facts.sop_instance_uid}.dcm"
    row = ManifestRow(
        path=name,
        patient_id=facts.patient_id,
        laterality=facts.laterality,
        view=facts.view,
        label=label_of(proven),
        source=Source.REAL,
        reference_standard=standard_of(proven),
        file=facts.file,
        extra={MARKS_SEEN: _yes(_has_seen([*found, *rejected], outcome))},
    )
    boxes = tuple(_box(name, word, _label_of_box(proven, len(found))) for word in found)
    return Taught(row, boxes, tuple(_rejected(name, word) for word in rejected))


def label_of(outcome: Outcome | None) -> Label | None:
    """What is known of an image: nothing, unless its breast's truth is established."""
    if outcome is None or outcome.truth is None or not is_established(outcome):
        return None
    return LABELS[outcome.truth]


def standard_of(outcome: Outcome | None) -> ReferenceStandard:
    """How that is known: by the reader alone, unless it is established."""
    if outcome is None or outcome.proof is None or not is_established(outcome):
        return ReferenceStandard.READER
    return STANDARDS[outcome.proof]


def is_contradicted(decisions: Sequence[Decision], outcome: Outcome | None) -> bool:
    """Whether the breast turned out normal and the reader still has a finding in this image.

    Whether it was a shadow, or lies in what was not sampled, nobody knows: it teaches nothing.
    """
    words = last_words(tuple(decisions)).values()
    found = any(word.standing in FOUND for word in words)
    return found and label_of(outcome) is Label.NORMAL


def as_manifest(folder: Path, taught: Sequence[Taught]) -> Manifest:
    """A data set, with who may measure a model.

    A patient of whom every row is proven goes where the hash of her name sends her, like in any
    table that does not say; all others are for training only.
    """
    unproven = {
        each.row.patient_id
        for each in taught
        if each.row.reference_standard is ReferenceStandard.READER
    }
    rows = tuple(
        replace(each.row, split=Split.TRAIN) if each.row.patient_id in unproven else each.row
        for each in taught
    )
    boxes = tuple(box for each in taught for box in each.boxes)
    return Manifest(folder, rows, boxes, tuple(box for each in taught for box in each.hard))


def _label_of_box(outcome: Outcome | None, boxes: int) -> Label | None:
    """Of a malignant breast with several findings nobody says which one it was."""
    label = label_of(outcome)
    return None if label is Label.MALIGNANT and boxes > 1 else label


def _has_seen(words: Sequence[Decision], outcome: Outcome | None) -> bool:
    """Whether any of it was said after the machine's marks had been visible."""
    said = [word.circumstances for word in words]
    if not said and outcome is not None:
        said = [outcome.circumstances]
    return any(each.marks_seen for each in said)


def _box(name: str, word: Decision, label: Label | None) -> BoxRow:
    about = {MARKS_SEEN: _yes(word.circumstances.marks_seen), DEED: _deed(word)}
    return BoxRow(name, word.box, word.finding_type, label, word.frame, about | _said(word))


def _rejected(name: str, word: Decision) -> BoxRow:
    about = {MARKS_SEEN: _yes(word.circumstances.marks_seen), DEED: Standing.REJECTED.value}
    return BoxRow(name, word.box, word.finding_type, None, word.frame, about | _said(word))


def _deed(word: Decision) -> str:
    """Accepted as it was, called something else, moved, or drawn: what the box is now."""
    if word.said is None:
        return "drawn"
    if word.said.finding_type is not word.finding_type:
        return "retyped"
    return "moved" if word.said.box != word.box else "accepted"


def _said(word: Decision) -> dict[str, str]:
    if word.said is None:
        return {}
    return {SAID_TYPE: word.said.finding_type.value, SAID_SCORE: f"{word.said.score:.4f}"}


def _yes(said: bool) -> str:
    return "yes" if said else "no"
