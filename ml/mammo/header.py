"""Reading single attributes of a header: lenient in, typed out."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import BinaryIO

    from pydicom.dataset import Dataset, FileDataset


def parse(source: Path | BinaryIO, *, pixels: bool = False) -> FileDataset:
    """Parse a DICOM file; without its pixels, an open file is left standing at their tag."""
    import pydicom

    return pydicom.dcmread(  # pyright: ignore[reportUnknownMemberType]
        source, stop_before_pixels=not pixels
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
    """All values as numbers; empty where one of them is none."""
    try:
        return tuple(float(part) for part in texts(dataset, keyword))
    except ValueError:
        return ()


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
