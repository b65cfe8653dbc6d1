"""A folder of studies, found, analyzed and ranked: see README.md."""
