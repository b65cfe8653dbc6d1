"""How well the density letters agree with the known ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ml.evaluate.bootstrap import DRAWS, resampled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ml.evaluate.outcomes import Judged

GRADES = 4
# C and D are called dense (BI-RADS, fifth edition).
FIRST_DENSE = 2
UNDEFINED = float("nan")


def density_agreement(outcomes: Sequence[Judged]) -> float:
    """Share of the images whose density letter is the known one."""
    return _agreement(*_letters(outcomes))


def density_kappa(outcomes: Sequence[Judged]) -> float:
    """Quadratically weighted kappa of the density letters (Cohen 1968)."""
    return weighted_kappa(density_table(*_letters(outcomes)), 2)


def density_table(known: NDArray[np.int64], said: NDArray[np.int64]) -> NDArray[np.float64]:
    """(4, 4): how often each known letter (row) was called each letter (column)."""
    flat = np.bincount(known * GRADES + said, minlength=GRADES * GRADES)
    return flat.reshape(GRADES, GRADES).astype(np.float64)


def weighted_kappa(table: NDArray[np.float64], power: int) -> float:
    """Cohen's kappa with weights ``|i - j| ** power``: 1 linear, 2 quadratic.

    NaN where chance alone would never disagree.
    """
    total = table.sum()
    if not total:
        return UNDEFINED
    grades = np.arange(len(table))
    apart = np.abs(np.subtract.outer(grades, grades)) ** power
    expected = float((apart * np.outer(table.sum(1), table.sum(0))).sum() / total)
    return 1 - float((apart * table).sum()) / expected if expected else UNDEFINED


def density_report(outcomes: Sequence[Judged], *, draws: int = DRAWS) -> dict[str, object]:
    """Everything that a report says of density: images, and patients by their mean shares."""
    return {
        "image": _report(*_letters(outcomes), _patients(outcomes), draws),
        "patient": _report(*_patient_letters(outcomes), draws),
    }


def _report(
    known: NDArray[np.int64], said: NDArray[np.int64], patients: Sequence[str], draws: int
) -> dict[str, object]:
    def over(indices: NDArray[np.int64]) -> dict[str, float]:
        table = density_table(known[indices], said[indices])
        return {
            "kappa_linear": weighted_kappa(table, 1),
            "kappa_quadratic": weighted_kappa(table, 2),
            "exact_agreement": _agreement(known[indices], said[indices]),
            "dense_accuracy": _agreement(
                known[indices] >= FIRST_DENSE, said[indices] >= FIRST_DENSE
            ),
        }

    found = resampled(patients, over, draws=draws)
    return {
        "n": len(known),
        "patients": len(set(patients)),
        **{name: each.to_json() for name, each in found.items()},
        "table": density_table(known, said).astype(int).tolist(),
    }


def _graded(outcomes: Sequence[Judged]) -> list[Judged]:
    return [outcome for outcome in outcomes if outcome.item.density is not None]


def _letters(outcomes: Sequence[Judged]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    graded = _graded(outcomes)
    known = np.array([outcome.item.density for outcome in graded], np.int64)
    return known, np.array([np.argmax(o.said.density) for o in graded], np.int64)


def _patients(outcomes: Sequence[Judged]) -> list[str]:
    return [outcome.item.patient_id for outcome in _graded(outcomes)]


def _patient_letters(
    outcomes: Sequence[Judged],
) -> tuple[NDArray[np.int64], NDArray[np.int64], list[str]]:
    groups: dict[str, list[Judged]] = {}
    for outcome in _graded(outcomes):
        groups.setdefault(outcome.item.patient_id, []).append(outcome)
    # Where her images were graded apart, the denser letter is hers, as BI-RADS has it.
    known = [max(o.item.density or 0 for o in each) for each in groups.values()]
    said = [
        int(np.argmax(np.mean([o.said.density for o in each], 0))) for each in groups.values()
    ]
    return np.array(known, np.int64), np.array(said, np.int64), list(groups)


def _agreement(known: NDArray[np.generic], said: NDArray[np.generic]) -> float:
    return float(np.mean(known == said)) if len(known) else UNDEFINED
