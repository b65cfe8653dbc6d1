"""From a trained pack to the model in use: taken in with its audit, asked, promoted.

What the window's buttons and `mammoscope models add`, `compare`, `promote`, `back` and `shadow`
call.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ml.audit.report import Verdict
from ml.control import NOBODY, Control
from ml.errors import ModelError
from ml.evaluate.gate import Margins, decide
from ml.evaluate.versus import compare_packs, part_of, rows_for_testing
from ml.files import write_json
from ml.in_use import packs_in_use
from ml.manifest import read_manifest
from ml.places import own_models_folder
from ml.program import code_version
from ml.registry import BESIDE, ROLES, read_pack
from ml.texts import mark, translate
from ml.train.beginnings import beginnings_of, verdict_of
from ml.train.order import COMPARISON, PLAN
from ml.versions import Origin, Version, Versions

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Mapping

    from ml.evaluate.gate import Decision
    from ml.registry import ModelPack

THE_PROGRAMS = "the model that comes with the program"


def add_version(versions: Versions, trained: Path) -> Version:
    """Take a trained pack in, with what is known of how it came about.

    Parameters
    ----------
    trained
        The folder of the training. Of its data counts what its plan keeps of every time that
        it was begun (`ml.train.beginnings`), not what stands in tables and reports by now.

    Raises
    ------
    DataError
        Where the plan cannot be read.
    WeightsMissingError, WeightsCorruptError, ModelError
        Where the folder holds no whole pack.
    """
    known = beginnings_of(trained)
    plan = trained / PLAN
    tables = dict.fromkeys("+".join(one.tables.values()) for one in known)
    codes = dict.fromkeys(one.code for one in known)
    reasons = dict.fromkeys(one.override for one in known if one.override)
    origin = Origin(
        ", ".join(tables),
        ", ".join(codes) or code_version(),
        json.loads(plan.read_text("utf-8")) if plan.exists() else {},
        verdict_of(known),
        "; ".join(reasons),
    )
    return versions.add(trained, origin)


def ask_gate(
    versions: Versions, role: str, key: str, manifest: Path, margins: Margins
) -> Decision:
    """Whether a version may go live: it is asked of the test part, and that is counted.

    Only a training whose audit was green at every beginning makes one that may; amber is not
    green, and a card with a written reason against a red audit, be it a parent's, never goes.

    Raises
    ------
    ModelError
        Where there is no such version.
    DataError
        Where the manifest has no test part, or one of the models was trained on it.
    """
    asked = _version(versions, role, key)
    versions.refuse_live(role, key)
    known = read_manifest(manifest)
    part = part_of(rows_for_testing(known))
    in_use = {name: read_pack(folder) for name, folder in packs_in_use().items()}
    others = {name: pack for name, pack in in_use.items() if name != role}
    new = read_pack(versions.place(role, key))
    uses = versions.tests(part) + 1
    compared = compare_packs(new, in_use[role], known, others, margins, uses)
    versions.test(role, key, part)
    green = asked.origin.audit == Verdict.GREEN.value
    decision = decide(compared, audit_is_green=green, overrides=new.card.overrides, uses=uses)
    return replace(decision, remarks=_remarks(role, in_use))


def _remarks(role: str, in_use: Mapping[str, ModelPack]) -> tuple[str, ...]:
    """What a detector's promotion does to another model, which nobody compared."""
    classifier = in_use.get("classifier")
    if role not in BESIDE["classifier"] or classifier is None:
        return ()
    if not classifier.card.mark_weights:
        return ()
    told = mark(
        "The score of {model}, which is in use for the diagnosis, counts the best mark of an "
        "image: with this model it changes, too, and that was not compared."
    )
    return (translate(told).format(model=classifier.card.key),)


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
    key = _taken_in(path, versions, role)
    if not key:
        key = add_version(versions, trained).key
        write_json(path, {"role": role, "key": key})
    were = {name: versions.live(name) for name in (role, *BESIDE[role])}
    control.breathe()
    control.log(translate(mark("Both models look at the images for testing.")))
    decision = ask_gate(versions, role, key, manifest, margins)
    for remark in decision.remarks:
        control.log(remark)
    if any(versions.live(name) != live for name, live in were.items()):
        raise ModelError(
            mark("Another model was put into use since {key} was compared; compare it again."),
            key=key,
        )
    told = {"role": role, "key": key, "live": were.pop(role), "beside": were}
    write_json(path, {**told, "decision": plain(decision)})
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
    margins: Margins,
) -> Decision:
    """Put a version into use, where the gate lets it through; the decision is kept.

    Raises
    ------
    ModelError, DataError
        As `ask_gate`.
    """
    decision = ask_gate(versions, role, key, manifest, margins)
    if decision.promoted:
        versions.promote(role, key, who, plain(decision))
    return decision


def plain(decision: Decision) -> dict[str, object]:
    """As it is kept in the history, with what is to be told of each figure."""
    return {
        "promoted": decision.promoted,
        "uses": decision.uses,
        "reasons": list(decision.reasons),
        "remarks": list(decision.remarks),
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
        added = add_version(versions, given.folder)
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
    margins = margins_given(given)
    if given.action == "compare":
        decision = ask_gate(versions, role, given.key, given.manifest, margins)
    else:
        decision = promote(versions, role, given.key, given.manifest, given.who, margins)
    for told in (*(one.sentence() for one in decision.compared), *decision.remarks):
        sys.stdout.write(f"{told}\n")
    if not decision.promoted:
        raise ModelError(
            mark("{key} may not be put into use: {why}")
            if given.action == "compare"
            else mark("{key} is not put into use: {why}"),
            key=given.key,
            why=" ".join(decision.reasons),
        )


def margins_given(given: Namespace) -> Margins:
    """Those of the options, else of the settings, else what the program begins with."""
    named = (each.name for each in fields(Margins))
    told = {name: getattr(given, f"margin_{name}", None) for name in named}
    return Margins(**{**given.margins(), **{n: v for n, v in told.items() if v is not None}})


def _lines(versions: Versions) -> Iterator[str]:
    """One line a version: what is in use has a star, what is in shadow a tilde."""
    for role in ROLES:
        shadow = versions.shadow(role)
        signs = {shadow.key: "~"} if shadow else {}
        signs[versions.live(role)] = "*"
        for one in versions.all(role):
            sign = signs.get(one.key, " ")
            yield f"{sign} {one.key}\t{role}\t{one.added}\t{one.origin.audit or '-'}"
