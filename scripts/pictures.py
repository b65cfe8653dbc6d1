"""What the scripts share that picture the program for the manual."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def wait_for(work: Callable[[], None], ready: Callable[[], bool], until: float) -> None:
    """Let the program work until it is ready, or `time.monotonic` has come to `until`.

    Parameters
    ----------
    work
        The application's `processEvents`.
    """
    while not ready() and time.monotonic() < until:
        work()
        time.sleep(0.02)


def rest(work: Callable[[], None], seconds: float) -> None:
    """Let the program work for a while."""
    wait_for(work, lambda: False, time.monotonic() + seconds)


def shrink(path: Path, colours: int) -> None:
    """Write a picture again with so many colours."""
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(colours).save(path, optimize=True)
