"""Bring a library's tables to another revision, after a copy of what it was: mostly the newest.

Alembic takes a fifth of a second to import, so this module is imported only where a library is
not at the newest revision: at the first start after an update.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from ml.files import replacing
from ml.texts import mark
from viewer.core.errors import LibraryError
from viewer.library.migrations import MIGRATIONS

if TYPE_CHECKING:
    from collections.abc import Callable

_BUSY_S = 5.0
_SCRIPTS = Path(__file__).resolve().parent / "migrations"


def migrate(connection: sqlite3.Connection, path: Path | None = None) -> None:
    """Bring the tables up to date: all of it or nothing, once however many programs start.

    Parameters
    ----------
    path
        Its file, of which a copy is made where there is something in it; None: none.

    Raises
    ------
    sqlite3.Error, OSError
        Where a table cannot be made, or the copy.
    """
    _whole(connection, lambda wrapped: _migrate(wrapped, path))


def take_back(path: Path, revision: int) -> None:
    """Bring a library's tables back to those that an older version of the program knows.

    What only the newer version keeps is in the copy that is made of the file before.

    Parameters
    ----------
    path
        The library's file; nothing is done where there is none.
    revision
        How many of the revisions the older version knows, 1 or more.

    Raises
    ------
    LibraryError
        Where it cannot be done; the file is as it was.
    """
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(path, timeout=_BUSY_S)) as connection:
            _whole(connection, lambda wrapped: _take_back(wrapped, path, revision))
    except (sqlite3.Error, OSError) as error:
        raise LibraryError(
            mark(
                "The library at {path} cannot be taken back ({why}); close all windows of the "
                "program and try again."
            ),
            path=path,
            why=str(error),
        ) from error


def _whole(connection: sqlite3.Connection, change: Callable[[Connection], None]) -> None:
    """Change a file in one transaction that no other program comes between."""
    level = connection.isolation_level
    connection.isolation_level = None
    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
    try:
        with engine.connect() as wrapped:
            # Whoever waits here for another program finds nothing left to do.
            wrapped.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                change(wrapped)
            except BaseException:
                wrapped.exec_driver_sql("ROLLBACK")
                raise
            wrapped.exec_driver_sql("COMMIT")
    except DBAPIError as error:
        raise error.orig if isinstance(error.orig, sqlite3.Error) else error from error
    finally:
        connection.isolation_level = level


def _migrate(connection: Connection, path: Path | None) -> None:
    version = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
    if version >= len(MIGRATIONS):
        return
    if version and path is not None:
        back_up(path, _copy_of(path, version))
    config = _config(connection)
    if version and not connection.dialect.has_table(connection, "alembic_version"):
        # Made by a program that counted its tables by hand, in the same numbers.
        command.stamp(config, MIGRATIONS[version - 1])
    command.upgrade(config, "head")
    connection.exec_driver_sql(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _take_back(connection: Connection, path: Path, revision: int) -> None:
    version = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
    if not 0 < revision < version:
        return
    back_up(path, _copy_of(path, version))
    command.downgrade(_config(connection), MIGRATIONS[revision - 1])
    connection.exec_driver_sql(f"PRAGMA user_version = {revision}")


def _copy_of(path: Path, version: int) -> Path:
    return path.with_name(f"{path.name}.version-{version}")


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS / "").replace("%", "%%"))
    config.set_main_option("version_locations", str(_SCRIPTS / "versions").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def back_up(path: Path, target: Path) -> None:
    """Copy a library while others use it.

    Raises
    ------
    sqlite3.Error, OSError
        Where it cannot be copied; `target` is as it was.
    """
    with replacing(target) as fresh:
        fresh.unlink(missing_ok=True)
        with (
            closing(sqlite3.connect(path.absolute().as_uri() + "?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(fresh)) as copy,
        ):
            source.backup(copy)
