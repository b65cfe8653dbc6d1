"""Train the detector: phantoms first, then phantoms and real films together.

Read it top to bottom: `train_detector` is the whole recipe.
"""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import torch

from ml.models.detector import CLASSES, build_detector
from ml.train.checkpoint import Average, load_checkpoint, save_checkpoint
from ml.train.crops import Crop, CropSource, draw_crop

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import nn

log = logging.getLogger("ml.train")


@dataclass(frozen=True, slots=True)
class DetectorRecipe:
    """All that decides a training, beside its data.

    Attributes
    ----------
    real_from
        Share of the steps after which real films join; half of each batch is theirs then.
    lesion_share
        Share of a batch that is cut around a lesion; at least one is.
    """

    steps: int = 1500
    batch: int = 16
    rate: float = 1.5e-3
    warmup: int = 60
    real_from: float = 0.55
    lesion_share: float = 0.5
    weight_decay: float = 5e-4
    seed: int = 20261123
    save_every: int = 50


def train_detector(
    phantoms: CropSource,
    real: CropSource | None,
    recipe: DetectorRecipe,
    folder: Path,
    *,
    progress: Callable[[int, float], None] = lambda step, loss: None,
) -> nn.Module:
    """Train, going on from the folder's checkpoint where there is one.

    Returns
    -------
    nn.Module
        The averaged weights.
    """
    torch.manual_seed(recipe.seed)
    model = build_detector().to(memory_format=torch.channels_last)
    average = Average(model)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=recipe.rate, weight_decay=recipe.weight_decay
    )
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / "detector.pt"
    first = 0
    if checkpoint.exists():
        first = load_checkpoint(checkpoint, model, average, optimizer)
    model.train()
    begun = time.monotonic()
    for step in range(first, recipe.steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, recipe.steps, recipe.warmup, recipe.rate)
        use_real = real is not None and step >= recipe.real_from * recipe.steps
        batch = detector_batch(draw_batch(phantoms, real if use_real else None, recipe, step))
        with torch.autocast("cpu", torch.bfloat16):
            losses, _ = model.loss(batch)  # type: ignore[operator]
        loss = losses.sum()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimizer.step()
        average.update(model, step)
        progress(step, loss.item())
        if step % 10 == 0:
            seconds = (time.monotonic() - begun) / (step - first + 1)
            log.info("step %d loss %.3f %.2f s a step", step, loss.item(), seconds)
        if (step + 1) % recipe.save_every == 0 or step + 1 == recipe.steps:
            save_checkpoint(checkpoint, model, average, optimizer, step + 1)
    return average.model


def learning_rate(step: int, steps: int, warmup: int, peak: float) -> float:
    """Linear warm-up, then half a cosine down to 2 % of the peak."""
    if step < warmup:
        return peak * (step + 1) / warmup
    done = (step - warmup) / max(steps - warmup, 1)
    return peak * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))


def draw_batch(
    phantoms: CropSource, real: CropSource | None, recipe: DetectorRecipe, step: int
) -> list[Crop]:
    """The crops of one step."""
    rng = np.random.default_rng((recipe.seed, step))
    lesions = max(1, round(recipe.batch * recipe.lesion_share))
    crops: list[Crop] = []
    for place in range(recipe.batch):
        source = real if real is not None and place % 2 else phantoms
        crops.append(draw_crop(source, rng, lesion=place < lesions))
    return crops


def detector_batch(crops: list[Crop]) -> dict[str, torch.Tensor]:
    """Crops as ultralytics' loss wants them: boxes as x, y, width, height over the image."""
    images = torch.from_numpy(np.stack([crop.pixels for crop in crops])[:, None])
    rows, columns = crops[0].pixels.shape
    owners, classes, boxes = [], [], []
    for number, crop in enumerate(crops):
        for box, entry in zip(crop.boxes, crop.picked, strict=True):
            (row, column), (height, width) = box.center, box.size
            owners.append(float(number))
            classes.append([float(CLASSES.index(crop.item.finding_types[entry]))])
            boxes.append([column / columns, row / rows, width / columns, height / rows])
    return {
        "img": images.contiguous(memory_format=torch.channels_last),
        "batch_idx": torch.tensor(owners),
        "cls": cast("torch.Tensor", torch.tensor(classes).reshape(-1, 1)),
        "bboxes": torch.tensor(boxes).reshape(-1, 4),
    }
