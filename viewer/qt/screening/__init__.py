"""The window of a screening: a folder is screened, and its list is read."""
