"""The loop that every training runs; a recipe brings its batches and its loss.

Batches are drawn from (seed, step) alone: they can be drawn ahead on threads, and are the same
after a restart.
"""

from __future__ import annotations

import logging
import math
import os
import sys
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import torch
from torch.utils.data import DataLoader, Dataset

from ml.control import Stopped
from ml.train.checkpoint import Average, Training

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from concurrent.futures import Future
    from pathlib import Path

    from torch import nn

log = logging.getLogger("ml.train")
Batch = TypeVar("Batch")
# A GPU is hungrier than one thread can feed; a CPU's cores are busy with the network itself.
GPU_FEEDERS, CPU_FEEDERS = 6, 1
# Batches that each process of a GPU's feeders draws ahead.
DRAWN_AHEAD = 3
LOG_EVERY = 20


@dataclass(frozen=True, slots=True)
class Recipe:
    """What every training decides, beside its data.

    Attributes
    ----------
    rate
        Peak learning rate; it rises over `warmup` steps and falls by half a cosine.
    most_gradient
        Norm at which gradients are clipped.
    """

    steps: int = 1000
    batch: int = 16
    rate: float = 1e-3
    warmup: int = 60
    weight_decay: float = 5e-4
    most_gradient: float = 10.0
    seed: int = 20261123
    save_every: int = 50


def train(
    model: nn.Module,
    recipe: Recipe,
    settings: Mapping[str, object],
    checkpoint: Path,
    draw: Callable[[int], Batch],
    loss_of: Callable[[nn.Module, Batch], torch.Tensor],
    *,
    progress: Callable[[int, float], None] = lambda step, loss: None,
    begun: Callable[[nn.Module], None] = lambda averaged: None,
) -> nn.Module:
    """Train, going on from the checkpoint where there is one; return the averaged model.

    Parameters
    ----------
    model
        On its device, in channels_last; what requires no gradient is left as it is.
    settings
        What decides the result: a checkpoint of others is refused.
    draw
        The batch of a step; called on other threads, or in other processes.
    progress
        Told each step and its loss; where it raises `Stopped`, the checkpoint is written first.
    begun
        Given the averaged model before the first step: to look at, not to change.

    Raises
    ------
    DataError
        Where the checkpoint is of other settings.
    """
    trained = [p for p in model.parameters() if p.requires_grad]
    average = Average(model)
    optimizer = torch.optim.AdamW(trained, lr=recipe.rate, weight_decay=recipe.weight_decay)
    training = Training(model, average, optimizer, settings)
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    first = training.resume(checkpoint)
    begun(average.model)
    began = time.monotonic()
    batches = _batches(draw, range(first, recipe.steps), trained[0].device.type)
    for step, batch in enumerate(batches, first):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, recipe.steps, recipe.warmup, recipe.rate)
        model.train()
        loss = loss_of(model, batch)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, recipe.most_gradient)
        optimizer.step()
        average.update(model, step)
        try:
            progress(step, loss.item())
        except Stopped:
            training.save(checkpoint, step + 1)
            raise
        if step % LOG_EVERY == 0:
            _log(step, loss, (time.monotonic() - began) / (step - first + 1))
        if (step + 1) % recipe.save_every == 0 or step + 1 == recipe.steps:
            training.save(checkpoint, step + 1)
    return average.model


def learning_rate(step: int, steps: int, warmup: int, peak: float) -> float:
    """Linear warm-up, then half a cosine down to 2 % of the peak."""
    if step < warmup:
        return peak * (step + 1) / warmup
    done = (step - warmup) / max(steps - warmup, 1)
    return peak * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))


def _log(step: int, loss: torch.Tensor, seconds: float) -> None:
    log.info("step %d loss %.3f %.2f s a step", step, loss.item(), seconds)


def device_of(model: nn.Module) -> torch.device:
    """Where a model's weights are."""
    return next(model.parameters()).device


def _batches(draw: Callable[[int], Batch], steps: range, device: str) -> Iterator[Batch]:
    """The batches of the steps in order, a few of them drawn ahead.

    Threads wait for one another in Python, too long for a GPU: there processes draw, forked, so
    that they share the images. Windows and macOS have no safe fork, and use threads.
    """
    if device == "cpu" or sys.platform != "linux":
        return _by_threads(draw, steps, CPU_FEEDERS if device == "cpu" else GPU_FEEDERS)
    torch.multiprocessing.set_sharing_strategy("file_system")
    return iter(
        DataLoader(
            _Draws(draw, steps),
            batch_size=None,
            num_workers=min(GPU_FEEDERS, os.cpu_count() or 1),
            prefetch_factor=DRAWN_AHEAD,
            multiprocessing_context="fork",
            worker_init_fn=_alone,
        )
    )


class _Draws(Dataset[Batch]):
    """The steps' batches, as a `DataLoader` asks for them."""

    def __init__(self, draw: Callable[[int], Batch], steps: range) -> None:
        self._draw, self._steps = draw, steps

    def __len__(self) -> int:
        return len(self._steps)

    def __getitem__(self, place: int) -> Batch:
        return self._draw(self._steps[place])


def _alone(number: int) -> None:
    """A feeder works on its own core; OpenCV's threads do not survive the fork."""
    import cv2

    cv2.setNumThreads(0)


def _by_threads(draw: Callable[[int], Batch], steps: range, feeders: int) -> Iterator[Batch]:
    waiting: deque[Future[Batch]] = deque()
    ahead = iter(steps)
    with ThreadPoolExecutor(feeders) as pool:
        try:
            for _ in steps:
                while len(waiting) <= feeders and (step := next(ahead, None)) is not None:
                    waiting.append(pool.submit(draw, step))
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
