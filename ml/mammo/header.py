"""Reading single attributes of a header: lenient in, typed out."""

from __future__ import annotations

import io
import math
import os
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ml.mammo.budget import check_inflated

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

    from pydicom.dataset import Dataset, FileDataset


_LARGE_BYTES = 1 << 16


def damage() -> tuple[type[Exception], ...]:
    """What pydicom raises of a file that is not what it says.

    While parsing, and while a value is looked at, which is when it is converted. A function, so
    that pydicom (0.2 s) is imported by whoever reads a file and not at start-up.
    """
    from pydicom.errors import BytesLengthException, InvalidDicomError

    return (
        RecursionError,  # sequences in sequences without end, pydicom #2330
        ValueError,
        TypeError,
        AttributeError,
        KeyError,
        IndexError,
        NotImplementedError,
        EOFError,
        MemoryError,
        OverflowError,
        OSError,
        struct.error,
        zlib.error,
        BytesLengthException,
        InvalidDicomError,
    )


class BoundedReader(io.BufferedReader):
    """A file that is never asked for more than it holds, nor for a bomb.

    A damaged length of 4 GB would otherwise be allocated before the file turns out to be short.
    pydicom reads the rest of a file as a whole only to inflate it: those bytes, and not what
    the header says of itself, are the ones to be looked at.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path))
        self._length = os.fstat(self.fileno()).st_size
        self._label = path.name

    def read(self, size: int | None = -1, /) -> bytes:
        """Read at most `size` bytes; all that is left only if it inflates to a mammogram."""
        if size is None or size < 0:
            rest = super().read()
            check_inflated(self._label, rest)
            return rest
        if size > _LARGE_BYTES:
            size = min(size, max(self._length - self.tell(), 0))
        return super().read(size)


def parse(
    source: Path | BinaryIO, *, pixels: bool = False, only: Sequence[str | int] | None = None
) -> FileDataset:
    """Parse a DICOM file; without its pixels, an open file is left standing at their tag.

    Parameters
    ----------
    only
        Keywords or tags of the attributes that are wanted: it takes a quarter of the time.

    Raises
    ------
    One of `damage()`.
    """
    import pydicom
    from pydicom import config

    # Values are checked where they are used; pydicom's own warnings quote them in the log.
    config.settings.reading_validation_mode = config.IGNORE
    if isinstance(source, Path):
        with BoundedReader(source) as file:
            return parse(file, pixels=pixels, only=only)
    return pydicom.dcmread(  # pyright: ignore[reportUnknownMemberType]
        source,
        stop_before_pixels=not pixels,
        specific_tags=None if only is None else cast("list[str]", list(only)),
    )


def text(dataset: Dataset, keyword: str) -> str:
    """A single text value, stripped; empty where it is missing or empty."""
    found = texts(dataset, keyword)
    return found[0] if found else ""


def texts(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """All values of an attribute as text."""
    value: object = dataset.get(keyword)
    if value is None or value == "":
        return ()
    if isinstance(value, (list, tuple)) or type(value).__name__ == "MultiValue":
        return tuple(str(part).strip() for part in cast("Sequence[object]", value))
    return (str(value).strip(),)


def numbers(dataset: Dataset, keyword: str) -> tuple[float, ...]:
    """All values as numbers; empty where one of them is none, or not finite."""
    try:
        found = tuple(float(part) for part in texts(dataset, keyword))
    except ValueError:
        return ()
    return found if all(math.isfinite(value) for value in found) else ()


def number(dataset: Dataset, keyword: str) -> float | None:
    """The first value as a number, or None."""
    values = numbers(dataset, keyword)
    return values[0] if values else None


def whole(dataset: Dataset, keyword: str) -> int | None:
    """The first value as a whole number, or None."""
    value = number(dataset, keyword)
    return int(value) if value is not None and value == int(value) else None


def items(dataset: Dataset | None, keyword: str) -> Sequence[Dataset]:
    """The items of a sequence; empty where it is missing."""
    value = dataset.get(keyword) if dataset is not None else None
    return cast("Sequence[Dataset]", value) if value else ()


def first_item(dataset: Dataset | None, keyword: str) -> Dataset | None:
    """The first item of a sequence, or None."""
    found = items(dataset, keyword)
    return found[0] if found else None


def shared_item(dataset: Dataset, keyword: str) -> Dataset | None:
    """A functional group's item: of all frames (shared), else of the first frame."""
    for groups in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        found = first_item(first_item(dataset, groups), keyword)
        if found is not None:
            return found
    return None
