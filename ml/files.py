"""Writing a file so that an interruption leaves the old one or the new one, never half."""

from __future__ import annotations

import errno
import json
import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ml.errors import DataError
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# What is left of a disk that a writer of large files found full.
FULL_BYTES = 1 << 20


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
        with telling_full(path.parent):
            yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def telling_full(folder: Path) -> Iterator[None]:
    """Have a full disk be an `OSError` where a library writes that calls it something else.

    torch, safetensors and OpenVINO raise a mistake of their own, mostly without the reason.

    Parameters
    ----------
    folder
        On the disk that is written.
    """
    try:
        yield
    except Exception as error:
        if not isinstance(error, RuntimeError) and type(error).__name__ != "SafetensorError":
            raise
        if isinstance(error.__context__, OSError):
            raise error.__context__ from error
        if shutil.disk_usage(folder).free < FULL_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        raise


@contextmanager
def written_into(folder: Path) -> Iterator[None]:
    """Make a folder, and say in a sentence where what is written into it cannot be.

    Raises
    ------
    DataError
        Where it cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise DataError(
            mark("{folder} cannot be written ({why}); make room, or ask who may write there."),
            folder=folder.name,
            why=str(error.strerror or error),
        ) from error


def reserve(path: Path, offset: int, length: int) -> None:
    """Have the disk give a part of a file its room, before it is written through a mapping.

    A mapping that finds the disk full ends the process without a word.

    Raises
    ------
    OSError
        Where there is no room.
    """
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), offset, length)


def write_json(path: Path, document: object) -> None:
    """Write JSON so that an interruption leaves the old file or the new one, never half."""
    with replacing(path) as fresh:
        fresh.write_text(json.dumps(document, indent=1) + "\n", "utf-8")
