"""Run by Alembic: bring the connection that it was given to a revision.

`viewer.library.migrating` gives the connection. A developer who writes a revision gives a file:
``alembic revision --autogenerate`` with ``script_location`` here and a ``sqlalchemy.url``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import context
from sqlalchemy import create_engine

from viewer.library.schema import metadata

if TYPE_CHECKING:
    from sqlalchemy import Connection


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        # SQLite can only be altered by making a table anew.
        render_as_batch=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


_given = context.config.attributes.get("connection")
if _given is not None:
    _run(_given)
else:
    _url = context.config.get_main_option("sqlalchemy.url") or "sqlite://"
    with create_engine(_url).begin() as _connection:
        _run(_connection)
