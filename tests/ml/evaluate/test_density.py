from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from ml.evaluate.density import (
    density_agreement,
    density_kappa,
    density_report,
    density_table,
    weighted_kappa,
)
from tests.factories.truths import make_judged

SAID, KNOWN = (0, 1, 2, 3, 3, 1, 0, 2), (0, 1, 1, 3, 2, 2, 1, 2)
JUDGED = [
    make_judged(f"p{i // 2}", 0.5, lesion=False, density=KNOWN[i], said=SAID[i])
    for i in range(8)
]


@pytest.mark.parametrize(("power", "weights"), [(1, "linear"), (2, "quadratic")])
def test_kappa_is_scikit_learns(power: int, weights: str) -> None:
    table = density_table(np.array(KNOWN), np.array(SAID))
    known = cohen_kappa_score(KNOWN, SAID, weights=weights, labels=[0, 1, 2, 3])
    assert weighted_kappa(table, power) == pytest.approx(known)


def test_images_and_patients_apart() -> None:
    report = density_report(JUDGED, draws=30)
    image, patient = report["image"], report["patient"]
    assert isinstance(image, dict)
    assert isinstance(patient, dict)
    assert image["exact_agreement"]["value"] == density_agreement(JUDGED) == 0.5
    assert image["dense_accuracy"]["value"] == pytest.approx(6 / 8)
    assert image["kappa_quadratic"]["value"] == pytest.approx(density_kappa(JUDGED), abs=1e-4)
    assert (image["n"], patient["n"]) == (8, 4)
    assert np.sum(image["table"]) == 8


def test_unknown_letters_are_not_counted() -> None:
    judged = make_judged("x", 0.5, lesion=False)
    object.__setattr__(judged.item, "density", None)
    assert math.isnan(density_kappa([judged]))
    assert density_report([judged], draws=5)["image"]["n"] == 0  # type: ignore[index]
