"""Cross-validate on mini-MIAS by patient, one row for each thing that a recipe adds.

    python scripts/cross_validate.py --mini-mias FOLDER --work FOLDER [--rows NAME ...]

`--work` is the folder of `train_default_models.py`: its prepared images and the detector and
patches that were trained on phantoms alone. Each woman is in one of five folds by a hash of her
number; whoever is in a fold is judged by models that never saw her. Stopped at any moment, the
same command goes on. The figures go to `resources/docs/reports/mini_mias.json`.

With one seed, the last recipe with three, and those three together. The rows that begin with
"ablation" each leave one thing out of "classifier: films alone".
"""

from __future__ import annotations

import argparse
import json
import logging
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from folds import (
    BOTH,
    FILMS_ALONE,
    FOLD_CLASSIFIER,
    FOLD_FILMS_ALONE,
    FOLD_FINETUNE,
    FOLD_PATCHES,
    FOLD_PATCHES_ALONE,
    NO_MAP,
    Material,
    finetuned_detector,
    judgements_of_folds,
    marks_of_folds,
    pretrained_detector,
)
from train_default_models import CLASSIFIER, CROP_PX, FINETUNE, FINETUNE_PATCHES, taught

from ml.data.augment import NONE
from ml.data.canvases import read_canvases
from ml.evaluate.cases import TARGETS, cases_of
from ml.evaluate.classification import classification_report
from ml.evaluate.detection import detection_report, froc
from ml.evaluate.outcomes import Judged
from ml.evaluate.paired import paired_difference
from ml.evaluate.roc import area_under_roc
from ml.files import replacing
from ml.infer.classified import Classified
from ml.mammo.prepare import PrepareSpec
from ml.places import MODELS
from ml.train.detector import train_detector
from ml.train.plan import device_at_hand

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from torch import nn

    from ml.evaluate.outcomes import Marked

    # What a row says of every film, and the row that differs from it in one thing.
    MarksRow = tuple[Callable[["Material"], list[Marked]], str]
    JudgedRow = tuple[Callable[["Material"], list[Judged]], str]

REPORT = MODELS.parent / "docs" / "reports" / "mini_mias.json"


SEEDS = (0, 1, 2)
TITLE = "mini-MIAS, five folds by patient"
NOTE = (
    "{films} films of {women} women. Each woman is in one of five folds by a hash of her "
    "number, and is judged by models that never saw her. Trainings are short, so that all of "
    "them fit on two cores: {finetune} steps of fine-tuning a detector ({alone} with films "
    "alone), {patches} with patches ({patches_alone} with films alone), {classifier} with "
    "whole images; the models that ship take {ships}. A change is the row's figure less the "
    "other row's on the same films, its interval over women drawn for both at once. One seed, "
    "but where seeds are named."
)
COARSE = PrepareSpec(rows=512, columns=320, pixel_mm=0.4)


log = logging.getLogger("cross_validate")


def main() -> None:
    """Run the rows that are not done, and write the report again."""
    given = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    material = Material(
        taught(read_canvases(given.work / "train")),
        read_canvases(given.work / "films"),
        given.work / "folds",
        device_at_hand().kind,
        given.mini_mias,
    )
    for name in given.rows:
        log.info("row %s", name)
        _keep(name, _figures(name, material), material)


def detector_films_alone(material: Material) -> list[Marked]:
    """From random weights, real films only."""

    def train(fold: int) -> nn.Module:
        films = material.others(fold, CROP_PX, CROP_PX)
        folder = material.work / f"films-alone-{fold}"
        return train_detector(films, None, FOLD_FILMS_ALONE, folder, device=material.device)

    return marks_of_folds(material, "films-alone", train)


def detector_phantoms_alone(material: Material) -> list[Marked]:
    """No film seen at all."""
    return marks_of_folds(
        material, "phantoms-alone", lambda fold: pretrained_detector(material)
    )


def detector_phantoms_then_films(material: Material) -> list[Marked]:
    """Phantoms first, then phantoms and films side by side: the recipe that ships."""
    return marks_of_folds(
        material, "phantoms-films", partial(finetuned_detector, material, hard=True)
    )


