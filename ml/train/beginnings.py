"""What was known of the data when a training began, kept with it whatever becomes of them.

A table can be mended and audited again after a model was taught what stood there before. So
the plan of a training (`ml.train.order.PLAN`) holds what its audit said then and of which
tables, and the same of each time that it was gone on with, where anything had changed.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, cast

from ml.audit.command import tables_of
from ml.audit.report import Verdict, worst
from ml.errors import DataError
from ml.program import code_version
from ml.texts import mark
from ml.train.order import PLAN

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ml.audit.report import AuditReport

BEGINNINGS = "beginnings"


@dataclass(frozen=True, slots=True)
class Beginning:
    """One start of a training.

    Attributes
    ----------
    verdict
        Of the audit: one of `Verdict`'s words.
    override
        Why it was trained although that is red; empty where nobody said.
    tables
        The sha256 of each table of the data, by its name.
    files
        What the audit knew the images by (`AuditReport.files`).
    code
        `ml.program.code_version`.
    """

    verdict: str
    override: str = ""
    tables: Mapping[str, str] = field(default_factory=dict[str, str])
    files: str = ""
    code: str = ""

    @staticmethod
    def of(report: AuditReport) -> Beginning:
        """A training on what a report is of, that begins now."""
        return Beginning(
            report.verdict.value,
            report.override,
            dict(report.tables),
            report.files,
            code_version(),
        )


def noted(folder: Path, beginning: Beginning | None) -> dict[str, object]:
    """What the plan of a training is to say of all its beginnings, this one included.

    Parameters
    ----------
    folder
        Of the training, with its plan where it was begun before.
    beginning
        None: nothing is known of the data's audit.
    """
    before = beginnings_of(folder)
    if beginning is not None and beginning not in before:
        before = (*before, beginning)
    return {BEGINNINGS: [asdict(one) for one in before]} if before else {}


def beginnings_of(folder: Path) -> tuple[Beginning, ...]:
    """Every beginning of a training, the first one first; none where they were not kept.

    Raises
    ------
    DataError
        Where the plan cannot be read.
    """
    path = folder / PLAN
    if not path.exists():
        return ()
    try:
        content = cast(
            "dict[str, list[dict[str, object]]]", json.loads(path.read_text("utf-8"))
        )
        kept = [Beginning(**one) for one in content.get(BEGINNINGS, [])]  # type: ignore[arg-type]
        worst(Verdict(one.verdict) for one in kept)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise DataError(
            mark("{name} of the training cannot be read; begin another training."),
            detail=repr(error),
            name=PLAN,
        ) from error
    return tuple(kept)


def verdict_of(beginnings: tuple[Beginning, ...]) -> str:
    """The worst that an audit said at any of them; empty where there is none."""
    return worst(Verdict(one.verdict) for one in beginnings).value if beginnings else ""


def refuse_changed(beginning: Beginning | None, manifest: Path) -> None:
    """What is taught is what was audited.

    Raises
    ------
    DataError
        Where a table has changed since.
    """
    if beginning is not None and dict(beginning.tables) != tables_of(manifest):
        raise DataError(
            mark("The tables of {manifest} were changed while they were audited; begin again."),
            manifest=manifest.name,
        )
