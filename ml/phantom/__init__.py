"""Simulated mammograms with known truth. numpy and scipy."""
