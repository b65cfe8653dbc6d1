"""Train the classifier on patches: what a lesion looks like, before where it might be.

Every layer learns here, on crops with and without a lesion; `ml.train.classifier` then takes
the network, fully convolutional, to whole images (as end2end-all-conv does, Shen 2019).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from ml.models.classifier import build_classifier
from ml.train.batches import CropRecipe, draw_batch
from ml.train.classifier import known_nature, map_target
from ml.train.crops import sampling_of
from ml.train.fingerprint import settings_of
from ml.train.loop import device_of, train
from ml.train.precision import half_where_native

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from torch import nn

    from ml.models.classifier import Classifier
    from ml.train.crops import Crop, CropSource

# On a patch every tenth cell or so is a lesion's.
POSITIVE_CELL_WEIGHT = 3.0


@dataclass(frozen=True, slots=True)
class PatchRecipe(CropRecipe):
    """All that decides a training, beside its data."""

    steps: int = 600
    rate: float = 6e-4
    weight_decay: float = 2e-2
    most_gradient: float = 5.0
    seed: int = 20261125
    real_share: float = 0.34


def train_patches(
    phantoms: CropSource,
    real: CropSource | None,
    recipe: PatchRecipe,
    folder: Path,
    *,
    pretrained: bool = True,
    start: Mapping[str, torch.Tensor] | None = None,
    device: str = "cpu",
    progress: Callable[[int, float], None] = lambda step, loss: None,
    begun: Callable[[nn.Module], None] = lambda averaged: None,
) -> Classifier:
    """Train, going on from the folder's checkpoint where there is one.

    Parameters
    ----------
    pretrained
        Begin with ImageNet's weights.
    start
        Weights to begin with instead.

    Returns
    -------
    Classifier
        The averaged weights, on the CPU.

    Raises
    ------
    DataError
        Where the folder holds a training with other settings.
    """
    torch.manual_seed(recipe.seed)
    model = build_classifier(pretrained=pretrained)
    if start is not None:
        model.load_state_dict(start)
    averaged = train(
        model.to(device).to(memory_format=torch.channels_last),
        recipe,
        settings_of(recipe, phantoms, real) | sampling_of(phantoms, real),
        folder / "patches.pt",
        lambda step: [c for c in draw_batch(phantoms, real, recipe, step) if not _is_mute(c)],
        _loss_of,
        progress=progress,
        begun=begun,
    )
    return averaged.cpu()  # type: ignore[return-value]


def _loss_of(model: nn.Module, crops: list[Crop]) -> torch.Tensor:
    device = device_of(model)
    images = torch.from_numpy(np.stack([crop.pixels for crop in crops])[:, None]).to(device)
    with half_where_native(device):
        scores, score_map, _density = model(images.to(memory_format=torch.channels_last))
    return patch_loss(scores.float(), score_map.float(), crops)


def patch_loss(
    scores: torch.Tensor, score_map: torch.Tensor, crops: list[Crop]
) -> torch.Tensor:
    """Lesion and malignancy of the patch, and of each cell of its map."""
    device = scores.device
    lesion = torch.tensor([float(bool(crop.boxes)) for crop in crops], device=device)
    malignant = torch.tensor([float(is_malignant(crop)) for crop in crops], device=device)
    bce = functional.binary_cross_entropy_with_logits
    nature = bce(scores[:, 1], malignant, reduction="none") * known_nature(crops).to(device)
    loss = bce(scores[:, 0], lesion) + 0.5 * nature.mean()
    target, _known = map_target(crops, score_map.shape[2], score_map.shape[3])
    weight = torch.tensor(POSITIVE_CELL_WEIGHT, device=device)
    return loss + bce(score_map[:, 0], target.to(device), pos_weight=weight)


def is_malignant(crop: Crop) -> bool:
    """Whether a malignant lesion lies on the crop; by the image where boxes do not say."""
    item = crop.item
    of_boxes = item.malignant_boxes or (bool(item.malignant),) * len(item.boxes)
    return any(of_boxes[entry] for entry in crop.picked)


def _is_mute(crop: Crop) -> bool:
    """A film with a lesion that nobody boxed: its crops may show it or not."""
    return crop.item.lesion and not crop.item.boxes
