"""A small disk of its own, to be filled."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def small_disk(place: Path, megabytes: int) -> Iterator[Path]:
    """Make a disk at a place; skip the test where the system lets nobody but root do so."""
    place.mkdir()
    size = ["-o", f"size={megabytes}m"]
    try:
        made = subprocess.run(
            ["mount", "-t", "tmpfs", *size, "tmpfs", place], capture_output=True, check=False
        )
    except FileNotFoundError:
        pytest.skip("disks are made by `mount`")
    if made.returncode:
        pytest.skip("only root may make a disk")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)
