"""How far a paired difference may lie from the truth, on few patients, too.

A bootstrap cannot draw what was not seen: where no lesion tells two models apart, its interval
has no width, be it of one lesion. So two limits are found, and the more cautious counts: that
of the bootstrap over patients, and one that asks which true difference could still have given
what was seen. For shares that is the score limit of Tango (1998, Statistics in Medicine 17,
891-908), for counts the limits of two Poisson counts (Garwood 1936), put together as Zou and
Donner (2008, Statistics in Medicine 27, 1693-1702) do. Both take cases to be independent; those
of one woman are not, so all counts are divided by the design effect first (Rao and Scott 1992,
Biometrics 48, 577-585).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ml.evaluate.bootstrap import Estimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.evaluate.pairs import Pairs

    Floats = NDArray[np.float64]
    Number = float | Floats

# Numbers that are drawn at a time.
_AT_ONCE = 2_000_000
_NEARLY_ONE = 1 - 1e-9


def gain_of(pairs: Pairs, level: float, draws: int) -> Estimate:
    """The mean gain, and the wider ends of both intervals; NaN where there is no case.

    Parameters
    ----------
    level
        Share between the ends, in 0..1.
    draws
        Of the bootstrap.
    """
    if not pairs.patients:
        return Estimate(float("nan"), float("nan"), float("nan"))
    tail = (1 - level) / 2
    better, worse, cases = effective(pairs)
    limit = rate_limit if pairs.rates else share_limit
    low = float(limit(better, worse, cases, tail))
    high = -float(limit(worse, better, cases, tail))
    drawn = _drawn(pairs, level, draws)
    return Estimate(float(pairs.gains.mean()), min(low, drawn[0]), max(high, drawn[1]))


def effective(pairs: Pairs) -> tuple[float, float, float]:
    """What speaks for the new model, what against it, and cases: as of independent ones."""
    gains, effect = pairs.gains, design_effect(pairs)
    better, worse = gains[gains > 0].sum(), -gains[gains < 0].sum()
    return float(better) / effect, float(worse) / effect, len(gains) / effect


def design_effect(pairs: Pairs) -> float:
    """How many times as wide, squared, the interval is because women have several cases.

    The variance of the mean over women, divided by that over cases that were independent (of
    counts: were Poisson). One imagined woman of the usual size, all of whose cases tell for
    the same model, is among them: so where nothing was seen to differ, all cases of a woman
    count as one, and what few differences say of it counts little.

    Returns
    -------
    float
        At least 1.
    """
    gains = pairs.gains
    sums, sizes = pairs.by_patient()
    usual = float((sizes**2).sum() / sizes.sum())
    over_women = _unbiased(((sums - gains.mean() * sizes) ** 2).sum(), len(sums))
    over_cases = (
        float(np.abs(gains).sum())
        if pairs.rates
        else _unbiased(((gains - gains.mean()) ** 2).sum(), len(gains))
    )
    return max((over_women + usual**2) / (over_cases + usual), 1.0)


def share_limit(better: float, worse: float, cases: float, tail: float) -> float:
    """The lower limit of a difference of paired shares: Tango 1998, by its score.

    Parameters
    ----------
    better, worse, cases
        Cases in which one is right and the other not, the other way round, and all; they need
        not be whole.
    tail
        Error to this side, in 0..0.5.
    """
    from scipy.optimize import root_scalar
    from scipy.stats import norm

    wanted = float(norm.isf(tail))

    def apart(difference: float) -> float:
        return float(share_score(better, worse, cases, difference)) - wanted

    if apart(-_NEARLY_ONE) <= 0:
        return -1.0
    estimate = (better - worse) / cases
    return float(root_scalar(apart, bracket=(-_NEARLY_ONE, estimate), method="brentq").root)


def share_score(better: Number, worse: Number, cases: Number, difference: float) -> Number:
    """How many standard errors what was seen lies above a true difference (Tango 1998).

    Parameters
    ----------
    difference
        In -1..1; the standard error is that under it.
    """
    second = 2 * cases
    first = -better - worse + (second - better + worse) * difference
    constant = -worse * difference * (1 - difference)
    root = np.sqrt(np.maximum(first**2 - 4 * second * constant, 0))
    lost = (root - first) / (2 * second)
    variance = cases * (2 * lost + difference * (1 - difference))
    return (better - worse - cases * difference) / np.sqrt(np.maximum(variance, 1e-300))


def rate_limit(better: Number, worse: Number, cases: Number, tail: float) -> Number:
    """The lower limit of a difference of two rates (Zou and Donner 2008, Garwood 1936).

    Parameters
    ----------
    better, worse
        Counts for and against, over `cases`; they need not be whole.
    tail
        Error to this side, in 0..0.5.
    """
    from scipy.special import gammainccinv, gammaincinv

    least = np.where(np.equal(better, 0), 0.0, gammaincinv(np.maximum(better, 1e-9), tail))
    most = gammainccinv(np.add(worse, 1), tail)
    apart = np.sqrt((better - least) ** 2 + (most - worse) ** 2)
    return (better - worse - apart) / cases


def _drawn(pairs: Pairs, level: float, draws: int) -> tuple[float, float]:
    """The percentile interval over women; without width of one woman alone."""
    from scipy.stats import bootstrap

    sums, sizes = pairs.by_patient()
    if len(sums) < 2:
        mean = float(pairs.gains.mean())
        return mean, mean

    def mean_of(sums: Floats, sizes: Floats, axis: int = -1) -> Floats:
        return sums.sum(axis) / sizes.sum(axis)

    ends = bootstrap(
        (sums, sizes),
        mean_of,
        paired=True,
        vectorized=True,
        n_resamples=draws,
        batch=max(_AT_ONCE // len(sums), 1),
        confidence_level=level,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return float(ends.low), float(ends.high)


def _unbiased(squares: float, count: int) -> float:
    return float(squares) * count / (count - 1) if count > 1 else float(squares)
