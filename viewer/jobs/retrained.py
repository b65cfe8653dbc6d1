"""What a retraining left in its folder, and which versions there are."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ml.audit.report import AuditReport
from ml.errors import DataError, ModelError
from ml.files import write_json, written_into
from ml.manifest import Label, Source, Split, read_manifest
from ml.merging import merge, merged
from ml.places import models_folder
from ml.registry import CARD, NEEDED_ROLES, ROLES, read_card
from ml.splits import split_of
from ml.texts import mark
from ml.train.order import AUDIT, COMPARISON, CURVE, HELPS, SAMPLES, TrainingOrder
from ml.versions import SHIPPED, Version, Versions
from viewer.core.retraining import (
    HELPS_FOLDER,
    Comparison,
    Counted,
    Helps,
    HelpTold,
    Point,
    Run,
    Told,
)
from viewer.jobs.samples import read_samples

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ml.manifest import ManifestRow

log = logging.getLogger(__name__)
ORDER = "order.json"
# The tables of several data sets as one, within a training's folder.
DATA = "data"
_SYNTHETIC = (Source.PHANTOM, Source.GENERATED)
_PARTS = (Split.TRAIN, Split.VALIDATION, Split.TEST)


def count_data(sets: Sequence[Path]) -> Counted:
    """Count what data sets have together for each purpose.

    Raises
    ------
    DataError
        Where one has no manifest, or it cannot be read.
    """
    manifests = [read_manifest(one) for one in sets]
    rows = (manifests[0] if len(sets) == 1 else merged(manifests, Path())).rows
    of_part = {part: [row for row in rows if split_of(row) is part] for part in _PARTS}
    train, validation, test = (_counts(of_part[part]) for part in _PARTS)
    return Counted(
        tuple(map(str, sets)),
        len({row.patient_id for row in rows}),
        len(rows),
        (train, validation, test),
        sum(row.source is Source.GENERATED for row in rows),
        sum(row.source in _SYNTHETIC for row in of_part[Split.TRAIN]),
    )


def _counts(rows: list[ManifestRow]) -> tuple[int, int, int]:
    with_lesion = sum(row.label in (Label.BENIGN, Label.MALIGNANT) for row in rows)
    return len({row.patient_id for row in rows}), len(rows), with_lesion


def begin(order: TrainingOrder, sets: Sequence[Path]) -> Run:
    """Make a retraining's folder and write down what is wanted.

    Parameters
    ----------
    sets
        What it learns from: one data set where it is, or several as one in its folder. What is
        added to one of these later has no part in it.

    Raises
    ------
    DataError
        Where a set cannot be read, or the folder cannot be written.
    """
    if len(sets) > 1:
        merge(sets, Path(order.out) / DATA)
        order = replace(order, manifest=str(Path(order.out) / DATA))
    else:
        order = replace(order, manifest=str(sets[0]))
    write_order(order)
    return read_run(Path(order.out))


def write_order(order: TrainingOrder) -> None:
    """Keep an order in its folder.

    Raises
    ------
    DataError
        Where the folder cannot be written.
    """
    folder = Path(order.out)
    with written_into(folder):
        write_json(folder / ORDER, order.to_json())


def read_run(folder: Path) -> Run:
    """All that lies in a retraining's folder.

    What came of it is there though the data are away, as a disk that is not plugged in.

    Raises
    ------
    DataError, ModelError
        Where a file of it is not what it should be.
    """
    order = TrainingOrder.from_json(_json(folder / ORDER))
    report = folder / AUDIT
    card = read_card(folder / CARD) if (folder / CARD).exists() else None
    return Run(
        order,
        _counted(order),
        AuditReport.from_json(_json(report)) if report.exists() else None,
        _curve(folder / CURVE),
        card is not None,
        card.figures if card else (),
        _comparison(folder / COMPARISON),
        _helps(folder / HELPS_FOLDER / HELPS),
        samples=read_samples(folder / SAMPLES),
    )


def _counted(order: TrainingOrder) -> Counted | None:
    try:
        return count_data([Path(order.manifest)])
    except DataError as error:
        log.info("the data of a training cannot be read: %s", type(error).__name__)
        return None


def runs_of(trainings: Path) -> tuple[Path, ...]:
    """The folders of all retrainings, the newest first."""
    orders = trainings.glob(f"*/{ORDER}")
    newest = sorted(orders, key=lambda path: path.stat().st_mtime, reverse=True)
    return tuple(path.parent for path in newest)


def _curve(path: Path) -> tuple[Point, ...]:
    """The losses so far; the last line may be half written.

    A step that came twice, after a restart, counts as it was told last.
    """
    if not path.exists():
        return ()
    whole = path.read_bytes().rpartition(b"\n")[0].splitlines()
    lines = [cast("Mapping[str, object]", json.loads(line)) for line in whole]
    names = [each.name for each in fields(Point)]
    points = (Point(*(line[name] for name in names)) for line in lines)  # type: ignore[arg-type]
    of_step = {point.done: point for point in points}
    return tuple(of_step[done] for done in sorted(of_step))


def _comparison(path: Path) -> Comparison | None:
    content = _json(path) if path.exists() else {}
    if "decision" not in content:
        return None
    decision = cast("Mapping[str, object]", content["decision"])
    compared = cast("Iterable[Mapping[str, object]]", decision["compared"])
    told = (Told(str(one["sentence"]), str(one["standing"])) for one in compared)
    return Comparison(
        str(content["role"]),
        str(content["key"]),
        str(content["live"]),
        bool(decision["promoted"]),
        tuple(told),
        tuple(map(str, cast("Iterable[object]", decision["reasons"]))),
        int(cast("int", decision["uses"])),
        decision,
        tuple(map(str, cast("Iterable[object]", decision.get("remarks", ())))),
        cast("Mapping[str, str]", content.get("beside", {})),
    )


def _helps(path: Path) -> Helps | None:
    if not path.exists():
        return None
    content = _json(path)
    compared = cast("Iterable[Mapping[str, object]]", content["comparisons"])
    names = [each.name for each in fields(HelpTold)]
    told = (HelpTold(*(str(one[name]) for name in names)) for one in compared)
    return Helps(str(content["sentence"]), tuple(told))


def _json(path: Path) -> dict[str, object]:
    try:
        return cast("dict[str, object]", json.loads(path.read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise DataError(
            mark("{name} of the training cannot be read; begin another training."),
            detail=str(error),
            name=path.name,
        ) from error


@dataclass(frozen=True, slots=True)
class Line:
    """A version as the list shows it.

    Attributes
    ----------
    key
        Empty: the model that comes with the program.
    name
        ``name version``; empty where its card cannot be read.
    overrides
        Every written reason against a red audit, its parents' among them.
    problem
        Why it cannot be used; empty where its card is there.
    """

    role: str
    key: str
    added: str
    audit: str
    overrides: tuple[str, ...]
    live: bool
    name: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class InUse:
    """Which models are in use, and which others there are.

    Attributes
    ----------
    names
        By role, ``name version``; without those that are not there any more.
    may_go_back
        Roles in which an earlier model can be used again.
    """

    names: Mapping[str, str]
    lines: tuple[Line, ...]
    may_go_back: frozenset[str]


def models_in_use(own: Path) -> InUse:
    """Read the list of versions; of one that is gone or damaged the line says so."""
    versions = Versions(own)
    lines = tuple(line for role in ROLES for line in _lines(versions, role))
    back = frozenset(role for role in ROLES if versions.live(role) != SHIPPED)
    names = {line.role: line.name for line in lines if line.live and line.name}
    return InUse(names, lines, back)


def _lines(versions: Versions, role: str) -> list[Line]:
    live, all_of = versions.live(role), versions.all(role)
    known = [_line(one, live, versions) for one in all_of]
    if live not in (SHIPPED, *(one.key for one in all_of)):
        known.append(_with_card(Line(role, live, "", "", (), live=True), versions))
    shipped = Line(role, SHIPPED, "", "", (), live == SHIPPED)
    return [_with_card(shipped, versions), *known]


def _line(version: Version, live: str, versions: Versions) -> Line:
    origin = version.origin
    line = Line(
        version.role,
        version.key,
        version.added[:10],
        origin.audit,
        (origin.override,) if origin.override else (),
        version.key == live,
    )
    return _with_card(line, versions)


def _with_card(line: Line, versions: Versions) -> Line:
    """The same with what its card says, or why there is none to read."""
    try:
        if line.key:
            card = read_card(versions.pack(line.role, line.key) / CARD)
        else:
            card = read_card(models_folder() / line.role / CARD)
    except ModelError as error:
        # The program comes without some models, and works.
        lacks = bool(line.key) or line.role in NEEDED_ROLES
        return replace(line, problem=str(error) if lacks else "")
    overrides = tuple(dict.fromkeys((*line.overrides, *card.overrides)))
    return replace(line, name=f"{card.name} {card.version}", overrides=overrides)


def promote(own: Path, compared: Comparison, who: str) -> None:
    """Put a version that the gate let through into use.

    Raises
    ------
    ModelError
        Where it was not let through, was compared with a model that is not in use any more, or
        is damaged.
    """
    versions = Versions(own)
    if not compared.promoted:
        raise ModelError(
            mark("The comparison did not let {key} through; it stays out of use."),
            key=compared.key,
        )
    were = {compared.role: compared.live, **compared.beside}
    if any(versions.live(role) != key for role, key in were.items()):
        raise ModelError(
            mark("Another model was put into use since {key} was compared; compare it again."),
            key=compared.key,
        )
    versions.promote(compared.role, compared.key, who, compared.decision)


def go_back(own: Path, role: str, live: str, who: str) -> None:
    """Use again what was in use before.

    Parameters
    ----------
    live
        What is in use, as whoever asks has seen it.

    Raises
    ------
    ModelError
        Where another model is in use by now, or the program's own is already.
    """
    versions = Versions(own)
    if versions.live(role) != live:
        raise ModelError(mark("Another model is in use by now; look at the list again."))
    versions.go_back(role, who)


def audit_anew(run: Run) -> Run:
    """Take an audit away that is to be made again, and with it the reason against it.

    Raises
    ------
    DataError
        Where the folder cannot be written.
    """
    order = replace(run.order, override="")
    write_order(order)
    with written_into(run.folder):
        (run.folder / AUDIT).unlink(missing_ok=True)
    return replace(run, order=order, audit=None)


def keep_override(run: Run) -> Run:
    """Keep the written reason against a red audit with the order and the report.

    Raises
    ------
    DataError
        Where the folder cannot be written.
    """
    assert run.audit is not None
    with written_into(run.folder):
        write_json(run.folder / AUDIT, run.audit.to_json())
    write_order(run.order)
    return run
