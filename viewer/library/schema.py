"""The library's tables as they stand at the newest revision.

The revisions in `migrations` make them; a test has Alembic compare the two. SQLAlchemy takes an
eighth of a second to import, so nothing on the way to the first paint may import this module.
"""

from __future__ import annotations

from sqlalchemy import (
    REAL,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
)

metadata = MetaData()

studies = Table(
    "studies",
    metadata,
    Column("uid", Text, primary_key=True),
    Column("path", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("opened_at", Text, nullable=False),
    sqlite_strict=True,
)

# Where the files of a study are; a study that is forgotten takes them along.
files = Table(
    "files",
    metadata,
    Column("sop_instance_uid", Text, primary_key=True),
    Column("path", Text, primary_key=True),
    Column("study_uid", Text, ForeignKey("studies.uid", ondelete="CASCADE"), nullable=False),
    Index("files_of_study", "study_uid"),
    sqlite_strict=True,
)

# No key of the next five points to `studies`: what was said outlives the list of recent ones.
readings = Table(
    "readings",
    metadata,
    Column("uid", Text, primary_key=True),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("revealed_at", Text, nullable=False),
    Column("seen_before", Integer, nullable=False),
    Column("reader", Text, nullable=False),
    sqlite_strict=True,
)

analyses = Table(
    "analyses",
    metadata,
    Column("sop_instance_uid", Text, primary_key=True),
    Column("model_hashes", Text, primary_key=True),
    Column("content", Text, nullable=False),
    sqlite_strict=True,
)

# What models in shadow said; a table of its own, so that no look-up of analyses finds it.
shadows = Table(
    "shadows",
    metadata,
    Column("sop_instance_uid", Text, primary_key=True),
    Column("model_hashes", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("content", Text, nullable=False),
    Index("shadows_of_role", "role"),
    sqlite_strict=True,
)


def _circumstances() -> tuple[Column[object], ...]:
    """Under which the reader said something, and all that she said, as JSON."""
    return (
        Column("reader", Text, nullable=False),
        Column("at", Text, nullable=False),
        Column("marks_shown", Integer, nullable=False),
        Column("marks_seen", Integer, nullable=False),
        Column("synthetic", Integer, nullable=False),
        Column("content", Text, nullable=False),
    )


# Rows of the two below are added and never changed: the last of a mark, or of a breast, counts.
decisions = Table(
    "decisions",
    metadata,
    Column("number", Integer, primary_key=True),
    # The same row may be written twice, when the first time seemed to fail.
    Column("id", Text, nullable=False, unique=True),
    Column("study_uid", Text, nullable=False),
    Column("sop_instance_uid", Text, nullable=False),
    Column("mark", Text, nullable=False),
    Column("standing", Text, nullable=False),
    *_circumstances(),
    Index("decisions_of_study", "study_uid", "number"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("study_uid", Text, nullable=False),
    Column("laterality", Text, nullable=False),
    *_circumstances(),
    Index("outcomes_of_study", "study_uid", "number"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("spec", Text, nullable=False),
    Column("state", Text, nullable=False),
    # What was asked of the program that runs the job: nothing or "cancel".
    Column("wanted", Text, nullable=False, server_default=""),
    Column("position", Integer, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("started_at", Text, nullable=False, server_default=""),
    Column("ended_at", Text, nullable=False, server_default=""),
    # Seconds since 1970, written every few seconds by the owner.
    Column("heartbeat_s", REAL, nullable=False, server_default="0"),
    Column("owner", Text, nullable=False, server_default=""),
    Column("run_id", Text, nullable=False, server_default=""),
    Column("interrupted", Integer, nullable=False, server_default="0"),
    Column("done", Integer, nullable=False, server_default="0"),
    Column("total", Integer, nullable=False, server_default="0"),
    # `done` when this run told for the first time, and how long the run has worked since.
    Column("run_first", Integer, nullable=False, server_default="-1"),
    Column("worked_s", REAL, nullable=False, server_default="0"),
    Column("news", Text, nullable=False, server_default="{}"),
    Column("memory_bytes", Integer, nullable=False, server_default="0"),
    Column("sentence", Text, nullable=False, server_default=""),
    CheckConstraint(
        "state IN ('queued', 'running', 'pausing', 'paused', 'cancelled', 'failed', 'done')",
        name="known_state",
    ),
    Index("jobs_in_lane", "lane", "state", "position"),
    # A number that was removed is not given again: an event of its job may be on its way.
    sqlite_autoincrement=True,
    sqlite_strict=True,
)

job_lines = Table(
    "job_lines",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("job_id", Integer, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("at", Text, nullable=False),
    Column("sentence", Text, nullable=False),
    Index("lines_of_job", "job_id", "id"),
    sqlite_strict=True,
)
