"""Train the classifier on patches: what a lesion looks like, before where it might be.

Every layer learns here, on crops with and without a lesion; `ml.train.classifier` then takes
the network, fully convolutional, to whole images (as end2end-all-conv does, Shen 2019).
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from ml.models.classifier import build_classifier
from ml.train.checkpoint import Average, Training
from ml.train.classifier import map_target
from ml.train.detector import draw_batch, learning_rate
from ml.train.fingerprint import settings_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ml.models.classifier import Classifier
    from ml.train.crops import Crop, CropSource

log = logging.getLogger("ml.train")
# On a patch every tenth cell or so is a lesion's.
POSITIVE_CELL_WEIGHT = 3.0


@dataclass(frozen=True, slots=True)
class PatchRecipe:
    """All that decides a training, beside its data.

    Attributes
    ----------
    real_share
        Share of a batch that is real, where there are real images.
    lesion_share
        Share of a batch that is cut around a lesion; at least one of each source is.
    """

    steps: int = 600
    batch: int = 16
    rate: float = 6e-4
    warmup: int = 60
    real_share: float = 0.34
    lesion_share: float = 0.5
    weight_decay: float = 2e-2
    seed: int = 20261125
    save_every: int = 50


def train_patches(
    phantoms: CropSource,
    real: CropSource | None,
    recipe: PatchRecipe,
    folder: Path,
    *,
    pretrained: bool = True,
    progress: Callable[[int, float], None] = lambda step, loss: None,
) -> Classifier:
    """Train, going on from the folder's checkpoint where there is one; return the average.

    Raises
    ------
    DataError
        Where the folder holds a training with other settings.
    """
    torch.manual_seed(recipe.seed)
    model = build_classifier(pretrained=pretrained).to(memory_format=torch.channels_last)
    average = Average(model)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=recipe.rate, weight_decay=recipe.weight_decay
    )
    training = Training(model, average, optimizer, settings_of(recipe, phantoms, real))
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / "patches.pt"
    first = training.resume(checkpoint)
    model.train()
    begun = time.monotonic()
    for step in range(first, recipe.steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, recipe.steps, recipe.warmup, recipe.rate)
        crops = [c for c in draw_batch(phantoms, real, recipe, step) if not _is_mute(c)]
        images = torch.from_numpy(np.stack([crop.pixels for crop in crops])[:, None])
        with torch.autocast("cpu", torch.bfloat16):
            scores, score_map, _density = model(
                images.contiguous(memory_format=torch.channels_last)
            )
        loss = patch_loss(scores.float(), score_map.float(), crops)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        average.update(model, step)
        progress(step, loss.item())
        if step % 20 == 0:
            seconds = (time.monotonic() - begun) / (step - first + 1)
            log.info("step %d loss %.3f %.2f s a step", step, loss.item(), seconds)
        if (step + 1) % recipe.save_every == 0 or step + 1 == recipe.steps:
            training.save(checkpoint, step + 1)
    return average.model  # type: ignore[return-value]


def patch_loss(
    scores: torch.Tensor, score_map: torch.Tensor, crops: list[Crop]
) -> torch.Tensor:
    """Lesion and malignancy of the patch, and of each cell of its map."""
    lesion = torch.tensor([float(bool(crop.boxes)) for crop in crops])
    malignant = torch.tensor([float(is_malignant(crop)) for crop in crops])
    bce = functional.binary_cross_entropy_with_logits
    loss = bce(scores[:, 0], lesion) + 0.5 * bce(scores[:, 1], malignant)
    target, _known = map_target(crops, score_map.shape[2], score_map.shape[3])
    weight = torch.tensor(POSITIVE_CELL_WEIGHT)
    return loss + bce(score_map[:, 0], target, pos_weight=weight)


def is_malignant(crop: Crop) -> bool:
    """Whether a malignant lesion lies on the crop; by the image where boxes do not say."""
    item = crop.item
    of_boxes = item.malignant_boxes or (bool(item.malignant),) * len(item.boxes)
    return any(of_boxes[entry] for entry in crop.picked)


def _is_mute(crop: Crop) -> bool:
    """A film with a lesion that nobody boxed: its crops may show it or not."""
    return crop.item.lesion and not crop.item.boxes
