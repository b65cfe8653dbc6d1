"""What the reader's word teaches: one test a rule."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ml.mammo.codes import FindingType, Laterality, ViewPosition
from ml.manifest import Label, ReferenceStandard, Source, Split, read_manifest, write_manifest
from tests.factories.words import make_decision, make_outcome
from viewer.core.corrections import ImageFacts, Taught, as_manifest, taught_by
from viewer.core.decision import Decision, Deed, Outcome, Proof, Standing, Truth

if TYPE_CHECKING:
    from pathlib import Path

FACTS = ImageFacts("1.2.3.RCC", "/archive/a.dcm", "P1", Laterality.RIGHT, ViewPosition.CC)
ACCEPTED = make_decision()
REJECTED = replace(ACCEPTED, mark="wrong", standing=Standing.REJECTED, deed=Deed.REJECTED)
DRAWN = replace(ACCEPTED, mark="own", standing=Standing.DRAWN, deed=Deed.DRAWN, said=None)
TISSUE = replace(make_outcome(), proof=Proof.PATHOLOGY, follow_up_months=None)


def outcome(truth: Truth, *, months: int | None = None) -> Outcome:
    how = Proof.PATHOLOGY if months is None else Proof.FOLLOW_UP
    return replace(TISSUE, truth=truth, proof=how, follow_up_months=months)


def taught(*decisions: Decision, of: Outcome | None = None) -> Taught:
    part = taught_by(FACTS, decisions, of)
    assert part is not None
    return part


def test_an_accepted_finding_is_a_box_and_no_label() -> None:
    part = taught(ACCEPTED)
    assert (part.row.label, part.row.reference_standard) == (None, ReferenceStandard.READER)
    assert (part.row.source, part.row.file) == (Source.REAL, "/archive/a.dcm")
    (box,) = part.boxes
    assert (box.box, box.finding_type, box.label) == (
        ACCEPTED.box,
        ACCEPTED.finding_type,
        None,
    )
    assert box.extra["deed"] == "accepted"
    assert part.hard == ()


def test_a_retyped_finding_has_the_readers_type() -> None:
    other = FindingType.ASYMMETRY
    (box,) = taught(ACCEPTED, replace(ACCEPTED, finding_type=other, deed=Deed.RETYPED)).boxes
    assert box.finding_type is other
    assert (box.extra["deed"], box.extra["machine_type"]) == ("retyped", "mass")


def test_a_moved_finding_has_the_readers_box() -> None:
    box = replace(ACCEPTED.box, row1=ACCEPTED.box.row1 + 7)
    (row,) = taught(replace(ACCEPTED, box=box, deed=Deed.MOVED)).boxes
    assert (row.box, row.extra["deed"]) == (box, "moved")


def test_a_drawn_finding_is_a_box_of_which_the_machine_said_nothing() -> None:
    (box,) = taught(DRAWN).boxes
    assert box.extra["deed"] == "drawn"
    assert "machine_score" not in box.extra


def test_a_rejected_finding_is_a_hard_negative_and_never_a_normal_image() -> None:
    part = taught(REJECTED)
    assert part.boxes == ()
    assert [row.box for row in part.hard] == [REJECTED.box]
    assert part.row.label is None


def test_the_latest_word_on_a_mark_counts() -> None:
    part = taught(ACCEPTED, replace(ACCEPTED, standing=Standing.REJECTED))
    assert (len(part.boxes), len(part.hard)) == (0, 1)


def test_what_was_withdrawn_or_removed_is_nothing() -> None:
    gone = (
        replace(ACCEPTED, standing=Standing.OPEN),
        replace(DRAWN, standing=Standing.REMOVED),
    )
    assert taught_by(FACTS, gone, None) is None


def test_an_image_of_which_nothing_was_said_is_no_row() -> None:
    assert taught_by(FACTS, (), None) is None
    assert taught_by(FACTS, (), replace(TISSUE, proof=None, truth=None)) is None


def test_pathology_says_what_it_was() -> None:
    part = taught(ACCEPTED, of=outcome(Truth.MALIGNANT))
    assert part.row.label is Label.MALIGNANT
    assert part.row.reference_standard is ReferenceStandard.PATHOLOGY
    assert part.boxes[0].label is Label.MALIGNANT


def test_a_follow_up_does_from_twelve_months_on() -> None:
    long, short = (taught(ACCEPTED, of=outcome(Truth.BENIGN, months=m)) for m in (12, 11))
    assert (long.row.label, long.row.reference_standard) == (
        Label.BENIGN,
        ReferenceStandard.FOLLOW_UP,
    )
    assert (short.row.label, short.row.reference_standard) == (None, ReferenceStandard.READER)


def test_a_follow_up_whose_dates_say_less_is_none() -> None:
    claimed = replace(outcome(Truth.BENIGN, months=12), proof_date="2026-01-02")

    def known(study_date: str) -> Label | None:
        part = taught_by(replace(FACTS, study_date=study_date), (ACCEPTED,), claimed)
        assert part is not None
        assert (part.row.reference_standard is ReferenceStandard.FOLLOW_UP) is bool(
            part.row.label
        )
        return part.row.label

    assert known("20260101") is None
    assert known("20250103") is None, "a day short of a year"
    assert known("20270101") is None, "the visit was before the study"
    assert known("20250102") is Label.BENIGN
    assert known("") is Label.BENIGN, "what is not known contradicts nothing"
    assert taught_by(replace(FACTS, study_date="20260101"), (), claimed) is None


def test_of_several_findings_nobody_knows_which_was_malignant() -> None:
    part = taught(ACCEPTED, DRAWN, of=outcome(Truth.MALIGNANT))
    assert part.row.label is Label.MALIGNANT
    assert [box.label for box in part.boxes] == [None, None]
    benign = taught(ACCEPTED, DRAWN, of=outcome(Truth.BENIGN))
    assert [box.label for box in benign.boxes] == [Label.BENIGN] * 2


def test_an_established_outcome_makes_a_row_without_any_mark() -> None:
    part = taught(of=outcome(Truth.NORMAL, months=24))
    assert (part.row.label, part.boxes) == (Label.NORMAL, ())


def test_a_finding_in_a_breast_that_turned_out_normal_teaches_nothing() -> None:
    normal = outcome(Truth.NORMAL, months=24)
    assert taught_by(FACTS, (ACCEPTED,), normal) is None
    assert taught(REJECTED, of=normal).row.label is Label.NORMAL


def test_it_is_said_whether_the_marks_had_been_seen() -> None:
    unseen = replace(ACCEPTED.circumstances, marks_seen=False)
    blind = replace(DRAWN, circumstances=unseen)
    assert taught(blind).row.extra["marks_seen"] == "no"
    assert taught(blind).boxes[0].extra["marks_seen"] == "no"
    both = taught(blind, REJECTED)
    assert both.row.extra["marks_seen"] == "yes", "one of them after seeing them"
    assert both.boxes[0].extra["marks_seen"] == "no"
    assert both.hard[0].extra["marks_seen"] == "yes"


def test_only_a_patient_who_is_proven_throughout_may_measure_a_model(tmp_path: Path) -> None:
    proven = taught(ACCEPTED, of=outcome(Truth.BENIGN))
    said = taught(REJECTED)
    other = replace(said.row, path="2.dcm", patient_id="P2")
    both = replace(proven.row, path="3.dcm", patient_id="P2")
    parts = (proven, Taught(other, (), ()), Taught(both, (), ()))
    made = as_manifest(tmp_path, parts)
    assert [row.split for row in made.rows] == [None, Split.TRAIN, Split.TRAIN]
    write_manifest(made)
    assert read_manifest(tmp_path) == made
