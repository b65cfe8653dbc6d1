"""Two models on the same images: where they differ, and in which words it is told."""

from __future__ import annotations

import math

import numpy as np
import pytest

from viewer.core.shadow import Pair, beside, beside_text

NAMED = ("classifier", "own@2", "2026-11-29T10:00:00+00:00")


def test_each_is_called_at_its_own_operating_point() -> None:
    pairs = [Pair(0.3, 0.3), Pair(0.5, 0.5), Pair(0.5, 0.4), Pair(0.1, 0.5), Pair(0.2, 0.9)]
    told = beside(NAMED, pairs, (0.3, 0.5))
    assert (told.images, told.only_shadow, told.only_live) == (5, 2, 2)
    assert "Of 5 images it calls 4 otherwise" in beside_text(told)
    assert "(80.0 %): 2 more, 2 less." in beside_text(told)
    assert math.isnan(told.correlation), "five are too few"
    assert "correlate" not in beside_text(told)


def test_the_correlation_is_pearsons() -> None:
    scores = np.random.default_rng(1).random((40, 2))
    told = beside(NAMED, [Pair(float(a), float(b)) for a, b in scores], (0.5, 0.5))
    assert told.correlation == pytest.approx(np.corrcoef(scores.T)[0, 1])
    assert beside_text(told).endswith(f"The scores correlate with {told.correlation:.2f}.")
    alike = beside(NAMED, [Pair(0.5, float(b)) for _, b in scores], (0.5, 0.5))
    assert math.isnan(alike.correlation)


def test_nothing_seen_yet_is_said() -> None:
    said = beside_text(beside(NAMED, [], (0.5, 0.5)))
    assert said == "In shadow since 2026-11-29. It has seen no image yet."
