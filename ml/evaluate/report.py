"""One report: what was measured of which models on which data, as a JSON document."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING

from ml.evaluate.bootstrap import DRAWS
from ml.evaluate.claim import claim_items
from ml.evaluate.classification import classification_report
from ml.evaluate.density import density_report
from ml.evaluate.detection import detection_report
from ml.evaluate.figures import classifier_figures, detector_figures
from ml.evaluate.subgroups import classification_subgroups, detection_subgroups
from ml.registry import card_to_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ml.evaluate.outcomes import Judged, Marked
    from ml.manifest import ManifestRow
    from ml.registry import ModelCard

SCHEMA = 1
# In the card by the thousand, and of no use to a reader.
_LISTS = ("training_patients", "training_images")


def model_report(
    card: ModelCard, data: Mapping[str, Mapping[str, object]]
) -> dict[str, object]:
    """What a report says of one model: its card, its figures by source, CLAIM's items."""
    shown = {
        name: len(value) if name in _LISTS and isinstance(value, list) else value
        for name, value in card_to_json(card).items()
    }
    return {"card": shown, "data": dict(data), "claim": claim_items(card, data)}


def data_report(
    card: ModelCard,
    rows: Sequence[ManifestRow],
    outcomes: Sequence[Marked] | Sequence[Judged],
    name: str,
    *,
    draws: int = DRAWS,
) -> dict[str, object]:
    """What a report says of one source of images.

    Parameters
    ----------
    rows
        The manifest's, one an outcome.
    """
    standards = Counter(row.reference_standard.value for row in rows)
    counts: dict[str, object] = {
        "name": name,
        "images": len(outcomes),
        "patients": len({outcome.item.patient_id for outcome in outcomes}),
        "images_with_lesion": sum(outcome.item.lesion for outcome in outcomes),
        "reference_standards": ", ".join(f"{k} ({n})" for k, n in sorted(standards.items())),
    }
    measured = _of_classifier if card.role == "classifier" else _of_detector
    return counts | measured(card, outcomes, name, draws)  # type: ignore[operator]


def _of_detector(
    card: ModelCard, outcomes: Sequence[Marked], name: str, draws: int
) -> dict[str, object]:
    points, spec = card.operating_points, card.prepare
    return {
        "figures": [asdict(each) for each in detector_figures(outcomes, name, draws=draws)],
        "detection": detection_report(outcomes, points, draws=draws),
        "subgroups": detection_subgroups(outcomes, points, spec.pixel_mm, draws=draws),
    }


def _of_classifier(
    card: ModelCard, outcomes: Sequence[Judged], name: str, draws: int
) -> dict[str, object]:
    points, spec = card.operating_points, card.prepare
    return {
        "figures": [
            asdict(each) for each in classifier_figures(outcomes, name, points, draws=draws)
        ],
        "classification": classification_report(
            outcomes, points, card.calibration, draws=draws
        ),
        "density": density_report(outcomes, draws=draws),
        "subgroups": classification_subgroups(outcomes, points, spec.pixel_mm, draws=draws),
    }
