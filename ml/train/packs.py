"""From trained weights to a pack whose card says what was measured.

Thresholds and calibration are chosen on validation data, figures are taken on test data, both
through the exported graph: what is measured is what ships.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from ml.distribution import QUANTILES, Distribution, Part
from ml.evaluate.calibrate import fit_calibration
from ml.evaluate.cases import TARGETS, score_of, truth_of
from ml.evaluate.classification import accuracy_of, area_under_curve
from ml.evaluate.figures import (
    MOST_ACCURATE,
    classifier_figures,
    detector_figures,
    false_marks_at,
    sensitivity_at,
    sensitivity_of,
    specificity_of,
    threshold_at,
)
from ml.evaluate.outcomes import (
    fine_images,
    judge_images,
    judge_pairs,
    mark_images,
    mark_pairs,
    whole_images,
)
from ml.findings import OperatingPoint
from ml.hashed import name_sha256
from ml.infer.detectors import Detectors
from ml.infer.engine import as_canvas
from ml.infer.marks import best_mark, with_mark
from ml.infer.on_cpu import CpuEngine
from ml.models.detector import CLASSES
from ml.registry import FINE_ROLE, ModelCard, inherit, write_card
from ml.train.export import export_pack

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import nn

    from ml.data.canvases import CanvasItem, Pair
    from ml.evaluate.outcomes import Judged, Marked
    from ml.infer.engine import Graph
    from ml.mammo.prepare import PrepareSpec
    from ml.registry import Calibration, ModelPack

    Scored = list[tuple[CanvasItem, float]]
    PreparedItem = tuple[NDArray[np.uint16], CanvasItem]
    Found = dict[str, list[Marked]]

INTENDED_USE = "Research use only. Not a medical device; no diagnosis may rest on it."
LICENCE = "AGPL-3.0-or-later"
# False marks per lesion-free image at the operating points, the default first.
MARK_RATES = (0.5, 0.25, 1.0)
SENSITIVITIES = (0.90, 0.80)
# That the best mark may have in an image's score.
WEIGHTS = tuple(round(0.1 * number, 1) for number in range(11))
# Images on which torch and the exported graph are compared.
COMPARED = 8


@dataclass(frozen=True, slots=True)
class Origin:
    """Where weights come from.

    Attributes
    ----------
    data
        What they were trained on, with its licence, in sentences.
    trained_on
        The images: the hashes of their and their patients' names go into the card.
    hosts
        Patients into whose breasts generated ones of them were painted, as lists name them.
    parent
        Of the pack whose weights it began with: what that one was trained on, this one was.
    overrides
        Why it was trained on data whose audit was red; stays on its card, and its children's.
    """

    name: str
    version: str
    data: str
    spec: PrepareSpec
    trained_on: tuple[CanvasItem, ...] = ()
    hosts: frozenset[str] = frozenset()
    parent: ModelCard | None = None
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Images that no weight has seen, and what to call them.

    Attributes
    ----------
    validation
        Thresholds and calibration are chosen on it.
    tests
        Each is measured by itself: figures of different data are never pooled. All are gone
        through again and again.
    """

    validation_name: str
    validation: Iterable[Pair]
    tests: Mapping[str, Iterable[Pair]]


def make_pack(
    folder: Path,
    role: str,
    model: nn.Module,
    origin: Origin,
    held_out: HeldOut,
    *,
    beside: Mapping[str, ModelPack] | None = None,
) -> ModelPack:
    """Export, measure, and write the card.

    Parameters
    ----------
    model
        Trained; its weights are rounded to half precision, as they are stored.
    beside
        The models, by role, that it is used and measured with: a detector with the one for
        calcifications, a classifier with the detectors.

    Raises
    ------
    ModelError
        Where the exported graph does not say what the torch model says.
    """
    model.half().float()
    card = _first_card(role, origin)
    shown = fine_images if role == FINE_ROLE else whole_images
    pack = export_pack(folder, model, card, _compared(shown(held_out.validation)))
    graph = CpuEngine().load(pack)
    packs = dict(beside or {})
    if packs and role != FINE_ROLE:
        names = " and ".join(one.card.key for one in packs.values())
        held_out = replace(
            held_out, validation_name=f"{held_out.validation_name}, with {names} beside it"
        )
    if role == "classifier":
        card = _described_classifier(pack.card, graph, held_out, packs)
    elif role == FINE_ROLE:
        card = _described_fine(pack.card, graph, held_out)
    else:
        card = _described_detector(pack.card, graph, held_out, packs)
    write_card(folder, card)
    return replace(pack, card=card)


