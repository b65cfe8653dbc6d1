"""Where an image lies: in a file, or in a member of a zip archive."""

from __future__ import annotations

import errno
import lzma
import re
import struct
import tempfile
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeGuard

from ml.errors import BudgetError, ReadError
from ml.mammo.budget import MAX_INFLATED
from ml.screen.archives import opened_archive
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ml.screen.archives import Archive

ARCHIVE = ".zip"
_WITHIN = "!/"
# A folder may be called as the end of an archive and this mark: then its own are doubled.
_LIKE_AN_ARCHIVE = re.compile(r"(?ai)(?<=\.zip)(!+)(?=/)")
_ARCHIVE_AND_MARK = re.compile(r"(?ai)\.zip!/")
# No mammogram becomes so many times smaller; a member may inflate to so much of its archive.
LARGEST_RATIO = 20
# bzip2 and LZMA inflate all that they are given: little at once, for 4 KB may be 80 MB.
_STEP, _SMALL_STEP = 1 << 16, 1 << 12
# What some system allows in no name, and how many bytes of one every system takes.
_ODD = re.compile(r'[\x00-\x1f<>:"|?*\\/]')
_LONGEST_NAME = 200
# What zipfile raises of an archive that is damaged, encrypted or packed in a way unknown to it.
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    KeyError,
    IndexError,
    RuntimeError,
    NotImplementedError,
    EOFError,
    OverflowError,
    MemoryError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class Place:
    """A file, or a member of an archive.

    Attributes
    ----------
    member
        Its name in the archive, whose own name ends in `ARCHIVE`; empty where `path` is the
        file itself.
    """

    path: Path
    member: str = ""

    def __str__(self) -> str:
        path = _LIKE_AN_ARCHIVE.sub(r"\1\1", str(self.path))
        return f"{path}{_WITHIN}{self.member}" if self.member else path

    @property
    def name(self) -> str:
        """The last part, for a sentence."""
        return self.member.rpartition("/")[2] or self.path.name

    @contextmanager
    def opened(self) -> Iterator[Path]:
        """A file that can be read: the file itself, or a copy of the member until the end.

        Raises
        ------
        ReadError
            Where the archive or the member cannot be read.
        OSError
            Where the disk fails.
        """
        if not self.member:
            yield self.path
            return
        with tempfile.TemporaryDirectory(prefix="mammoscope-") as folder:
            copy = Path(folder) / _copy_name(self.name)
            self._copy_to(copy)
            yield copy

    def _copy_to(self, copy: Path) -> None:
        try:
            with opened_archive(self.path) as archive, copy.open("wb") as plain:
                self._inflate(archive, plain)
        except OSError as error:
            # The disk's, told with its own sentence: the archive may be there again later.
            if of_disk(error):
                raise
            raise self._damaged(error) from None
        except DAMAGED as error:
            raise self._damaged(error) from error

    def _inflate(self, archive: Archive, plain: IO[bytes]) -> None:
        """In steps, until it is too much: what the header claims may be a lie."""
        most = max(MAX_INFLATED, LARGEST_RATIO * archive.size)
        known = archive.packed.getinfo(self.member)
        bounded = known.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
        size = known.file_size
        if size <= most:
            size = 0
            with archive.packed.open(known) as packed:
                while size <= most and (
                    piece := packed.read(_STEP if bounded else _SMALL_STEP)
                ):
                    size += plain.write(piece)
        if size > most:
            raise BudgetError(
                mark("{name} inflates to more than a mammogram needs: not opened."),
                name=self.name,
            )

    def _damaged(self, error: Exception) -> ReadError:
        return ReadError(
            mark("{name} cannot be taken out of {archive}. Ask for a new copy."),
            name=self.name,
            archive=self.path.name,
            detail=type(error).__name__,
        )


def place_of(text: str) -> Place:
    """Back from what `str` made of a place."""
    met = _ARCHIVE_AND_MARK.search(text)
    path, member = (text[: met.end() - len(_WITHIN)], text[met.end() :]) if met else (text, "")
    return Place(Path(_LIKE_AN_ARCHIVE.sub(_half, path)), member)


def of_disk(error: BaseException | None) -> TypeGuard[OSError]:
    """Whether the system says that it could not read; libraries say so of a bad file, too.

    What bzip2 or Pillow cannot make sense of has no number, and a damaged archive points to
    places before its own beginning.
    """
    return isinstance(error, OSError) and error.errno not in (None, errno.EINVAL)


def _half(marks: re.Match[str]) -> str:
    return marks[1][: len(marks[1]) // 2]


def _copy_name(name: str) -> str:
    """The end of the name, which says what it is; any system has a file of that name."""
    end = name.encode("utf-8", "replace")[-_LONGEST_NAME:].decode("utf-8", "ignore")
    return _ODD.sub("_", end).rstrip(". ") or "member"
