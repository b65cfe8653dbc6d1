"""What is said of an audit: in words, with what can be done, in step with the checks."""

from __future__ import annotations

from pathlib import Path

import pytest

from ml.audit import auditing, leaks, probes, questions, table
from ml.audit.report import AuditReport, Check, Figure, Sentence, Verdict
from ml.evaluate.figures import SEEN
from ml.manifest import Label, Manifest, ManifestRow, Source, Split
from viewer.core import audit_words as words
from viewer.core.audit_words import Deed


def check(
    name: str, verdict: Verdict, *figures: Figure, cure: str = "Do it.", **values: object
) -> Check:
    known = {"question": questions.LESION, "column": "split", **values}
    return Check(
        Sentence.of(name, **known),
        verdict,
        Sentence.of("As the audit says it (AUC 0.93, V = 0.7).", **known),
        Sentence.of(cure, **known),
        figures,
    )


def test_checks_are_called_as_the_audit_calls_them() -> None:
    assert words.COLUMN == table.COLUMN
    assert words.COLUMNS == table.LABEL_COLUMNS
    assert words.ONE_SOURCE == table.ONE_SOURCE
    assert (words.BLIND, words.CODEC) == (probes.BLIND, probes.CODEC)
    assert (words.WITHIN, words.ACROSS) == (probes.WITHIN, probes.ACROSS)
    assert (words.SOURCE, words.AREA) == (probes.SOURCE, probes.AREA)
    named = [one.name.template for one in auditing._table_checks(Manifest(Path(), ()), (), {})]
    assert words.TWO_ANSWERS in named


def test_what_two_splits_share_is_mended_and_nothing_else_of_the_leaks() -> None:
    rows = (
        ManifestRow("a.dcm", "A", split=Split.TRAIN, source=Source.REAL),
        ManifestRow("b.dcm", "A", split=Split.TEST, source=Source.REAL),
        ManifestRow("c.dcm", "C", split=Split.TEST, source=Source.GENERATED),
        ManifestRow("d.dcm", "D", split=Split.TEST, source=Source.PHANTOM),
    )
    found = [one for one in leaks.leak_checks(rows, {}) if one.verdict is Verdict.RED]
    assert [words.deeds_of(one) for one in found] == [(Deed.MEND,), (Deed.MEND,), ()]


def test_a_column_is_told_in_words_and_how_closely_it_goes() -> None:
    rows = tuple(
        ManifestRow(
            f"{n}.dcm",
            f"P{n}",
            label=(Label.NORMAL, Label.BENIGN)[n % 2],
            split=(Split.TEST, Split.TRAIN)[n % 2],
            source=Source.REAL,
        )
        for n in range(40)
    )
    (asked,) = questions.questions_of(Manifest(Path(), rows))
    found = next(one for one in table.column_checks(asked, {}) if one.cure)
    text, tip = words.figure_of(found)
    assert text == "goes with it closely"
    assert "Cramér's V 1.00" in tip
    purpose = "purpose (training, validation or testing)"
    assert words.name_of(found) == f"lesion or none, by the {purpose}"
    said = words.reason_of(found)
    assert said.startswith(f"The {purpose} goes closely with the answer")
    assert "images with a lesion have mostly “train”" in said
    assert "V =" not in said
    (cure,) = words.cures_of(AuditReport("d", 40, 40, (found,)))
    assert f"so that the {purpose} is shared out" in cure.text
    assert cure.deeds == (), "no image that is made changes what images are for"


