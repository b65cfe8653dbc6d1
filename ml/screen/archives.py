"""Zip archives of which the list of members is read once, not once a member.

A process keeps the lists of the last few archives, never an open file: nothing here keeps a
disk from being unplugged. Each time the file is opened again and is the one that it was, or is
read anew.
"""

from __future__ import annotations

import os
import zipfile
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Archives whose lists are kept, and the members of all of them, at some 600 bytes each. What a
# single one lists is kept however long it is: it was in memory to be read.
MOST_ARCHIVES, MOST_MEMBERS = 4, 100_000


class Archive:
    """An archive that can be read from while `opened_archive` lends it.

    Attributes
    ----------
    size
        Of its file, in bytes.
    packed
        Its members.
    """

    def __init__(self, lent: IO[bytes]) -> None:
        self._lent = _Lent(lent)
        found = os.fstat(lent.fileno())
        self.size, self._file = found.st_size, _what_tells(found)
        self.packed = zipfile.ZipFile(self._lent)

    @property
    def members(self) -> int:
        """How many it lists."""
        return len(self.packed.filelist)

    def is_of(self, lent: IO[bytes]) -> bool:
        """Whether this is the file that its list was read from, unchanged."""
        return _what_tells(os.fstat(lent.fileno())) == self._file

    def lend(self, lent: IO[bytes] | None) -> None:
        """Have it read from this open file."""
        self._lent.file = lent


class _Lent:
    """What an archive takes for its file: whichever is open now."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file: IO[bytes] | None = file

    def _now(self) -> IO[bytes]:
        if self.file is None:
            raise ValueError("the archive is not open")
        return self.file

    def read(self, size: int = -1, /) -> bytes:
        return self._now().read(size)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._now().seek(offset, whence)

    def tell(self) -> int:
        return self._now().tell()

    def seekable(self) -> bool:
        return True


# The one that was used last is the last.
_kept: dict[Path, Archive] = {}


@contextmanager
def opened_archive(path: Path) -> Iterator[Archive]:
    """An archive, open until the end.

    Raises
    ------
    OSError
        Where it is not there, or its disk fails.
    Exception
        Those of `ml.screen.places.DAMAGED`, where it is no archive that can be read.
    """
    # Another thread that wants the same one meanwhile reads it for itself.
    archive = _kept.pop(path, None)
    with path.open("rb") as file:
        if archive is not None and archive.is_of(file):
            archive.lend(file)
        else:
            archive = Archive(file)
        try:
            yield archive
        finally:
            archive.lend(None)
            _keep(path, archive)


def _keep(path: Path, archive: Archive) -> None:
    _kept[path] = archive
    for other in list(_kept)[:-1]:
        members = sum(one.members for one in list(_kept.values()))
        if len(_kept) <= MOST_ARCHIVES and members <= MOST_MEMBERS:
            return
        _kept.pop(other, None)


def _what_tells(found: os.stat_result) -> tuple[int, ...]:
    """What a file that was written to, or another one in its place, has otherwise."""
    times = (found.st_mtime_ns, found.st_ctime_ns)
    return (found.st_dev, found.st_ino, found.st_size, *times)
