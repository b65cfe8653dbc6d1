"""The ranked studies as a file that a window reads: one study a line, in the order of reading.

`worklist.jsonl` begins with a line on the run; a window needs no more of it than it shows.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, cast

from ml.errors import DataError
from ml.files import replacing
from ml.mammo.codes import BreastDensity, Laterality
from ml.screen.ranking import BreastRank, Group, Placed, StudyRank
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Mapping
    from enum import Enum
    from pathlib import Path

WORKLIST = "worklist.jsonl"
FORM = 1


@dataclass(frozen=True, slots=True)
class WorkList:
    """The list of one folder.

    Attributes
    ----------
    folder
        What was screened.
    models
        ``name@version`` by role.
    written_at
        ISO 8601 UTC.
    threshold
        The classifier's operating point; None where it is not known.
    studies
        In the ranked order.
    """

    folder: str
    models: Mapping[str, str]
    written_at: str
    threshold: float | None
    studies: tuple[StudyRank, ...]


def write_worklist(path: Path, one: WorkList) -> None:
    """Write the file; an interruption leaves the old one or the new one.

    Raises
    ------
    OSError
    """
    head = {
        "form": FORM,
        "folder": one.folder,
        "models": dict(one.models),
        "written_at": one.written_at,
        "threshold": one.threshold,
    }
    with replacing(path) as fresh, fresh.open("w", encoding="utf-8") as file:
        file.write(json.dumps(head) + "\n")
        for rank in one.studies:
            file.write(json.dumps(asdict(rank), default=_value) + "\n")


def read_worklist(path: Path) -> WorkList:
    """Read what `write_worklist` wrote.

    Raises
    ------
    DataError
        Where the file is missing or of another form.
    """
    try:
        with path.open(encoding="utf-8") as file:
            head = json.loads(file.readline())
            _check(head)
            studies = tuple(_rank(json.loads(line)) for line in file)
        return WorkList(
            head["folder"], head["models"], head["written_at"], head["threshold"], studies
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            mark("The work list in {folder} cannot be read; screen the folder again."),
            folder=path.parent.name,
            detail=type(error).__name__,
        ) from error


def _check(head: Mapping[str, object]) -> None:
    if head["form"] != FORM:
        raise ValueError(head["form"])


def _value(one: Enum) -> object:
    return one.value


def _rank(values: dict[str, object]) -> StudyRank:
    density = values["density"]
    made = {
        **values,
        "group": Group(values["group"]),
        "reasons": tuple(cast("list[str]", values["reasons"])),
        "breasts": tuple(
            BreastRank(**{**each, "laterality": Laterality(each["laterality"])})
            for each in cast("list[dict[str, object]]", values["breasts"])
        ),
        "density": None if density is None else BreastDensity(density),
        "places": tuple(
            Placed(**each) for each in cast("list[dict[str, str]]", values["places"])
        ),
    }
    return StudyRank(**made)
