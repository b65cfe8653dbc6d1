"""Studies, readings and analyses: what version 0.1.0 made without Alembic."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "studies",
        sa.Column("uid", sa.Text, primary_key=True),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("opened_at", sa.Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "readings",
        sa.Column("uid", sa.Text, primary_key=True),
        sa.Column("before", sa.Text, nullable=False),
        sa.Column("after", sa.Text, nullable=False),
        sa.Column("revealed_at", sa.Text, nullable=False),
        sa.Column("seen_before", sa.Integer, nullable=False),
        sa.Column("reader", sa.Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "analyses",
        sa.Column("sop_instance_uid", sa.Text, primary_key=True),
        sa.Column("model_hashes", sa.Text, primary_key=True),
        sa.Column("content", sa.Text, nullable=False),
        sqlite_strict=True,
    )
