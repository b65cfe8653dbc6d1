"""The page that sets phantoms beside films: what is apart is told apart, what is not is not."""

from __future__ import annotations

import compare_phantoms
import numpy as np
import pytest

from ml.phantom.figures import Measured


def breasts(shift: float, seed: int, density: str) -> list[compare_phantoms.Breast]:
    rng = np.random.default_rng(seed)
    frequency = np.linspace(0.1, 2, 20)
    return [
        compare_phantoms.Breast(
            density,
            Measured(
                {"beta": 3 + rng.normal(shift), "area (cm2)": float(rng.normal())},
                frequency,
                frequency**-3.0,
            ),
        )
        for _ in range(60)
    ]


def test_the_distance_is_the_largest_between_two_cumulated_shares() -> None:
    one = np.arange(10.0)
    distance = compare_phantoms._ks
    assert distance(one, one) == 0
    assert distance(one, one + 100) == 1
    assert distance(one, one + 5) == pytest.approx(0.5)


def test_what_differs_most_comes_first_with_its_direction() -> None:
    real, phantoms = breasts(0, 1, "fatty"), breasts(-2, 2, "B")
    first, second = compare_phantoms.differences(real, phantoms)
    assert (first.name, second.name) == ("beta", "area (cm2)")
    assert first.standardized == pytest.approx(-2, abs=0.5)
    assert compare_phantoms.alone(first) > 0.85
    assert abs(second.standardized) < 0.5


@pytest.mark.parametrize(("shift", "low", "high"), [(0.0, 0.3, 0.65), (3.0, 0.95, 1.0)])
def test_a_model_tells_apart_only_what_differs(shift: float, low: float, high: float) -> None:
    found = compare_phantoms.differences(breasts(0, 1, "fatty"), breasts(shift, 2, "B"))
    assert low <= compare_phantoms.told_apart(found) <= high


def test_the_page_holds_the_figures() -> None:
    shares = (np.linspace(0, 1, 5), np.linspace(0, 0.5, 5), np.linspace(0, 1, 5))
    masses = (np.linspace(1, 5, 9), np.linspace(0, 4, 9))
    text = compare_phantoms.page(breasts(0, 1, "fatty"), breasts(-2, 2, "B"), shares, masses)
    assert "60 films" in text
    assert "beta: less in phantoms" in text
    assert "| fatty | 60 |" in text
    assert "| B | 60 |" in text
    assert "| masses of mini-MIAS | 9 | 1.40 | 2.00 | 3.00 | 4.00 | 4.60 |" in text
