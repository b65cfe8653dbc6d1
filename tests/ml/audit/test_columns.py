"""Which columns are looked at: by how many values they have, whatever they are called."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ml.audit import table
from ml.audit.columns import UNTOLD, header_words, known_columns
from ml.audit.naming import IS_LABEL, IS_NAME, says_label, speaks_of_lesion
from ml.audit.questions import LESION, Question
from ml.audit.report import Check, Figure, Verdict
from ml.audit.table import column_checks, left_out_check
from ml.mammo.codes import ImageKind, Laterality, ViewPosition
from ml.mammo.mammogram import Acquisition, Evidence, Mammogram, Patient, PixelFormat
from ml.manifest import ManifestRow, Source

WOMEN = 40


def asked(columns: dict[str, list[str]], images: int = 1) -> Question:
    """Forty women, the second half with a lesion; columns say one word a woman."""
    rows = tuple(
        ManifestRow(
            f"{woman}-{image}.dcm",
            f"p{woman}",
            extra={name: words[woman] for name, words in columns.items() if words[woman]},
        )
        for woman in range(WOMEN)
        for image in range(images)
    )
    answers = np.arange(WOMEN).repeat(images) >= WOMEN // 2
    return Question(LESION, rows, answers)


def halves(healthy: str, lesion: str) -> list[str]:
    return [healthy] * (WOMEN // 2) + [lesion] * (WOMEN // 2)


def checked(columns: dict[str, list[str]], images: int = 1) -> dict[str, Verdict]:
    """The verdict by what each check is of."""
    found = column_checks(asked(columns, images), {})
    return {dict(c.name.values).get("column", ""): c.verdict for c in found}


@pytest.mark.parametrize(
    "name",
    [
        "generator_id",
        "prompt_hash",
        "weights_sha256",
        "site_id",
        "scanner_id",
        "vendor_name",
        "hospital_name",
        "file_format",
        "patient_position",
        "cancer_center",
        "label_source",
        "Massachusetts",
        "recalculated",
    ],
)
def test_two_values_that_are_the_answer_are_red_whatever_the_column_is_called(
    name: str,
) -> None:
    assert checked({name: halves("a", "b")}) == {name: Verdict.RED, "": Verdict.GREEN}


@pytest.mark.parametrize(
    "name",
    [
        *("pathology", "Bi-Rads", "breast_birads", "mass_shape", "LesionType", "severity"),
        *("calc distribution", "finding_categories", "biopsy_date", "label", "masstype"),
        *("other_findings", "single_calcifications", "recalled", "tumor grade", "diagnosis"),
    ],
)
def test_another_word_for_the_label_stains_no_sound_set(name: str) -> None:
    assert says_label(name)
    assert checked({name: halves("no", "yes")}) == {"": Verdict.GREEN}
    question = asked({name: halves("no", "yes")})
    assert name in str(left_out_check(question.rows, {}).reason)


@pytest.mark.parametrize("name", ["cancer_site", "mass_general", "label_version"])
def test_a_name_that_speaks_of_the_lesion_and_of_more_is_looked_at_by_a_person(
    name: str,
) -> None:
    assert speaks_of_lesion(name)
    assert checked({name: halves("a", "b")}) == {name: Verdict.AMBER, "": Verdict.GREEN}
    (check, _) = column_checks(asked({name: halves("a", "b")}), {})
    assert f"{name} goes with the answer (V = 1.00)" in str(check.reason)
    assert "share it out" in str(check.cure)
    # Shared out alike, it is nothing to tell.
    assert checked({name: ["a", "b"] * (WOMEN // 2)}) == {"": Verdict.GREEN}


def test_unique_dates_become_years() -> None:
    forms = ("{y}{m:02}{d:02}", "{y}-{m:02}-{d:02}", "{d}.{m}.{y}", "{y}-{m:02}-{d:02}T09:30")
    for form in (*forms, "{m}/{d}/{y}", "{y}{m:02}{d:02}093000.0"):
        dates = [
            form.format(
                y=2010 if woman < WOMEN // 2 else 2020, m=1 + woman % 12, d=1 + woman % 28
            )
            for woman in range(WOMEN)
        ]
        assert set(known_columns(asked({"taken": dates}).rows).columns["taken"]) == {
            "2010",
            "2020",
        }, form
        assert checked({"taken": dates})["taken"] is Verdict.RED
    # Numbers that are no dates stay numbers.
    lengths = [f"{20101 + 7 * woman}" for woman in range(WOMEN)]
    assert "part 1" in known_columns(asked({"length": lengths}).rows).columns["length"]


def test_names_of_images_and_patients_are_left_out() -> None:
    each = [str(woman) for woman in range(WOMEN)]
    columns = {
        "seed": each,
        "sop_instance_uid": [f"1.2.{n}" for n in each],
        "accession_number": each,
        "PatientID": each,
        "note": [f"word{n}" for n in each],
        "thickness_mm": [f"{woman / 7:.3f}" for woman in range(WOMEN)],
        "host": halves("a", "b"),
        "same": ["yes"] * WOMEN,
        "prompt": [
            "a b in MLO view, left breast" + (", with a mass in the x" if n % 2 else "")
            for n in range(WOMEN)
        ],
    }
    for images in (1, 4):
        # Four images of a woman have one number: it is a name all the same.
        known = known_columns(asked(columns, images).rows)
        assert set(known.columns) == {"thickness_mm"}
        assert known.left_out == dict.fromkeys(
            ("seed", "sop_instance_uid", "accession_number", "PatientID", "note", "host"),
            IS_NAME,
        )
    # Forty different numbers become fifths.
    fifths = known_columns(asked(columns).rows).columns["thickness_mm"]
    assert [fifths.count(part) for part in sorted(set(fifths))] == [8] * 5


def test_a_name_that_few_rows_have_is_a_name_too() -> None:
    some = [f"a{woman}" if woman % 4 == 0 else "" for woman in range(WOMEN)]
    assert known_columns(asked({"referral": some}).rows).left_out == {"referral": IS_NAME}


def test_few_makers_of_few_women_are_looked_at() -> None:
    rows = tuple(
        ManifestRow(f"{n}.dcm", f"p{n % 4}", extra={"device": "abc"[n % 4 % 3]})
        for n in range(12)
    )
    assert set(known_columns(rows).columns) == {"device"}


def test_what_a_row_does_not_say_is_a_word_of_its_own() -> None:
    rows = [
        ManifestRow(f"{n}", f"p{n}", extra={"model": "sd"} if n < 10 else {}) for n in range(20)
    ]
    assert set(known_columns(rows).columns["model"]) == {"sd", UNTOLD}


def mammogram(view: ViewPosition | None, side: Laterality | None) -> Mammogram:
    return Mammogram(
        Path("a.dcm"),
        ImageKind.DIGITAL,
        *("1.2", "1.3", "1.4", "", ""),
        patient=Patient(),
        acquisition=Acquisition(),
        rows=10,
        columns=8,
        frames=1,
        pixel_format=PixelFormat(12),
        view=Evidence(view, "header") if view else None,
        laterality=Evidence(side, "header") if side else None,
    )


def test_a_view_and_a_side_that_only_the_header_knows_are_columns() -> None:
    question = asked({})
    headers = {
        row.path: header_words(
            mammogram(
                ViewPosition.MLO if yes else ViewPosition.CC,
                Laterality.LEFT if yes else Laterality.RIGHT,
            )
        )
        for row, yes in zip(question.rows, question.answers, strict=True)
    }
    red = {str(c.name) for c in column_checks(question, headers) if c.verdict is Verdict.RED}
    assert red == {"lesion or none, by view", "lesion or none, by laterality"}
    # What the table says counts, and once only.
    rows = tuple(replace(row, view=ViewPosition.CC) for row in question.rows)
    known = known_columns(rows, [headers[row.path] for row in rows])
    assert "view" not in known.columns
    assert not {"header: view", "header: laterality"} & set(known.columns)
    assert set(known.columns["laterality"]) == {"L", "R"}
    silent = header_words(mammogram(None, None))
    assert "view" not in known_columns(question.rows, [silent] * WOMEN).columns


def test_amber_and_red_begin_above_their_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    question = Question(
        LESION,
        tuple(ManifestRow(f"{n}", f"p{n}", source=tuple(Source)[n % 2]) for n in range(8)),
        np.arange(8) < 4,
    )

    def verdict(value: float) -> Verdict:
        monkeypatch.setattr(table, "association", lambda name, *_: Figure(name, value))
        found: list[Check] = list(column_checks(question, {}))
        return found[0].verdict

    assert verdict(0.3) is Verdict.GREEN
    assert verdict(0.3001) is Verdict.AMBER
    assert verdict(0.6) is Verdict.AMBER
    assert verdict(0.6001) is Verdict.RED


def test_why_a_column_was_left_out_is_told() -> None:
    each = [f"x{n}" for n in range(WOMEN)]
    columns = {"exam": each, "birads": halves("1", "4"), "reason": halves("", "blurred")}
    known = known_columns(asked(columns).rows)
    assert known.left_out == {"exam": IS_NAME, "birads": IS_LABEL, "reason": IS_LABEL}
    said = str(left_out_check(asked(columns).rows, {}).reason)
    assert "nearly one value each: exam;" in said
    assert "describe the lesion: birads, reason." in said
