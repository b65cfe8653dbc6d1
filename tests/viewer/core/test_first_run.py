"""What is said and kept at a first run."""

from __future__ import annotations

from datetime import date

import pytest

from viewer.core.first_run import (
    STATEMENT_VERSION,
    Computing,
    Screen,
    accept,
    check_display,
    computing_sentence,
    is_accepted,
    screen_lines,
    screen_meaning,
    was_seen,
)
from viewer.core.settings import Settings, settings_from_toml, settings_to_toml

DAY = date(2026, 11, 30)


def test_what_was_accepted_survives_the_settings_file() -> None:
    assert not is_accepted(Settings())
    accepted = accept(Settings(), DAY)
    assert accepted.accepted == f"{STATEMENT_VERSION} 2026-11-30"
    assert is_accepted(settings_from_toml(settings_to_toml(accepted)))


@pytest.mark.parametrize("kept", ["", "0 2026-11-30", "yes", "-1 2026-11-30", " 1"])
def test_an_older_statement_or_none_is_asked_for(kept: str) -> None:
    assert not is_accepted(Settings(accepted=kept))


def test_whether_the_squares_were_seen_is_kept_with_its_day() -> None:
    seen = check_display(Settings(), DAY, seen=True)
    unseen = check_display(Settings(), DAY, seen=False)
    assert (was_seen(seen), was_seen(unseen), was_seen(Settings())) == (True, False, False)
    assert seen.display_check.startswith("2026-11-30")


def test_screens_are_told_one_a_line() -> None:
    lines = screen_lines((Screen(2048, 2560, 10), Screen(1920, 1080, 8)))
    assert [line.partition(":")[0] for line in lines] == ["Screen 1", "Screen 2"]
    assert "5.2 million" in lines[0]
    assert "8 bits" in lines[1]


def test_a_small_screen_of_few_grays_is_said_to_be_one() -> None:
    small = screen_meaning((Screen(1920, 1080, 8),))
    assert "one to one" in small
    assert "256 grays" in small
    large = screen_meaning((Screen(1920, 1080, 8), Screen(2048, 2560, 10)))
    assert "one to one" not in large
    assert "256 grays" not in large
    assert "calibrate" in large


def test_what_there_is_to_compute_with_is_said_with_its_meaning() -> None:
    assert "NVIDIA X" in computing_sentence(Computing(True, "NVIDIA X", True))
    assert "does not use it" in computing_sentence(Computing(True, "", False))
    assert "processor" in computing_sentence(Computing(False, "", True))
