"""Train the classifier on whole images; boxes tell the score map where lesions are.

Read it top to bottom: `train_classifier` is the whole recipe.
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
from ml.train.checkpoint import Average, load_checkpoint, save_checkpoint
from ml.train.crops import Crop, CropSource, whole_canvas
from ml.train.detector import learning_rate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ml.models.classifier import Classifier

log = logging.getLogger("ml.train")


@dataclass(frozen=True, slots=True)
class ClassifierRecipe:
    """All that decides a training, beside its data.

    Attributes
    ----------
    real_share
        Share of a batch that is real film.
    """

    steps: int = 1200
    batch: int = 10
    rate: float = 5e-4
    warmup: int = 60
    real_share: float = 0.34
    weight_decay: float = 1e-2
    seed: int = 20261124
    save_every: int = 50


def train_classifier(
    phantoms: CropSource,
    real: CropSource | None,
    recipe: ClassifierRecipe,
    folder: Path,
    *,
    pretrained: bool = True,
    progress: Callable[[int, float], None] = lambda step, loss: None,
) -> Classifier:
    """Train, going on from the folder's checkpoint where there is one; return the average."""
    torch.manual_seed(recipe.seed)
    model = build_classifier(pretrained=pretrained).to(memory_format=torch.channels_last)
    average = Average(model)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=recipe.rate, weight_decay=recipe.weight_decay
    )
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / "classifier.pt"
    first = 0
    if checkpoint.exists():
        first = load_checkpoint(checkpoint, model, average, optimizer)
    model.train()
    begun = time.monotonic()
    for step in range(first, recipe.steps):
        torch.manual_seed(recipe.seed + step)  # dropout draws the same after a restart
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, recipe.steps, recipe.warmup, recipe.rate)
        crops = draw_classifier_batch(phantoms, real, recipe, step)
        images = torch.from_numpy(np.stack([crop.pixels for crop in crops])[:, None])
        with torch.autocast("cpu", torch.bfloat16):
            outputs = model(images.contiguous(memory_format=torch.channels_last))
        loss = classifier_loss(outputs, crops)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        average.update(model, step)
        progress(step, loss.item())
        if step % 10 == 0:
            seconds = (time.monotonic() - begun) / (step - first + 1)
            log.info("step %d loss %.3f %.2f s a step", step, loss.item(), seconds)
        if (step + 1) % recipe.save_every == 0 or step + 1 == recipe.steps:
            save_checkpoint(checkpoint, model, average, optimizer, step + 1)
    return average.model  # type: ignore[return-value]


def draw_classifier_batch(
    phantoms: CropSource, real: CropSource | None, recipe: ClassifierRecipe, step: int
) -> list[Crop]:
    """The images of one step; every other one has a lesion."""
    rng = np.random.default_rng((recipe.seed, step))
    crops: list[Crop] = []
    for place in range(recipe.batch):
        is_real = real is not None and rng.random() < recipe.real_share
        source = real if is_real and real is not None else phantoms
        pool = source.with_label(lesion=place % 2 == 0)
        crops.append(whole_canvas(source, int(pool[rng.integers(len(pool))]), rng))
    return crops


def classifier_loss(
    outputs: tuple[torch.Tensor, torch.Tensor, torch.Tensor], crops: list[Crop]
) -> torch.Tensor:
    """Lesion and malignancy of the image, lesion of each map cell, density where known."""
    scores, score_map, density = (out.float() for out in outputs)
    lesion = torch.tensor([float(crop.item.lesion) for crop in crops])
    malignant = torch.tensor([float(bool(crop.item.malignant)) for crop in crops])
    bce = functional.binary_cross_entropy_with_logits
    loss = bce(scores[:, 0], lesion) + 0.5 * bce(scores[:, 1], malignant)
    target, known = map_target(crops, score_map.shape[2], score_map.shape[3])
    # One cell in two hundred is a lesion's: without the weight the map would stay empty.
    cells = bce(score_map[:, 0], target, reduction="none", pos_weight=torch.tensor(10.0))
    loss = loss + 2.0 * (cells * known[:, None, None]).mean()
    graded = [i for i, crop in enumerate(crops) if crop.item.density is not None]
    if graded:
        classes = torch.tensor([int(crops[i].item.density or 0) for i in graded])
        loss = loss + 0.3 * functional.cross_entropy(density[graded], classes)
    return loss


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
    for number, crop in enumerate(crops):
        cell = crop.pixels.shape[0] / rows
        for box in crop.boxes:
            (row, column), (height, width) = box.center, box.size
            reach_r, reach_c = max(height, cell) / 2, max(width, cell) / 2
            middles_r = (np.arange(rows) + 0.5) * cell
            middles_c = (np.arange(columns) + 0.5) * cell
            inside_r = np.abs(middles_r - row) <= reach_r
            inside_c = np.abs(middles_c - column) <= reach_c
            target[number] = np.maximum(target[number], np.outer(inside_r, inside_c))
        known[number] = float(bool(crop.boxes) or not crop.item.lesion)
    return torch.from_numpy(target), torch.from_numpy(known)
