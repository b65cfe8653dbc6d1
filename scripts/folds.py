"""The trainings of `cross_validate.py`: each fold's models, and what they say of its films.

What is finished is kept in the work folder and not done again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from train_default_models import (
    CLASSIFIER,
    CROP_PX,
    FINETUNE,
    FINETUNE_PATCHES,
    PATCHES,
    PRETRAIN,
    AnyRecipe,
)

from ml.data.augment import Augmentation
from ml.data.canvases import read_canvases, write_canvases
from ml.data.sources.mini_mias import mini_mias_canvases
from ml.evaluate.outcomes import Judged, judge_images, mark_images
from ml.infer.classified import Classified
from ml.models.classifier import DeployedClassifier
from ml.models.detector import deployed
from ml.splits import FOLDS, patient_fold
from ml.train.classifier import ClassifierRecipe, train_classifier
from ml.train.crops import CropSource
from ml.train.detector import train_detector
from ml.train.hard import with_hard
from ml.train.patches import PatchRecipe, train_patches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import nn

    from ml.data.canvases import CanvasSet
    from ml.evaluate.outcomes import Marked
    from ml.infer.engine import Graph
    from ml.mammo.prepare import PrepareSpec
    from ml.models.classifier import Classifier


# By the image's number: middles of marks, row and column.
Places = dict[int, tuple[tuple[float, float], ...]]

# A part of the steps of the models that ship: forty trainings have to fit where one did.
FOLD_FINETUNE = replace(FINETUNE, steps=200)

FOLD_FILMS_ALONE = replace(PRETRAIN, steps=200)

FOLD_PATCHES = replace(FINETUNE_PATCHES, steps=60)

FOLD_CLASSIFIER = replace(CLASSIFIER, steps=120, batch=16, phantom_variants=1, real_variants=3)

FOLD_PATCHES_ALONE = PatchRecipe(steps=80)

# Of the phantoms, every so manieth is a whole image for the classifier; patches see them all.
WHOLE_EVERY = 4

NO_MAP = np.zeros((1, 1), np.float32)


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
    # By the recipe and seed that made them: several rows read the same marks.
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


@dataclass(frozen=True, slots=True)
class Way:
    """How a classifier is trained in a row."""

    phantoms: bool = False
    pretrained: bool = True
    crop_px: int = CROP_PX
    patches: PatchRecipe = FOLD_PATCHES
    classifier: ClassifierRecipe = FOLD_CLASSIFIER


FILMS_ALONE, BOTH = Way(patches=FOLD_PATCHES_ALONE), Way(phantoms=True)


def marks_of_folds(
    material: Material, name: str, train: Callable[[int], nn.Module]
) -> list[Marked]:
    """What each fold's detector says of the films that it has not seen."""
    key = name + material.suffix
    if key not in material.marks:
        marks: list[Marked] = []
        for fold in range(FOLDS):
            graph = graph_of(deployed(train(fold)))
            marks.extend(mark_images(graph, material.judged(fold)))  # type: ignore[arg-type]
        material.marks[key] = marks
    return material.marks[key]


def finetuned_detector(material: Material, fold: int, *, hard: bool) -> nn.Module:
    """The phantoms' detector after the films of the other folds, phantoms beside them."""
    phantoms = material.simulated(CROP_PX, CROP_PX)
    films = material.others(fold, CROP_PX, CROP_PX)
    if hard:
        phantoms = replace(phantoms, hard=_hard_places(material, phantoms, "phantoms"))
        films = replace(films, hard=_hard_places(material, films, "films"))
    name = "phantoms-films" if hard else "no-hard"
    return train_detector(
        phantoms,
        films,
        material.sown(FOLD_FINETUNE),
        material.work / f"{name}-{fold}{material.suffix}",
        start=pretrained_detector(material).state_dict(),
        device=material.device,
    )


def _hard_places(material: Material, source: CropSource, name: str) -> Places:
    """What the phantoms' detector marks wrongly on a source's images.

    It has seen no film, so what it says of one is the same in every fold.
    """
    path = material.work / f"hard-{name}.json"
    if not path.exists():
        everything = replace(source, indices=tuple(range(len(source.canvases.items))))
        found = with_hard(
            everything, pretrained_detector(material), device=material.device
        ).hard
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(list(found.items())), "utf-8")
    kept = {
        index: tuple((row, column) for row, column in places)
        for index, places in json.loads(path.read_text("utf-8"))
    }
    return {index: kept[index] for index in source.indices if index in kept}


def pretrained_detector(material: Material) -> nn.Module:
    """The detector that has seen phantoms only."""
    simulated = material.simulated(CROP_PX, CROP_PX)
    return train_detector(simulated, None, PRETRAIN, material.work.parent / "pretrained")


def _pretrained_patches(material: Material) -> nn.Module:
    simulated = material.simulated(CROP_PX, CROP_PX)
    return train_patches(simulated, None, PATCHES, material.work.parent / "pretrained")


def judgements_of_folds(material: Material, name: str, way: Way = FILMS_ALONE) -> list[Judged]:
    """What each fold's classifier says of the films that it has not seen."""
    judged: list[Judged] = []
    for fold in range(FOLDS):
        folder = material.work / f"classifier-{name}-{fold}{material.suffix}"
        kept = _kept_judgements(folder / "judged.json", way, material)
        if kept is None:
            model = _trained_classifier(material, fold, folder, way)
            graph = graph_of(DeployedClassifier(model).eval())
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


def graph_of(network: nn.Module) -> Graph:
    """The network as it would be exported, in float32."""

    def compute(canvas: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        with torch.no_grad():  # inference_mode would spoil the anchors that YOLO keeps
            given = network(torch.from_numpy(canvas))
        return [part.numpy() for part in (given if isinstance(given, tuple) else (given,))]

    return compute
