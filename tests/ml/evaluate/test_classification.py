from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sklearn.calibration import calibration_curve as sklearn_curve
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from ml.evaluate.cases import cases_of, score_of, truth_of
from ml.evaluate.classification import (
    area_under_curve,
    average_precision,
    brier,
    calibration_curve,
    calibration_error,
    classification_report,
    sensitivity_at_specificity,
    sensitivity_of,
    specificity_of,
)
from ml.evaluate.figures import MOST_ACCURATE, classifier_figures
from ml.findings import OperatingPoint
from ml.mammo.codes import FindingType
from ml.registry import Calibration
from tests.factories.truths import make_judged

if TYPE_CHECKING:
    from ml.evaluate.outcomes import Judged


def image(patient: str, side: str, score: float, *, lesion: bool) -> Judged:
    judged = make_judged(patient, score, lesion=lesion)
    return replace(judged, item=replace(judged.item, laterality=side))


# Two women of four images: the first has a lesion in one view of her left breast.
WOMEN = [
    image("sick", "L", 0.9, lesion=True),
    image("sick", "L", 0.2, lesion=False),
    image("sick", "R", 0.3, lesion=False),
    image("sick", "R", 0.1, lesion=False),
    image("well", "L", 0.6, lesion=False),
    image("well", "L", 0.1, lesion=False),
    image("well", "R", 0.2, lesion=False),
    image("well", "", 0.7, lesion=False),
]


def test_each_level_counts_its_own_cases() -> None:
    assert cases_of(WOMEN, "image", "lesion").truths.sum() == 1
    breasts = cases_of(WOMEN, "breast", "lesion")
    assert breasts.scores.tolist() == [0.9, 0.3, 0.6, 0.2]
    assert breasts.truths.tolist() == [True, False, False, False]
    assert breasts.left_out == 1, "one image names no side"
    patients = cases_of(WOMEN, "patient", "lesion")
    assert (patients.scores.tolist(), patients.patients) == ([0.9, 0.7], ("sick", "well"))


def test_malignancy_is_another_question() -> None:
    assert cases_of(WOMEN, "image", "malignancy").scores[0] == pytest.approx(0.45)
    benign = replace(WOMEN[0], item=replace(WOMEN[0].item, malignant=False))
    assert not cases_of([benign], "image", "malignancy").truths.any()
    assert cases_of([benign], "image", "lesion").truths.all()


def scattered(n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    chance = rng.beta(1, 2, n)
    return chance, rng.random(n) < chance


def test_figures_are_scikit_learns() -> None:
    chance, truths = scattered()
    assert average_precision(chance, truths) == pytest.approx(
        average_precision_score(truths, chance)
    )
    assert brier(chance, truths) == pytest.approx(brier_score_loss(truths, chance))
    judged = [
        make_judged(str(i), float(s), lesion=bool(t))
        for i, (s, t) in enumerate(zip(chance, truths, strict=True))
    ]
    assert area_under_curve(
        judged, lambda o: score_of(o, "lesion"), lambda o: truth_of(o, "lesion")
    ) == pytest.approx(roc_auc_score(truths, chance))


def test_the_calibration_curve_is_scikit_learns() -> None:
    chance, truths = scattered()
    curve = calibration_curve(chance, truths)
    share, mean = sklearn_curve(truths, chance, n_bins=10, strategy="quantile")
    assert [each["positives"] for each in curve] == pytest.approx(share.tolist())
    assert [each["probability"] for each in curve] == pytest.approx(mean.tolist())
    assert calibration_error(chance, truths) == pytest.approx(np.mean(np.abs(share - mean)))


def test_the_calibration_error_does_not_depend_on_the_order_of_equals() -> None:
    chance, truths = np.full(40, 0.25), np.arange(40) % 4 == 0
    assert calibration_error(chance, truths) == pytest.approx(0)
    assert calibration_error(chance, np.sort(truths)) == pytest.approx(0)


def test_sensitivity_where_one_in_ten_may_be_called_in_vain() -> None:
    truths = np.array([False] * 20 + [True] * 5)
    scores = np.concatenate([np.arange(20) / 20, [0.99, 0.93, 0.88, 0.5, 0.1]])
    assert sensitivity_at_specificity(scores, truths, 0.90) == pytest.approx(3 / 5)
    assert sensitivity_at_specificity(scores, truths, 0.95) == pytest.approx(2 / 5)
    assert math.isnan(sensitivity_at_specificity(scores[:5], truths[:5], 0.9))


def test_sensitivity_and_specificity_of_images() -> None:
    judged = [
        make_judged("a", 0.9, lesion=True),
        make_judged("b", 0.3, lesion=True),
        make_judged("c", 0.2, lesion=False),
        make_judged("d", 0.5, lesion=False),
    ]
    assert sensitivity_of(judged, 0.5) == 0.5
    assert specificity_of(judged, 0.5) == 0.5, "at the threshold is positive"


def test_the_report_keeps_levels_questions_and_prevalence_apart() -> None:
    report = classification_report(
        WOMEN,
        [OperatingPoint("half", 0.5, "validation")],
        {"lesion": Calibration(1.0, 0.0, 0.5)},
        draws=50,
    )
    found = {level: report[level]["lesion"] for level in ("image", "breast", "patient")}  # type: ignore[index]
    assert {level: each["n"] for level, each in found.items()} == {
        "image": 8,
        "breast": 4,
        "patient": 2,
    }
    assert [found[level]["prevalence"] for level in found] == [0.125, 0.25, 0.5]
    (point,) = found["image"]["operating_points"]
    assert point["specificity"]["value"] == pytest.approx(5 / 7, abs=1e-4)
    assert found["image"]["brier"]["value"] is not None
    assert "brier" not in report["image"]["malignancy"], "it is not calibrated"  # type: ignore[index]


def test_figures_name_their_data_patients_and_interval() -> None:
    judged = [make_judged(f"p{i // 2}", i / 20, lesion=i % 3 == 0) for i in range(20)]
    figures = classifier_figures(judged, "made up", draws=200)
    assert [figure.name for figure in figures][:2] == ["AUC, lesion", "AUC, malignancy"]
    for figure in figures:
        assert (figure.data, figure.n) == ("made up", 10)
        assert figure.low <= figure.value <= figure.high


def test_accuracy_is_that_of_its_own_threshold_and_of_lesions_that_can_be_seen() -> None:
    judged = [make_judged(f"p{i}", i / 10, lesion=i >= 5) for i in range(10)]
    rated = [
        replace(
            one,
            item=replace(
                one.item,
                boxes=((0.0, 0.0, 9.0, 9.0),),
                finding_types=(FindingType.MASS,),
                detectability=(float(number - 4),),
            ),
        )
        if one.item.lesion
        else one
        for number, one in enumerate(judged)
    ]
    point = OperatingPoint(MOST_ACCURATE, 0.65, "elsewhere")
    figures = {
        f.name: f.value for f in classifier_figures(rated, "made up", (point,), draws=50)
    }
    assert figures["accuracy, lesion"] == pytest.approx(0.8)
    assert figures["accuracy, lesion, lesions of d' 3 or more"] == 1.0
    plain = classifier_figures(judged, "made up", (point,), draws=50)
    assert not [f for f in plain if "d'" in f.name], "it is not known of these"
