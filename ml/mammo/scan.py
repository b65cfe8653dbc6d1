"""Finding the mammograms among files, folders and DICOMDIRs; one bad file hides no other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ml.errors import NotDicomError, ReadError
from ml.mammo.header import items, text, texts
from ml.mammo.read import read_header, read_mammogram
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ml.mammo.mammogram import Mammogram


DICOMDIR = "DICOMDIR"
IMAGE_ENDINGS = frozenset({"dcm", "dicom", "dic", "ima", "img"})


@dataclass(frozen=True, slots=True)
class Found:
    """What was found, and what was refused and why.

    Attributes
    ----------
    images
        In the order of the paths, folders sorted by name; no image twice.
    refused
        Files that a user would have expected to open.
    """

    images: tuple[Mammogram, ...]
    refused: tuple[tuple[Path, ReadError], ...]


def find_images(paths: Sequence[Path]) -> Found:
    """Read every mammogram among these files and below these folders."""
    images: dict[tuple[str, bool], Mammogram] = {}
    refused: list[tuple[Path, ReadError]] = []
    for path in paths:
        try:
            for file in _files(path):
                _read_into(file, images, refused, chosen=file == path)
        except ReadError as error:
            refused.append((path, error))
    return Found(tuple(images.values()), tuple(refused))


def _read_into(
    file: Path,
    images: dict[tuple[str, bool], Mammogram],
    refused: list[tuple[Path, ReadError]],
    *,
    chosen: bool,
) -> None:
    try:
        image = read_mammogram(file)
    except NotDicomError as error:
        if chosen or not accompanies(file):
            refused.append((file, error))
    except ReadError as error:
        refused.append((file, error))
    else:
        # A synthetic image never stands in for a real one, nor hides behind its UID.
        images.setdefault(image.key, image)


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        index = path / DICOMDIR
        if index.is_file():
            yield from listed_in(index)
        else:
            yield from sorted(
                p for p in path.rglob("*") if p.is_file() and not _hidden(p, path)
            )
    elif path.name.upper() == DICOMDIR:
        yield from listed_in(path)
    elif path.is_file():
        yield path
    else:
        # Pipes and devices too: opening one may wait for ever.
        raise ReadError(mark("{name} is no file or folder. Check the path."), name=path.name)


def accompanies(file: Path) -> bool:
    """Whether a file only lies beside images: a table, a licence, a viewer on a disc.

    DICOM files are called *.dcm, or by a UID or as on a disc: with a number for an ending or
    with none.
    """
    ending = file.suffix.lower()[1:]
    return ending.isalpha() and ending not in IMAGE_ENDINGS


def _hidden(path: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(root).parts)


def listed_in(index: Path) -> Iterator[Path]:
    """The images of a DICOMDIR, none of them outside its folder (CVE-2026-32711)."""
    root = index.parent.resolve()
    for record in items(read_header(index), "DirectoryRecordSequence"):
        if text(record, "DirectoryRecordType") != "IMAGE":
            continue
        file = root.joinpath(*texts(record, "ReferencedFileID")).resolve()
        if not file.is_relative_to(root):
            raise ReadError(
                mark("{name} points outside its own folder, so it is not followed."),
                name=index.name,
            )
        yield file
