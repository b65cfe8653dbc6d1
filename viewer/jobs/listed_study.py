"""Takes a study of a screened list from where it lies: files, or members of archives."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ml.errors import ReadError
from ml.screen.places import place_of
from ml.texts import mark, translate
from viewer.core.state import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ml.mammo.study import Study
    from ml.screen.ranking import StudyRank

_UNREADABLE = mark("{name} cannot be read where it was ({why}). Is the disk there?")


@dataclass(frozen=True, slots=True)
class Taken:
    """A study as it was read.

    Attributes
    ----------
    studies
        One, or none where no image could be read.
    refusals
        Files that could not be read, and why.
    copies
        The folder of what was copied out of archives; None where nothing was.
    """

    key: str
    studies: tuple[Study, ...]
    refusals: tuple[Refusal, ...]
    copies: Path | None


def nothing_text(taken: Taken) -> str:
    """Why a study of which no image could be read is not shown."""
    first = taken.refusals[0].sentence if taken.refusals else ""
    text = translate(mark("No image of this study can be opened. {why}"))
    return text.format(why=first).strip()


def take_study(rank: StudyRank, copies: Path) -> Taken:
    """Read the headers of a study's images.

    Parameters
    ----------
    copies
        A folder of the study's own, for what lies in archives; made only where that is needed.
    """
    from ml.mammo.scan import find_images
    from ml.mammo.study import merge_all

    refusals: list[Refusal] = []
    paths = list(_files(rank, copies, refusals))
    found = find_images(paths)
    refusals += (Refusal(path, str(error)) for path, error in found.refused)
    # Grouped as they were screened; where a file is another's by now, an alarm says so.
    studies = merge_all(found.images)
    return Taken(rank.key, studies, tuple(refusals), copies if copies.exists() else None)


def _files(rank: StudyRank, copies: Path, refusals: list[Refusal]) -> Iterator[Path]:
    for number, placed in enumerate(rank.places):
        place = place_of(placed.place)
        try:
            if not place.member:
                yield place.path
                continue
            with place.opened() as copy:
                copies.mkdir(parents=True, exist_ok=True)
                # Of the same name in another folder of the archive is another image.
                yield Path(shutil.move(copy, copies / f"{number:03}-{copy.name}"))
        except ReadError as error:
            refusals.append(Refusal(place.path, str(error)))
        except OSError as error:
            why = error.strerror or type(error).__name__
            refusals.append(
                Refusal(place.path, translate(_UNREADABLE).format(name=place.name, why=why))
            )