def _first_card(role: str, origin: Origin) -> ModelCard:
    patients = {name_sha256(item.patient_id) for item in origin.trained_on} | origin.hosts
    images = {name_sha256(item.image_id) for item in origin.trained_on}
    card = ModelCard(
        name=origin.name,
        version=origin.version,
        role=role,
        licence=LICENCE,
        data=origin.data,
        intended_use=INTENDED_USE,
        operating_points=(OperatingPoint("not chosen yet", 0.5, ""),),
        prepare=origin.spec,
        files={},
        classes=() if role == "classifier" else CLASSES,
        training_patients=tuple(sorted(patients)),
        training_images=tuple(sorted(images)),
        overrides=origin.overrides,
    )
    return inherit(card, [] if origin.parent is None else [origin.parent])


def _described_detector(
    card: ModelCard, graph: Graph, held_out: HeldOut, beside: Mapping[str, ModelPack]
) -> ModelCard:
    """By itself first, for its own calibration: the other's scores are brought to its scale."""
    alone = mark_images(graph, whole_images(held_out.validation))
    card = replace(card, calibration=_calibration_of(alone))
    fine = beside.get(FINE_ROLE)
    detectors = Detectors(graph, card)
    if fine is not None:
        detectors = replace(detectors, fine=CpuEngine().load(fine), fine_card=fine.card)
    seen = alone if fine is None else mark_pairs(detectors, held_out.validation)
    tests = {name: mark_pairs(detectors, images) for name, images in held_out.tests.items()}
    return _with_marks(card, seen, tests, held_out)


def _described_fine(card: ModelCard, graph: Graph, held_out: HeldOut) -> ModelCard:
    seen = mark_images(graph, fine_images(held_out.validation))
    found = {
        name: mark_images(graph, fine_images(images)) for name, images in held_out.tests.items()
    }
    card = replace(card, calibration=_calibration_of(seen))
    tests = {f"{name}, calcifications only": test for name, test in found.items() if test}
    return _with_marks(card, seen, tests, held_out)


def _calibration_of(seen: list[Marked]) -> dict[str, Calibration]:
    scores = np.concatenate([one.scores for one in seen]).astype(np.float64)
    # The odds that a mark is right go with the images that have a lesion, not with the marks.
    prevalence = float(np.mean([one.item.lesion for one in seen]))
    hits = np.concatenate([one.hits for one in seen])
    return _known({"detector": fit_calibration(scores, hits, prevalence=prevalence)})


def _with_marks(
    card: ModelCard, seen: list[Marked], tests: Found, held_out: HeldOut
) -> ModelCard:
    named, first = next(iter(tests.items()))
    best = [(one.item, float(one.scores.max(initial=0.0))) for one in first]
    return replace(
        card,
        distribution=distribution_of(best, named),
        operating_points=tuple(_mark_point(rate, seen, first, held_out) for rate in MARK_RATES),
        figures=tuple(f for name, test in tests.items() for f in detector_figures(test, name)),
    )


def _described_classifier(
    card: ModelCard, graph: Graph, held_out: HeldOut, beside: Mapping[str, ModelPack]
) -> ModelCard:
    if "detector" in beside:
        engine = CpuEngine()
        graphs = {role: engine.load(pack) for role, pack in beside.items()}
        detectors = Detectors.of(beside, graphs)
        # Unweighted once, then whatever weight serves validation best.
        seen = judge_images(graph, whole_images(held_out.validation))
        best = [best_mark(detectors.detect(p, fine)) for p, fine, _ in held_out.validation]
        card = replace(card, mark_weights=choose_weights(seen, best))
        seen = [
            replace(one, said=with_mark(one.said, mark, card.mark_weights))
            for one, mark in zip(seen, best, strict=True)
        ]
        tests = {
            name: judge_pairs(graph, card, detectors, images)
            for name, images in held_out.tests.items()
        }
    else:
        seen = judge_images(graph, whole_images(held_out.validation))
        tests = {
            name: judge_images(graph, whole_images(images))
            for name, images in held_out.tests.items()
        }
    return _with_judgements(card, seen, tests, held_out)


