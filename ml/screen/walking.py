"""Every file below a folder, one by one, in the order of their names; memory stays flat."""

from __future__ import annotations

import os
import stat
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from ml.errors import ReadError
from ml.mammo.header import damage
from ml.mammo.scan import DICOMDIR, listed_in
from ml.screen.ledger import LEDGER
from ml.screen.order import THUMBNAILS
from ml.screen.places import ARCHIVE, DAMAGED, Place
from ml.screen.report import REPORT_HTML
from ml.screen.rows import Entry
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    # Told of what could not be looked into.
    Refuse = Callable[[str, ReadError], None]

# What a database takes for a number; a damaged file or a strange clock has greater ones.
_GREATEST = (1 << 63) - 1
# And for a key, in bytes: a member of an archive may have a name of 64 KB.
LONGEST_PLACE = 2000


def walk(root: Path, leave_out: Path | None, refuse: Refuse) -> Iterator[Entry]:
    """Everything that may be an image.

    Parameters
    ----------
    root
        A folder, a zip archive, or a DICOMDIR: then only what that lists.
    leave_out
        A folder within it that is passed over: the results'.
    refuse
        May raise: then the walk ends.

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
        yield from _listed(root, refuse)
    elif root.suffix.lower() == ARCHIVE:
        yield from members(root, refuse)
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
        shown = [one for one in found if not one.name.startswith(".")]
        inner = [Path(one.path) for one in shown if _is_folder(one)]
        left_out = {leave_out, *_pictures_of_results(folder, found)}
        waiting += [path for path in reversed(inner) if path not in left_out]
        for one in shown:
            yield from _met(one, refuse)


def _is_folder(one: os.DirEntry[str]) -> bool:
    try:
        return one.is_dir(follow_symlinks=False)
    except OSError:
        # It is refused when it is looked at as a file.
        return False


def _pictures_of_results(folder: Path, found: Iterable[os.DirEntry[str]]) -> tuple[Path, ...]:
    """Where other results lie here, their small pictures: they would pass for films."""
    names = {one.name for one in found}
    return () if names.isdisjoint((LEDGER, REPORT_HTML)) else (folder / THUMBNAILS,)


def _met(one: os.DirEntry[str], refuse: Refuse) -> Iterator[Entry]:
    try:
        # Pipes and devices are none: opening one may wait for ever.
        if not one.is_file():
            return
        found = one.stat()
    except OSError as error:
        refuse(one.path, _unreadable(Path(one.path), error))
        return
    if one.name.lower().endswith(ARCHIVE):
        try:
            yield from members(Path(one.path), refuse)
        except ReadError as error:
            refuse(one.path, error)
    elif one.name.upper() != DICOMDIR:
        yield from _entry(Place(Path(one.path)), found.st_size, found.st_mtime_ns, refuse)


def members(archive: Path, refuse: Refuse) -> Iterator[Entry]:
    """The members of a zip archive that may be images.

    Raises
    ------
    ReadError
        Where it cannot be read.
    """
    try:
        changed_ns = archive.stat().st_mtime_ns
        with zipfile.ZipFile(archive) as packed:
            # Of two with one name the last is the one that is taken out.
            inside = {one.filename: one.file_size for one in packed.infolist()}
    except OSError as error:
        raise _unreadable(archive, error) from error
    except DAMAGED as error:
        raise ReadError(
            mark("{name} is no zip archive that can be read. Ask for a new copy."),
            name=archive.name,
            detail=type(error).__name__,
        ) from error
    for name in sorted(inside):
        if _may_be_image(name):
            # The archive's time: a member's own is what somebody wrote there.
            yield from _entry(Place(archive, name), inside[name], changed_ns, refuse)


def _may_be_image(member: str) -> bool:
    *folders, name = member.split("/")
    hidden = any(part.startswith(".") and part not in (".", "..") for part in folders)
    return bool(name) and not hidden and not name.startswith(".") and name.upper() != DICOMDIR


def _listed(index: Path, refuse: Refuse) -> Iterator[Entry]:
    """What a DICOMDIR lists."""
    files = listed_in(index)
    while True:
        try:
            file = next(files, None)
        except damage() as error:
            raise ReadError(
                mark("{name} is damaged and cannot be read. Ask for a new copy."),
                name=index.name,
                detail=type(error).__name__,
            ) from error
        if file is None:
            return
        try:
            found = file.stat()
        except OSError as error:
            refuse(str(Place(file)), _unreadable(file, error))
            continue
        if stat.S_ISREG(found.st_mode):
            yield from _entry(Place(file), found.st_size, found.st_mtime_ns, refuse)


def _entry(place: Place, size: int, mtime_ns: int, refuse: Refuse) -> Iterator[Entry]:
    written = str(place).encode("utf-8", "surrogatepass")
    if len(written) > LONGEST_PLACE:
        error = ReadError(
            mark("{name} has too long a name, or lies too deep. Give it a shorter one."),
            name=place.name[:64],
        )
        refuse(written[:LONGEST_PLACE].decode("utf-8", "ignore"), error)
        return
    yield Entry(str(place), min(size, _GREATEST), max(min(mtime_ns, _GREATEST), -_GREATEST))


def _unreadable(path: Path, error: OSError) -> ReadError:
    return ReadError(
        mark("{name} cannot be opened: {why}."), name=path.name, why=error.strerror or error
    )
