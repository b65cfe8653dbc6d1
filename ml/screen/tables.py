"""The ledger's tables. SQLAlchemy has them in SQLite and in PostgreSQL alike."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    case,
    cast,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from sqlalchemy import URL, ColumnElement, Connection, Dialect, Engine
    from sqlalchemy.types import TypeEngine

# What no database takes, and the sign that stands before its number instead.
_SIGN = "\ufffd"
_UNTAKEN = re.compile(f"[\0\ud800-\udfff{_SIGN}]")
_NUMBERED = re.compile(f"{_SIGN}([0-9a-f]{{4}})")


class AnyText(TypeDecorator[str]):
    """Text that comes back as it was: the name of a file may be no text at all.

    It is put in order by its characters, not as some language has it.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[str]:
        """Text, in the same order everywhere."""
        return dialect.type_descriptor(
            Text(collation="C") if dialect.name == "postgresql" else Text()
        )

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """On its way in."""
        if value is None:
            return None
        return _UNTAKEN.sub(lambda met: f"{_SIGN}{ord(met[0]):04x}", str(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """On its way out."""
        if value is None:
            return None
        return _NUMBERED.sub(lambda met: chr(int(met[1], 16)), value)


# How long a writer waits for another one.
_BUSY_S = 30.0
# A network that is cut says nothing, and a system asks for hours later: seconds (the last in
# milliseconds) until a connection is given up, as PostgreSQL's own library has it.
_LIBPQ_DRIVERS = ("psycopg", "psycopg2")
_NOTICING = {
    "connect_timeout": "10",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "4",
    "tcp_user_timeout": "30000",
}
metadata = MetaData()
# Raised with every change of the tables below.
FORM = "1"

# What the folder held when it was last walked through.
files = Table(
    "files",
    metadata,
    Column("place", AnyText, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("standing", AnyText, nullable=False),
    Column("sentence", AnyText, nullable=False),
    Column("sop_instance_uid", AnyText, nullable=False),
    Column("study_instance_uid", AnyText, nullable=False),
    Column("study_key", AnyText, nullable=False),
    Column("patient_id", AnyText, nullable=False),
    Column("study_date", AnyText, nullable=False),
    Column("synthetic", Integer, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("columns", Integer, nullable=False),
    Column("frames", Integer, nullable=False),
    # The walk that met it last, and when it was first met as it is (seconds since 1970).
    Column("walk", Integer, nullable=False),
    Column("arrived_s", Float, nullable=False),
    Index("files_of_study", "study_key"),
    Index("files_of_image", "sop_instance_uid", "synthetic"),
)

# What came of an image, by the models that looked at it; a row outlives its file.
answers = Table(
    "answers",
    metadata,
    Column("sop_instance_uid", AnyText, primary_key=True),
    Column("synthetic", Integer, primary_key=True),
    Column("models", AnyText, primary_key=True),
    Column("state", AnyText, nullable=False),
    # As `ml.findings_json` writes an image; empty where it failed.
    Column("content", AnyText, nullable=False),
    Column("sentence", AnyText, nullable=False),
    Column("at_s", Float, nullable=False),
)

facts = Table(
    "facts",
    metadata,
    Column("name", AnyText, primary_key=True),
    Column("value", AnyText, nullable=False),
)


def engine_of(url: str | URL) -> Engine:
    """A database, not yet spoken to.

    Raises
    ------
    ArgumentError, ImportError
        Where there is no such kind of database here.
    """
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True, connect_args=noticing(make_url(url)))
    engine = create_engine(url, connect_args={"timeout": _BUSY_S})
    event.listen(engine, "connect", _on_connect)
    return engine


def noticing(url: URL) -> dict[str, str]:
    """With what a lost server is noticed, unless the URL has it otherwise."""
    if url.get_backend_name() != "postgresql" or url.get_driver_name() not in _LIBPQ_DRIVERS:
        return {}
    return {name: value for name, value in _NOTICING.items() if name not in url.query}


def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    # With a write-ahead log, NORMAL loses no more than the last moment at a power cut.
    connection.execute("PRAGMA synchronous = NORMAL")


def make_tables(connection: Connection, *tables: Table) -> None:
    """Make what is not there yet; another process may make the same at the same time."""
    for table in tables:
        connection.execute(CreateTable(table, if_not_exists=True))
        for index in sorted(table.indexes, key=lambda one: str(one.name)):
            connection.execute(CreateIndex(index, if_not_exists=True))


def put(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows, each in place of the one with its key."""
    keys = [column.name for column in table.primary_key]
    insert = _insert(connection, table)
    others: dict[str, ColumnElement[Any]] = {
        c.name: insert.excluded[c.name] for c in table.columns if c.name not in keys
    }
    if table is files:
        # Another machine's later walk has met it, too.
        others["walk"] = later(insert.excluded.walk)
    connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=others), rows)


def counted_up(connection: Connection, name: str) -> int:
    """The next number of a fact that counts; no other process is given the same."""
    insert = _insert(connection, facts).values(name=name, value="1")
    one_more = cast(cast(facts.c.value, Integer) + 1, AnyText)
    counting = insert.on_conflict_do_update(index_elements=["name"], set_={"value": one_more})
    return int(connection.execute(counting.returning(facts.c.value)).scalar_one())


def _insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def later(walk: ColumnElement[int] | int) -> ColumnElement[int]:
    """The walk that met a file last: this one, unless a later one has met it already."""
    return case((files.c.walk > walk, files.c.walk), else_=walk)
