"""The library's database: one SQLite file, opened, brought up to date, or set aside."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from ml.texts import mark, translate
from viewer.core.errors import LibraryError
from viewer.library.migrations import MIGRATIONS

if TYPE_CHECKING:
    from pathlib import Path

_log = logging.getLogger("viewer.library")

_BUSY_S = 2.0


def open_database(path: Path) -> tuple[sqlite3.Connection, str]:
    """Open the library's file, making it where there is none.

    It is looked through only where it must be migrated: that takes two seconds a gigabyte, and
    otherwise it is for `is_whole`, off the GUI thread.

    Returns
    -------
    connection
        To the file; to memory alone where the file can be neither used nor replaced.
    sentence
        What to tell the user; empty where all is well.
    """
    try:
        return _opened(path), ""
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            return _in_memory(path, str(error))
        return replace_database(path)
    except LibraryError as error:
        return _brought_up(sqlite3.connect(":memory:", check_same_thread=False)), str(error)
    except OSError as error:
        return _in_memory(path, str(error.strerror))


def is_kept(connection: sqlite3.Connection) -> bool:
    """Whether there is a file behind a connection."""
    (_, _, file) = connection.execute("PRAGMA database_list").fetchone()
    return bool(file)


def name_of_error(error: sqlite3.Error) -> str:
    """For the log, the name alone: a message could quote a value."""
    # Python's own errors have no SQLite name.
    return str(getattr(error, "sqlite_errorname", type(error).__name__))


def is_whole(path: Path) -> bool:
    """Look through the library's file; True also where it cannot be looked at now."""
    try:
        with closing(sqlite3.connect(path, timeout=_BUSY_S)) as connection:
            _check(connection)
    except sqlite3.OperationalError as error:
        # Another program's lock, a disk that fails: no word on the content.
        _log.warning("the library could not be looked through: %s", name_of_error(error))
    except sqlite3.DatabaseError:
        return False
    return True


def replace_database(path: Path) -> tuple[sqlite3.Connection, str]:
    """Set a damaged file aside and begin anew; returned is what `open_database` returns."""
    aside = path.with_name(path.name + ".broken")
    try:
        path.replace(aside)
        # An orphaned write-ahead log would be applied to the new file.
        for suffix in ("-wal", "-shm"):
            beside = path.with_name(path.name + suffix)
            if beside.exists():
                beside.replace(aside.with_name(aside.name + suffix))
        connection = _opened(path)
    except (OSError, sqlite3.Error) as error:
        return _in_memory(path, str(error))
    text = translate("The library was damaged; it was set aside as {aside} and begun anew.")
    return connection, text.format(aside=aside)


def _opened(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=_BUSY_S, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        # With a write-ahead log, NORMAL loses no more than the last moment at a power cut.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        return _brought_up(connection, path)
    except (sqlite3.Error, LibraryError):
        connection.close()
        raise


def _check(connection: sqlite3.Connection) -> None:
    with closing(connection.execute("PRAGMA quick_check(1)")) as cursor:
        (verdict,) = cursor.fetchone()
    if verdict != "ok":
        raise sqlite3.DatabaseError(verdict)


def _brought_up(connection: sqlite3.Connection, path: Path | None = None) -> sqlite3.Connection:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise LibraryError(
            mark(
                "The library was written by a newer version of the program; nothing is kept "
                "until that version is used again."
            )
        )
    if version == 0:
        version = _begun(connection)
    if version < len(MIGRATIONS):
        # Alembic is imported where it is needed, and on no ordinary start.
        from viewer.library.migrating import migrate

        _check(connection)
        migrate(connection, path)
    return connection


def _begun(connection: sqlite3.Connection) -> int:
    """Make a new library's tables in one go; return how many revisions the file has."""
    from viewer.library.new_library import STATEMENTS

    level, connection.isolation_level = connection.isolation_level, None
    try:
        connection.execute("BEGIN IMMEDIATE")
        try:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if version == 0 and tables == 0:
                for statement in STATEMENTS:
                    connection.execute(statement)
                version = len(MIGRATIONS)
                connection.execute(f"PRAGMA user_version = {version}")
        except sqlite3.Error:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
    finally:
        connection.isolation_level = level
    return version


def _in_memory(path: Path, why: str) -> tuple[sqlite3.Connection, str]:
    connection = _brought_up(sqlite3.connect(":memory:", check_same_thread=False))
    text = translate("The library at {path} cannot be used ({why}); nothing is kept.")
    return connection, text.format(path=path, why=why)
