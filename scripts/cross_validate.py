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
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch
from train_default_models import (
    CLASSIFIER,
    CROP_PX,
    FINETUNE,
    FINETUNE_PATCHES,
    PATCHES,
    PRETRAIN,
    taught,
)

from ml.data.augment import NONE, Augmentation
from ml.data.canvases import FOLDS, patient_fold, read_canvases, write_canvases
from ml.data.sources.mini_mias import mini_mias_canvases
from ml.evaluate.classification import classification_report
from ml.evaluate.detection import detection_report
from ml.evaluate.outcomes import Judged, judge_images, mark_images
from ml.files import replacing
from ml.infer.classified import Classified
from ml.mammo.prepare import PrepareSpec
from ml.models.classifier import DeployedClassifier
from ml.models.detector import deployed
from ml.places import MODELS
from ml.train.classifier import ClassifierRecipe, train_classifier
from ml.train.crops import CropSource
from ml.train.detector import DetectorRecipe, train_detector
from ml.train.hard import with_hard
from ml.train.patches import PatchRecipe, train_patches
from ml.train.plan import device_at_hand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray
    from torch import nn

    from ml.data.canvases import CanvasSet
    from ml.evaluate.outcomes import Marked
    from ml.infer.engine import Graph
    from ml.models.classifier import Classifier

# By the image's number: middles of marks, row and column.
Places = dict[int, tuple[tuple[float, float], ...]]
REPORT = MODELS.parent / "docs" / "reports" / "mini_mias.json"
# A part of the steps of the models that ship: forty trainings have to fit where one did.
FOLD_FINETUNE = replace(FINETUNE, steps=200)
FOLD_FILMS_ALONE = replace(PRETRAIN, steps=200)
FOLD_PATCHES = replace(FINETUNE_PATCHES, steps=60)
FOLD_CLASSIFIER = replace(CLASSIFIER, steps=120, batch=16, phantom_variants=1, real_variants=3)
FOLD_PATCHES_ALONE = PatchRecipe(steps=80)
# Of the phantoms, every so manieth is a whole image for the classifier; patches see them all.
WHOLE_EVERY = 4
SEEDS = (0, 1, 2)
COARSE = PrepareSpec(rows=512, columns=320, pixel_mm=0.4)

NO_MAP = np.zeros((1, 1), np.float32)

AnyRecipe = TypeVar("AnyRecipe", DetectorRecipe, PatchRecipe, ClassifierRecipe)

log = logging.getLogger("cross_validate")


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """What every row draws on."""

    phantoms: CanvasSet
    films: CanvasSet
    work: Path
    device: str
    mini_mias: Path
    augmentation: Augmentation = field(default_factory=Augmentation)
    seed: int = 0
    # Marks by the recipe and seed that made them: several rows read the same ones.
    marks: dict[str, list[Marked]] = field(default_factory=dict)

    def others(self, fold: int, rows: int, columns: int) -> CropSource:
        """The films of the other folds: what a fold's models may see."""
        items = self.films.items
        seen = tuple(i for i, x in enumerate(items) if patient_fold(x.patient_id) != fold)
        return CropSource(self.films, seen, rows, columns, self.augmentation)

    def prepared_anew(
        self, name: str, spec: PrepareSpec, *, uncropped: bool = False
    ) -> Material:
        """The same films, prepared in another way."""
        folder = self.work / name
        if not (folder / "canvases.json").exists():
            films = mini_mias_canvases(self.mini_mias, spec, uncropped=uncropped)
            write_canvases(folder, films, len(self.films.items), spec)
        return replace(self, films=read_canvases(folder))

    @property
    def suffix(self) -> str:
        """Of the folders of trainings with another seed."""
        return f"-seed-{self.seed}" if self.seed else ""

    def sown(self, recipe: AnyRecipe) -> AnyRecipe:
        """The recipe with the seed of these rows."""
        return replace(recipe, seed=recipe.seed + self.seed)

    def simulated(self, rows: int, columns: int, every: int = 1) -> CropSource:
        """The phantoms for training, or every so manieth of them."""
        indices = tuple(range(0, len(self.phantoms.items), every))
        return CropSource(self.phantoms, indices, rows, columns)

    def judged(self, fold: int) -> Iterable[tuple[NDArray[np.uint16], object]]:
        """The films of the fold itself."""
        items = self.films.items
        return self.films.images(
            i for i, x in enumerate(items) if patient_fold(x.patient_id) == fold
        )


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
        _keep(name, ROWS[name](material))


