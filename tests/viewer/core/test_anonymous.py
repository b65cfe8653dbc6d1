"""Identities are planted; none may come out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ml.errors import ReadError
from ml.mammo.mammogram import Patient
from tests.factories.analyses import make_image, make_study
from viewer.core.anonymous import identities_of, without_identity
from viewer.core.report import error_report

WOMAN = Patient(patient_id="PAT-4711", name="DOE^JANE MARY^^Dr", birth_date="19610203")


def planted() -> tuple[str, ...]:
    image = replace(
        make_image("RCC"),
        path=Path("/mnt/archive/Doe Jane 1961/IM0001"),
        patient=WOMAN,
        accession_number="ACC900",
    )
    return identities_of([replace(make_study(), images=(image,), patient=WOMAN)])


@pytest.mark.parametrize(
    "line",
    [
        "opened /home/jane/Doe Jane/x.dcm: short",
        "opened C:\\Users\\doe\\jane.dcm",
        "opened \\\\server\\share\\doe",
        "opened file:///mnt/doe%20jane/a",
        "opened ~/doe/a",
        "refused DOE-JANE.dcm and doe_jane.PNG",
        "study 1.2.840.113619.2.55.3.604688119.971 is there",
        "patient DOE^JANE is there",
        "patient Doe^Jane^M^^ is there",
    ],
)
def test_what_looks_like_an_identity_is_taken_out(line: str) -> None:
    told = without_identity(line).lower()
    for secret in ("doe", "jane", "113619"):
        assert secret not in told


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-30 00:32:10,123 INFO viewer.qt opened 3 studies, refused 0 files",
        "Mammoscope 0.1.0 and PySide6 6.11.3 at 12 / 40, 5 % and/or n/a",
        "  viewer/core/settings.py:12 read_settings",
    ],
)
def test_what_helps_to_mend_the_program_stays(line: str) -> None:
    assert without_identity(line) == line


def test_what_is_known_to_name_a_patient_is_taken_out_whatever_it_looks_like() -> None:
    line = "pat-4711 Jane mary DOE born 19610203, ACC900, archive: 'Doe Jane 1961' IM0001 JANE_"
    told = without_identity(line, planted()).lower()
    for secret in ("4711", "jane", "mary", "doe", "1961", "acc900", "archive", "im0001"):
        assert secret not in told
    assert "born" in told


def test_short_parts_and_the_programs_own_folders_are_no_identity() -> None:
    assert all(len(each) > 2 for each in planted())
    own = identities_of([make_study()])
    assert not {*Path.home().parts, *Path(__file__).resolve().parents[3].parts} & set(own)


def test_a_report_holds_log_and_models_but_nobody(tmp_path: Path) -> None:
    lines = ("INFO viewer opened 1 studies", "INFO ml read /mnt/DOE/1.dcm", "INFO ml PAT-4711")
    error = ReadError("{name} is short.", name="DOE^JANE", detail="PAT-4711, Rows 9")
    report = error_report(error, lines, planted())
    assert "detector: " in report
    assert "opened 1 studies" in report
    assert "Rows 9" in report
    for secret in ("DOE", "JANE", "4711", "/mnt"):
        assert secret not in report


def test_models_that_cannot_be_read_do_not_keep_a_report_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "detector").mkdir()
    (tmp_path / "detector" / "card.json").write_text("{")
    monkeypatch.setenv("MAMMOSCOPE_MODELS", str(tmp_path))
    report = error_report(ValueError("x"))
    assert "models: ModelError" in report
    assert str(tmp_path) not in report