@pytest.mark.parametrize(
    ("name", "verdict", "figure", "text", "tip"),
    [
        (words.COLUMN, Verdict.AMBER, Figure("split", 0.4), "goes with it in part", "V 0.40"),
        (words.COLUMNS, Verdict.GREEN, Figure("view", 0.1), "hardly goes with it", "V 0.10"),
        (words.SOURCE, Verdict.RED, Figure("V", 0.7), "goes with it closely", "V 0.70"),
        (
            words.BLIND,
            Verdict.RED,
            Figure(words.AREA, 0.934),
            "right in 93 of 100 pairs",
            "ROC curve: 0.93",
        ),
        (
            words.WITHIN,
            Verdict.RED,
            Figure("pooled", 0.8),
            "right in 80 of 100 pairs",
            "ROC curve: 0.80",
        ),
        (words.PATIENTS, Verdict.RED, Figure("found", 2), "found 2", ""),
        (words.ONE_SOURCE, Verdict.RED, Figure("real: images", 0), "", ""),
    ],
)
def test_figures_are_told_in_words(
    name: str, verdict: Verdict, figure: Figure, text: str, tip: str
) -> None:
    told = words.figure_of(check(name, verdict, figure))
    assert told[0] == text
    assert tip in told[1]
    assert bool(tip) == bool(told[1])


def test_reasons_are_told_without_measures() -> None:
    hidden = check(words.BLIND, Verdict.RED, area="0.98", limit="0.61")
    assert "in 98 of 100 pairs" in words.reason_of(hidden)
    assert "guessing seldom passes 61" in words.reason_of(hidden)
    within = check(words.WITHIN, Verdict.AMBER, pooled="0.80", within="0.55")
    assert "right in 80 of 100 pairs) than within them (55)" in words.reason_of(within)


def test_what_is_not_known_is_said_as_the_audit_says_it() -> None:
    said = "As the audit says it (AUC 0.93, V = 0.7)."
    assert words.reason_of(check("A check of later", Verdict.RED)) == said
    # Known by name, with other values than these words are made of.
    assert words.reason_of(check(words.BLIND, Verdict.RED)) == said
    assert words.figure_of(Check(Sentence.of("None"), Verdict.GREEN, Sentence())) == ("", "")


@pytest.mark.parametrize(
    ("name", "verdict", "column", "made"),
    [
        (words.ONE_SOURCE, Verdict.RED, "", True),
        (words.TWO_ANSWERS, Verdict.AMBER, "", True),
        (words.COLUMN, Verdict.RED, "density", True),
        (words.COLUMN, Verdict.RED, "header: bits stored", False),
        (words.BLIND, Verdict.AMBER, "", True),
        (words.BLIND, Verdict.RED, "", False),
        (words.CODEC, Verdict.AMBER, "", False),
    ],
)
def test_images_are_made_for_what_images_can_cure(
    name: str, verdict: Verdict, column: str, made: bool
) -> None:
    deeds = words.deeds_of(check(name, verdict, column=column))
    assert deeds == ((Deed.PLAN, Deed.USE) if made else ())


def test_a_cure_is_there_once_with_all_that_can_be_done() -> None:
    checks = (
        check(words.CODEC, Verdict.AMBER, cure="Look."),
        check(words.SOURCE, Verdict.RED, cure="Take both."),
        check(words.CODEC, Verdict.RED, cure="Take both."),
        check("Fine", Verdict.GREEN, cure="Never."),
    )
    both, look = words.cures_of(AuditReport("d", 4, 4, checks))
    assert (both.text, both.deeds) == ("Take both.", (Deed.PLAN, Deed.USE))
    assert (look.text, look.deeds) == ("Look.", ())


def test_figures_of_a_card_are_named_in_words() -> None:
    named = words.figure_name(f"sensitivity at 0.5 false marks per lesion-free image, {SEEN}")
    assert named == (
        "lesions found at 0.5 false marks on an image without any "
        "(only lesions that can well be seen)"
    )
    assert words.figure_name("AUC, lesion") == "with and without a lesion told apart"
    assert words.figure_name("something else") == "something else"
    assert words.figure_value("AUC, lesion", 0.684) == "right in 68 of 100 pairs"
    assert words.figure_number("AUC, lesion", 0.49) == "49"
    assert words.figure_value("sensitivity at 1 false marks", 0.5) == "50 %"
    assert words.figure_value("density, weighted kappa", 0.87) == "0.87"
