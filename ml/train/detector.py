"""Train the detector on crops: phantoms alone, or phantoms and real films side by side.

Read it top to bottom: `train_detector` is the whole recipe. Pre-training on phantoms and then
fine-tuning with films is two calls, the second of which starts from the first one's weights.
"""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import torch

from ml.models.detector import CLASS_OF, build_detector
from ml.train.checkpoint import Average, Training
from ml.train.crops import Crop, CropSource, draw_crop
from ml.train.fingerprint import settings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from torch import nn

    from ml.train.patches import PatchRecipe

log = logging.getLogger("ml.train")


@dataclass(frozen=True, slots=True)
class DetectorRecipe:
    """All that decides a training, beside its data.

    Attributes
    ----------
    real_share
        Share of a batch that is real, where there are real images.
    lesion_share
        Share of a batch that is cut around a lesion; at least one is.
    """

    steps: int = 1500
    batch: int = 16
    rate: float = 1.5e-3
    warmup: int = 60
    real_share: float = 0.5
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
    start: Mapping[str, torch.Tensor] | None = None,
    progress: Callable[[int, float], None] = lambda step, loss: None,
) -> nn.Module:
    """Train, going on from the folder's checkpoint where there is one.

    Parameters
    ----------
    start
        Weights to begin with; random ones where there are none.

    Returns
    -------
    nn.Module
        The averaged weights.

    Raises
    ------
    DataError
        Where the folder holds a training with other settings.
    """
    torch.manual_seed(recipe.seed)
    model = build_detector().to(memory_format=torch.channels_last)
    if start is not None:
        model.load_state_dict(start)
    average = Average(model)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=recipe.rate, weight_decay=recipe.weight_decay
    )
    training = Training(model, average, optimizer, settings_of(recipe, phantoms, real))
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / "detector.pt"
    first = training.resume(checkpoint)
    model.train()
    begun = time.monotonic()
    for step in range(first, recipe.steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, recipe.steps, recipe.warmup, recipe.rate)
        batch = detector_batch(draw_batch(phantoms, real, recipe, step))
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
            training.save(checkpoint, step + 1)
    return average.model


def learning_rate(step: int, steps: int, warmup: int, peak: float) -> float:
    """Linear warm-up, then half a cosine down to 2 % of the peak."""
    if step < warmup:
        return peak * (step + 1) / warmup
    done = (step - warmup) / max(steps - warmup, 1)
    return peak * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))


def draw_batch(
    phantoms: CropSource,
    real: CropSource | None,
    recipe: DetectorRecipe | PatchRecipe,
    step: int,
) -> list[Crop]:
    """The crops of one step."""
    rng = np.random.default_rng((recipe.seed, step))
    films = round(recipe.batch * recipe.real_share) if real is not None else 0
    crops: list[Crop] = []
    for place in range(recipe.batch):
        source = real if real is not None and place < films else phantoms
        # At least one lesion of each source; the others alternate as their share says.
        first = place in (0, films)
        lesion = first or rng.random() < recipe.lesion_share
        crops.append(draw_crop(source, rng, lesion=lesion))
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
            classes.append([float(CLASS_OF[crop.item.finding_types[entry]])])
            boxes.append([column / columns, row / rows, width / columns, height / rows])
    return {
        "img": images.contiguous(memory_format=torch.channels_last),
        "batch_idx": torch.tensor(owners),
        "cls": cast("torch.Tensor", torch.tensor(classes).reshape(-1, 1)),
        "bboxes": torch.tensor(boxes).reshape(-1, 4),
    }