def detector_films_alone(material: Material) -> dict[str, object]:
    """From random weights, real films only."""

    def train(fold: int) -> nn.Module:
        films = material.others(fold, CROP_PX, CROP_PX)
        folder = material.work / f"films-alone-{fold}"
        return train_detector(films, None, FOLD_FILMS_ALONE, folder, device=material.device)

    return detection_report(_marked(material, train), ())


def detector_phantoms_alone(material: Material) -> dict[str, object]:
    """No film seen at all."""
    return detection_report(_marked(material, lambda fold: _pretrained(material)), ())


def detector_phantoms_then_films(material: Material) -> dict[str, object]:
    """Phantoms first, then phantoms and films side by side: the recipe that ships."""
    return detection_report(_finetuned_marks(material), ())


def detector_without_hard_negatives(material: Material) -> dict[str, object]:
    """The same, crops without a lesion from anywhere."""
    return detection_report(_finetuned_marks(material, hard=False), ())


def classifier_films_alone(material: Material) -> dict[str, object]:
    """From ImageNet's weights: patches and whole images of real films only."""
    return classification_report(_classified(material, "films-alone"), (), {})


def classifier_phantoms_then_films(material: Material) -> dict[str, object]:
    """From ImageNet's weights, with phantoms at both steps: the recipe that ships."""
    return classification_report(_classified(material, "both", BOTH), (), {})


def without_imagenet(material: Material) -> dict[str, object]:
    """From random weights."""
    bare = replace(FILMS_ALONE, pretrained=False)
    return classification_report(_classified(material, "no-imagenet", bare), (), {})


def without_augmentation(material: Material) -> dict[str, object]:
    """Every crop and image as it is."""
    plain = replace(material, augmentation=NONE)
    return classification_report(_classified(plain, "no-augmentation", FILMS_ALONE), (), {})


def without_breast_crop(material: Material) -> dict[str, object]:
    """The whole film on the same canvas, so smaller, with its air and letters."""
    whole = material.prepared_anew("uncropped", material.films.spec, uncropped=True)
    return classification_report(_classified(whole, "no-crop", FILMS_ALONE), (), {})


