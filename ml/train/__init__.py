"""One recipe a file, readable top to bottom."""
