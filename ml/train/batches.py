"""Batches of crops: real ones and simulated ones, with lesions and without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.train.crops import draw_crop
from ml.train.loop import Recipe

if TYPE_CHECKING:
    from ml.train.crops import Crop, CropSource


@dataclass(frozen=True, slots=True)
class CropRecipe(Recipe):
    """What a training on crops decides.

    Attributes
    ----------
    real_share
        Share of a batch that is real, where there are real images.
    lesion_share
        Share of a batch that is cut around a lesion; at least one of each source is.
    """

    real_share: float = 0.5
    lesion_share: float = 0.5


def draw_batch(
    phantoms: CropSource,
    real: CropSource | None,
    recipe: CropRecipe,
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
