"""What a generation left in its folder: read for the studio, and saved for the user."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ml.errors import DataError
from ml.files import replacing
from ml.manifest import write_manifest
from ml.registry import Figure
from ml.synth.output import JOURNAL, REJECTED, tables_of
from ml.texts import mark
from viewer.core.batch import Shot, shot_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# The names of the images that the user does not keep, beside the generation's journal: the
# journal is the job's, which may be writing it.
NOT_KEPT = "not_kept.json"
# Figures of the finished batch, where they were measured.
QUALITY = "quality.json"
PICTURE = ".png"


@dataclass(frozen=True, slots=True)
class Left:
    """What lies in a generation's folder.

    Attributes
    ----------
    figures
        What was measured of the batch; empty where nothing was yet.
    """

    shots: tuple[Shot, ...]
    figures: tuple[Figure, ...]


def read_left(folder: Path) -> Left:
    """All images of a generation so far, kept or not; none where it has not begun."""
    unwanted = _not_kept(folder)
    shots = (shot_of(_news(folder, line)) for line in _lines(folder))
    told = (
        replace(shot, wanted=not (shot.passed and Path(shot.path).name in unwanted))
        for shot in shots
        if shot
    )
    return Left(tuple(told), _figures(folder))


def write_not_kept(folder: Path, names: Sequence[str]) -> None:
    """Write down which images are not kept, for the next time that they are seen.

    Raises
    ------
    DataError
        Where the folder cannot be written.
    """
    try:
        with replacing(folder / NOT_KEPT) as fresh:
            fresh.write_text(json.dumps(sorted(names), indent=0) + "\n", encoding="utf-8")
    except OSError as error:
        raise DataError(
            mark("What is kept of {folder} cannot be written down ({why}); make room."),
            folder=folder.name,
            why=str(error.strerror or error),
        ) from error


def _not_kept(folder: Path) -> frozenset[str]:
    try:
        names = json.loads((folder / NOT_KEPT).read_text("utf-8"))
    except (OSError, ValueError):
        return frozenset()
    known = cast("list[object]", names) if isinstance(names, list) else []
    return frozenset(str(name) for name in known)


def save_shots(folder: Path, paths: Sequence[str], target: Path) -> int:
    """Copy images with tables of only these; return how many.

    Parameters
    ----------
    folder
        Of the generation.
    paths
        The DICOM files to keep.
    target
        An empty folder, or one that is not there yet.

    Raises
    ------
    DataError
        Where the folder holds something, or cannot be written; nothing is left of it then.
    """
    if target.exists() and any(target.iterdir()):
        raise DataError(
            mark("{folder} is not empty; choose an empty folder for the images."),
            folder=target.name,
        )
    names = {Path(path).name for path in paths}
    lines = [line for line in _lines(folder) if line["kept"] and line["path"] in names]
    there = target.exists()
    try:
        target.mkdir(parents=True, exist_ok=True)
        _copy(folder, lines, target)
        write_manifest(tables_of(target, lines))
    except OSError as error:
        _take_away(target, lines, whole=not there)
        raise DataError(
            mark("{folder} cannot be written ({why}); choose another one or make room."),
            folder=target.name,
            why=str(error.strerror or error),
        ) from error
    return len(lines)


def _copy(folder: Path, lines: Sequence[Mapping[str, object]], target: Path) -> None:
    for line in lines:
        path = folder / str(line["path"])
        for each in (path, path.with_suffix(PICTURE)):
            shutil.copy2(each, target / each.name)


def _take_away(target: Path, lines: Sequence[Mapping[str, object]], *, whole: bool) -> None:
    for line in lines:
        path = target / str(line["path"])
        for each in (path, path.with_suffix(PICTURE)):
            with suppress(OSError):
                each.unlink()
    if whole:
        with suppress(OSError):
            target.rmdir()


def _lines(folder: Path) -> list[Mapping[str, object]]:
    """The journal's whole lines: the job may be writing the last one."""
    try:
        text = (folder / JOURNAL).read_bytes()
    except OSError:
        return []
    whole = text[: text.rfind(b"\n") + 1].splitlines()
    return [cast("Mapping[str, object]", json.loads(line)) for line in whole]


def _news(folder: Path, line: Mapping[str, object]) -> Mapping[str, object]:
    """A line of the journal as the job told it (`ml.synth.making`)."""
    row = cast("Mapping[str, str]", line["row"])
    kept = bool(line["kept"])
    path = (folder if kept else folder / REJECTED) / str(line["path"])
    return {
        "path": str(path),
        "thumbnail": str(path.with_suffix(PICTURE)),
        "prompt": row.get("prompt", ""),
        "kept": kept,
        "reason": row.get("reason", ""),
    }


def _figures(folder: Path) -> tuple[Figure, ...]:
    """As `ml.synth.quality` wrote them; none where nothing was measured."""
    try:
        content = json.loads((folder / QUALITY).read_text("utf-8"))
        return tuple(Figure(**figure) for figure in content["figures"])
    except (OSError, ValueError, TypeError, KeyError):
        return ()
