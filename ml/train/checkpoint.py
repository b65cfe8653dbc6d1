"""A training that can be killed at any moment and goes on as if it had not been."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from ml.errors import DataError
from ml.files import replacing
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import nn


class Average:
    """Exponential moving average of a model's weights, with a warm-up.

    Parameters
    ----------
    decay
        Reached after about `warmup` steps; before that the average follows faster.
    """

    def __init__(self, model: nn.Module, decay: float = 0.998, warmup: float = 200.0) -> None:
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self.decay, self.warmup = decay, warmup

    def update(self, model: nn.Module, step: int) -> None:
        """Move a little towards `model`."""
        keep = min(self.decay, (1 + step) / (self.warmup / 10 + step))
        current = model.state_dict()
        for name, value in self.model.state_dict().items():
            if value.dtype.is_floating_point:
                value.lerp_(current[name].detach(), 1 - keep)
            else:
                value.copy_(current[name])


@dataclass(frozen=True, slots=True, eq=False)
class Training:
    """All that changes from step to step.

    Batches are drawn from (seed, step) alone: the step is the sampler's whole state.

    Attributes
    ----------
    settings
        What it is trained with (recipe, data's fingerprint) as plain values: a checkpoint of
        other settings is not gone on with.
    """

    model: nn.Module
    average: Average
    optimizer: torch.optim.Optimizer
    settings: Mapping[str, object]

    def save(self, path: Path, step: int) -> None:
        """Write everything that `step`, the next one, depends on; never half a file.

        Raises
        ------
        OSError
            Where it cannot be written; the checkpoint before is as it was.
        """
        state = {
            "model": self.model.state_dict(),
            "average": self.average.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "random": torch.get_rng_state(),
            "settings": dict(self.settings),
            "step": step,
        }
        # Through Python's file: torch's own does not say why it cannot write.
        with replacing(path) as fresh, fresh.open("wb") as file:
            torch.save(state, file)

    def resume(self, path: Path) -> int:
        """Restore what `save` wrote and return the step to go on with; 0 where nothing is.

        Raises
        ------
        DataError
            Where the checkpoint is of other settings.
        """
        if not path.exists():
            return 0
        state = torch.load(path, map_location="cpu", weights_only=True)
        if state["settings"] != dict(self.settings):
            raise DataError(
                mark(
                    "{path} belongs to a training with other data or settings; "
                    "choose another folder or delete it."
                ),
                path=path.name,
            )
        self.model.load_state_dict(state["model"])
        self.average.model.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["random"])
        return int(state["step"])


def kept_step(path: Path) -> int:
    """The step that a kept training would go on with; 0 where nothing is kept."""
    if not path.exists():
        return 0
    return int(torch.load(path, map_location="cpu", weights_only=True, mmap=True)["step"])
