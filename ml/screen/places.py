"""Where an image lies: in a file, or in a member of a zip archive."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ml.errors import BudgetError, ReadError
from ml.mammo.budget import MAX_INFLATED
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Iterator

ARCHIVE = ".zip"
_WITHIN = "!/"


@dataclass(frozen=True, slots=True)
class Place:
    """A file, or a member of an archive.

    Attributes
    ----------
    member
        Its name in the archive; empty where `path` is the file itself.
    """

    path: Path
    member: str = ""

    def __str__(self) -> str:
        return f"{self.path}{_WITHIN}{self.member}" if self.member else str(self.path)

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
        """
        if not self.member:
            yield self.path
            return
        with tempfile.TemporaryDirectory(prefix="mammoscope-") as folder:
            copy = Path(folder) / (Path(self.name).name or "member")
            self._copy_to(copy)
            yield copy

    def _copy_to(self, copy: Path) -> None:
        """Inflate the member in bounded steps: what its header claims may be a lie."""
        try:
            with zipfile.ZipFile(self.path) as archive:
                if archive.getinfo(self.member).file_size > MAX_INFLATED:
                    raise self._too_large()
                with archive.open(self.member) as packed, copy.open("wb") as plain:
                    shutil.copyfileobj(packed, plain)
        except OSError:
            # The disk's, told with its own sentence: the archive may be there again later.
            raise
        except DAMAGED as error:
            raise ReadError(
                mark("{name} cannot be taken out of {archive}. Ask for a new copy."),
                name=self.name,
                archive=self.path.name,
                detail=type(error).__name__,
            ) from error

    def _too_large(self) -> ReadError:
        return BudgetError(
            mark("{name} inflates to more than a mammogram needs: not opened."), name=self.name
        )


# What zipfile raises of an archive that is damaged, encrypted or packed in a way unknown to it.
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    KeyError,
    RuntimeError,
    NotImplementedError,
    EOFError,
    ValueError,
)


def place_of(text: str) -> Place:
    """Back from what `str` made of a place."""
    at = text.lower().find(ARCHIVE + _WITHIN)
    if at < 0:
        return Place(Path(text))
    end = at + len(ARCHIVE)
    return Place(Path(text[:end]), text[end + len(_WITHIN) :])
