"""What a screening left in its folder, and where the reader is in its list.

The results may lie where nobody may write, and are read by several: what is the reader's own is
kept in her home, a small file for each folder of results.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from ml.errors import DataError
from ml.files import write_json, written_into
from ml.screen.worklist import WORKLIST, read_worklist
from ml.texts import mark
from viewer.core.read_study import Status
from viewer.core.screening import Listed, Part, View, filed_names, listed_of, with_view
from viewer.core.screening_words import Column
from viewer.core.state import BLIND, RANKED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ml.screen.order import ScreenOrder
    from ml.screen.worklist import WorkList
    from viewer.library.library import Library

ORDER = "order.json"


@dataclass(frozen=True, slots=True)
class Kept:
    """Where the reader is in a list.

    Attributes
    ----------
    results
        The folder of the list.
    current
        The key of the study at hand.
    names
        Under which name the library has a study, by key, where that is not its first image's.
    """

    results: str
    view: View = field(default_factory=View)
    current: str = ""
    names: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Screened:
    """A list that was read, and what else is kept of it.

    Attributes
    ----------
    order
        Of the screening; None where it was given elsewhere.
    """

    results: Path
    listed: Listed
    names: Mapping[str, str]


def read_screened(
    results: Path,
    places: Path,
    library: Library | None,
    first: View | None = None,
    left: Kept | None = None,
) -> Screened:
    """Read a list, take up the reader's place, and ask what she read of it.

    Parameters
    ----------
    places
        Where places are kept.
    first
        How a list is seen that was not opened before.
    left
        Where she was a moment ago, which may not be kept yet.

    Raises
    ------
    DataError
        Where there is no list in the folder, or it cannot be read.
    """
    if not (results / WORKLIST).exists():
        raise DataError(
            mark("{folder} holds no list of a screening; choose the folder of its results."),
            folder=results.name,
        )
    work = read_worklist(results / WORKLIST)
    kept = left or kept_of(results, places) or Kept(str(results), first or View())
    statuses = ask_statuses(work, kept.names, library)
    listed = listed_of(work, kept.view, statuses, kept.current)
    return Screened(results, with_view(listed, kept.view), kept.names)


def ask_statuses(
    work: WorkList, names: Mapping[str, str], library: Library | None
) -> dict[str, Status]:
    """Where the studies of a list stand with the reader, by their keys."""
    if library is None:
        return {}
    filed = filed_names(work, names)
    known = library.statuses_of(filed.values())
    return {key: known[name] for key, name in filed.items() if name in known}


def kept_of(results: Path, places: Path) -> Kept | None:
    """Where the reader was in a list; None where she never was, or nobody knows any more."""
    try:
        content = json.loads(_file_of(results, places).read_text("utf-8"))
        return _kept(cast("Mapping[str, object]", content))
    except (OSError, ValueError, KeyError, TypeError):
        # A place that is lost costs a look for it, and nothing else.
        return None


def keep(kept: Kept, places: Path) -> None:
    """Keep where the reader is.

    Raises
    ------
    DataError
        Where it cannot be written.
    """
    with written_into(places):
        write_json(_file_of(Path(kept.results), places), asdict(_plain(kept)))


def lists_of(screenings: Path, places: Path) -> tuple[Path, ...]:
    """The folders of all lists that are known here, those written last first."""
    own = (path.parent for path in screenings.glob(f"*/{WORKLIST}"))
    dated = {
        folder.resolve(): written
        for folder in (*own, *_opened(places))
        if (written := _written(folder)) is not None
    }
    return tuple(sorted(dated, key=lambda folder: dated[folder], reverse=True))


def results_for(screenings: Path, folder: Path, day: str) -> Path:
    """Where the results of a folder go: the same one for the same folder on one day."""
    name = folder.name or "folder"
    number = 1
    while True:
        results = screenings / (f"{name}-{day}" if number == 1 else f"{name}-{day}-{number}")
        if not results.exists() or _folder_of(results) == str(folder):
            return results
        number += 1


def begin(order: ScreenOrder) -> None:
    """Make the folder of the results and write down what is screened into it.

    Raises
    ------
    DataError
        Where there is nothing to screen, or the folder of the results cannot be written.
    """
    if not Path(order.folder).exists():
        raise DataError(
            mark("{folder} is not there any more; choose another folder."),
            folder=Path(order.folder).name,
        )
    results = Path(order.out)
    with written_into(results):
        write_json(results / ORDER, order.to_json())


def _file_of(results: Path, places: Path) -> Path:
    name = str(results.resolve()).encode("utf-8", "surrogateescape")
    return places / f"{hashlib.sha256(name).hexdigest()[:24]}.json"


def _plain(kept: Kept) -> Kept:
    """As JSON takes it."""
    return replace(kept, names=dict(kept.names))


def _kept(content: Mapping[str, object]) -> Kept:
    view = cast("Mapping[str, object]", content["view"])
    column, status = view["column"], view["status"]
    seen = View(
        order=BLIND if view["order"] == BLIND else RANKED,
        column=None if column is None else Column(column),
        falling=bool(view["falling"]),
        text=str(view["text"]),
        status=None if status is None else Status(status),
        part=Part(view["part"]),
    )
    names = cast("Mapping[str, object]", content["names"])
    told = {key: str(name) for key, name in names.items()}
    return Kept(str(content["results"]), seen, str(content["current"]), told)


def _opened(places: Path) -> Iterable[Path]:
    for path in places.glob("*.json"):
        try:
            content = cast("Mapping[str, object]", json.loads(path.read_text("utf-8")))
            yield Path(str(content["results"]))
        except (OSError, ValueError, KeyError, TypeError):
            continue


def _written(results: Path) -> float | None:
    try:
        return (results / WORKLIST).stat().st_mtime
    except OSError:
        return None


def _folder_of(results: Path) -> str:
    """What was screened into a folder; empty where nobody knows."""
    try:
        content = json.loads((results / ORDER).read_text("utf-8"))
        return str(cast("Mapping[str, object]", content)["folder"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
