"""From a trained pack to the model in use: taken in with its audit, asked, promoted.

What the window's buttons and `mammoscope models add`, `promote`, `back` and `shadow` call.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, fields
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from ml.audit.command import tables_of
from ml.audit.report import AuditReport, Verdict
from ml.control import NOBODY, Control
from ml.errors import DataError, ModelError
from ml.evaluate.gate import Margins, decide
from ml.evaluate.versus import compare_packs, part_sha256, rows_for_testing
from ml.files import write_json
from ml.in_use import packs_in_use
from ml.manifest import read_manifest
from ml.places import own_models_folder
from ml.registry import ROLES, read_pack
from ml.texts import mark, translate
from ml.train.order import AUDIT, COMPARISON, PLAN
from ml.versions import Origin, Version, Versions

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Mapping

    from ml.evaluate.gate import Decision

THE_PROGRAMS = "the model that comes with the program"


def add_version(versions: Versions, trained: Path, manifest: Path) -> Version:
    """Take a trained pack in, with what is known of how it came about.

    Parameters
    ----------
    trained
        The folder of the training, with its plan and the report of the audit where there was
        one.
    manifest
        What it was trained on.

    Raises
    ------
    DataError
        Where the report is of other data.
    WeightsMissingError, WeightsCorruptError, ModelError
        Where the folder holds no whole pack.
    """
    tables = tables_of(manifest)
    report = _report(trained / AUDIT, tables) if (trained / AUDIT).exists() else None
    plan = trained / PLAN
    origin = Origin(
        "+".join(tables.values()),
        version("mammoscope"),
        json.loads(plan.read_text("utf-8")) if plan.exists() else {},
        report.verdict.value if report else "",
        report.override if report else "",
    )
    return versions.add(trained, origin)


def _report(path: Path, tables: dict[str, str]) -> AuditReport:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(
            mark("The report of the audit, {path}, cannot be read; run the audit again."),
            detail=str(error),
            path=path.name,
        ) from error
    report = AuditReport.from_json(content)
    if report.tables != tables:
        raise DataError(
            mark("The report of the audit, {path}, is of other data; run the audit again."),
            path=path.name,
        )
    return report


def ask_gate(
    versions: Versions, role: str, key: str, manifest: Path, margins: Margins
) -> Decision:
    """Whether a version may go live: it is asked of the test part, and that is counted.

    Raises
    ------
    ModelError
        Where there is no such version.
    DataError
        Where the manifest has no test part, or one of the models was trained on it.
    """
    asked = _version(versions, role, key)
    known = read_manifest(manifest)
    part = part_sha256(rows_for_testing(known))
    in_use = {name: read_pack(folder) for name, folder in packs_in_use().items()}
    others = {name: pack for name, pack in in_use.items() if name != role}
    new = read_pack(versions.place(role, key))
    uses = versions.tests(part) + 1
    compared = compare_packs(new, in_use[role], known, others, margins, uses)
    versions.test(role, key, part)
    green = asked.origin.audit == Verdict.GREEN.value
    return decide(compared, audit_is_green=green, uses=uses)


def run(spec: Mapping[str, object], control: Control = NOBODY) -> None:
    """Take a trained model in as a version and ask the gate: the queue's job "compare".

    It promotes nothing. What was found is kept in the training's folder as `COMPARISON`; the
    news in the end is ``{"comparison": "/out/comparison.json"}``.

    Parameters
    ----------
    spec
        ``trained`` (the folder), ``manifest``, and what `Margins` has.

    Raises
    ------
    ModelError, DataError
        As `add_version` and `ask_gate`.
    Stopped
        Where `control` ends the work.
    """
    folder = own_models_folder()
    if folder is None:
        raise ModelError(mark("There is no folder of your own models."))
    trained, manifest = Path(str(spec["trained"])), Path(str(spec["manifest"]))
    margins = Margins(**{each.name: float(str(spec[each.name])) for each in fields(Margins)})
    versions, path = Versions(folder), trained / COMPARISON
    role = read_pack(trained).card.role
    key = _taken_in(path, versions, role) or add_version(versions, trained, manifest).key
    write_json(path, {"role": role, "key": key})
    control.breathe()
    control.log(translate(mark("Both models look at the images for testing.")))
    decision = ask_gate(versions, role, key, manifest, margins)
    live = versions.live(role)
    write_json(path, {"role": role, "key": key, "live": live, "decision": plain(decision)})
    control.say(1, 1, {"comparison": str(path)})


def _taken_in(path: Path, versions: Versions, role: str) -> str:
    """The version that an earlier run of the job made of this training; empty: none."""
    key = str(json.loads(path.read_text("utf-8"))["key"]) if path.exists() else ""
    return key if key in {one.key for one in versions.all(role)} else ""


def promote(
    versions: Versions,
    role: str,
    key: str,
    manifest: Path,
    who: str,
    margins: Margins | None = None,
) -> Decision:
    """Put a version into use, where the gate lets it through; the decision is kept.

    Raises
    ------
    ModelError, DataError
        As `ask_gate`.
    """
    decision = ask_gate(versions, role, key, manifest, margins or Margins())
    if decision.promoted:
        versions.promote(role, key, who, plain(decision))
    return decision


def plain(decision: Decision) -> dict[str, object]:
    """As it is kept in the history, with what is to be told of each figure."""
    return {
        "promoted": decision.promoted,
        "uses": decision.uses,
        "reasons": list(decision.reasons),
        "compared": [
            {**asdict(one), "standing": one.standing.value, "sentence": one.sentence()}
            for one in decision.compared
        ],
    }


def _version(versions: Versions, role: str, key: str) -> Version:
    found = next((one for one in versions.all(role) if one.key == key), None)
    if found is None:
        raise ModelError(
            mark("The model {key} is not among the versions; `models versions` names them."),
            key=key,
        )
    return found


def main(given: Namespace) -> None:
    """What `mammoscope models` does with a user's own versions.

    Raises
    ------
    ModelError
        Where no folder of own models is known, or there is no such version, or the gate does
        not let it through.
    """
    folder = own_models_folder()
    if folder is None:
        raise ModelError(mark("There is no folder of your own models."))
    versions = Versions(folder)
    if given.action == "versions":
        for line in _lines(versions):
            sys.stdout.write(f"{line}\n")
    elif given.action == "add":
        added = add_version(versions, given.folder, given.manifest)
        sys.stdout.write(f"{added.key}\t{added.role}\n")
    elif given.action == "back":
        sys.stdout.write(f"{versions.go_back(given.role, given.who) or THE_PROGRAMS}\n")
    elif given.action == "shadow":
        _shadow(versions, given)
    else:
        _promote(versions, given)


def _shadow(versions: Versions, given: Namespace) -> None:
    if given.off:
        versions.end_shadow(given.off, given.who)
    else:
        versions.put_in_shadow(_role_of(versions, given.key), given.key, given.who)


def _role_of(versions: Versions, key: str) -> str:
    return next((r for r in ROLES if key in {v.key for v in versions.all(r)}), ROLES[0])


def _promote(versions: Versions, given: Namespace) -> None:
    role = _role_of(versions, given.key)
    decision = promote(versions, role, given.key, given.manifest, given.who)
    for one in decision.compared:
        sys.stdout.write(f"{one.sentence()}\n")
    if not decision.promoted:
        raise ModelError(
            mark("{key} is not put into use: {why}"),
            key=given.key,
            why=" ".join(decision.reasons),
        )


def _lines(versions: Versions) -> Iterator[str]:
    """One line a version: what is in use has a star, what is in shadow a tilde."""
    for role in ROLES:
        shadow = versions.shadow(role)
        signs = {shadow.key: "~"} if shadow else {}
        signs[versions.live(role)] = "*"
        for one in versions.all(role):
            sign = signs.get(one.key, " ")
            yield f"{sign} {one.key}\t{role}\t{one.added}\t{one.origin.audit or '-'}"
