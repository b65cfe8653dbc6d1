"""The ledger's tables. SQLAlchemy has them in SQLite and in PostgreSQL alike."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, MetaData, Table, Text

metadata = MetaData()
# Raised with every change of the tables below.
FORM = "1"

# What the folder held when it was last walked through.
files = Table(
    "files",
    metadata,
    Column("place", Text, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("standing", Text, nullable=False),
    Column("sentence", Text, nullable=False),
    Column("sop_instance_uid", Text, nullable=False),
    Column("study_instance_uid", Text, nullable=False),
    Column("study_key", Text, nullable=False),
    Column("patient_id", Text, nullable=False),
    Column("study_date", Text, nullable=False),
    Column("synthetic", Integer, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("columns", Integer, nullable=False),
    Column("frames", Integer, nullable=False),
    # The walk that met it last, and when it was met first (seconds since 1970).
    Column("walk", Integer, nullable=False),
    Column("arrived_s", Float, nullable=False),
    Index("files_of_study", "study_key", "place"),
    Index("files_of_image", "sop_instance_uid", "synthetic"),
)

# What came of an image, by the models that looked at it; a row outlives its file.
answers = Table(
    "answers",
    metadata,
    Column("sop_instance_uid", Text, primary_key=True),
    Column("synthetic", Integer, primary_key=True),
    Column("models", Text, primary_key=True),
    Column("state", Text, nullable=False),
    # As `ml.findings_json` writes an image; empty where it failed.
    Column("content", Text, nullable=False),
    Column("sentence", Text, nullable=False),
    Column("at_s", Float, nullable=False),
)

facts = Table(
    "facts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
