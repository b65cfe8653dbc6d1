"""The same figures for parts of the data: each named, small ones flagged, none left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ml.evaluate.bootstrap import DRAWS, resampled
from ml.evaluate.classification import sensitivity_of, specificity_of
from ml.evaluate.detection import false_marks_at
from ml.evaluate.roc import area_under_roc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from ml.data.canvases import CanvasItem
    from ml.evaluate.outcomes import Judged, Marked
    from ml.findings import OperatingPoint

    Figures = Callable[[NDArray[np.int64]], Mapping[str, float]]

# A part with fewer cases says little: reports flag it.
FEWEST = 30
NOT_KNOWN = "not known"
LETTERS = "ABCD"
SIZES_MM = (5.0, 10.0, 20.0)
# From 3 on anybody could see it: a lesion that is missed there is the model's fault.
DETECTABILITIES = (1.0, 2.0, 3.0, 5.0)


def detection_subgroups(
    outcomes: Sequence[Marked],
    points: Sequence[OperatingPoint],
    pixel_mm: float,
    *,
    draws: int = DRAWS,
) -> list[dict[str, object]]:
    """Sensitivity by kind of lesion and image, and false marks by kind of lesion-free image."""
    lesions = [
        (outcome, number)
        for outcome in outcomes
        for number in range(len(outcome.lesion_scores))
    ]
    patients = [outcome.item.patient_id for outcome, _ in lesions]
    best = np.array([outcome.lesion_scores[number] for outcome, number in lesions], float)

    def found(indices: NDArray[np.int64]) -> dict[str, float]:
        scores = best[indices]
        return {
            f"sensitivity, {point.name}": float(
                np.mean((scores >= point.threshold) & (scores > 0))
            )
            for point in points
        }

    told = [_lesion_groups(o.item, number, pixel_mm) for o, number in lesions]
    normal = [outcome for outcome in outcomes if not outcome.item.lesion]

    def false_marks(indices: NDArray[np.int64]) -> dict[str, float]:
        chosen = [normal[index] for index in indices]
        return {
            f"false marks per image, {point.name}": false_marks_at(chosen, point.threshold)
            for point in points
        }

    free = [image_groups(outcome.item) for outcome in normal]
    return [
        *_parts("lesions", told, patients, found, draws),
        *_parts(
            "lesion-free images",
            free,
            [o.item.patient_id for o in normal],
            false_marks,
            draws,
        ),
    ]


def classification_subgroups(
    outcomes: Sequence[Judged],
    points: Sequence[OperatingPoint],
    pixel_mm: float,
    *,
    draws: int = DRAWS,
) -> list[dict[str, object]]:
    """Figures over images by kind of image, and over images with a lesion by its kind."""

    def over(chosen: Sequence[Judged]) -> Figures:
        return lambda indices: _judged_figures([chosen[i] for i in indices], points)

    patients = [outcome.item.patient_id for outcome in outcomes]
    images = [image_groups(outcome.item) for outcome in outcomes]
    # Of several lesions the first names the image's kind: each image counts once.
    sick = [outcome for outcome in outcomes if outcome.item.boxes]
    kinds = [_lesion_groups(outcome.item, 0, pixel_mm) for outcome in sick]
    own = [{k: v for k, v in kind.items() if k not in _IMAGE_DIVISIONS} for kind in kinds]
    return [
        *_parts("images", images, patients, over(outcomes), draws),
        *_parts(
            "images with a lesion", own, [o.item.patient_id for o in sick], over(sick), draws
        ),
    ]


def image_groups(item: CanvasItem) -> dict[str, str]:
    """Which part an image belongs to, by division."""
    return {name: of(item) or NOT_KNOWN for name, of in _IMAGE_DIVISIONS.items()}


_IMAGE_DIVISIONS: dict[str, Callable[[CanvasItem], str]] = {
    "vendor": lambda item: item.vendor,
    "view": lambda item: item.view,
    "density": lambda item: "" if item.density is None else LETTERS[item.density],
}


def _lesion_groups(item: CanvasItem, number: int, pixel_mm: float) -> dict[str, str]:
    row0, col0, row1, col1 = item.boxes[number]
    size = max(row1 - row0, col1 - col0) * pixel_mm
    seen = item.detectability[number] if number < len(item.detectability) else None
    nature = item.malignant_boxes[number] if number < len(item.malignant_boxes) else None
    return {
        **image_groups(item),
        "finding type": item.finding_types[number].value,
        "descriptor": (item.descriptors[number] if number < len(item.descriptors) else "")
        or NOT_KNOWN,
        "lesion size, mm": _bin(size, SIZES_MM),
        "detectability d'": NOT_KNOWN if seen is None else _bin(seen, DETECTABILITIES),
        "nature": NOT_KNOWN if nature is None else ("malignant" if nature else "benign"),
    }


def _bin(value: float, edges: Sequence[float]) -> str:
    number = int(np.searchsorted(edges, value, side="right"))
    if number == 0:
        return f"under {edges[0]:g}"
    if number == len(edges):
        return f"{edges[-1]:g} or more"
    return f"{edges[number - 1]:g} to {edges[number]:g}"


def _parts(
    of: str,
    groups: Sequence[Mapping[str, str]],
    patients: Sequence[str],
    figures: Figures,
    draws: int,
) -> Iterable[dict[str, object]]:
    divisions = dict.fromkeys(name for each in groups for name in each)
    for division in divisions:
        names = sorted({each[division] for each in groups}, key=_order)
        if names == [NOT_KNOWN]:
            continue
        for name in names:
            members = [i for i, each in enumerate(groups) if each[division] == name]
            chosen = np.array(members, np.int64)
            own = [patients[index] for index in members]
            found = resampled(own, _within(figures, chosen), draws=draws)
            yield {
                "of": of,
                "division": division,
                "group": name,
                "n": len(members),
                "patients": len(set(own)),
                "few": len(members) < FEWEST,
                "figures": {key: each.to_json() for key, each in found.items()},
            }


def _within(figures: Figures, chosen: NDArray[np.int64]) -> Figures:
    return lambda indices: figures(chosen[indices])


def _judged_figures(
    outcomes: Sequence[Judged], points: Sequence[OperatingPoint]
) -> dict[str, float]:
    lesion = np.array([outcome.item.lesion for outcome in outcomes], bool)
    scores = np.array([outcome.said.lesion for outcome in outcomes], float)
    figures: dict[str, float] = {"AUC, lesion": area_under_roc(scores, lesion)}
    for point in points:
        figures[f"sensitivity, {point.name}"] = sensitivity_of(outcomes, point.threshold)
        figures[f"specificity, {point.name}"] = specificity_of(outcomes, point.threshold)
    return figures


def _order(name: str) -> tuple[bool, float, str]:
    """Bins by their edge, words by the alphabet, what is not known last."""
    first = name.split(" ")[0]
    number = float(first) if first.replace(".", "", 1).isdigit() else 0.0
    return name == NOT_KNOWN, number, name
