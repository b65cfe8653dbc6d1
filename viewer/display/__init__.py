"""Pixels to grays: tables, view-size copies, caches. No Qt, no torch."""
