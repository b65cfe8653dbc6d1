"""How many patients it takes to show that a model is no worse, where it is as good."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ml.evaluate.limits import effective, rate_limit, share_score

if TYPE_CHECKING:
    from ml.evaluate.pairs import Pairs

# How often two equally good models shall be told to be so.
POWER = 0.80
# What is taken for seen before anything was: one case in ten tells two versions of a model
# apart, worth ten cases.
FORESEEN, WORTH = 1.0, 10.0
# Below so many independent cases no limit holds: with five, two models that are equally good
# and never right together part as far as they can in 3 % of all trials.
FEWEST = 10
_TRIALS, _STEP = 2000, 1.05
# A margin of nothing can be shown by no number.
_LEAST_MARGIN = 0.001
_MOST = 10_000_000


def patients_needed(pairs: Pairs, margin: float, tail: float) -> int:
    """The patients who would do, were both models equally good.

    At first ``(z of the tail + z of the power)**2 * discordance / margin**2`` cases (Nam 1997,
    Biometrics 53, 1422-1430), then as many more as it takes until trials that are drawn pass
    as often as `POWER` says: the formula promises too much where few cases differ.

    Parameters
    ----------
    margin
        In the unit of the gains; under 0.001 it counts as 0.001.
    tail
        Error to one side, in 0..0.5, of the comparison that is to pass.

    Returns
    -------
    int
        Who have as many cases each as these here, and as much alike.
    """
    from scipy.stats import norm

    better, worse, cases = effective(pairs) if pairs.patients else (0.0, 0.0, 0.0)
    discordance = (better + worse + FORESEEN) / (cases + WORTH)
    margin = max(margin, _LEAST_MARGIN)
    wanted = float(norm.isf(tail) + norm.ppf(POWER)) ** 2 * discordance / margin**2
    wanted = max(wanted, FEWEST)
    while wanted < _MOST and _power(wanted, discordance, margin, tail, pairs.rates) < POWER:
        wanted *= _STEP
    women = len(set(pairs.patients))
    return math.ceil(wanted * women / cases) if cases else math.ceil(wanted)


def _power(cases: float, discordance: float, margin: float, tail: float, rates: bool) -> float:
    """How many of the trials pass, each of two equally good models."""
    from scipy.stats import norm

    rng = np.random.default_rng(0)
    whole = round(cases)
    if rates:
        better, worse = rng.poisson(whole * discordance / 2, (2, _TRIALS)).astype(float)
        return float(np.mean(rate_limit(better, worse, whole, tail) >= -margin))
    share = min(discordance, 1.0) / 2
    drawn = rng.multinomial(whole, (share, share, 1 - 2 * share), _TRIALS).astype(float)
    score = share_score(drawn[:, 0], drawn[:, 1], whole, -margin)
    return float(np.mean(score >= norm.isf(tail)))
