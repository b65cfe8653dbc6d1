"""Train the detector on crops: phantoms alone, or phantoms and real films side by side.

Read it top to bottom: `train_detector` is the whole recipe. Pre-training on phantoms and then
fine-tuning with films is two calls, the second of which starts from the first one's weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import torch

from ml.models.detector import CLASS_OF, build_detector
from ml.train.batches import CropRecipe, draw_batch
from ml.train.crops import sampling_of
from ml.train.fingerprint import settings_of
from ml.train.loop import device_of, train
from ml.train.precision import half_where_native

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from torch import nn

    from ml.train.crops import Crop, CropSource


@dataclass(frozen=True, slots=True)
class DetectorRecipe(CropRecipe):
    """All that decides a training, beside its data."""

    rate: float = 1.5e-3


def train_detector(
    phantoms: CropSource,
    real: CropSource | None,
    recipe: DetectorRecipe,
    folder: Path,
    *,
    start: Mapping[str, torch.Tensor] | None = None,
    device: str = "cpu",
    progress: Callable[[int, float], None] = lambda step, loss: None,
    begun: Callable[[nn.Module], None] = lambda averaged: None,
) -> nn.Module:
    """Train, going on from the folder's checkpoint where there is one.

    Parameters
    ----------
    start
        Weights to begin with; random ones where there are none.

    Returns
    -------
    nn.Module
        The averaged weights, on the CPU.

    Raises
    ------
    DataError
        Where the folder holds a training with other settings.
    """
    torch.manual_seed(recipe.seed)
    model = build_detector()
    if start is not None:
        model.load_state_dict(start)
    averaged = train(
        model.to(device).to(memory_format=torch.channels_last),
        recipe,
        settings_of(recipe, phantoms, real) | sampling_of(phantoms, real),
        folder / "detector.pt",
        lambda step: detector_batch(draw_batch(phantoms, real, recipe, step)),
        detector_loss,
        progress=progress,
        begun=begun,
    )
    return averaged.cpu()


def detector_loss(model: nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Box, class and distribution losses of ultralytics, summed over the batch."""
    device = device_of(model)
    there = {name: values.to(device, non_blocking=True) for name, values in batch.items()}
    with half_where_native(device):
        losses, _ = model.loss(there)  # type: ignore[operator]
    return losses.sum()


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
