"""The ranked studies as a file that a window reads: one study a line, in the order of reading.

`worklist.jsonl` begins with a line on the run, with its summary; a window needs no more of it
than it shows.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, cast

from ml.distribution import distribution_from_json
from ml.errors import DataError
from ml.files import replacing
from ml.mammo.codes import BreastDensity, Laterality
from ml.screen.ranking import BreastRank, Group, Placed, StudyRank, Summary
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
    summary
        What was met, how the scores lie, and how they lay where the model was measured; None:
        the list was written before that was told.
    """

    folder: str
    models: Mapping[str, str]
    written_at: str
    threshold: float | None
    studies: tuple[StudyRank, ...]
    summary: Summary | None = None


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
        "summary": None if one.summary is None else asdict(one.summary),
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
            folder=head["folder"],
            models=head["models"],
            written_at=head["written_at"],
            threshold=head["threshold"],
            studies=studies,
            summary=_summary(head.get("summary")),
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


def _summary(content: dict[str, object] | None) -> Summary | None:
    if content is None:
        return None
    known = cast("dict[str, object] | None", content["distribution"])
    quantiles, bins = (cast("list[float]", content[name]) for name in ("quantiles", "bins"))
    made = {
        **content,
        "quantiles": tuple(quantiles),
        "bins": tuple(bins),
        "distribution": None if known is None else distribution_from_json(known),
    }
    return Summary(**made)


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
