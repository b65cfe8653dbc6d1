"""The items of CLAIM (Mongan 2020), filled from the card and the report as far as they go.

An item that neither knows stays empty, and the report shows it in red: an empty line that is
seen is worth more than a filled one that nobody can check. Titles are in our own words.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from ml.evaluate.bootstrap import DRAWS
from ml.evaluate.detection import HIT_RULE
from ml.registry import FINE_ROLE, WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ml.registry import ModelCard

TITLES = (
    "Title names the methods as machine learning",
    "Structured summary",
    "Background, intended use and clinical role",
    "Objectives and hypotheses",
    "Prospective or retrospective",
    "Goal of the study",
    "Sources of the data",
    "Who was eligible: where, when, how chosen",
    "Preprocessing",
    "Selection of parts of the data",
    "Definition of the data's elements",
    "De-identification",
    "How missing data were handled",
    "Definition of the reference standard",
    "Why this reference standard",
    "Who annotated, and how they were prepared",
    "Tools of annotation",
    "Variability between and within annotators",
    "Sample size and how it was found",
    "How data were divided, and in what shares",
    "At which level the parts are disjoint",
    "Detailed description of the model",
    "Software, libraries, versions",
    "How weights were initialized",
    "Details of training",
    "How the final model was chosen",
    "Ensembling",
    "Measures of performance",
    "Significance and uncertainty",
    "Robustness and sensitivity analysis",
    "Explainability",
    "Test on external data",
    "Flow of cases",
    "Who was in each part",
    "Performance on every part of the data",
    "Accuracy with its precision",
    "Analysis of failures",
    "Limitations and generalizability",
    "Meaning for practice",
    "Registration",
    "Where protocol, code and data can be had",
    "Funding",
)


_YOLO = "ultralytics' yolo26n, one channel in, full depth, one-to-many head only"
NETWORKS = {
    "detector": _YOLO,
    FINE_ROLE: _YOLO,
    "classifier": (
        "EfficientNet-Lite0 at half the canvas, its first eight blocks as patches left them; "
        "a map of scores for lesion and malignancy under a soft maximum, and a head for density"
    ),
}


def claim_items(
    card: ModelCard, data: Mapping[str, Mapping[str, object]]
) -> list[dict[str, object]]:
    """Number, title and text of every item; an empty text where nothing is known.

    Parameters
    ----------
    data
        The report's parts by source: counts and figures of the data that were measured.
    """
    known = {**_of_card(card), **_of_data(data)}
    return [
        {"item": number, "title": title, "text": known.get(number, "")}
        for number, title in enumerate(TITLES, 1)
    ]


def _of_card(card: ModelCard) -> dict[int, str]:
    spec = card.prepare
    kinds = ", ".join(kind.value for kind in card.validated_kinds) or "no kind of real image"
    known = {
        3: card.intended_use,
        7: card.data,
        9: (
            f"Breast brought to {spec.rows} x {spec.columns} pixels of {spec.pixel_mm:g} mm; "
            f"grey levels cut at the percentiles {spec.low_percentile:g} and "
            f"{spec.high_percentile:g} of the breast."
        ),
        21: (
            f"Patients. The card holds the hashes of {len(card.training_patients)} patients "
            f"and {len(card.training_images)} images that were trained on, simulated ones and "
            "its parents' included; the evaluation refuses them as test data."
        ),
        22: f"{NETWORKS[card.role]} (ml.models). {_weights(card)}",
        23: f"Measured by ml.infer with OpenVINO {version('openvino')}.",
        25: (
            "AdamW, linear warm-up and half a cosine, on crops or images drawn anew each step, "
            "shifted, turned, zoomed, bent and changed in contrast (ml.data.augment)."
        ),
        26: (
            "The running average of the weights after the last step; no step was chosen by its "
            f"figures. Thresholds and calibration: {card.operating_points[0].chosen_on}."
        ),
        27: _ensembling(card),
        38: f"Probabilities are validated for {kinds}. {card.intended_use}",
    }
    if card.parents:
        known[24] = f"Began with the weights of {', '.join(card.parents)}."
    if card.role == "classifier":
        known[31] = "A score map, the one whose greatest value is the score."
    return known


def _weights(card: ModelCard) -> str:
    known = card.files.get(WEIGHTS)
    return f"Weights of sha256 {known}." if known else ""


def _ensembling(card: ModelCard) -> str:
    if not card.mark_weights:
        return "None."
    weights = ", ".join(f"{name} {weight:g}" for name, weight in card.mark_weights.items())
    return f"The detectors' best mark counts in an image's score, by weight: {weights}."


def _of_data(data: Mapping[str, Mapping[str, object]]) -> dict[int, str]:
    counts = "; ".join(
        f"{name}: {part['images']} images of {part['patients']} patients, "
        f"{part['images_with_lesion']} with a lesion"
        for name, part in data.items()
    )
    standards = "; ".join(
        f"{name}: {part['reference_standards']}" for name, part in data.items()
    )
    return {
        5: "Retrospective: on images that were there already.",
        14: f"As the manifest names it. {standards}.",
        28: f"In the tables of this report. {HIT_RULE}",
        29: f"95 % intervals, bootstrap over patients ({DRAWS} draws) and clustered DeLong.",
        34: f"{counts}. By vendor, view and density in the tables of parts.",
        36: "In the tables of this report.",
    }
