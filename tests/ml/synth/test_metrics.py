"""The distances between sets of images, each held against another implementation."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ml.synth.metrics import (
    kid,
    mean_of,
    nearest,
    ratio_of,
    similarity,
    spheres,
    squared_mmd,
    told_apart,
)


def cloud(seed: int, count: int = 60, shift: float = 0.0, size: int = 8) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, 1, (count, size))


def test_the_kernel_distance_is_that_of_torchmetrics() -> None:
    from torchmetrics.image.kid import poly_mmd

    some, others = cloud(1, 40), cloud(2, 40, 0.5)
    theirs = poly_mmd(torch.from_numpy(some), torch.from_numpy(others), degree=3, coef=1.0)
    assert squared_mmd(some, others) == pytest.approx(float(theirs), rel=1e-6)


def test_the_kernel_distance_in_closed_form() -> None:
    # Two points at 0 and two at x = 1: kernels are 1, 1 and (1 + 1)^3 = 8.
    zeros, ones = np.zeros((2, 1)), np.ones((2, 1))
    assert squared_mmd(zeros, ones) == pytest.approx(1 + 8 - 2 * 1)


def test_the_kernel_distance_is_unbiased() -> None:
    values = [squared_mmd(cloud(seed, 10), cloud(1000 + seed, 10)) for seed in range(400)]
    error = np.std(values) / 20
    assert abs(np.mean(values)) < 3 * error
    found = kid(cloud(1), cloud(2, shift=1.0))
    assert 0 < found.low < found.value < found.high
    assert found.deviation > 0


def by_hand(real: np.ndarray, made: np.ndarray, k: int) -> tuple[float, float, float, float]:
    """As Naeem 2020 writes it, in loops."""

    def radius(points: np.ndarray, i: int) -> float:
        return float(sorted(np.linalg.norm(points - points[i], axis=1))[k])

    in_real = [
        [np.linalg.norm(x - y) < radius(real, i) for i, x in enumerate(real)] for y in made
    ]
    in_made = [
        [np.linalg.norm(x - y) < radius(made, j) for j, y in enumerate(made)] for x in real
    ]
    covered = [
        min(np.linalg.norm(x - y) for y in made) < radius(real, i) for i, x in enumerate(real)
    ]
    return (
        float(np.mean([any(row) for row in in_real])),
        float(np.mean([any(row) for row in in_made])),
        float(np.mean([sum(row) / k for row in in_real])),
        float(np.mean(covered)),
    )


def test_the_spheres_are_those_counted_by_hand() -> None:
    real, made = cloud(1, 20, size=2), cloud(2, 15, 0.7, size=2)
    found = spheres(real, made, 3)
    values = (found.precision, found.recall, found.density, found.coverage)
    assert [value.value for value in values] == pytest.approx(by_hand(real, made, 3))
    for value in values:
        assert value.low <= value.value <= value.high


def test_far_sets_share_no_sphere() -> None:
    found = spheres(cloud(1), cloud(2, shift=50.0))
    assert (found.precision.value, found.recall.value, found.coverage.value) == (0, 0, 0)
    same = spheres(cloud(1), cloud(1))
    assert same.coverage.value == 1


def test_what_is_alike_cannot_be_told_apart() -> None:
    names = ([f"a{i}" for i in range(60)], [f"b{i}" for i in range(60)])
    alike = told_apart(cloud(1), cloud(2), names)
    assert alike.low <= 0.5 <= alike.high
    assert told_apart(cloud(1), cloud(2, shift=3.0), names).value > 0.95


def test_a_patients_images_are_judged_by_a_model_without_her() -> None:
    """Pairs of twins: whoever learns the one knows the other, unless both are left out."""
    one, other = cloud(1, 30, size=100), cloud(2, 30, size=100)
    twins = [np.repeat(part, 2, axis=0) for part in (one, other)]
    known = [[f"{side}{i // 2}" for i in range(60)] for side in "ab"]
    alone = [[f"{side}{i}" for i in range(60)] for side in "ab"]
    honest = told_apart(*twins, (known[0], known[1]))
    cheated = told_apart(*twins, (alone[0], alone[1]))
    assert cheated.value > 0.65
    assert honest.low < 0.5 < honest.high


def test_copies_are_nearer_to_what_was_taught() -> None:
    taught, others = cloud(1), cloud(2)
    inside, outside = nearest(taught + 0.01, taught), nearest(taught + 0.01, others)
    assert ratio_of(inside, outside).high < 0.1
    assert 0.8 < ratio_of(nearest(cloud(3), taught), nearest(cloud(3), others)).value < 1.25


def test_one_image_many_times_is_similar() -> None:
    rng = np.random.default_rng(1)
    images = [rng.random((176, 176)).astype(np.float32) for _ in range(3)]
    assert similarity([images[0]] * 3).value == pytest.approx(1, abs=1e-4)
    assert similarity(images).value < 0.5


def test_the_interval_holds_the_mean() -> None:
    found = mean_of(np.array([0.0, 1.0, 1.0, 1.0]))
    assert found.value == 0.75
    assert found.low < 0.75 < found.high
