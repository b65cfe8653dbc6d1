"""What a model or a reader says of a study. Plain values, no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from ml.mammo.codes import BreastDensity, FindingType, Laterality, ViewPosition
    from ml.mammo.geometry import Affine, Box


@dataclass(frozen=True, slots=True)
class Finding:
    """One place in one image.

    Attributes
    ----------
    box
        In stored pixels, half-open, (row, column).
    finding_type
        In BI-RADS terms.
    score
        Uncalibrated, in [0, 1].
    probability
        Calibrated, in [0, 1]; None where the model is not validated for this kind of image.
    frame
        Counted from 1; None for a single image.
    """

    box: Box
    finding_type: FindingType
    score: float
    probability: float | None = None
    frame: int | None = None


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A threshold, where it was chosen, and what it achieves there.

    Attributes
    ----------
    name
        For instance ``"sensitivity 0.90"``.
    threshold
        A score at or above it is positive.
    chosen_on
        The data on which it was chosen.
    sensitivity, specificity, false_positives_per_image
        What it achieves on the test part; None where it does not apply.
    """

    name: str
    threshold: float
    chosen_on: str
    sensitivity: float | None = None
    specificity: float | None = None
    false_positives_per_image: float | None = None


@dataclass(frozen=True, slots=True)
class ModelUse:
    """Which model spoke: name, version, the sha256 of its weights, its operating point.

    Attributes
    ----------
    prevalences
        At which its probabilities hold, by the calibration's name: ``"detector"``,
        ``"lesion"``, ``"malignancy"``; a missing one is not known.
    card_sha256
        Of its card, which also names the graph, the calibration and all else that its answers
        follow from; empty where it is not known.
    """

    name: str
    version: str
    weights_sha256: str
    operating_point: OperatingPoint
    prevalences: Mapping[str, float] = field(
        default_factory=lambda: MappingProxyType(dict[str, float]())
    )
    card_sha256: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class HeatMap:
    """The classifier's score map.

    Attributes
    ----------
    scores : (rows, columns) float32
        In [0, 1].
    to_stored : Affine
        From the map's (row, column), cell corners at whole numbers, to stored pixels.
    """

    scores: NDArray[np.float32]
    to_stored: Affine


@dataclass(frozen=True, slots=True, eq=False)
class ImageAnalysis:
    """All that the models say of one image.

    Attributes
    ----------
    refused
        Why the models did not look at it (a translated sentence); None where they did.
    findings
        In falling order of score; all above the detector's floor, not only above the threshold.
    lesion_score, malignancy_score
        The classifier's, in [0, 1]; None where refused.
    lesion_probability, malignancy_probability
        Calibrated; None where refused or not validated for this kind of image.
    density
        A probability for each of A to D, summing to 1; empty where refused.
    not_validated
        Why there is no probability; empty where there is one.
    """

    path: str
    sop_instance_uid: str
    study_instance_uid: str
    laterality: Laterality | None
    view: ViewPosition | None
    rows: int
    columns: int
    refused: str | None = None
    findings: tuple[Finding, ...] = ()
    lesion_score: float | None = None
    lesion_probability: float | None = None
    malignancy_score: float | None = None
    malignancy_probability: float | None = None
    density: tuple[tuple[BreastDensity, float], ...] = ()
    not_validated: str = ""
    heat_map: HeatMap | None = None
    milliseconds: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """All that one run of the models says of one study.

    Attributes
    ----------
    models
        By role: ``"detector"``, ``"classifier"``.
    images
        In the order asked for.
    engine
        What computed it, for the reader: ``"OpenVINO bf16"``.
    kept
        Whether it was made earlier and kept since: its images give no time.
    """

    models: Mapping[str, ModelUse]
    images: tuple[ImageAnalysis, ...]
    engine: str = ""
    kept: bool = False
