"""What becomes of older libraries, and that the three descriptions of the tables agree."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from tests.factories.analyses import FOUR_VIEWS, MODELS, make_analysis
from tests.factories.words import make_decision
from viewer.core.errors import LibraryError
from viewer.core.state import Reading
from viewer.library import database
from viewer.library.database import MIGRATIONS, open_database
from viewer.library.library import Library, RecentStudy
from viewer.library.migrating import back_up, migrate, take_back
from viewer.library.schema import metadata

UIDS = tuple(f"1.2.3.{title}" for title in FOUR_VIEWS)
# As version 0.1.0 wrote it.
HAND_MADE = """
    CREATE TABLE studies (
        uid TEXT PRIMARY KEY,
        path TEXT NOT NULL,
        label TEXT NOT NULL,
        opened_at TEXT NOT NULL
    ) STRICT;
    CREATE TABLE readings (
        uid TEXT PRIMARY KEY,
        before TEXT NOT NULL,
        after TEXT NOT NULL,
        revealed_at TEXT NOT NULL,
        seen_before INTEGER NOT NULL,
        reader TEXT NOT NULL
    ) STRICT;
    CREATE TABLE analyses (
        sop_instance_uid TEXT NOT NULL,
        model_hashes TEXT NOT NULL,
        content TEXT NOT NULL,
        PRIMARY KEY (sop_instance_uid, model_hashes)
    ) STRICT;
    PRAGMA user_version = 1;
"""
OPENS = """
import sys
from pathlib import Path
from viewer.library.library import Library
library = Library(Path(sys.argv[1]))
print(library.sentence or len(library.recent_studies()), library.place is not None)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "100 % new" / "library.sqlite"


def make_old(path: Path) -> None:
    """A library of version 0.1.0 with one row in each table."""
    path.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("PRAGMA journal_mode = WAL;" + HAND_MADE)
        connection.execute("INSERT INTO studies VALUES ('1.2', '/a', 'A', '2026-01-01')")
        connection.execute("INSERT INTO readings VALUES ('1.2', '{}', '{}', '', 1, 'B')")
        connection.commit()


def schema_of(connection: sqlite3.Connection) -> dict[str, str]:
    rows = connection.execute(
        "SELECT name, sql FROM sqlite_master"
        " WHERE sql IS NOT NULL AND name != 'sqlite_sequence'"
    )
    return {name: " ".join(sql.split()) for name, sql in rows}


def test_an_older_library_is_brought_up_to_date_without_loss(path: Path) -> None:
    make_old(path)
    library = Library(path)
    assert library.sentence == ""
    assert library.recent_studies() == (RecentStudy("1.2", "/a", "A", "2026-01-01"),)
    assert library.reading_of("1.2") == Reading(seen_before=True)
    library.keep_analysis(make_analysis())
    assert library.analysis_of(UIDS, MODELS) is not None
    library.remember_study(RecentStudy("1.2", "/a", "A", "2026-01-02", {"1.2.3": "/a/1"}))
    assert library.files_of("1.2") == (("1.2.3", "/a/1"),)
    library.close()


def test_a_copy_is_kept_of_what_was_before_a_migration(path: Path) -> None:
    make_old(path)
    Library(path).close()
    with closing(sqlite3.connect(f"{path}.version-1")) as copy:
        assert copy.execute("SELECT uid FROM studies").fetchall() == [("1.2",)]
        assert copy.execute("PRAGMA user_version").fetchone() == (1,)


def test_a_migration_that_fails_leaves_the_library_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_old(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE jobs (in_the_way TEXT)")
        before = schema_of(connection)
    library = Library(path)
    assert "nothing is kept" in library.sentence
    assert library.place is None
    library.close()
    with closing(sqlite3.connect(path)) as connection:
        assert schema_of(connection) == before
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)


def test_a_new_library_is_what_the_migrations_make() -> None:
    made, migrated = (sqlite3.connect(":memory:") for _ in range(2))
    migrate(migrated)
    database._brought_up(made)
    assert schema_of(made) == schema_of(migrated), "put the right side into new_library.py"
    for query in ("PRAGMA user_version", "SELECT version_num FROM alembic_version"):
        assert made.execute(query).fetchall() == migrated.execute(query).fetchall()
    assert made.execute("SELECT version_num FROM alembic_version").fetchone() == (
        MIGRATIONS[-1],
    )
    made.close()
    migrated.close()


