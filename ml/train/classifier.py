"""Train the classifier: crops first, then whole images. `train_classifier` is the recipe."""

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
from ml.train.crops import Crop, CropSource, draw_crop, whole_canvas
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
    whole_from
        Share of the steps after which whole images follow the crops.
    real_share
        Share of a batch that is real film.
    """

    steps: int = 1200
    batch: int = 12
    whole_batch: int = 6
    rate: float = 4e-4
    warmup: int = 60
    whole_from: float = 0.6
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
    """The crops, or in the last phase the whole images, of one step; half have a lesion."""
    rng = np.random.default_rng((recipe.seed, step))
    whole = step >= recipe.whole_from * recipe.steps
    count = recipe.whole_batch if whole else recipe.batch
    crops: list[Crop] = []
    for place in range(count):
        is_real = real is not None and rng.random() < recipe.real_share
        source = real if is_real and real is not None else phantoms
        wanted = place % 2 == 0
        crops.append(
            _draw_whole(source, rng, lesion=wanted)
            if whole
            else draw_crop(source, rng, lesion=wanted)
        )
    return crops


def _draw_whole(source: CropSource, rng: np.random.Generator, *, lesion: bool) -> Crop:
    spec = source.canvases.spec
    full = CropSource(source.canvases, source.indices, spec.rows, spec.columns)
    pool = [i for i in full.indices if full.canvases.items[i].lesion == lesion]
    return whole_canvas(full, int(pool[rng.integers(len(pool))]), rng)


def classifier_loss(
    outputs: tuple[torch.Tensor, torch.Tensor, torch.Tensor], crops: list[Crop]
) -> torch.Tensor:
    """Lesion, malignancy (where a lesion is there) and density (where it is known)."""
    scores, _, density = (out.float() for out in outputs)
    whole = crops[0].pixels.shape[0] != crops[0].pixels.shape[1]
    lesion = torch.tensor([float(c.item.lesion if whole else bool(c.boxes)) for c in crops])
    malignant = torch.tensor([float(bool(c.item.malignant)) for c in crops]) * lesion
    loss = functional.binary_cross_entropy_with_logits(scores[:, 0], lesion)
    # A crop beside the lesion says nothing of malignancy; an image without lesion has none.
    loss = loss + 0.5 * functional.binary_cross_entropy_with_logits(scores[:, 1], malignant)
    known = [i for i, c in enumerate(crops) if c.item.density is not None]
    if known:
        classes = torch.tensor([int(crops[i].item.density or 0) for i in known])
        loss = loss + 0.3 * functional.cross_entropy(density[known], classes)
    return loss
