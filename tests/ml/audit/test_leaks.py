"""What may not stand on both sides of a test: names, generators, words that prove nothing."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from ml.audit.generators import taught_patients
from ml.audit.leaks import leak_checks
from ml.audit.report import Check, Verdict
from ml.audit.table import disguised_check
from ml.hashed import name_sha256, own_patient
from ml.manifest import ManifestRow, ReferenceStandard, Source, Split
from ml.places import MODELS_VARIABLE
from ml.synth.pack import write_generator_card
from tests.factories.generators import make_generator

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TESTED = ManifestRow("test", "7", source=Source.REAL, split=Split.TEST)
MADE = ManifestRow(
    "made", "made 1", source=Source.GENERATED, split=Split.TRAIN, extra={"weights_sha256": "w"}
)


def check(
    words: str, *rows: ManifestRow, taught: Mapping[str, frozenset[str]] | None = None
) -> Check:
    (one,) = (c for c in leak_checks(rows, {}, taught or {}) if words in str(c.name))
    return one


def test_a_patient_is_one_by_her_id_and_by_our_name_for_her() -> None:
    imported = replace(TESTED, patient_id=own_patient("7"))
    taught = replace(TESTED, path="b", split=Split.TRAIN)
    assert check("Patients in one", imported, taught).verdict is Verdict.RED
    other = replace(taught, patient_id="8")
    assert check("Patients in one", imported, other).verdict is Verdict.GREEN


def test_who_has_no_split_is_where_a_training_takes_her() -> None:
    """P1 is held out by a hash, P2 teaches."""
    hidden = ManifestRow("h", "P1", source=Source.REAL)
    open_ = replace(hidden, path="o", patient_id="P2")
    child = replace(MADE, extra={"host_patient": name_sha256("P1")})
    assert check("synthetic child", hidden, child).verdict is Verdict.RED
    assert check("synthetic child", open_, child).verdict is Verdict.GREEN
    unsaid = replace(child, split=None, patient_id="P2")
    assert check("synthetic child", hidden, unsaid).verdict is Verdict.RED
    words = "taught a held-out"
    knows = {"w": frozenset((name_sha256("P1"),))}
    assert check(words, hidden, MADE, taught=knows).verdict is Verdict.RED
    made = replace(MADE, split=None, patient_id="P1")
    assert check("No generated image to test", made).verdict is Verdict.RED
    also = replace(hidden, path="a", split=Split.TRAIN)
    assert check("Patients in one", hidden, also).verdict is Verdict.RED
    read = replace(hidden, reference_standard=ReferenceStandard.READER)
    assert check("Proven", read).verdict is not Verdict.GREEN


def test_a_host_is_known_by_her_id_and_by_our_name_for_her() -> None:
    child = replace(MADE, extra={"host_patient": name_sha256(own_patient("7"))})
    for patient in ("7", own_patient("7")):
        tested = replace(TESTED, patient_id=patient)
        assert check("synthetic child", tested, child).verdict is Verdict.RED
    assert check("synthetic child", replace(TESTED, patient_id="8"), child).verdict is (
        Verdict.GREEN
    )


def test_a_generator_that_was_taught_a_held_out_patient_tells_of_her() -> None:
    words = "taught a held-out"
    knows = {"w": frozenset((name_sha256(own_patient("7")), "another"))}
    found = check(words, TESTED, MADE, taught=knows)
    assert (found.verdict, found.figures[0].value) == (Verdict.RED, 1)
    others = {"w": frozenset(("another",))}
    assert check(words, TESTED, MADE, taught=others).verdict is Verdict.GREEN
    # Of one that is not at hand, or does not say, nobody knows.
    for taught in ({}, {"w": frozenset[str]()}):
        assert check(words, TESTED, MADE, taught=taught).verdict is Verdict.AMBER
    # Nobody is held out.
    assert check(words, replace(TESTED, split=Split.TRAIN), MADE).verdict is Verdict.GREEN


@pytest.mark.parametrize("source", [None, *Source])
def test_no_table_makes_a_synthetic_image_a_patients(source: Source | None) -> None:
    shown = {"real": SimpleNamespace(synthetic=False), "made": SimpleNamespace(synthetic=True)}
    rows = [ManifestRow(path, path, source=source) for path in shown]
    found = disguised_check(rows, shown)  # type: ignore[arg-type]
    honest = source in (Source.PHANTOM, Source.GENERATED)
    assert found.verdict is (Verdict.GREEN if honest else Verdict.RED)
    assert found.figures[0].value == (not honest)
    assert disguised_check(rows[:1], shown).verdict is Verdict.GREEN  # type: ignore[arg-type]


def test_generators_at_hand_say_whom_they_were_taught(tmp_path: Path) -> None:
    pack = make_generator(tmp_path / "generator")
    write_generator_card(pack.folder, replace(pack.card, training_patients=("a", "b")))
    here = {MODELS_VARIABLE: str(tmp_path)}
    known = frozenset(("a", "b"))
    assert taught_patients(here) == {pack.weights_sha256: known, pack.lesions_sha256: known}
    (pack.folder / "card.json").write_text("{")
    assert taught_patients(here) == {}
    assert taught_patients({MODELS_VARIABLE: str(tmp_path / "empty")}) == {}


def test_a_readers_word_alone_is_no_test() -> None:
    said = replace(TESTED, reference_standard=ReferenceStandard.READER)
    assert check("Proven", said).verdict is Verdict.AMBER
    corrected = replace(said, extra={"marks_seen": "yes"})
    assert check("Proven", corrected).verdict is Verdict.RED
    assert check("Proven", replace(corrected, split=Split.TRAIN)).verdict is Verdict.GREEN
    proven = replace(corrected, reference_standard=ReferenceStandard.PATHOLOGY)
    assert check("Proven", proven).verdict is Verdict.GREEN
