"""Whether scores lie as a card says: what is drift, what is chance, and what is prevalence."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from ml.distribution import QUANTILES, Distribution, Part
from ml.evaluate.holm import holm
from viewer.core import drift
from viewer.core.drift import Scored, Standing, alarm, sentence, watch


def part(scores: np.ndarray, patients: int = 500) -> Part:
    quantiles = np.quantile(scores, np.linspace(0, 1, QUANTILES))
    return Part(tuple(map(float, quantiles)), len(scores), patients)


def beta(a: float, b: float, count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).beta(a, b, count)


# Images without a lesion score low, those with one high.
CARD = Distribution(part(beta(2, 8, 5000, 1)), part(beta(8, 2, 5000, 2)), "simulated, test")


def scored(scores: np.ndarray, maker: str = "HOLOGIC, Inc.", each: int = 1) -> list[Scored]:
    """As the library gives them, `each` images a study."""
    return [
        Scored(f"{maker}{number}", f"{maker}{number // each}", maker, float(score))
        for number, score in enumerate(scores)
    ]


def test_scores_as_on_the_card_are_as_expected() -> None:
    seen = scored(beta(2, 8, 200, 3))
    of_all, of_maker = watch("classifier", "c@1", seen, CARD, 0.006)
    assert (of_all.maker, of_maker.maker) == (None, "HOLOGIC")
    assert (of_all.images, of_all.women) == (200, 200)
    assert of_all.standing is of_maker.standing is Standing.STEADY
    assert of_all.distance < 0.1
    assert "as the card says" in sentence(of_all)
    assert alarm((of_all, of_maker)) == ""


def test_shifted_scores_are_an_alarm_that_is_told_once_a_model() -> None:
    seen = scored(beta(5, 5, 200, 3))
    watched = watch("classifier", "c@1", seen, CARD, 0.006)
    assert [one.standing for one in watched] == [Standing.ALARM] * 2
    assert "do not rely on the model" in sentence(watched[0])
    assert "p < 0.001" in sentence(watched[0])
    assert alarm(watched).count("c@1") == 1


def test_a_small_sure_difference_is_no_alarm_and_a_large_unsure_one_neither() -> None:
    many = scored(beta(2.3, 8, 4000, 3))
    sure = watch("classifier", "c@1", many, CARD, 0.006)[0]
    assert sure.p < 0.01
    assert sure.psi < drift.PSI_WATCH
    assert sure.standing is Standing.STEADY
    # Ten women with four images each, all alike: forty images, and hardly a sign.
    few = scored(np.repeat(beta(3, 8, 10, 8), 4), each=4)
    unsure = watch("classifier", "c@1", few, CARD, 0.006)[0]
    assert (unsure.images, unsure.women) == (40, 10)
    assert unsure.psi > drift.PSI_ALARM
    assert unsure.p > drift.LEVEL
    assert unsure.standing is Standing.STEADY


def test_a_difference_in_between_is_to_be_watched() -> None:
    watched = watch("classifier", "c@1", scored(beta(2.7, 8, 400, 4)), CARD, 0.006)[0]
    assert drift.PSI_WATCH < watched.psi <= drift.PSI_ALARM
    assert watched.standing is Standing.WATCH
    assert "watch them" in sentence(watched)


def test_fewer_lesions_than_in_the_test_are_no_drift() -> None:
    screening = beta(2, 8, 200, 5)
    enriched = np.concatenate([beta(2, 8, 100, 5), beta(8, 2, 100, 6)])
    for seen, prevalence, steady in (
        (screening, 0.006, True),
        (screening, 0.5, False),
        (enriched, 0.5, True),
        (enriched, 0.006, False),
    ):
        watched = watch("classifier", "c@1", scored(seen), CARD, prevalence)[0]
        assert (watched.standing is Standing.STEADY) is steady, prevalence


def test_one_makers_drift_is_found_behind_the_others() -> None:
    seen = [
        *scored(beta(2, 8, 150, 70)),
        *scored(beta(2, 8, 20, 8), "GE MEDICAL SYSTEMS"),
        *scored(beta(6, 4, 40, 9), "Siemens"),
        *scored(beta(6, 4, 40, 9), ""),
    ]
    watched = watch("classifier", "c@1", seen, CARD, 0.006)
    standings = {one.maker: one.standing for one in watched[1:]}
    assert standings == {
        "": Standing.ALARM,
        "GE": Standing.FEW,
        "HOLOGIC": Standing.STEADY,
        "SIEMENS": Standing.ALARM,
    }
    by_maker = {one.maker: one for one in watched}
    assert sentence(by_maker["GE"]) == "GE: 20 images of 20 studies, too few to tell."
    assert math.isnan(by_maker["GE"].p)
    assert sentence(by_maker[""]).startswith("Makers not known: ")


def test_makers_are_corrected_for_one_another() -> None:
    groups = {"A": beta(2.6, 8, 60, 10), "B": beta(2, 8, 60, 11), "C": beta(2.4, 8, 60, 12)}
    alone = {
        maker: watch("classifier", "c@1", scored(scores, maker), CARD, 0.006)[0].p
        for maker, scores in groups.items()
    }
    seen = [one for maker, scores in groups.items() for one in scored(scores, maker)]
    together = watch("classifier", "c@1", seen, CARD, 0.006)[1:]
    assert [one.p for one in together] == pytest.approx(list(holm(list(alone.values()))))
    assert any(one.p > alone[str(one.maker)] for one in together)


def test_a_card_without_a_distribution_is_said() -> None:
    seen = scored(beta(5, 5, 200, 3))
    nobody = Distribution(Part((), 0, 0), CARD.with_lesion, "none")
    for card in (None, nobody):
        (watched,) = watch("detector", "d@1", seen, card, 0.006)
        assert watched.standing is Standing.NOTHING
        assert "nothing to compare with" in sentence(watched)
        assert alarm((watched,)) == ""


def test_nothing_analyzed_yet_is_too_few() -> None:
    (watched,) = watch("detector", "d@1", [], CARD, 0.006)
    assert watched.standing is Standing.FEW
    assert (watched.images, watched.women) == (0, 0)


def test_many_images_without_a_mark_are_one_score_and_no_drift() -> None:
    rng = np.random.default_rng(1)

    def best(count: int, marked: float) -> np.ndarray:
        return np.where(rng.random(count) < marked, rng.random(count), 0.0)

    card = Distribution(part(best(4000, 0.4)), part(best(4000, 0.9)), "x")
    same = watch("detector", "d@1", scored(best(200, 0.4)), card, 0.006)[0]
    assert same.standing is Standing.STEADY
    assert same.distance < 0.1
    more = watch("detector", "d@1", scored(best(200, 0.9)), card, 0.006)[0]
    assert more.standing is Standing.ALARM
    assert more.distance == pytest.approx(0.5, abs=0.1)


def test_the_distance_and_its_chance_are_those_of_scipy() -> None:
    seen = beta(2.4, 8, 200, 13)
    alone = Distribution(CARD.without, Part((), 0, 0), "x")
    watched = watch("classifier", "c@1", scored(seen), alone, 0.006)[0]
    told = stats.ks_2samp(seen, beta(2, 8, 5000, 1))
    # Between quantiles the card has lines.
    assert watched.distance == pytest.approx(told.statistic, abs=0.01)
    for value in (0.1, 0.5, 1.0, 1.5, 2.0):
        women = 1e8
        assert drift._chance(value / math.sqrt(women), women) == pytest.approx(
            stats.kstwobign.sf(value), abs=1e-4
        )


def test_what_is_chance_is_called_so_nineteen_times_of_twenty() -> None:
    told = [
        watch("classifier", "c@1", scored(beta(2, 8, 200, 100 + n)), CARD, 0.006)[0]
        for n in range(100)
    ]
    assert sum(one.p < drift.LEVEL for one in told) <= 10
    assert all(one.standing is not Standing.ALARM for one in told)