def choose_weights(seen: list[Judged], best: Sequence[float]) -> dict[str, float]:
    """How much the best mark should count, for the greatest area under the ROC curve.

    Parameters
    ----------
    seen
        What the classifier says by itself.
    best
        The best mark of each image.

    Returns
    -------
    dict
        Weights over nothing, by target; of equally good ones the smallest.
    """
    weights: dict[str, float] = {}
    for target in TARGETS:
        areas = []
        for weight in WEIGHTS:
            moved = [
                replace(one, said=with_mark(one.said, mark, {target: weight}))
                for one, mark in zip(seen, best, strict=True)
            ]
            score, truth = partial(score_of, target=target), partial(truth_of, target=target)
            areas.append(area_under_curve(moved, score, truth))
        chosen = WEIGHTS[int(np.argmax(areas))] if np.isfinite(areas).all() else 0.0
        if chosen:
            weights[target] = chosen
    return weights


def _with_judgements(
    card: ModelCard, seen: list[Judged], tests: dict[str, list[Judged]], held_out: HeldOut
) -> ModelCard:
    lesion = np.array([one.said.lesion for one in seen])
    malignancy = np.array([one.said.malignancy for one in seen])
    fits = {
        "lesion": fit_calibration(lesion, np.array([one.item.lesion for one in seen])),
        "malignancy": fit_calibration(
            malignancy, np.array([bool(one.item.malignant) for one in seen])
        ),
    }
    named, first = next(iter(tests.items()))
    points = (
        *(_score_point(wanted, seen, first, held_out) for wanted in SENSITIVITIES),
        _point_at(MOST_ACCURATE, _most_accurate(seen), first, held_out),
    )
    return replace(
        card,
        operating_points=points,
        calibration=_known(fits),
        distribution=distribution_of([(one.item, one.said.lesion) for one in first], named),
        figures=tuple(
            f for name, test in tests.items() for f in classifier_figures(test, name, points)
        ),
    )


def distribution_of(scored: Scored, data: str) -> Distribution:
    """How a score lies on images with a lesion, and on those without.

    Parameters
    ----------
    scored
        Each image with its score.
    data
        What the images are called.
    """
    ill = [one for one in scored if one[0].lesion]
    well = [one for one in scored if one[0].free]
    return Distribution(_part(well), _part(ill), data)


def _part(scored: Scored) -> Part:
    scores = [score for _, score in scored]
    levels = np.linspace(0, 1, QUANTILES)
    quantiles = np.quantile(scores, levels).round(4) if scores else ()
    patients = {item.patient_id for item, _ in scored}
    return Part(tuple(map(float, quantiles)), len(scored), len(patients))


def _mark_point(
    rate: float, seen: list[Marked], test: list[Marked], held_out: HeldOut
) -> OperatingPoint:
    threshold = round(threshold_at(seen, rate), 4)
    return OperatingPoint(
        f"{rate:g} false marks per lesion-free image",
        threshold,
        held_out.validation_name,
        sensitivity=round(sensitivity_at(test, threshold), 4),
        false_positives_per_image=round(false_marks_at(test, threshold), 4),
    )


def _score_point(
    wanted: float, seen: list[Judged], test: list[Judged], held_out: HeldOut
) -> OperatingPoint:
    scores = [one.said.lesion for one in seen if one.item.lesion]
    # The highest threshold that still calls the wanted share.
    threshold = float(np.floor(np.quantile(scores, 1 - wanted) * 1e4) / 1e4)
    return _point_at(f"sensitivity {wanted:.2f}", threshold, test, held_out)


def _most_accurate(seen: list[Judged]) -> float:
    """The threshold at which most images are right, between the scores beside it."""
    scores = np.unique([one.said.lesion for one in seen])
    between = (np.append(scores, 1.0) + np.insert(scores, 0, 0.0)) / 2
    right = [accuracy_of(seen, threshold) for threshold in between]
    return round(float(between[int(np.argmax(right))]), 4)


def _point_at(
    name: str, threshold: float, test: list[Judged], held_out: HeldOut
) -> OperatingPoint:
    return OperatingPoint(
        name,
        threshold,
        held_out.validation_name,
        sensitivity=round(sensitivity_of(test, threshold), 4),
        specificity=round(specificity_of(test, threshold), 4),
    )


def _known(fits: Mapping[str, Calibration | None]) -> dict[str, Calibration]:
    return {name: fit for name, fit in fits.items() if fit is not None}


def _compared(images: Iterator[PreparedItem]) -> list[NDArray[np.float32]]:
    return [as_canvas(pixels)[0] for pixels, _ in islice(images, COMPARED)]
