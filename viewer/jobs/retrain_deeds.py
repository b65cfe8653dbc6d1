"""What a retraining's window offers at each step, and what its bottom line says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ml.audit.report import Verdict
from ml.texts import counted, translate
from viewer.core.retraining import HELPS_FOLDER, Run, Step, helps_order
from viewer.jobs import describe
from viewer.jobs.foot import Deed, Foot, at_work

if TYPE_CHECKING:
    from collections.abc import Sequence

    from viewer.library.job_row import JobRow

AUDIT, TRAIN, COMPARE, HELPS = "audit", "train", "compare", "helps"
KINDS: dict[Step, str] = {Step.AUDIT: AUDIT, Step.TRAIN: TRAIN, Step.COMPARE: COMPARE}


def row_of(rows: Sequence[JobRow], folder: str, kind: str) -> JobRow | None:
    """The newest job of a kind that works in a folder."""
    where = "trained" if kind == COMPARE else "out"
    found = [row for row in rows if row.kind == kind and row.spec.get(where) == folder]
    return max(found, key=lambda row: row.id, default=None)


def row_at(step: Step, run: Run, rows: Sequence[JobRow]) -> JobRow | None:
    """The job that a step shows and steers.

    Beside the training there may be the one that asks whether synthetic images help.
    """
    kind = KINDS.get(step)
    row = row_of(rows, str(run.folder), kind) if kind else None
    if step is Step.TRAIN and (row is None or row.state.is_ended):
        asked = row_of(rows, str(run.folder / HELPS_FOLDER), HELPS)
        if asked is not None and (not asked.state.is_ended or row is None or asked.id > row.id):
            return asked
    return row


def works_in(row: JobRow, folder: Path) -> bool:
    """Whether a job reads or writes in a training's folder, or in one within it."""
    said = (Path(value) for value in row.spec.values() if isinstance(value, str) and value)
    return any(path.is_relative_to(folder) for path in said)


def foot_of(
    step: Step, run: Run | None, rows: Sequence[JobRow], live: frozenset[str] = frozenset()
) -> Foot:
    """What is said and offered at a step.

    Parameters
    ----------
    live
        The versions in use.
    """
    if step is Step.DATA or run is None:
        return Foot(
            translate(
                "Choose a model and data. Nothing is trained before the data are audited."
            ),
            (Deed(AUDIT, translate("Audit these data"), first=True),),
        )
    row = row_at(step, run, rows)
    if row is not None and not row.state.is_ended:
        return _at_work(row, rows)
    told = row.sentence if row is not None else ""
    foot = _in_use(step, run, live) or _OF_STEP[step](run)
    asked = row is not None and row.kind == HELPS
    return Foot(told, foot.deeds) if told and not _is_done(step, run, asked) else foot


def _is_done(step: Step, run: Run, asked: bool) -> bool:
    if asked:
        return run.helps is not None
    there = {Step.AUDIT: run.audit, Step.TRAIN: run.trained, Step.COMPARE: run.comparison}
    return bool(there.get(step, True))


def _at_work(row: JobRow, rows: Sequence[JobRow]) -> Foot:
    parts = (
        describe.state_text(row).capitalize(),
        describe.progress_text(row),
        describe.left_text(row),
        describe.memory_text(row),
        translate("resumes after a restart"),
    )
    return at_work(row, rows, parts)


def _audit(run: Run) -> Foot:
    again = Deed(AUDIT, translate("Audit again"))
    if run.audit is None:
        return Foot(
            translate("The data were not audited yet."),
            (Deed(AUDIT, translate("Audit"), first=True),),
        )
    train = Deed("to_train", translate("Next: train"), first=True)
    if run.audit.verdict is not Verdict.RED:
        return Foot(translate("The data may be trained on."), (again, train))
    if run.audit_allows:
        reason = translate("Overridden, for ever on the model's card: {reason}")
        return Foot(reason.format(reason=run.audit.override), (again, train))
    return Foot(
        translate(
            "Training is blocked. Override needs a written reason and marks the model for ever."
        ),
        (Deed("override", translate("Override…")), again),
    )


def _train(run: Run) -> Foot:
    helps = (Deed(HELPS, translate("Does it help?")),) if helps_order(run) else ()
    if run.trained:
        return Foot(
            translate("The model is trained and measured."),
            (*helps, Deed("to_compare", translate("Next: compare"), first=True)),
        )
    word = translate("Go on") if run.curve else translate("Train")
    said = translate("It trains in the background; you can read meanwhile.")
    return Foot(said, (*helps, Deed(TRAIN, word, first=True)))


def _compare(run: Run) -> Foot:
    if run.comparison is None:
        said = translate(
            "Both models look at the patients for testing, whom neither has seen. How often "
            "they were asked is counted."
        )
        return Foot(said, (Deed(COMPARE, translate("Compare"), first=True),))
    again = Deed(COMPARE, translate("Compare again"))
    uses = run.comparison.uses
    count = counted(
        "These patients were asked {count} time.",
        "These patients were asked {count} times.",
        uses,
    ).format(count=uses)
    return Foot(count, (again, Deed("to_promote", translate("Next: promote"), first=True)))


def _in_use(step: Step, run: Run, live: frozenset[str]) -> Foot | None:
    """Of a version that went live, which is compared with nothing any more."""
    compared = run.comparison
    if compared is None or compared.key not in live or step not in (Step.COMPARE, Step.PROMOTE):
        return None
    to_promote = Deed("to_promote", translate("Next: promote"), first=True)
    said = translate("{key} is in use.").format(key=compared.key)
    return Foot(said, (to_promote,) if step is Step.COMPARE else ())


def _promote(run: Run) -> Foot:
    compared = run.comparison
    if compared is None:
        return Foot(translate("Compare the model first."), ())
    if not compared.promoted:
        return Foot(translate("{key} stays out of use.").format(key=compared.key), ())
    said = translate("{key} may be put into use.").format(key=compared.key)
    return Foot(said, (Deed("promote", translate("Put into use"), first=True),))


_OF_STEP = {
    Step.AUDIT: _audit,
    Step.TRAIN: _train,
    Step.COMPARE: _compare,
    Step.PROMOTE: _promote,
}
