"""The studio: synthetic mammograms asked for, watched and saved."""
