"""How the library's tables came to be: an Alembic environment, one revision a module."""

# The oldest first. PRAGMA user_version counts those that a file has: it is read without
# Alembic, and a program from before Alembic knows by it that a file is too new.
MIGRATIONS = ("0001", "0002", "0003", "0004")
