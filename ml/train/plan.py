"""From what the data are and what the device can do to a recipe, as nnU-Net does it.

Nobody has to choose a size, a batch or a schedule: the fingerprint of the data and the device
decide, by the few rules below, and both are written into the checkpoint.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ml.train.detector import DetectorRecipe

if TYPE_CHECKING:
    from ml.train.fingerprint import Fingerprint

CROP_STEP_PX = 64
LEAST_CROP_PX, MOST_CROP_PX = 256, 512
# A lesion should have as much again of its surroundings on the crop.
CROP_OVER_LESION = 2.0
# How often each lesion is looked at; ever new crops of it, never the same.
VIEWS_OF_A_LESION = 40
LEAST_STEPS = 200
# Seconds that a crop of 512 px takes, forward and back (measured: two cores; one T4 or better).
CPU_SECONDS, CPU_CORES = 0.06, 2
GPU_SECONDS = 0.002
# Memory that a crop of 512 px takes on a GPU while the nano detector is trained, GiB.
GPU_GIB = 0.12


@dataclass(frozen=True, slots=True)
class Device:
    """What a training runs on.

    Attributes
    ----------
    kind
        ``"cpu"`` or ``"cuda"``.
    memory_gib
        Of the accelerator; 0 for a CPU.
    """

    kind: str
    cores: int
    memory_gib: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What was decided, and from what."""

    fingerprint: Fingerprint
    device: Device
    crop_px: int
    recipe: DetectorRecipe

    def to_json(self) -> dict[str, object]:
        """As a checkpoint holds it."""
        return asdict(self)


def device_at_hand() -> Device:
    """The accelerator where there is one, else the processor."""
    import torch

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    cores = cores or os.cpu_count() or 1
    if torch.cuda.is_available():
        memory = torch.cuda.get_device_properties(0).total_memory / 2**30
        return Device("cuda", cores, memory)
    return Device("cpu", cores)


def plan_detector(
    data: Fingerprint, device: Device, *, hours: float = 3.0, base: DetectorRecipe | None = None
) -> Plan:
    """Decide crop, batch and number of steps.

    Parameters
    ----------
    hours
        That the training may take on this device.
    base
        What the rules leave as it is: rates, seed.
    """
    base = base or DetectorRecipe()
    wanted = CROP_OVER_LESION * data.lesion_px[2]
    crop = int(
        np.clip(np.ceil(wanted / CROP_STEP_PX) * CROP_STEP_PX, LEAST_CROP_PX, MOST_CROP_PX)
    )
    area = (crop / 512) ** 2
    batch = 16
    if device.kind == "cuda":
        batch = int(
            np.clip(2 ** np.floor(np.log2(0.8 * device.memory_gib / (GPU_GIB * area))), 16, 128)
        )
    # As many cores share the work; the nano network gains little beyond eight.
    seconds = (
        GPU_SECONDS if device.kind == "cuda" else CPU_SECONDS * CPU_CORES / min(device.cores, 8)
    )
    most = int(hours * 3600 / (seconds * area * batch))
    steps = round(VIEWS_OF_A_LESION * data.lesions / (batch * base.lesion_share))
    steps = int(np.clip(steps, LEAST_STEPS, max(most, LEAST_STEPS)))
    # With the root of the batch, as suits Adam (Malladi 2022), and no further than doubled.
    rate = base.rate * min(batch / 16, 4) ** 0.5
    recipe = replace(
        base, steps=steps, batch=batch, rate=rate, warmup=min(base.warmup, steps // 5)
    )
    return Plan(data, device, crop, recipe)