def at_half_the_resolution(material: Material) -> dict[str, object]:
    """At 0.4 mm a pixel, crops of the same tissue."""
    coarse = material.prepared_anew("coarse", COARSE)
    halved = replace(FILMS_ALONE, crop_px=FILMS_ALONE.crop_px // 2)
    return classification_report(_classified(coarse, "coarse", halved), (), {})


def detectors_best_mark(material: Material) -> dict[str, object]:
    """The score of a film is its best mark's (Ribli 2018)."""
    return classification_report(
        [_as_judged(one) for one in _finetuned_marks(material)], (), {}
    )


def both_together(material: Material) -> dict[str, object]:
    """The mean of the classifier's and of the best mark's rank among all films."""
    return classification_report(_together(material), (), {})


def seeds_together(material: Material) -> dict[str, object]:
    """The mean over the three seeds of the same."""
    runs = [_together(replace(material, seed=seed)) for seed in SEEDS]
    films = zip(*runs, strict=True)
    return classification_report([_mean(films_of_one) for films_of_one in films], (), {})


ROWS: dict[str, Callable[[Material], dict[str, object]]] = {
    "detector: films alone": detector_films_alone,
    "detector: phantoms alone": detector_phantoms_alone,
    "detector: phantoms, then films": detector_phantoms_then_films,
    "detector: without hard negatives": detector_without_hard_negatives,
    "classifier: films alone": classifier_films_alone,
    "classifier: phantoms, then films": classifier_phantoms_then_films,
    "classifier: the detector's best mark": detectors_best_mark,
    "classifier: both together": both_together,
    "classifier: both together, second seed": lambda m: both_together(replace(m, seed=1)),
    "classifier: both together, third seed": lambda m: both_together(replace(m, seed=2)),
    "classifier: both together, three seeds' mean": seeds_together,
    "ablation: without ImageNet's weights": without_imagenet,
    "ablation: without augmentation": without_augmentation,
    "ablation: without the breast crop": without_breast_crop,
    "ablation: at half the resolution": at_half_the_resolution,
}


def _pretrained(material: Material) -> nn.Module:
    simulated = material.simulated(CROP_PX, CROP_PX)
    return train_detector(simulated, None, PRETRAIN, material.work.parent / "pretrained")


def _pretrained_patches(material: Material) -> nn.Module:
    simulated = material.simulated(CROP_PX, CROP_PX)
    return train_patches(simulated, None, PATCHES, material.work.parent / "pretrained")


def _finetuned_marks(material: Material, *, hard: bool = True) -> list[Marked]:
    name = "phantoms-films" if hard else "no-hard"
    key = name + material.suffix
    if key not in material.marks:
        material.marks[key] = _marked(material, _finetuning(material, name, hard=hard))
    return material.marks[key]


def _finetuning(material: Material, name: str, *, hard: bool) -> Callable[[int], nn.Module]:
    seen = _pretrained(material)
    start = {name: weights.clone() for name, weights in seen.state_dict().items()}
    phantoms = material.simulated(CROP_PX, CROP_PX)
    phantoms = replace(
        phantoms, hard=_hard_places(material, phantoms, "phantoms") if hard else {}
    )

    def train(fold: int) -> nn.Module:
        films = material.others(fold, CROP_PX, CROP_PX)
        return train_detector(
            phantoms,
            replace(films, hard=_hard_places(material, films, "films") if hard else {}),
            material.sown(FOLD_FINETUNE),
            material.work / f"{name}-{fold}{material.suffix}",
            start=start,
            device=material.device,
        )

    return train


def _hard_places(material: Material, source: CropSource, name: str) -> Places:
    """What the phantoms' detector marks wrongly on a source's images.

    It has seen no film, so what it says of one is the same in every fold.
    """
    path = material.work / f"hard-{name}.json"
    if not path.exists():
        everything = replace(source, indices=tuple(range(len(source.canvases.items))))
        found = with_hard(everything, _pretrained(material), device=material.device).hard
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(list(found.items())), "utf-8")
    kept = {
        index: tuple((row, column) for row, column in places)
        for index, places in json.loads(path.read_text("utf-8"))
    }
    return {index: kept[index] for index in source.indices if index in kept}


def _marked(material: Material, train: Callable[[int], nn.Module]) -> list[Marked]:
    marks: list[Marked] = []
    for fold in range(FOLDS):
        graph = _graph(deployed(train(fold)))
        marks.extend(mark_images(graph, material.judged(fold)))  # type: ignore[arg-type]
    return marks


@dataclass(frozen=True, slots=True)
class Way:
    """How a classifier is trained in a row."""

    phantoms: bool = False
    pretrained: bool = True
    crop_px: int = CROP_PX
    patches: PatchRecipe = FOLD_PATCHES
    classifier: ClassifierRecipe = FOLD_CLASSIFIER


FILMS_ALONE, BOTH = Way(patches=FOLD_PATCHES_ALONE), Way(phantoms=True)


def _classified(material: Material, name: str, way: Way = FILMS_ALONE) -> list[Judged]:
    judged: list[Judged] = []
    for fold in range(FOLDS):
        folder = material.work / f"classifier-{name}-{fold}{material.suffix}"
        kept = _kept_judgements(folder / "judged.json", way, material)
        if kept is None:
            model = _trained_classifier(material, fold, folder, way)
            graph = _graph(DeployedClassifier(model).eval())
            kept = judge_images(graph, material.judged(fold))  # type: ignore[arg-type]
            _keep_judgements(folder / "judged.json", kept, way, material)
        judged.extend(kept)
    return judged


