"""How often "does it help?" is wrong, and how often it sees what there is."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
from scipy.stats import binom, norm

from ml.evaluate.bootstrap import Estimate
from ml.evaluate.holm import holm
from ml.evaluate.seeds import remembered, seeded_difference
from ml.train.helps_figures import (
    Arm,
    Comparison,
    Verdict,
    answers_of,
    findings_of,
    least_patients,
    verdict_of,
)
from ml.train.helps_page import sentence_of, sentence_over_all
from ml.train.order import Mode
from tests.factories.truths import make_judged, make_marked

ARMS, SEEDS = 8, 3
# So few draws that Holm still leaves something of seven comparisons.
DRAWS = 300
SAID = (Verdict.HELPS, Verdict.HARMS)


def figures(hits):
    return remembered(lambda indices: hits[:, indices].mean(axis=1))


def told(
    rng: np.random.Generator, women: int, spread: float, own: float = 0.3, gain: float = 0.0
) -> list[Verdict]:
    """What is said of seven recipes against an eighth: each woman has one lesion.

    Parameters
    ----------
    spread
        Standard deviation of a recipe's sensitivity over its seeds.
    own
        Of how hard a woman is, the share in the variance that differs between trainings.
    gain
        Of the first of the seven.
    """
    skills = 0.6 + spread * rng.standard_normal((ARMS, SEEDS, 1))
    skills[1] += gain
    hard = math.sqrt(1 - own) * rng.standard_normal(women)
    hard = hard + math.sqrt(own) * rng.standard_normal((ARMS, SEEDS, women))
    hits = (hard < norm.ppf(np.clip(skills, 0.01, 0.99))).astype(float)
    names = [str(number) for number in range(women)]
    usual, *others = among = [figures(each) for each in hits]
    gains = [
        seeded_difference(names, one, usual, among=among, draws=DRAWS, within=(0, 1))
        for one in others
    ]
    changed = [int((each.sum(0) != hits[0].sum(0)).sum()) for each in hits[1:]]
    return [
        verdict_of(one.estimate, p, None, women, rests=rests, comparisons=ARMS - 1)
        for one, p, rests in zip(gains, holm([one.p for one in gains]), changed, strict=True)
    ]


def most_by_chance(matrices: int) -> int:
    """How many of so many may be wrong where one in twenty is: but once in a thousand times."""
    return int(binom.ppf(0.999, matrices, 0.05))


def wrong(matrices: int, women: int, spread: float, own: float) -> int:
    rng = np.random.default_rng(20270131)
    said = [told(rng, women, spread, own) for _ in range(matrices)]
    return sum(any(one in SAID for one in each) for each in said)


def test_of_recipes_that_differ_in_their_seeds_alone_nothing_is_said() -> None:
    # Drawing the three seeds again said something of 10.
    assert wrong(25, 60, 0.15, 0.1) <= most_by_chance(25) == 6


@pytest.mark.slow
@pytest.mark.parametrize("own", [0.1, 0.5])
@pytest.mark.parametrize(
    ("women", "spread"), [(20, 0.02), (100, 0.0), (100, 0.09), (400, 0.05)]
)
def test_one_matrix_in_twenty_is_wrong_at_most(women: int, spread: float, own: float) -> None:
    assert wrong(100, women, spread, own) <= most_by_chance(100) == 13


@pytest.mark.parametrize(("women", "spread"), [(100, 0.02), (120, 0.05)])
def test_a_large_gain_is_seen_with_three_seeds(women: int, spread: float) -> None:
    rng = np.random.default_rng(20270201)
    seen = [told(rng, women, spread, gain=0.3)[0] for _ in range(8)]
    assert seen.count(Verdict.HELPS) >= 7


def test_below_so_many_patients_no_difference_can_be_told() -> None:
    for comparisons in (1, 2, 6, 7, 12, 40):
        least = least_patients(comparisons)
        assert comparisons * 2 ** (1 - least) < 0.05 <= comparisons * 2 ** (2 - least)
    assert [least_patients(n) for n in (1, 6, 12)] == [6, 8, 9]


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("ill", "rests", "comparisons", "says"),
    [
        (6, None, 1, True),
        (5, None, 1, False),
        (40, 6, 1, True),
        (40, 5, 1, False),
        (40, 7, 6, False),
        (40, 8, 6, True),
    ],
)
def test_of_few_patients_neither_help_nor_harm_is_said(
    ill: int, rests: int | None, comparisons: int, *, says: bool, sign: int
) -> None:
    gain = Estimate(0.3, 0.2, 0.4) if sign > 0 else Estimate(-0.3, -0.4, -0.2)
    verdict = verdict_of(gain, 0.01, None, ill, rests=rests, comparisons=comparisons)
    # That few cannot lose says of a gain nothing, either (the rule of three).
    assert verdict is ((SAID[0] if sign > 0 else SAID[1]) if says else Verdict.TOO_FEW)


def compared(better, usual) -> tuple[Comparison, str]:
    answers = {Arm(Mode.AUGMENTED): [usual] * 3, Arm(Mode.MIXED, 1.0): [better] * 3}
    found = findings_of(answers, draws=300)
    return found.comparisons[0], sentence_over_all(found)


def test_one_woman_with_a_lesion_is_too_few_to_tell() -> None:
    def said(score: float) -> dict[str, object]:
        well = [make_marked(f"well {number}") for number in range(10)]
        return answers_of([make_marked("ill", (score,)), *well], 0.5)

    for scores in ((0.9, 0.1), (0.1, 0.9)):
        one, over_all = compared(*map(said, scores))
        assert abs(one.gain.value) == 1
        assert (one.verdict, one.rests, one.fewest) == (Verdict.TOO_FEW, 1, 6)
        assert "rests on is 1, and below 6 nothing is said" in sentence_of(one)
        assert "Whether synthetic images help cannot be told from 11 patients" in over_all
        assert "rests on is 1, and below 6" in over_all


def test_a_lesion_of_a_few_women_who_were_answered_otherwise_is_too_few() -> None:
    def said(found: int) -> dict[str, object]:
        scores = [0.9 if number < found else 0.1 for number in range(30)]
        return answers_of([make_marked(str(n), (s,)) for n, s in enumerate(scores)], 0.5)

    few, enough = (compared(said(20), said(20 - changed))[0] for changed in (5, 6))
    assert few.gain.low > 0
    assert few.p < 0.05
    assert (few.verdict, few.rests) == (Verdict.TOO_FEW, 5)
    assert (enough.verdict, enough.rests) == (Verdict.HELPS, 6)


@pytest.mark.parametrize("rarer", [True, False])
def test_an_area_rests_on_the_patients_of_the_rarer_truth(*, rarer: bool) -> None:
    def said(right: bool, few: int) -> dict[str, object]:
        lesions = [(number < few) == rarer for number in range(60)]
        scores = [0.5 + (0.3 if ill == right else -0.3) for ill in lesions]
        images = zip(lesions, scores, strict=True)
        return answers_of(
            [make_judged(str(n), s, lesion=ill) for n, (ill, s) in enumerate(images)], 0.5
        )

    one, _ = compared(*map(partial(said, few=2), (True, False)))
    assert (one.gain.value, one.rests, one.verdict) == (1, 2, Verdict.TOO_FEW)
    more, _ = compared(*map(partial(said, few=20), (True, False)))
    assert (more.rests, more.verdict) == (20, Verdict.HELPS)
