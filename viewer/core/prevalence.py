"""Probabilities at the reader's prevalence: what the models say is kept, what is shown moves.

A model whose card does not name the prevalence of its probabilities gives scores only: there
is nothing to correct from.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ml.prevalence import at_prevalence
from ml.texts import translate

if TYPE_CHECKING:
    from ml.findings import Analysis, Finding, ImageAnalysis


def analysis_at(analysis: Analysis, per_thousand: float) -> Analysis:
    """The analysis with every probability at a prevalence."""
    images = tuple(_image_at(image, analysis, per_thousand) for image in analysis.images)
    return replace(analysis, images=images)


def finding_shown(finding: Finding, analysis: Analysis, per_thousand: float) -> Finding:
    """One of its findings with the probability at a prevalence."""
    value = _moved(finding.probability, analysis, ("detector", "detector"), per_thousand)
    return finding if value == finding.probability else replace(finding, probability=value)


def probability_text(probability: float) -> str:
    """As the reader sees it; where cancer is rare, two decimals would all be nought."""
    return f"{100 * probability:.1f} %"


def prevalence_text(per_thousand: float) -> str:
    """For instance ``"6 in 1,000"``."""
    return translate("{number} in 1,000").format(number=f"{per_thousand:g}")


def _image_at(image: ImageAnalysis, analysis: Analysis, per_thousand: float) -> ImageAnalysis:
    lesion, malignancy = (
        _moved(value, analysis, ("classifier", name), per_thousand)
        for name, value in (
            ("lesion", image.lesion_probability),
            ("malignancy", image.malignancy_probability),
        )
    )
    lost = image.lesion_probability is not None and lesion is None
    reason = translate("The model does not say at which prevalence its probabilities hold.")
    return replace(
        image,
        findings=tuple(finding_shown(each, analysis, per_thousand) for each in image.findings),
        lesion_probability=lesion,
        malignancy_probability=malignancy,
        not_validated=reason if lost else image.not_validated,
    )


def _moved(
    probability: float | None, analysis: Analysis, of: tuple[str, str], per_thousand: float
) -> float | None:
    role, name = of
    use = analysis.models.get(role)
    fitted = None if use is None else use.prevalences.get(name)
    if probability is None or fitted is None:
        return None
    return at_prevalence(probability, fitted, per_thousand / 1000)
