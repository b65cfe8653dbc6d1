from __future__ import annotations

import numpy as np
import pytest
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics import roc_auc_score

from ml.audit.ridge import Probe, areas, kernels, patients_needed, shuffles, smoother
from ml.splits import stratified_folds


def people(count: int, images: int = 2) -> list[str]:
    return [f"p{n}" for n in range(count) for _ in range(images)]


def test_the_matrix_is_the_cross_validation_that_sklearn_does_fold_by_fold() -> None:
    rng = np.random.default_rng(3)
    patients = people(20)
    values = rng.normal(size=(40, 90))
    answers = (rng.random(40) < 0.4).astype(float)
    dealt = stratified_folds(dict.fromkeys(patients, ""), 5, 1)
    folds = np.array([dealt[p] for p in patients])
    kernel = values @ values.T
    way = smoother(kernel, folds, 0.5)
    for fold in range(5):
        out, kept = folds == fold, folds != fold
        mean = values[kept].mean(0)
        inner, outer = values[kept] - mean, values[out] - mean
        ridge = 0.5 * np.trace(inner @ inner.T) / kept.sum()
        model = KernelRidge(alpha=ridge).fit(inner, answers[kept] - answers[kept].mean())
        assert (way @ answers)[out] == pytest.approx(model.predict(outer))
    assert not way[folds[:, None] == folds[None]].any()


def test_areas_agree_with_sklearn_with_ties_too() -> None:
    rng = np.random.default_rng(0)
    scores = rng.integers(6, size=(50, 7)).astype(float)
    truths = rng.random((50, 7)) < 0.3
    expected = [roc_auc_score(t, s) for s, t in zip(scores.T, truths.T, strict=True)]
    assert areas(scores, truths) == pytest.approx(expected)
    assert np.isnan(areas(scores[:, :1], np.ones((50, 1), bool))[0])


def test_kernels_are_of_unit_length_and_a_missing_feature_is_as_the_mean() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(5, 3, (30, 4))
    values[3, 1] = np.nan
    values = np.column_stack([values, np.full(30, np.nan), np.full(30, 7.0)])
    found = kernels({"a": values, "b": rng.normal(size=(30, 2))})
    assert set(found) == {"a", "b", "together"}
    for kernel in found.values():
        assert np.trace(kernel) / 30 == pytest.approx(1)
        assert np.isfinite(kernel).all()


def test_shuffles_deal_whole_patients_and_keep_the_number_of_answers() -> None:
    patients = people(12, 3)
    answers = np.arange(36) % 3 == 0
    answers[:6] = True
    for dealt in shuffles(answers, patients, 20):
        assert dealt.sum() == answers.sum()
        # Each patient of three keeps a pattern that some patient had.
        patterns = {tuple(part) for part in dealt.reshape(12, 3)}
        assert patterns == {(True, True, True), (True, False, False)}


def test_what_can_be_told_is_told_beyond_chance_and_noise_is_not() -> None:
    rng = np.random.default_rng(5)
    patients = people(60)
    answers = (np.arange(60) % 2 == 0).repeat(2)
    noise = rng.normal(size=(120, 40))
    told = Probe({"grain": noise + 0.5 * answers[:, None]}, patients).ask(answers)
    assert told.area > 0.9
    assert told.p == pytest.approx(1 / 500)
    quiet = Probe({"grain": noise}, patients).ask(answers)
    assert quiet.p > 0.01
    # The best of several ways on nothing is above a half: so is chance, counted alike.
    assert quiet.chance.mean() > 0.5


def test_p_is_uniform_where_a_patients_images_are_alike() -> None:
    """Shuffled image by image, most of these would be found."""
    rng = np.random.default_rng(7)
    patients = people(30, 4)
    low = 0
    for seed in range(40):
        answers = (rng.random(30) < 0.5).repeat(4)
        values = rng.normal(size=(30, 6)).repeat(4, axis=0) + 0.1 * rng.normal(size=(120, 6))
        told = Probe({"x": values}, patients).ask(answers, permutations=99, seed=seed)
        low += told.p <= 0.05
    assert low <= 7, "of 40; 2 are expected"


def test_a_source_left_out_is_told_by_the_others() -> None:
    rng = np.random.default_rng(2)
    answers = np.arange(90) % 2 == 0
    groups = [f"s{n % 3}" for n in range(90)]
    probe = Probe({"x": rng.normal(size=(90, 5)) + 2 * answers[:, None]}, people(90, 1))
    found = probe.across(answers, groups)
    assert set(found) == {"s0", "s1", "s2"}
    assert min(found.values()) > 0.9


def test_the_number_needed_is_the_one_that_finds_four_in_five() -> None:
    many = patients_needed(0.7)
    rng = np.random.default_rng(0)
    # Two normals so far apart have an area of 0.7 (equal variances: sqrt(2) Phi^-1).
    apart = np.sqrt(2) * 0.5244
    scores = np.concatenate(
        [rng.normal(apart, 1, (many, 2000)), rng.normal(0, 1, (many, 2000))]
    )
    truths = np.zeros((2 * many, 2000), bool)
    truths[:many] = True
    limit = 0.5 + 2.326 * np.sqrt((2 * many + 1) / 12) / many
    assert np.mean(areas(scores, truths) > limit) == pytest.approx(0.8, abs=0.06)
    assert patients_needed(0.8) < many < 50
