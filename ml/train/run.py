"""Any training from its order: what the command line and the job process call.

The data of a model are audited before anything else; the report, `AUDIT`, is kept in the folder
of the training. It says how far it is in steps, with news

    {"audit": "/out/audit.json"}
    {"stage": "detector" | "patches" | "classifier", "loss": 0.123}
    {"stage": "detector" | "classifier", "sample": "/out/samples/detector-00500.json"}
    {"pack": "/out"}      in the end

or those of a generator (`ml.train.generator_school`). The losses are kept in `CURVE`. Stopped
or killed at any moment, the same order goes on from the last checkpoint.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ml.audit.auditing import audit
from ml.audit.command import files_of, tables_of
from ml.audit.report import AuditReport, Verdict
from ml.control import NOBODY, Control
from ml.errors import DataError
from ml.files import write_json
from ml.manifest import read_manifest
from ml.places import GENERATOR
from ml.texts import mark
from ml.train.curve import Recorded
from ml.train.order import AUDIT, CURVE, Mode, TrainingOrder

if TYPE_CHECKING:
    from collections.abc import Mapping


def run(spec: Mapping[str, object], control: Control = NOBODY) -> None:
    """Train what an order asks for.

    Parameters
    ----------
    spec
        `TrainingOrder.to_json`.

    Raises
    ------
    MammoError
        Where the images cannot teach it, their audit is red, or the folder holds another
        training.
    Stopped
        Where `control` ends the work.
    """
    order = TrainingOrder.from_json(spec)
    Path(order.out).mkdir(parents=True, exist_ok=True)
    control = Recorded(control, Path(order.out) / CURVE)
    if order.role == GENERATOR:
        from ml.train.generator_command import train_generator

        train_generator(order, control)
        return
    report = audited(order, control)
    from ml.train.beginnings import Beginning
    from ml.train.command import main
    from ml.train.modes import Teaching

    main(
        order.role,
        Path(order.manifest),
        Path(order.out),
        from_scratch=order.from_scratch,
        device=order.device,
        part=order.part,
        control=control,
        overrides=overrides_of(report),
        teaching=Teaching(Mode(order.mode), order.dose) if order.mode else None,
        sample_every=order.sample_every,
        beginning=Beginning.of(report),
    )


def overrides_of(report: AuditReport) -> tuple[str, ...]:
    """What stays on a card of an audit that was red."""
    return (report.override,) if report.verdict is Verdict.RED else ()


def run_audit(spec: Mapping[str, object], control: Control = NOBODY) -> None:
    """Only audit an order's data; red is an answer, too.

    Raises
    ------
    MammoError
        Where the tables cannot be read.
    Stopped
        Where `control` ends the work.
    """
    look(TrainingOrder.from_json(spec), control)


def audited(order: TrainingOrder, control: Control) -> AuditReport:
    """The audit of an order's data, from its folder where it was made before.

    Raises
    ------
    DataError
        Where it is red and nobody wrote down why the data are used all the same.
    """
    report = look(order, control)
    if not report.allows_training:
        worst = report.of(Verdict.RED)[0]
        raise DataError(
            mark("These data should not be trained on. {reason} {cure}"),
            reason=str(worst.reason),
            cure=str(worst.cure),
        )
    return report


def look(order: TrainingOrder, control: Control) -> AuditReport:
    """The audit of an order's data, whatever it says, kept in the order's folder.

    It is made anew where the tables or the images have changed since.
    """
    path = Path(order.out) / AUDIT
    manifest, tables = read_manifest(Path(order.manifest)), tables_of(Path(order.manifest))
    files = files_of(manifest)
    report = _kept(path)
    if report is None or (report.tables, report.files) != (tables, files):
        report = audit(manifest, control=control, tables=tables)
        report = replace(report, files=files)
    if order.override:
        report = report.overridden(order.override)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, report.to_json())
    control.say(0, 1, {"audit": str(path)})
    return report


def _kept(path: Path) -> AuditReport | None:
    return AuditReport.from_json(json.loads(path.read_text("utf-8"))) if path.exists() else None