def _trained_classifier(material: Material, fold: int, folder: Path, way: Way) -> Classifier:
    spec, side = material.films.spec, way.crop_px
    device, films = material.device, material.others(fold, side, side)
    patches = (material.simulated(side, side), films) if way.phantoms else (films, None)
    seen = train_patches(
        *patches,
        material.sown(way.patches),
        folder,
        pretrained=way.pretrained,
        start=_pretrained_patches(material).state_dict() if way.phantoms else None,
        device=device,
    )
    whole = material.others(fold, spec.rows, spec.columns)
    simulated = material.simulated(spec.rows, spec.columns, WHOLE_EVERY)
    return train_classifier(
        *((simulated, whole) if way.phantoms else (whole, None)),
        material.sown(way.classifier),
        folder,
        pretrained=False,
        start=seen.state_dict(),
        device=device,
    )


def _keep_judgements(path: Path, judged: list[Judged], way: Way, material: Material) -> None:
    """So that rows that share them pass no image through the trunk again."""
    films = {
        one.item.image_id: [one.said.lesion, one.said.malignancy, *one.said.density.tolist()]
        for one in judged
    }
    path.write_text(json.dumps({"made_by": _made_by(way, material), "films": films}), "utf-8")


def _kept_judgements(path: Path, way: Way, material: Material) -> list[Judged] | None:
    """Those of the same recipes; None where there are none."""
    if not path.exists():
        return None
    kept = json.loads(path.read_text("utf-8"))
    if kept["made_by"] != _made_by(way, material):
        return None
    items = {item.image_id: item for item in material.films.items}
    return [
        Judged(
            items[name], Classified(lesion, malignancy, NO_MAP, np.array(density, np.float32))
        )
        for name, (lesion, malignancy, *density) in kept["films"].items()
    ]


def _made_by(way: Way, material: Material) -> str:
    return f"{way} {material.seed} {material.augmentation}"


def _together(material: Material) -> list[Judged]:
    judged = _classified(material, "both", BOTH)
    best = {one.item.image_id: _best(one) for one in _finetuned_marks(material)}
    marks = _ranks([best[one.item.image_id] for one in judged])
    lesion = (_ranks([one.said.lesion for one in judged]) + marks) / 2
    malignancy = (_ranks([one.said.malignancy for one in judged]) + marks) / 2
    return [
        Judged(one.item, replace(one.said, lesion=float(a), malignancy=float(b)))
        for one, a, b in zip(judged, lesion, malignancy, strict=True)
    ]


def _mean(runs: Sequence[Judged]) -> Judged:
    """Of the same film in several runs."""
    (item,) = {one.item.image_id: one.item for one in runs}.values()
    lesion = float(np.mean([one.said.lesion for one in runs]))
    malignancy = float(np.mean([one.said.malignancy for one in runs]))
    return Judged(item, replace(runs[0].said, lesion=lesion, malignancy=malignancy))


def _graph(network: nn.Module) -> Graph:
    """The network as it would be exported, in float32."""

    def compute(canvas: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        with torch.no_grad():  # inference_mode would spoil the anchors that YOLO keeps
            given = network(torch.from_numpy(canvas))
        return [part.numpy() for part in (given if isinstance(given, tuple) else (given,))]

    return compute


def _best(one: Marked) -> float:
    return float(one.scores.max(initial=0.0))


def _as_judged(one: Marked) -> Judged:
    score = _best(one)
    return Judged(one.item, Classified(score, score, NO_MAP, np.full(4, 0.25, np.float32)))


def _ranks(scores: Sequence[float]) -> NDArray[np.float64]:
    """Ranks in 0 to 1; ties share theirs."""
    from scipy.stats import rankdata

    return np.asarray((rankdata(scores) - 0.5) / len(scores), np.float64)


def _keep(name: str, figures: dict[str, object]) -> None:
    """Put a row into the report; the others stay as they are."""
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    report = json.loads(REPORT.read_text("utf-8")) if REPORT.exists() else {"rows": {}}
    report["rows"][name] = figures
    report["rows"] = {row: report["rows"][row] for row in ROWS if row in report["rows"]}
    with replacing(REPORT) as fresh:
        fresh.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Cross-validate on mini-MIAS.")
    parser.add_argument("--mini-mias", required=True, type=Path, metavar="FOLDER")
    parser.add_argument("--work", required=True, type=Path, metavar="FOLDER")
    parser.add_argument("--rows", nargs="+", choices=tuple(ROWS), default=tuple(ROWS))
    return parser


if __name__ == "__main__":
    main()
