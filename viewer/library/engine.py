"""SQLAlchemy's way into the library's file: each transaction of a writer begins as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.pool import StaticPool

from viewer.library.database import is_kept, open_database
from viewer.library.schema import metadata

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from sqlalchemy import Connection

_BUSY_S = 5.0


def make_engine(path: Path | None) -> Engine:
    """An engine on the library's file; on memory alone where none can be used."""
    if path is None:
        return _in_memory()
    # Whoever comes first makes the tables: mostly the `Library`, long before.
    connection, _ = open_database(path)
    kept = is_kept(connection)
    connection.close()
    if not kept:
        return _in_memory()
    url = URL.create("sqlite", database=str(path))
    return _prepared(create_engine(url, connect_args={"timeout": _BUSY_S}))


def _in_memory() -> Engine:
    engine = create_engine(
        "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
    )
    _prepared(engine)
    metadata.create_all(engine)
    return engine


def _prepared(engine: Engine) -> Engine:
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
    # The module would begin a transaction when it sees fit: at the first write, which fails
    # where another program wrote since our first read.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")


def _on_begin(connection: Connection) -> None:
    reads = connection.get_execution_options().get("reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
