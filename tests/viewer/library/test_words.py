"""The reader's words: all are kept, in their order, whoever else writes."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from ml.mammo.codes import Laterality
from tests.factories.words import make_decision, make_outcome
from viewer.core.decision import Standing
from viewer.core.errors import LibraryError
from viewer.core.read_study import Status
from viewer.core.state import Impression, Reading
from viewer.library.library import Library

WRITES = """
import sys
from pathlib import Path
from tests.factories.words import make_decision
from viewer.library.library import Library
library = Library(Path(sys.argv[1]))
decision = make_decision()
for number in range(40):
    library.add_words([("1.2", f"{sys.argv[2]}-{number}", decision)])
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "library.sqlite"


def test_every_word_comes_back_in_its_order(path: Path) -> None:
    first = make_decision()
    second = replace(first, standing=Standing.REJECTED)
    library = Library(path)
    library.add_words([("1.2", "a", first), ("1.2", "b", make_outcome())])
    library.add_words([("1.2", "c", second), ("9", "d", first)])
    library.close()
    again = Library(path)
    assert again.decisions_of("1.2") == (first, second)
    assert again.outcomes_of("1.2") == (make_outcome(),)
    assert again.decisions_of("2") == ()
    again.close()


def test_the_columns_say_what_is_asked_for_most(path: Path) -> None:
    decision = make_decision()
    synthetic = replace(decision.circumstances, synthetic=True)
    library = Library(path)
    library.add_words([("1.2", "a", replace(decision, circumstances=synthetic))])
    library.close()
    with closing(sqlite3.connect(path)) as connection:
        row = connection.execute(
            "SELECT standing, reader, at, marks_shown, marks_seen, synthetic FROM decisions"
        ).fetchone()
    assert row == ("accepted", "Dr. A. Reader", "2026-01-01T10:00:00Z", 1, 1, 1)


def test_a_word_that_is_written_twice_is_there_once(path: Path) -> None:
    library = Library(path)
    for _ in range(2):
        library.add_words([("1.2", "a", make_decision())])
    assert len(library.decisions_of("1.2")) == 1
    library.close()


def test_a_word_that_cannot_be_written_is_told(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    library = Library(path)
    library.close()
    with pytest.raises(LibraryError, match="could not be written"):
        library.add_words([("1.2", "a", make_decision())])
    caplog.clear()


def test_a_row_that_is_not_understood_does_not_hide_the_others(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    library = Library(path)
    library.add_words([("1.2", "a", make_decision()), ("1.2", "b", make_outcome())])
    with closing(sqlite3.connect(path)) as connection:
        for table in ("decisions", "outcomes"):
            connection.execute(
                f"INSERT INTO {table} SELECT 99, 'new', study_uid, "
                + ("sop_instance_uid, mark, standing" if table == "decisions" else "laterality")
                + f", reader, at, marks_shown, marks_seen, synthetic, '{{}}' FROM {table}"
            )
        connection.commit()
    assert len(library.decisions_of("1.2")) == 1
    assert [each.laterality for each in library.outcomes_of("1.2")] == [Laterality.RIGHT]
    assert "cannot be understood" in caplog.text
    caplog.clear()
    library.close()


def test_a_damaged_library_takes_the_words_of_this_session_along(path: Path) -> None:
    library = Library(path)
    library.add_words([("1.2", "a", make_decision())])
    library._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        file.seek(4096 * 2)
        file.write(b"\xff" * 4096 * 6)
    assert "set aside" in library.check()
    assert len(library.decisions_of("1.2")) == 1
    library.close()


def test_two_programs_write_into_one_library(path: Path) -> None:
    Library(path).close()
    root = Path(__file__).resolve().parents[3]
    programs = [
        subprocess.Popen([sys.executable, "-c", WRITES, str(path), name], cwd=root)
        for name in "ab"
    ]
    assert [program.wait() for program in programs] == [0, 0]
    library = Library(path)
    assert len(library.decisions_of("1.2")) == 80
    assert library.check() == ""
    library.close()


def say(path: Path, study: str, name: str, side: Laterality, recall: bool | None) -> None:
    library = Library(path)
    outcome = replace(make_outcome(), laterality=side, recall=recall)
    library.add_words([(study, name, outcome)])
    library.close()


def test_the_latest_outcome_of_each_breast_says_where_a_study_stands(path: Path) -> None:
    right, left = Laterality.RIGHT, Laterality.LEFT
    say(path, "recalled", "a", right, recall=True)
    say(path, "recalled", "b", left, recall=False)
    say(path, "thought again", "c", right, recall=True)
    say(path, "thought again", "d", right, recall=False)
    say(path, "proven", "e", left, recall=None)
    say(path, "not asked", "f", left, recall=True)
    library = Library(path)
    assert library.statuses_of(["recalled", "thought again", "proven", "unread"]) == {
        "recalled": Status.RECALLED,
        "thought again": Status.READ,
        "proven": Status.READ,
    }
    library.close()


def test_a_study_that_was_only_looked_at_is_unread(path: Path) -> None:
    library = Library(path)
    normal = {Laterality.RIGHT: Impression.NORMAL}
    library.keep_reading("opened", Reading())
    library.keep_reading("seen", Reading(seen_before=True))
    library.keep_reading("revealed", Reading(revealed_at="2026-01-01T10:00:00Z"))
    library.keep_reading("before", Reading(before=normal))
    library.keep_reading("after", Reading(after=normal))
    found = library.statuses_of(["opened", "seen", "revealed", "before", "after"])
    assert found == dict.fromkeys(("revealed", "before", "after"), Status.READ)
    library.close()


def test_a_damaged_word_hides_no_status(path: Path) -> None:
    say(path, "1", "a", Laterality.RIGHT, recall=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE outcomes SET content = '{'")
        connection.commit()
    say(path, "2", "b", Laterality.RIGHT, recall=True)
    library = Library(path)
    assert library.statuses_of(["1", "2"]) == {"2": Status.RECALLED}
    library.close()


def test_ten_thousand_studies_are_asked_for_at_once(path: Path) -> None:
    say(path, "7", "a", Laterality.RIGHT, recall=True)
    library = Library(path)
    began = time.thread_time()
    found = library.statuses_of([str(number) for number in range(10000)])
    assert time.thread_time() - began < 1
    assert found == {"7": Status.RECALLED}
    library.close()
