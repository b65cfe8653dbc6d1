from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from ml.audit.association import association, cramers_v


def bergsma(table: np.ndarray) -> float:
    """Written out from the paper, with scipy's chi-square."""
    n, (r, c) = table.sum(), table.shape
    phi2 = chi2_contingency(table, correction=False).statistic / n
    phi2 = max(0.0, phi2 - (r - 1) * (c - 1) / (n - 1))
    rows, columns = r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)
    return float(np.sqrt(phi2 / min(rows - 1, columns - 1)))


@pytest.mark.parametrize("shape", [(2, 2), (2, 5), (2, 9), (3, 4)])
def test_v_agrees_with_the_paper_and_scipy(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(4)
    tables = rng.integers(1, 40, (20, *shape)).astype(float)
    found = cramers_v(tables)
    assert found == pytest.approx([bergsma(table) for table in tables])


def test_v_is_one_where_the_column_says_the_answer_and_zero_where_it_says_nothing() -> None:
    assert cramers_v(np.array([[30.0, 0], [0, 50]])) == pytest.approx(1)
    assert cramers_v(np.array([[30.0, 30], [50, 50]])) == 0
    # A kind without any row is no kind.
    assert cramers_v(np.array([[30.0, 0, 0], [0, 50, 0]])) == pytest.approx(1)
    assert cramers_v(np.array([[30.0], [50]])) == 0
    assert cramers_v(np.array([[30.0, 50], [0, 0]])) == 0


def test_a_column_of_many_kinds_is_not_taken_for_strong() -> None:
    rng = np.random.default_rng(1)
    tables = np.stack([rng.multinomial(80, np.full(24, 1 / 24)) for _ in range(200)])
    shaped = tables.reshape(-1, 2, 12).astype(float)
    expected = shaped.sum(2, keepdims=True) * shaped.sum(1, keepdims=True) / 80
    phi2 = ((shaped - expected) ** 2 / np.maximum(expected, 1e-9)).sum((1, 2)) / 80
    assert np.sqrt(phi2).mean() > 0.33, "uncorrected, noise alone warns"
    assert cramers_v(shaped).mean() < 0.13


def test_the_interval_goes_by_patients_not_images() -> None:
    rng = np.random.default_rng(0)
    answers = rng.random(60) < 0.5
    words = np.where(rng.random(60) < 0.75, answers, ~answers).astype(str)
    alone = association("x", [str(n) for n in range(60)], answers, list(words))
    four = association(
        "x",
        [str(n) for n in range(60) for _ in range(4)],
        answers.repeat(4),
        list(words.repeat(4)),
    )
    assert alone.low < alone.value < alone.high
    assert four.high - four.low > 0.8 * (alone.high - alone.low)