def detector_without_hard_negatives(material: Material) -> list[Marked]:
    """The same, crops without a lesion from anywhere."""
    return marks_of_folds(
        material, "no-hard", partial(finetuned_detector, material, hard=False)
    )


def classifier_films_alone(material: Material) -> list[Judged]:
    """From ImageNet's weights: patches and whole images of real films only."""
    return judgements_of_folds(material, "films-alone")


def classifier_phantoms_then_films(material: Material) -> list[Judged]:
    """From ImageNet's weights, with phantoms at both steps: the recipe that ships."""
    return judgements_of_folds(material, "both", BOTH)


def without_imagenet(material: Material) -> list[Judged]:
    """From random weights."""
    return judgements_of_folds(material, "no-imagenet", replace(FILMS_ALONE, pretrained=False))


def without_augmentation(material: Material) -> list[Judged]:
    """Every crop and image as it is."""
    return judgements_of_folds(
        replace(material, augmentation=NONE), "no-augmentation", FILMS_ALONE
    )


def without_breast_crop(material: Material) -> list[Judged]:
    """The whole film on the same canvas, so smaller, with its air and letters."""
    whole = material.prepared_anew("uncropped", material.films.spec, uncropped=True)
    return judgements_of_folds(whole, "no-crop", FILMS_ALONE)


