"""The revisions, in the order of `viewer.library.database.MIGRATIONS`."""
