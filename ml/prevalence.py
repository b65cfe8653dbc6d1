"""A probability holds for one prevalence only: from the one it was fitted at to another.

Where a finding is rarer, the same score means less. If only the share of positives differs and
the positives and negatives themselves do not, the odds scale by the ratio of the prior odds
(Elkan 2001, theorem 2; Saerens 2002, equation 4).
"""

from __future__ import annotations

# Of screened women with breast cancer, in round figures: 6 in 1,000.
SCREENING_PER_THOUSAND = 6.0


def at_prevalence(probability: float, fitted: float, wanted: float) -> float:
    """The probability of the same evidence at another prevalence.

    Parameters
    ----------
    probability
        In [0, 1], right at the prevalence `fitted`.
    fitted, wanted
        Prevalences, in (0, 1).

    Raises
    ------
    ValueError
        Where a prevalence is none.
    """
    if not (0 < fitted < 1 and 0 < wanted < 1):
        raise ValueError(f"no prevalence: {fitted}, {wanted}")
    positive = probability * wanted / fitted
    negative = (1 - probability) * (1 - wanted) / (1 - fitted)
    return positive / (positive + negative)