def at_half_the_resolution(material: Material) -> list[Judged]:
    """At 0.4 mm a pixel, crops of the same tissue."""
    coarse = material.prepared_anew("coarse", COARSE)
    halved = replace(FILMS_ALONE, crop_px=FILMS_ALONE.crop_px // 2)
    return judgements_of_folds(coarse, "coarse", halved)


def detectors_best_mark(material: Material) -> list[Judged]:
    """The score of a film is its best mark's (Ribli 2018)."""
    return [_as_judged(one) for one in detector_phantoms_then_films(material)]


def both_together(material: Material) -> list[Judged]:
    """The mean of the classifier's and of the best mark's rank among all films."""
    judged = classifier_phantoms_then_films(material)
    marks = detector_phantoms_then_films(material)
    best = {one.item.image_id: _best(one) for one in marks}
    rank = _ranks([best[one.item.image_id] for one in judged])
    lesion = (_ranks([one.said.lesion for one in judged]) + rank) / 2
    malignancy = (_ranks([one.said.malignancy for one in judged]) + rank) / 2
    return [
        Judged(one.item, replace(one.said, lesion=float(a), malignancy=float(b)))
        for one, a, b in zip(judged, lesion, malignancy, strict=True)
    ]


def seeds_together(material: Material) -> list[Judged]:
    """The mean over the three seeds of the same."""
    runs = [both_together(replace(material, seed=seed)) for seed in SEEDS]
    return [_mean(films_of_one) for films_of_one in zip(*runs, strict=True)]


DETECTORS: dict[str, MarksRow] = {
    "detector: films alone": (detector_films_alone, ""),
    "detector: phantoms alone": (detector_phantoms_alone, "detector: films alone"),
    "detector: phantoms, then films": (detector_phantoms_then_films, "detector: films alone"),
    "detector: without hard negatives": (
        detector_without_hard_negatives,
        "detector: phantoms, then films",
    ),
}
CLASSIFIERS: dict[str, JudgedRow] = {
    "classifier: films alone": (classifier_films_alone, ""),
    "classifier: phantoms, then films": (
        classifier_phantoms_then_films,
        "classifier: films alone",
    ),
    "classifier: the detector's best mark": (detectors_best_mark, ""),
    "classifier: both together": (both_together, "classifier: phantoms, then films"),
    "classifier: both together, second seed": (lambda m: both_together(replace(m, seed=1)), ""),
    "classifier: both together, third seed": (lambda m: both_together(replace(m, seed=2)), ""),
    "classifier: both together, three seeds' mean": (
        seeds_together,
        "classifier: both together",
    ),
    "ablation: without ImageNet's weights": (without_imagenet, "classifier: films alone"),
    "ablation: without augmentation": (without_augmentation, "classifier: films alone"),
    "ablation: without the breast crop": (without_breast_crop, "classifier: films alone"),
    "ablation: at half the resolution": (at_half_the_resolution, "classifier: films alone"),
}
ROWS = (*DETECTORS, *CLASSIFIERS)
# What a detector's change beside another row is told of.
RATE = 1.0


def _figures(name: str, material: Material) -> dict[str, object]:
    """A row's figures, and the change beside the row that it differs from in one thing."""
    change: dict[str, object] = {}
    if name in DETECTORS:
        outcomes, beside = DETECTORS[name]
        marks = outcomes(material)
        report = detection_report(marks, ())
        if beside:
            before = DETECTORS[beside][0](material)
            found = paired_difference(marks, before, partial(froc, rate=RATE))
            change = {f"{RATE:g}": found.to_json()}
    else:
        judging, beside = CLASSIFIERS[name]
        judged = judging(material)
        report = _without_roc(classification_report(judged, (), {}))
        if beside:
            before_it = CLASSIFIERS[beside][0](material)
            change = {
                target: paired_difference(judged, before_it, partial(_area, target)).to_json()
                for target in TARGETS
            }
    return {**report, "beside": beside, "change": change}


def _without_roc(report: dict[str, object]) -> dict[str, object]:
    """The page of results draws no curve, and the curves are most of a report."""
    levels = cast("dict[str, dict[str, dict[str, object]]]", report)
    return {
        level: {
            target: {name: value for name, value in found.items() if name != "roc"}
            for target, found in targets.items()
        }
        for level, targets in levels.items()
    }


def _area(target: str, judged: Sequence[Judged]) -> float:
    cases = cases_of(judged, "image", target)
    return area_under_roc(cases.scores, cases.truths)


def _mean(runs: Sequence[Judged]) -> Judged:
    """Of the same film in several runs."""
    (item,) = {one.item.image_id: one.item for one in runs}.values()
    lesion = float(np.mean([one.said.lesion for one in runs]))
    malignancy = float(np.mean([one.said.malignancy for one in runs]))
    return Judged(item, replace(runs[0].said, lesion=lesion, malignancy=malignancy))


def _best(one: Marked) -> float:
    return float(one.scores.max(initial=0.0))


def _as_judged(one: Marked) -> Judged:
    score = _best(one)
    return Judged(one.item, Classified(score, score, NO_MAP, np.full(4, 0.25, np.float32)))


def _ranks(scores: Sequence[float]) -> NDArray[np.float64]:
    """Ranks in 0 to 1; ties share theirs."""
    from scipy.stats import rankdata

    return np.asarray((rankdata(scores) - 0.5) / len(scores), np.float64)


def _keep(name: str, figures: dict[str, object], material: Material) -> None:
    """Put a row into the report; the others stay as they are."""
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    report = json.loads(REPORT.read_text("utf-8")) if REPORT.exists() else {"rows": {}}
    report = {"title": TITLE, "note": _note(material), "rows": report["rows"]}
    report["rows"][name] = figures
    report["rows"] = {row: report["rows"][row] for row in ROWS if row in report["rows"]}
    with replacing(REPORT) as fresh:
        fresh.write_text(json.dumps(report, indent=0) + "\n", encoding="utf-8")


def _note(material: Material) -> str:
    women = {item.patient_id for item in material.films.items}
    return NOTE.format(
        films=len(material.films.items),
        women=len(women),
        alone=FOLD_FILMS_ALONE.steps,
        finetune=FOLD_FINETUNE.steps,
        patches=FOLD_PATCHES.steps,
        patches_alone=FOLD_PATCHES_ALONE.steps,
        classifier=FOLD_CLASSIFIER.steps,
        ships=f"{FINETUNE.steps}, {FINETUNE_PATCHES.steps} and {CLASSIFIER.steps}",
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Cross-validate on mini-MIAS.")
    parser.add_argument("--mini-mias", required=True, type=Path, metavar="FOLDER")
    parser.add_argument("--work", required=True, type=Path, metavar="FOLDER")
    parser.add_argument("--rows", nargs="+", choices=tuple(ROWS), default=tuple(ROWS))
    return parser


if __name__ == "__main__":
    main()
