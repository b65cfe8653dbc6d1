"""How strongly the label goes with what else is known: Cramer's V, bias corrected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ml.audit.report import Figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

DRAWS = 1000
LEVEL = 0.95


def cramers_v(tables: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cramer's V of counts, 0 to 1, without the bias of small tables (Bergsma 2013, eq. 8).

    Parameters
    ----------
    tables : (..., rows, columns)
        Counts. A row or column without any does not count as one.

    Returns
    -------
    (...)
        0 where a table has one row or column only.
    """
    total = tables.sum((-2, -1))
    by_row, by_column = tables.sum(-1), tables.sum(-2)
    expected = by_row[..., :, None] * by_column[..., None, :]
    share = np.divide(tables**2, expected, out=np.zeros_like(expected), where=expected > 0)
    phi2 = share.sum((-2, -1)) - 1
    rows = np.count_nonzero(by_row, axis=-1)
    columns = np.count_nonzero(by_column, axis=-1)
    others = np.maximum(total - 1, 1)
    free = (rows - 1) * (columns - 1)
    corrected = np.maximum(0, phi2 - free / others)
    kinds = np.minimum(rows - (rows - 1) ** 2 / others, columns - (columns - 1) ** 2 / others)
    known = np.minimum(rows, columns) > 1
    squared = np.divide(
        corrected, kinds - 1, out=np.zeros_like(phi2), where=known & (kinds > 1)
    )
    return np.sqrt(np.minimum(squared, 1))


def association(
    name: str, patients: Sequence[str], answers: NDArray[np.bool_], words: Sequence[str]
) -> Figure:
    """V of the answers with a column, its interval over patients (percentile bootstrap).

    Parameters
    ----------
    name
        Of the figure.
    words : (n,)
        What the column says of each row; an empty word is a word.
    """
    _, who = np.unique(np.asarray(patients), return_inverse=True)
    _, what = np.unique(np.asarray(words), return_inverse=True)
    kinds, women = int(what.max()) + 1, int(who.max()) + 1
    counts = np.zeros((women, 2 * kinds))
    np.add.at(counts, (who, what + kinds * answers), 1)
    whole = float(cramers_v(counts.sum(0).reshape(2, kinds)))
    rng = np.random.default_rng(0)
    # How often each patient is drawn: then every draw's table is one row of a product.
    times = rng.multinomial(women, np.full(women, 1 / women), size=DRAWS)
    drawn = cramers_v((times @ counts).reshape(DRAWS, 2, kinds))
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(drawn, (tail, 1 - tail))
    return Figure(name, whole, float(low), float(high))
