"""Writing a file so that an interruption leaves the old one or the new one, never half."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file beside `path` to write into: it takes its place in the end, or is gone.

    Raises
    ------
    OSError
        Where it cannot take its place; `path` is as it was.
    """
    temporary = path.with_name(f".{path.name}.part")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, document: object) -> None:
    """Write JSON so that an interruption leaves the old file or the new one, never half."""
    with replacing(path) as fresh:
        fresh.write_text(json.dumps(document, indent=1) + "\n", "utf-8")
