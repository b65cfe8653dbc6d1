"""How the library's tables came to be: an Alembic environment, one revision a module."""
