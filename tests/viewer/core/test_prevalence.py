from __future__ import annotations

from dataclasses import replace

import pytest

from ml.findings import Analysis
from tests.factories.analyses import MODELS, make_finding, make_image_analysis
from viewer.core.prevalence import analysis_at, finding_shown, prevalence_text, probability_text


def test_every_probability_of_an_analysis_moves_by_its_own_models_prevalence() -> None:
    found = replace(make_finding(0.7), probability=0.5)
    image = make_image_analysis("RCC", lesion=1.0, malignancy=0.5, findings=(found,))
    (seen,) = analysis_at(Analysis(MODELS, (image,)), 100.0).images
    assert seen.findings[0].probability == pytest.approx(0.1), "0.5 at 1 in 2"
    assert seen.lesion_probability == pytest.approx(0.1)
    # Odds of 1 to 3 at 1 in 4: no evidence either way, so the prevalence itself.
    assert seen.malignancy_probability == pytest.approx(0.1)
    assert seen.lesion_score == 1.0, "scores stay"


def test_a_score_stays_a_score() -> None:
    image = make_image_analysis("RCC", validated=False, findings=(make_finding(0.7),))
    analysis = Analysis(MODELS, (image,))
    (seen,) = analysis_at(analysis, 6.0).images
    assert (seen.lesion_probability, seen.findings[0].probability) == (None, None)
    assert seen.not_validated == image.not_validated
    assert finding_shown(image.findings[0], analysis, 6.0) is image.findings[0]


def test_rare_is_not_rounded_to_nought() -> None:
    assert probability_text(0.004) == "0.4 %"
    assert (prevalence_text(6.0), prevalence_text(6.5)) == ("6 in 1,000", "6.5 in 1,000")
