"""Where the files of a study are, the queue of long jobs, and what those tell in words."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables."""
    _make_files()
    _make_jobs()
    op.create_table(
        "job_lines",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "job_id", sa.Integer, sa.ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("sentence", sa.Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("lines_of_job", "job_lines", ["job_id", "id"])


def downgrade() -> None:
    """Drop them."""
    for table in ("job_lines", "jobs", "files"):
        op.drop_table(table)


def _make_files() -> None:
    op.create_table(
        "files",
        sa.Column("sop_instance_uid", sa.Text, primary_key=True),
        sa.Column("path", sa.Text, primary_key=True),
        sa.Column(
            "study_uid",
            sa.Text,
            sa.ForeignKey("studies.uid", ondelete="CASCADE"),
            nullable=False,
        ),
        sqlite_strict=True,
    )
    op.create_index("files_of_study", "files", ["study_uid"])


def _make_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("lane", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("spec", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("wanted", sa.Text, nullable=False, server_default=""),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("started_at", sa.Text, nullable=False, server_default=""),
        sa.Column("ended_at", sa.Text, nullable=False, server_default=""),
        sa.Column("heartbeat_s", sa.REAL, nullable=False, server_default="0"),
        sa.Column("owner", sa.Text, nullable=False, server_default=""),
        sa.Column("run_id", sa.Text, nullable=False, server_default=""),
        sa.Column("interrupted", sa.Integer, nullable=False, server_default="0"),
        sa.Column("done", sa.Integer, nullable=False, server_default="0"),
        sa.Column("total", sa.Integer, nullable=False, server_default="0"),
        sa.Column("run_first", sa.Integer, nullable=False, server_default="-1"),
        sa.Column("worked_s", sa.REAL, nullable=False, server_default="0"),
        sa.Column("news", sa.Text, nullable=False, server_default="{}"),
        sa.Column("memory_bytes", sa.Integer, nullable=False, server_default="0"),
        sa.Column("sentence", sa.Text, nullable=False, server_default=""),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'pausing', 'paused', "
            "'cancelled', 'failed', 'done')",
            name="known_state",
        ),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("jobs_in_lane", "jobs", ["lane", "state", "position"])
