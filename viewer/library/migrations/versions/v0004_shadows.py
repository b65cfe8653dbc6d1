"""What models in shadow said: apart from the analyses, so that nothing takes it for one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "shadows",
        sa.Column("sop_instance_uid", sa.Text, primary_key=True),
        sa.Column("model_hashes", sa.Text, primary_key=True),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("shadows_of_role", "shadows", ["role"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("shadows")
