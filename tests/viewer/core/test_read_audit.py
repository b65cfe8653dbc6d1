"""The figures of the reads, by hand-made reads."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ml.mammo.codes import Laterality
from tests.factories.words import NOW, make_decision, make_outcome
from viewer.core.decision import AssessmentCategory, Circumstances, Outcome, Proof, Truth
from viewer.core.read_audit import Figure, audit_of_reads, in_period, is_positive, wilson
from viewer.core.read_study import ReadStudy, is_established, learnt
from viewer.core.state import Impression, Reading

Category = AssessmentCategory
PLAIN = replace(
    make_outcome(),
    recall=None,
    assessment=None,
    proof=None,
    truth=None,
    proof_date="",
    follow_up_months=None,
)


def outcome(
    recall: bool | None = None,
    category: Category | None = None,
    truth: Truth | None = None,
    day: str = "2026-02-01",
    months: int | None = None,
) -> Outcome:
    known = replace(PLAIN, recall=recall, assessment=category)
    if truth is None:
        return known
    how = Proof.PATHOLOGY if months is None else Proof.FOLLOW_UP
    return replace(known, proof=how, truth=truth, proof_date=day, follow_up_months=months)


def study(uid: str, *said: Outcome) -> ReadStudy:
    return ReadStudy(uid, outcomes=said)


CANCER = outcome(True, Category.SUSPICIOUS, Truth.MALIGNANT)
READS = (
    study("cancer", CANCER),
    study("benign", outcome(True, Category.LOW_SUSPICION, Truth.BENIGN)),
    study("open", outcome(True, Category.HIGH_SUSPICION)),
    study("watched", outcome(True, Category.SUSPICIOUS, Truth.BENIGN, months=12)),
    study("too short", outcome(True, None, Truth.BENIGN, months=6)),
    study("recalled, cleared", outcome(True, Category.INCOMPLETE, Truth.NORMAL, months=24)),
    *(study(f"normal {number}", outcome(False, Category.NEGATIVE)) for number in range(4)),
)


def shares(*reads: ReadStudy) -> dict[Figure, tuple[int, int, int]]:
    audit = audit_of_reads(reads)
    return {each.figure: (each.count, each.of, each.unknown) for each in audit.shares}


def test_each_figure_has_its_own_denominator_and_tells_what_is_unknown() -> None:
    assert shares(*READS) == {
        Figure.RECALL_RATE: (6, 10, 0),
        Figure.PPV1: (1, 4, 2),
        Figure.PPV2: (1, 3, 1),
        Figure.PPV3: (1, 2, 1),
        Figure.DETECTION: (1, 10, 2),
    }


def test_values_stand_in_their_units_with_an_interval() -> None:
    audit = audit_of_reads(READS)
    rate, detection = audit.share(Figure.RECALL_RATE), audit.share(Figure.DETECTION)
    assert rate.value == pytest.approx(60)
    assert rate.interval == pytest.approx((31.27, 83.18), abs=0.01)
    assert detection.value == pytest.approx(100)
    assert detection.interval == pytest.approx((17.9, 404.2), abs=0.1)
    empty = audit_of_reads(()).share(Figure.PPV1)
    assert (empty.value, empty.interval) == (None, None)


def test_wilson_as_published() -> None:
    """Newcombe 1998, Stat Med 17:857, table I, method 3."""
    for (count, of), wanted in {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0.0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }.items():
        assert wilson(count, of) == pytest.approx(wanted, abs=5e-5)
    for count, of in ((1, 0), (3, 2), (-1, 2)):
        with pytest.raises(ValueError, match="no share"):
            wilson(count, of)


def test_a_breast_is_positive_by_recall_or_by_its_category() -> None:
    assert is_positive(outcome(True))
    assert is_positive(outcome(None, Category.PROBABLY_BENIGN))
    assert is_positive(outcome(False, Category.SUSPICIOUS))
    assert is_positive(outcome(True, Category.BENIGN)), "worked up and found benign"
    assert is_positive(outcome(False)) is False
    assert is_positive(outcome(None, Category.BENIGN)) is False
    assert is_positive(outcome()) is None


def test_one_positive_breast_makes_the_study_positive_and_one_cancer_decides_it() -> None:
    left = replace(outcome(True), laterality=Laterality.LEFT)
    assert shares(study("a", CANCER, left))[Figure.PPV1] == (1, 1, 0)
    assert shares(study("a", outcome(False), left))[Figure.PPV1] == (0, 0, 1)
    missed = replace(CANCER, laterality=Laterality.LEFT, recall=False, assessment=None)
    right = outcome(True, None, Truth.BENIGN)
    assert shares(study("a", right, missed))[Figure.PPV1] == (0, 1, 0), "not detected"


def test_a_cancer_counts_within_a_year_and_with_tissue() -> None:
    late = replace(CANCER, proof_date="2027-01-02")
    assert shares(study("a", late))[Figure.PPV1] == (0, 1, 0)
    assert shares(study("a", replace(CANCER, proof_date="2027-01-01")))[Figure.PPV1][0] == 1
    known_before = replace(CANCER, proof_date="2016-01-01")
    assert shares(study("a", known_before))[Figure.PPV1][0] == 1
    untouched = outcome(True, None, Truth.MALIGNANT, months=24)
    assert shares(study("a", untouched))[Figure.PPV1] == (0, 0, 1)


def test_what_is_left_out_is_told() -> None:
    proven = study("b", outcome(True, Category.PROVEN))
    unsaid = ReadStudy("c", decisions=(make_decision(),))
    audit = audit_of_reads((ReadStudy("synthetic:a", outcomes=(CANCER,)), proven, unsaid))
    assert (audit.read, audit.synthetic, audit.proven_before, audit.unread) == (0, 1, 1, 1)


def test_the_impression_of_a_blind_read_counts_where_no_outcome_says_it() -> None:
    reading = Reading(
        before={Laterality.RIGHT: Impression.NORMAL, Laterality.LEFT: Impression.RECALL},
        after={Laterality.RIGHT: Impression.RECALL},
        revealed_at=NOW,
    )
    blind = ReadStudy("a", reading=reading, reader="R")
    assert [each.recall for each in blind.breasts()] == [True, True]
    assert blind.breasts()[0].circumstances.marks_seen
    assert (blind.read_at, blind.read_by) == (NOW, "R")
    graded = replace(blind, outcomes=(outcome(None, Category.SUSPICIOUS),))
    assert graded.breasts()[0].recall is True
    said = replace(blind, outcomes=(outcome(False),))
    assert said.breasts()[0].recall is False


def test_a_period_and_a_reader() -> None:
    reads = (*READS, ReadStudy("unread", "label"))
    assert in_period(reads, "", "") == READS
    assert in_period(reads, "2026-01-01", "2026-01-01", "Dr. A. Reader") == READS
    assert in_period(reads, "2026-01-02", "") == ()
    assert in_period(reads, "", "2025-12-31") == ()
    assert in_period(reads, "", "", "Dr. B") == ()


def test_no_word_came_before_the_marks_were_seen_that_an_earlier_one_says() -> None:
    def said(day: int, *, seen: bool) -> Circumstances:
        about = make_decision().circumstances
        return replace(about, at=f"2026-01-0{day}T00:00:00Z", marks_seen=seen)

    words = [(1, False), (2, True), (3, False)]
    plain = make_decision()
    decisions = tuple(replace(plain, circumstances=said(d, seen=seen)) for d, seen in words)
    late = replace(outcome(True), circumstances=said(4, seen=False))
    read = ReadStudy("a", decisions=decisions, outcomes=(late,))
    seen = read.as_seen()
    assert [each.circumstances.marks_seen for each in seen.decisions] == [False, True, True]
    assert seen.outcomes[0].circumstances.marks_seen
    blind = replace(read, decisions=decisions[:1])
    assert blind.as_seen() == blind
    by_outcome = replace(blind, decisions=(decisions[2],), outcomes=(outcome(True),))
    assert by_outcome.outcomes[0].circumstances.marks_seen
    assert by_outcome.as_seen().decisions[0].circumstances.marks_seen


def test_only_pathology_or_a_year_establishes() -> None:
    assert is_established(CANCER)
    assert is_established(outcome(None, None, Truth.NORMAL, months=12))
    assert not is_established(outcome(None, None, Truth.NORMAL, months=11))
    assert not is_established(outcome(True))
    assert not is_established(None)


def test_what_becomes_known_later_keeps_what_was_said_before() -> None:
    first = outcome(True)
    read, later = study("a", first), ("Dr. B", "2026-03-01T00:00:00Z")
    known = (Category.SUSPICIOUS, (Proof.PATHOLOGY, Truth.BENIGN), "2026-02-20", 7)
    now = learnt(read, Laterality.RIGHT, known, later)
    assert (now.recall, now.truth, now.follow_up_months) == (True, Truth.BENIGN, None)
    assert (now.circumstances.reader, now.circumstances.marks_shown) == ("Dr. B", False)
    assert now.circumstances.marks_seen is first.circumstances.marks_seen
    unseen = replace(first.circumstances, marks_seen=False)
    blind = study("a", replace(first, circumstances=unseen))
    side = Laterality.RIGHT
    assert not learnt(blind, side, known, later).circumstances.marks_seen
    for seen in (Reading(seen_before=True), Reading(revealed_at=NOW)):
        told = learnt(replace(blind, reading=seen), side, known, later)
        assert told.circumstances.marks_seen
    marked = replace(blind, decisions=(make_decision(),))
    assert learnt(marked, side, known, later).circumstances.marks_seen
    listed = replace(first, circumstances=replace(first.circumstances, listed="blind"))
    told = learnt(study("a", listed), Laterality.RIGHT, known, later)
    assert told.circumstances.listed == "blind"
    gone = learnt(study("a", now), Laterality.RIGHT, (None, None, "", None), later)
    assert (gone.proof, gone.truth, gone.proof_date, gone.assessment) == (None, None, "", None)
    fresh = learnt(study("a"), Laterality.LEFT, known, later)
    assert (fresh.laterality, fresh.recall) == (Laterality.LEFT, None)
    with pytest.raises(ValueError, match="date"):
        learnt(read, Laterality.RIGHT, (None, known[1], "no date", None), later)
