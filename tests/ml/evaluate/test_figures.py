from __future__ import annotations

import math

import pytest
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from ml.evaluate.figures import (
    area_under_curve,
    classifier_figures,
    density_agreement,
    density_kappa,
    detector_figures,
    false_marks_at,
    froc,
    has_lesion,
    lesion_score,
    sensitivity_at,
    sensitivity_of,
    specificity_of,
    threshold_at,
)
from tests.factories.truths import make_judged, make_marked

NORMALS = [make_marked("n1", scores=(0.9, 0.2)), make_marked("n2", scores=(0.5,))]
SICK = [make_marked("s1", found=(0.95, 0.4), scores=(0.99,)), make_marked("s2", found=(0.0,))]


def test_the_threshold_lets_as_many_false_marks_through_as_allowed() -> None:
    for rate, threshold in ((0.5, 0.5), (1.0, 0.2), (1.5, 0.0)):
        assert threshold_at(NORMALS, rate) == pytest.approx(threshold)
        assert false_marks_at(NORMALS, threshold_at(NORMALS, rate)) <= rate


def test_marks_on_images_with_a_lesion_are_not_counted_as_false() -> None:
    assert threshold_at([*NORMALS, *SICK], 0.5) == threshold_at(NORMALS, 0.5)


def test_sensitivity_counts_lesions_not_images() -> None:
    assert sensitivity_at(SICK, 0.5) == pytest.approx(1 / 3)
    assert sensitivity_at(SICK, 0.4) == pytest.approx(2 / 3)
    assert sensitivity_at(SICK, 0.0) == pytest.approx(2 / 3), "a lesion never hit is missed"


def test_a_point_of_the_curve() -> None:
    assert froc([*NORMALS, *SICK], 0.5) == pytest.approx(1 / 3)
    assert froc([*NORMALS, *SICK], 1.0) == pytest.approx(2 / 3)


def test_undefined_figures_are_nan() -> None:
    assert math.isnan(threshold_at(SICK, 1.0))
    assert math.isnan(froc(NORMALS, 1.0))
    assert detector_figures(NORMALS, "normals", draws=20) == []


def test_area_and_kappa_agree_with_scikit_learn() -> None:
    scores = (0.1, 0.4, 0.4, 0.8, 0.35, 0.9, 0.2, 0.4)
    truths = (False, False, True, True, False, True, True, False)
    said, known = (0, 1, 2, 3, 3, 1, 0, 2), (0, 1, 1, 3, 2, 2, 1, 2)
    judged = [
        make_judged(f"p{i}", score, lesion=truth, density=known[i], said=said[i])
        for i, (score, truth) in enumerate(zip(scores, truths, strict=True))
    ]
    assert area_under_curve(judged, lesion_score, has_lesion) == pytest.approx(
        roc_auc_score(truths, scores)
    )
    kappa = cohen_kappa_score(known, said, weights="quadratic", labels=[0, 1, 2, 3])
    assert density_kappa(judged) == pytest.approx(kappa)
    assert density_agreement(judged) == pytest.approx(4 / 8)


def test_sensitivity_and_specificity_of_images() -> None:
    judged = [
        make_judged("a", 0.9, lesion=True),
        make_judged("b", 0.3, lesion=True),
        make_judged("c", 0.2, lesion=False),
        make_judged("d", 0.5, lesion=False),
    ]
    assert sensitivity_of(judged, 0.5) == 0.5
    assert specificity_of(judged, 0.5) == 0.5, "at the threshold is positive"


def test_figures_name_their_data_patients_and_interval() -> None:
    judged = [make_judged(f"p{i // 2}", i / 20, lesion=i % 3 == 0) for i in range(20)]
    figures = classifier_figures(judged, "made up", draws=200)
    assert [figure.name for figure in figures][:2] == ["AUC, lesion", "AUC, malignancy"]
    for figure in figures:
        assert (figure.data, figure.n) == ("made up", 10)
        assert figure.low <= figure.value <= figure.high
