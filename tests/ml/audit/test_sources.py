"""Two collections are two sources, as real and generated are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ml.audit.questions import LESION, Question
from ml.audit.report import Verdict
from ml.audit.sources import FEWEST, OTHERS, chance_of_one, sources_of
from ml.audit.table import one_source_check
from ml.manifest import ManifestRow, Source


def asked(
    places: list[str],
    answers: list[bool],
    column: str = "data_set",
    source: Source | None = None,
) -> Question:
    rows = tuple(
        ManifestRow(f"{n}.dcm", f"p{n}", source=source, extra={column: place} if place else {})
        for n, place in enumerate(places)
    )
    return Question(LESION, rows, np.array(answers))


HEALTHY_OF_ONE = ["A"] * 20 + ["A"] * 10 + ["B"] * 10
HALF = [False] * 20 + [True] * 20


@pytest.mark.parametrize(
    "column",
    ["data_set", "collection", "Institution", "site_id", "vendor", "manufacturer"],
)
def test_an_answer_from_one_place_is_red_as_from_one_source(column: str) -> None:
    check = one_source_check(asked(HEALTHY_OF_ONE, HALF, column, Source.REAL))
    assert check.verdict is Verdict.RED
    assert "images without come from one source (real, A)" in str(check.reason)
    assert [f.value for f in check.figures if f.name == "real, B: images with a lesion"] == [10]


def test_places_with_both_answers_pass() -> None:
    both = ["A", "B"] * 20
    assert one_source_check(asked(both, HALF)).verdict is Verdict.GREEN
    assert one_source_check(asked([""] * 40, HALF)).verdict is Verdict.GREEN


def test_one_place_by_chance_is_no_flaw_but_one_source_always_is() -> None:
    # Of forty women two from B, both with a lesion: one in four sharings is like that.
    places = ["A"] * 38 + ["B"] * 2
    question = asked(places, HALF)
    chance = chance_of_one(np.array(places), question.patients, ~question.answers, "A")
    assert chance == pytest.approx(20 * 19 / (40 * 39))
    assert one_source_check(question).verdict is Verdict.GREEN
    rows = tuple(
        replace(row, source=Source.GENERATED if place == "B" else Source.REAL, extra={})
        for row, place in zip(question.rows, places, strict=True)
    )
    assert one_source_check(replace(question, rows=rows)).verdict is Verdict.RED


def test_chance_is_counted_in_women() -> None:
    rows = [ManifestRow(f"{n}", f"p{n // 4}") for n in range(16)]
    patients = [row.patient_id for row in rows]
    sources = np.array(["A"] * 12 + ["B"] * 4)
    healthy = np.arange(16) < 8
    # Two of four women, all of the three of A.
    assert chance_of_one(sources, patients, healthy, "A") == pytest.approx(3 / 6)


def test_the_data_set_is_asked_before_the_maker_and_a_column_of_one_word_not_at_all() -> None:
    rows = [
        ManifestRow(
            f"{n}",
            f"p{n}",
            source=Source.REAL,
            extra={"vendor": "XY"[n % 2], "data_set": "one", "institution": "CD"[n // 10]},
        )
        for n in range(20)
    ]
    assert set(sources_of(rows).names) == {"real, C", "real, D"}
    assert set(sources_of(rows).words) == {"real"}


def test_places_of_few_women_count_as_one() -> None:
    places = ["A"] * 10 + ["B"] * (FEWEST - 1) + ["C"] + [""]
    names = sources_of(asked(places, [True] * len(places)).rows).names
    assert list(names) == ["A"] * 10 + [OTHERS] * FEWEST + [""]