def test_the_tables_are_described_as_the_migrations_make_them(tmp_path: Path) -> None:
    described = create_engine(f"sqlite:///{tmp_path / 'described.sqlite'}")
    metadata.create_all(described)
    described.dispose()
    with (
        closing(sqlite3.connect(tmp_path / "described.sqlite")) as connection,
        closing(sqlite3.connect(":memory:")) as migrated,
    ):
        migrate(migrated)
        made = schema_of(migrated)
        del made["alembic_version"]
        assert schema_of(connection) == made


def test_every_revision_stands_in_the_list() -> None:
    folder = Path(database.__file__).parent / "migrations" / "versions"
    found = sorted(each.name[1:5] for each in folder.glob("v*.py"))
    assert tuple(found) == MIGRATIONS


def test_a_library_can_be_copied_while_it_is_written(path: Path, tmp_path: Path) -> None:
    library = Library(path)
    library.remember_study(RecentStudy("1.2", "/a", "A", "2026-01-01"))
    back_up(path, tmp_path / "copy.sqlite")
    library.close()
    copy = Library(tmp_path / "copy.sqlite")
    assert [study.uid for study in copy.recent_studies()] == ["1.2"]
    copy.close()


def test_opening_imports_neither_sqlalchemy_nor_alembic(path: Path) -> None:
    code = OPENS + "print([n for n in ('sqlalchemy', 'alembic') if n in sys.modules])"
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", code, path], capture_output=True, check=True, text=True
        )
        assert done.stdout.split("\n")[:2] == ["0 True", "[]"]


def test_two_programs_migrate_one_library_once(path: Path) -> None:
    make_old(path)
    command = [sys.executable, "-c", OPENS, str(path)]
    programs = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    assert [p.communicate()[0].strip() for p in programs] == [b"1 True", b"1 True"]
    connection, sentence = open_database(path)
    assert sentence == ""
    assert connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)
    connection.close()


def test_the_readers_word_can_be_kept_in_a_library_of_version_two(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        migrate(connection)
        for name in ("decisions", "outcomes", "shadows"):
            connection.execute(f"DROP TABLE {name}")
        connection.execute("UPDATE alembic_version SET version_num = '0002'")
        connection.execute("PRAGMA user_version = 2")
        connection.execute("INSERT INTO readings VALUES ('1.2', '{}', '{}', '', 1, 'B')")
        connection.commit()
    library = Library(path)
    decision = make_decision()
    library.add_words([("1.2", "row", decision)])
    assert library.decisions_of("1.2") == (decision,)
    assert library.reading_of("1.2") == Reading(seen_before=True)
    library.close()
    with closing(sqlite3.connect(f"{path}.version-2")) as copy:
        assert copy.execute("PRAGMA user_version").fetchone() == (2,)


def test_a_library_goes_back_to_what_an_older_version_knows(path: Path) -> None:
    make_old(path)
    library = Library(path)
    library.remember_study(RecentStudy("1.2", "/a", "A", "2026-01-02", {"1.2.3": "/a/1"}))
    library.keep_analysis(make_analysis())
    library.close()
    for revision in range(len(MIGRATIONS) - 1, 0, -1):
        take_back(path, revision)
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA user_version").fetchone() == (revision,)
            assert ("shadows" in schema_of(connection)) is (revision >= 4)
            assert ("decisions" in schema_of(connection)) is (revision >= 3)
            assert ("files" in schema_of(connection)) is (revision >= 2)
            (count,) = connection.execute("SELECT count(*) FROM analyses").fetchone()
            assert count == len(UIDS)
    again = Library(path)
    assert again.sentence == ""
    assert again.recent_studies() == (RecentStudy("1.2", "/a", "A", "2026-01-02"),)
    assert again.analysis_of(UIDS, MODELS) is not None
    again.close()
    # What only the newer version keeps is in the copy.
    with closing(sqlite3.connect(f"{path}.version-{len(MIGRATIONS)}")) as copy:
        assert copy.execute("SELECT path FROM files").fetchall() == [("/a/1",)]


def test_a_library_that_somebody_writes_does_not_go_back(path: Path) -> None:
    Library(path).close()
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LibraryError, match="close all windows"):
            take_back(path, 1)
        other.execute("ROLLBACK")
        before = schema_of(other)
    take_back(path, len(MIGRATIONS))
    take_back(path.with_name("none.sqlite"), 1)
    with closing(sqlite3.connect(path)) as connection:
        assert schema_of(connection) == before
    assert not path.with_name("none.sqlite").exists()
