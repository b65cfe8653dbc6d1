"""Train the classifier on whole images; boxes tell the score map where lesions are.

The trunk keeps the weights it came with, so each image passes it once for each of its augmented
variants and the features are kept; the top is trained on those. Read it top to bottom:
`train_classifier` is the whole recipe.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from ml.control import NOBODY, Control, breathing
from ml.models.classifier import MAP_CELL_PX as CELL_PX
from ml.models.classifier import TRUNK_BLOCKS, build_classifier
from ml.train.checkpoint import kept_step
from ml.train.crops import Crop, CropSource, sampling_of, whole_canvas
from ml.train.fingerprint import settings_of
from ml.train.loop import Recipe, device_of, train

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from torch import nn

    from ml.models.classifier import Classifier

log = logging.getLogger("ml.train")
# Variants keep their features; the pixels behind them are not needed again.
NO_PIXELS = np.zeros((0, 0), np.float32)


@dataclass(frozen=True, slots=True)
class ClassifierRecipe(Recipe):
    """All that decides a training, beside its data.

    Attributes
    ----------
    real_share
        Share of a batch that is real film.
    phantom_variants, real_variants
        Augmented variants of each image.
    """

    steps: int = 1500
    batch: int = 24
    rate: float = 8e-4
    weight_decay: float = 2e-2
    most_gradient: float = 5.0
    seed: int = 20261124
    save_every: int = 100
    real_share: float = 0.34
    phantom_variants: int = 2
    real_variants: int = 6


@dataclass(frozen=True, slots=True, eq=False)
class Variants:
    """Images after the trunk.

    Attributes
    ----------
    features : (n, channels, rows, columns) float16
    crops
        Without pixels, one a variant: what its loss needs.
    alike
        Lesions are drawn by what they are known to be, each as often as the others.
    """

    features: torch.Tensor
    crops: tuple[Crop, ...]
    alike: bool = False

    def of_label(self, *, lesion: bool) -> list[int]:
        """The variants with, or without, a lesion."""
        return [i for i, crop in enumerate(self.crops) if crop.item.lesion == lesion]

    def of_class(self, rng: np.random.Generator) -> list[int]:
        """Those with a lesion of one class, drawn first: benign, malignant or not known."""
        pool = self.of_label(lesion=True)
        classes = sorted({self.crops[i].item.malignant for i in pool}, key=str)
        drawn = classes[rng.integers(len(classes))]
        return [i for i in pool if self.crops[i].item.malignant is drawn]


def train_classifier(
    phantoms: CropSource,
    real: CropSource | None,
    recipe: ClassifierRecipe,
    folder: Path,
    *,
    pretrained: bool = True,
    start: Mapping[str, torch.Tensor] | None = None,
    device: str = "cpu",
    progress: Callable[[int, float], None] = lambda step, loss: None,
    begun: Callable[[nn.Module], None] = lambda averaged: None,
    control: Control = NOBODY,
) -> Classifier:
    """Train, going on from the folder's checkpoint where there is one; return the average.

    Parameters
    ----------
    pretrained
        Begin with ImageNet's weights.
    start
        Weights to begin with instead, such as those of `ml.train.patches`.
    control
        Asked while the images pass the trunk, before the first step.

    Raises
    ------
    DataError
        Where the folder holds a training with other settings.
    Stopped
        Where `control` or `progress` ends the work.
    """
    torch.manual_seed(recipe.seed)
    model = build_classifier(pretrained=pretrained)
    if start is not None:
        model.load_state_dict(start)
    model.to(device).to(memory_format=torch.channels_last)
    for name, weights in model.named_parameters():
        weights.requires_grad_(not _in_trunk(name))
    variants: list[Variants] = []
    # One that is over already needs no image any more.
    if kept_step(folder / "classifier.pt") < recipe.steps:
        easy, seed = recipe.phantom_variants, recipe.seed
        variants.append(make_variants(model, phantoms, easy, seed, control))
        if real:
            hard = recipe.real_variants
            variants.append(make_variants(model, real, hard, seed + 1, control))
    averaged = train(
        model,
        recipe,
        settings_of(recipe, phantoms, real) | sampling_of(phantoms, real),
        folder / "classifier.pt",
        lambda step: draw_variants(variants, recipe, step),
        _loss_of,
        progress=progress,
        begun=begun,
    )
    return averaged.cpu()  # type: ignore[return-value]


def _loss_of(model: nn.Module, batch: tuple[torch.Tensor, list[Crop]]) -> torch.Tensor:
    features, crops = batch
    outputs = model.top(features.to(device_of(model)))  # type: ignore[operator]
    return classifier_loss(outputs, crops)


def make_variants(
    model: Classifier, source: CropSource, count: int, seed: int, control: Control = NOBODY
) -> Variants:
    """Pass `count` augmented variants of each image through the trunk."""
    model.eval()
    features: list[torch.Tensor] = []
    crops: list[Crop] = []
    for number, index in enumerate(source.indices):
        for variant in breathing(range(count), control):
            crop = whole_canvas(source, index, np.random.default_rng((seed, index, variant)))
            with torch.inference_mode():
                image = torch.from_numpy(crop.pixels)[None, None].to(device_of(model))
                features.append(model.trunk(image)[0].half().contiguous().cpu())
            crops.append(Crop(NO_PIXELS, crop.boxes, (), crop.item))
        if number % 100 == 0:
            log.info("features of image %d of %d", number, len(source.indices))
    return Variants(torch.stack(features).clone(), tuple(crops), source.alike)


def draw_variants(
    variants: Sequence[Variants], recipe: ClassifierRecipe, step: int
) -> tuple[torch.Tensor, list[Crop]]:
    """The images of one step; every other one has a lesion.

    Parameters
    ----------
    variants
        Of the images that teach; behind them, of real ones that share each batch with them.
    """
    rng = np.random.default_rng((recipe.seed, step))
    features, crops = [], []
    for place in range(recipe.batch):
        is_real = len(variants) > 1 and rng.random() < recipe.real_share
        source = variants[1 if is_real else 0]
        lesion = place % 2 == 0
        alike = lesion and source.alike
        pool = source.of_class(rng) if alike else source.of_label(lesion=lesion)
        index = int(pool[rng.integers(len(pool))])
        features.append(source.features[index].float())
        crops.append(source.crops[index])
    return torch.stack(features).contiguous(memory_format=torch.channels_last), crops


def classifier_loss(
    outputs: tuple[torch.Tensor, torch.Tensor, torch.Tensor], crops: list[Crop]
) -> torch.Tensor:
    """Lesion of the image and of each map cell; malignancy and density where known."""
    scores, score_map, density = (out.float() for out in outputs)
    device = scores.device
    lesion = torch.tensor([float(crop.item.lesion) for crop in crops], device=device)
    malignant = torch.tensor([float(bool(c.item.malignant)) for c in crops], device=device)
    bce = functional.binary_cross_entropy_with_logits
    nature = bce(scores[:, 1], malignant, reduction="none") * known_nature(crops).to(device)
    loss = bce(scores[:, 0], lesion) + 0.5 * nature.mean()
    target, known = map_target(crops, score_map.shape[2], score_map.shape[3])
    # One cell in two hundred is a lesion's: without the weight the map would stay empty.
    weight = torch.tensor(10.0, device=device)
    cells = bce(score_map[:, 0], target.to(device), reduction="none", pos_weight=weight)
    loss = loss + 2.0 * (cells * known.to(device)[:, None, None]).mean()
    graded = [i for i, crop in enumerate(crops) if crop.item.density is not None]
    if graded:
        classes = torch.tensor([int(crops[i].item.density or 0) for i in graded], device=device)
        loss = loss + 0.3 * functional.cross_entropy(density[graded], classes)
    return loss


def known_nature(crops: list[Crop]) -> torch.Tensor:
    """(n,) float32: 0 for a lesion that is neither called benign nor malignant."""
    told = [not (crop.item.lesion and crop.item.malignant is None) for crop in crops]
    return torch.tensor(told, dtype=torch.float32)


def map_target(crops: list[Crop], rows: int, columns: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Cells whose middle lies in a box, and which images say where their lesion is.

    Returns
    -------
    target : (n, rows, columns) float32
    known : (n,) float32
        0 for an abnormal film without a box.
    """
    target = np.zeros((len(crops), rows, columns), np.float32)
    known = np.ones(len(crops), np.float32)
    middles = (np.arange(max(rows, columns)) + 0.5) * CELL_PX
    for number, crop in enumerate(crops):
        for box in crop.boxes:
            (row, column), (height, width) = box.center, box.size
            inside_r = np.abs(middles[:rows] - row) <= max(height, CELL_PX) / 2
            inside_c = np.abs(middles[:columns] - column) <= max(width, CELL_PX) / 2
            target[number] = np.maximum(target[number], np.outer(inside_r, inside_c))
        known[number] = float(bool(crop.boxes) or not crop.item.lesion)
    return torch.from_numpy(target), torch.from_numpy(known)


def _in_trunk(name: str) -> bool:
    parts = name.split(".")
    if parts[0] != "backbone" or parts[1] in ("_conv_head", "_bn1"):
        return False
    return parts[1] != "_blocks" or int(parts[2]) < TRUNK_BLOCKS
