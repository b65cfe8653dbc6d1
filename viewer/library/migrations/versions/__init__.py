"""The revisions, in the order of `viewer.library.migrations.MIGRATIONS`."""
