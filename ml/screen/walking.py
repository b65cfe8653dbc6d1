"""Every file below a folder, one by one, in the order of their names; memory stays flat."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from ml.errors import ReadError
from ml.mammo.scan import DICOMDIR, listed_in
from ml.screen.places import ARCHIVE, DAMAGED, Place
from ml.screen.rows import Entry
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    # Told of what could not be looked into.
    Refuse = Callable[[str, ReadError], None]


def walk(root: Path, leave_out: Path | None, refuse: Refuse) -> Iterator[Entry]:
    """Everything that may be an image.

    Parameters
    ----------
    root
        A folder, a zip archive, or a DICOMDIR: then only what that lists.
    leave_out
        A folder within it that is passed over: the results'.

    Raises
    ------
    ReadError
        Where `root` itself cannot be looked into.
    OSError
        Where the root goes away while it is walked.
    """
    if root.is_dir():
        yield from _below(root, leave_out, refuse)
    elif root.name.upper() == DICOMDIR:
        yield from _entries(listed_in(root), refuse)
    elif root.suffix.lower() == ARCHIVE:
        yield from members(root)
    else:
        raise ReadError(
            mark("{name} is no folder, zip archive or DICOMDIR. Check the path."),
            name=root.name,
        )


def _below(root: Path, leave_out: Path | None, refuse: Refuse) -> Iterator[Entry]:
    # A stack instead of recursion; a link to a folder is not followed: it may lead round.
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder) as met:
                found = sorted(met, key=lambda one: one.name)
        except OSError as error:
            if folder == root:
                raise
            refuse(str(folder), _unreadable(folder, error))
            continue
        files = [one for one in found if not one.name.startswith(".")]
        inner = [Path(one.path) for one in files if one.is_dir(follow_symlinks=False)]
        waiting += [path for path in reversed(inner) if path != leave_out]
        for one in files:
            yield from _met(one, refuse)


def _met(one: os.DirEntry[str], refuse: Refuse) -> Iterator[Entry]:
    try:
        # Pipes and devices are none: opening one may wait for ever.
        if not one.is_file():
            return
        stat = one.stat()
    except OSError as error:
        refuse(one.path, _unreadable(Path(one.path), error))
        return
    if one.name.lower().endswith(ARCHIVE):
        try:
            yield from members(Path(one.path))
        except ReadError as error:
            refuse(one.path, error)
    elif one.name.upper() != DICOMDIR:
        yield Entry(one.path, stat.st_size, stat.st_mtime_ns)


def members(archive: Path) -> Iterator[Entry]:
    """The members of a zip archive that may be images.

    Raises
    ------
    ReadError
        Where it cannot be read.
    """
    try:
        changed_ns = archive.stat().st_mtime_ns
        with zipfile.ZipFile(archive) as packed:
            inside = sorted(packed.infolist(), key=lambda one: one.filename)
    except OSError as error:
        raise _unreadable(archive, error) from error
    except DAMAGED as error:
        raise ReadError(
            mark("{name} is no zip archive that can be read. Ask for a new copy."),
            name=archive.name,
            detail=type(error).__name__,
        ) from error
    for one in inside:
        name = one.filename.rpartition("/")[2]
        if not one.is_dir() and not name.startswith(".") and name.upper() != DICOMDIR:
            # The archive's time: a member's own is what somebody wrote there.
            yield Entry(str(Place(archive, one.filename)), one.file_size, changed_ns)


def _entries(files: Iterator[Path], refuse: Refuse) -> Iterator[Entry]:
    for file in files:
        try:
            stat = file.stat()
        except OSError as error:
            refuse(str(file), _unreadable(file, error))
        else:
            yield Entry(str(file), stat.st_size, stat.st_mtime_ns)


def _unreadable(path: Path, error: OSError) -> ReadError:
    return ReadError(
        mark("{name} cannot be opened: {why}."), name=path.name, why=error.strerror or error
    )
