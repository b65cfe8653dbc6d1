"""A training that can be killed at any moment and goes on as if it had not been."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
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


def save_checkpoint(
    path: Path, model: nn.Module, average: Average, optimizer: torch.optim.Optimizer, step: int
) -> None:
    """Write everything that the next step depends on; never half a file.

    Batches are drawn from (seed, step), so no other random state needs to be kept.
    """
    state = {
        "model": model.state_dict(),
        "average": average.model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "step": step,
    }
    temporary = path.with_suffix(".part")
    torch.save(state, temporary)
    temporary.replace(path)


def load_checkpoint(
    path: Path, model: nn.Module, average: Average, optimizer: torch.optim.Optimizer
) -> int:
    """Restore what `save_checkpoint` wrote and return the step to go on with."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    model.load_state_dict(state["model"])
    average.model.load_state_dict(state["average"])
    optimizer.load_state_dict(state["optimizer"])
    return int(state["step"])
