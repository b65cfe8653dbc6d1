"""The reader's word on marks and breasts: every step of hers is a row that is never changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "decisions",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("study_uid", sa.Text, nullable=False),
        sa.Column("sop_instance_uid", sa.Text, nullable=False),
        sa.Column("mark", sa.Text, nullable=False),
        sa.Column("standing", sa.Text, nullable=False),
        *_circumstances(),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("decisions_of_study", "decisions", ["study_uid", "number"])
    op.create_table(
        "outcomes",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("study_uid", sa.Text, nullable=False),
        sa.Column("laterality", sa.Text, nullable=False),
        *_circumstances(),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("outcomes_of_study", "outcomes", ["study_uid", "number"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("outcomes")
    op.drop_table("decisions")


def _circumstances() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("reader", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("marks_shown", sa.Integer, nullable=False),
        sa.Column("marks_seen", sa.Integer, nullable=False),
        sa.Column("synthetic", sa.Integer, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
    )
