"""What Alembic makes of an empty file, so that a first start need not import it.

Not written by hand: tests/viewer/library/test_migrations.py compares the two, and tells what
to put here.
"""

STATEMENTS = (
    """
CREATE TABLE alembic_version (
version_num VARCHAR(32) NOT NULL,
CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
)
    """,
    """
CREATE TABLE studies (
uid TEXT NOT NULL,
path TEXT NOT NULL,
label TEXT NOT NULL,
opened_at TEXT NOT NULL,
PRIMARY KEY (uid)
)
STRICT
    """,
    """
CREATE TABLE readings (
uid TEXT NOT NULL,
"before" TEXT NOT NULL,
"after" TEXT NOT NULL,
revealed_at TEXT NOT NULL,
seen_before INTEGER NOT NULL,
reader TEXT NOT NULL,
PRIMARY KEY (uid)
)
STRICT
    """,
    """
CREATE TABLE analyses (
sop_instance_uid TEXT NOT NULL,
model_hashes TEXT NOT NULL,
content TEXT NOT NULL,
PRIMARY KEY (sop_instance_uid, model_hashes)
)
STRICT
    """,
    """
CREATE TABLE files (
sop_instance_uid TEXT NOT NULL,
path TEXT NOT NULL,
study_uid TEXT NOT NULL,
PRIMARY KEY (sop_instance_uid, path),
FOREIGN KEY(study_uid) REFERENCES studies (uid) ON DELETE CASCADE
)
STRICT
    """,
    """
CREATE INDEX files_of_study ON files (study_uid)
    """,
    """
CREATE TABLE jobs (
id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
kind TEXT NOT NULL,
lane TEXT NOT NULL,
title TEXT NOT NULL,
spec TEXT NOT NULL,
state TEXT NOT NULL,
wanted TEXT DEFAULT '' NOT NULL,
position INTEGER NOT NULL,
created_at TEXT NOT NULL,
started_at TEXT DEFAULT '' NOT NULL,
ended_at TEXT DEFAULT '' NOT NULL,
heartbeat_s REAL DEFAULT '0' NOT NULL,
owner TEXT DEFAULT '' NOT NULL,
run_id TEXT DEFAULT '' NOT NULL,
interrupted INTEGER DEFAULT '0' NOT NULL,
done INTEGER DEFAULT '0' NOT NULL,
total INTEGER DEFAULT '0' NOT NULL,
run_first INTEGER DEFAULT '-1' NOT NULL,
worked_s REAL DEFAULT '0' NOT NULL,
news TEXT DEFAULT '{}' NOT NULL,
memory_bytes INTEGER DEFAULT '0' NOT NULL,
sentence TEXT DEFAULT '' NOT NULL,
CONSTRAINT known_state
CHECK (state IN ('queued', 'running', 'pausing', 'paused', 'cancelled', 'failed', 'done'))
)
STRICT
    """,
    """
CREATE INDEX jobs_in_lane ON jobs (lane, state, position)
    """,
    """
CREATE TABLE job_lines (
id INTEGER NOT NULL,
job_id INTEGER NOT NULL,
at TEXT NOT NULL,
sentence TEXT NOT NULL,
PRIMARY KEY (id),
FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
)
STRICT
    """,
    """
CREATE INDEX lines_of_job ON job_lines (job_id, id)
    """,
    """
CREATE TABLE decisions (
number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
id TEXT NOT NULL,
study_uid TEXT NOT NULL,
sop_instance_uid TEXT NOT NULL,
mark TEXT NOT NULL,
standing TEXT NOT NULL,
reader TEXT NOT NULL,
at TEXT NOT NULL,
marks_shown INTEGER NOT NULL,
marks_seen INTEGER NOT NULL,
synthetic INTEGER NOT NULL,
content TEXT NOT NULL,
UNIQUE (id)
)
STRICT
    """,
    """
CREATE INDEX decisions_of_study ON decisions (study_uid, number)
    """,
    """
CREATE TABLE outcomes (
number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
id TEXT NOT NULL,
study_uid TEXT NOT NULL,
laterality TEXT NOT NULL,
reader TEXT NOT NULL,
at TEXT NOT NULL,
marks_shown INTEGER NOT NULL,
marks_seen INTEGER NOT NULL,
synthetic INTEGER NOT NULL,
content TEXT NOT NULL,
UNIQUE (id)
)
STRICT
    """,
    """
CREATE INDEX outcomes_of_study ON outcomes (study_uid, number)
    """,
    """
CREATE TABLE shadows (
sop_instance_uid TEXT NOT NULL,
model_hashes TEXT NOT NULL,
role TEXT NOT NULL,
content TEXT NOT NULL,
PRIMARY KEY (sop_instance_uid, model_hashes)
)
STRICT
    """,
    """
CREATE INDEX shadows_of_role ON shadows (role)
    """,
    "INSERT INTO alembic_version VALUES ('0004')",
)
