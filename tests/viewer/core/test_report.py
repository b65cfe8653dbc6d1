from pathlib import Path

import pytest

from ml.errors import ReadError
from viewer.core.errors import SettingsError
from viewer.core.report import error_report, program_version, versions
from viewer.core.settings import settings_from_toml

SECRET = "TEST^SECRET"


def broken(path: str) -> None:
    try:
        {}[path]
    except KeyError as error:
        raise ValueError(f"no such patient: {path}") from error


def caught(path: str) -> ValueError:
    with pytest.raises(ValueError, match="no such patient") as info:
        broken(path)
    return info.value


def test_a_report_says_what_broke_and_where_through_all_causes():
    report = error_report(caught("x"))
    assert "builtins.ValueError" in report
    assert "builtins.KeyError" in report
    assert "test_report.py" in report
    assert " broken" in report


def test_a_report_holds_no_message_and_no_home():
    report = error_report(caught(SECRET))
    assert SECRET not in report
    assert str(Path.home()) not in report
    assert str(Path(__file__).parent) not in report


def test_a_known_error_gives_its_template_without_its_values():
    error = ReadError("{name} is short.", name=SECRET, detail="Rows 9")
    report = error_report(error)
    assert "{name} is short. Rows 9" in report
    assert SECRET not in report


def test_places_in_the_program_are_told_from_its_root():
    with pytest.raises(SettingsError) as info:
        settings_from_toml("= =")
    assert "viewer/core/settings.py:" in error_report(info.value)


def test_an_error_that_causes_itself_ends():
    error = ValueError()
    error.__cause__ = error
    assert error_report(error).count("builtins.ValueError") == 1


def test_the_program_knows_its_version():
    assert program_version()[0].isdigit()
    assert dict(versions())["PySide6"] != "unknown"
