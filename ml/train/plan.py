"""From what the data are and what the device can do to a recipe, as nnU-Net does it.

Nobody has to choose a size, a batch or a schedule: the fingerprint of the data and the device
decide, by the few rules below, and both are written into the checkpoint.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ml.train.classifier import ClassifierRecipe
from ml.train.detector import DetectorRecipe
from ml.train.patches import PatchRecipe

if TYPE_CHECKING:
    from ml.train.fingerprint import Fingerprint

CROP_STEP_PX = 64
LEAST_CROP_PX, MOST_CROP_PX = 256, 512
# A lesion should have as much again of its surroundings on the crop.
CROP_OVER_LESION = 2.0
# How often each lesion is looked at; ever new crops of it, never the same.
VIEWS_OF_A_LESION = 40
VIEWS_OF_AN_IMAGE = 20
LEAST_STEPS = 200
CPU_BATCH, MOST_BATCH = 16, 128
TUNING_RATE = 0.3
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
    """What was decided, and from what.

    Attributes
    ----------
    crop_px
        Side of the crops that the detector and the patches are taught on.
    """

    fingerprint: Fingerprint
    device: Device
    crop_px: int
    detector: DetectorRecipe
    patches: PatchRecipe
    classifier: ClassifierRecipe

    def to_json(self) -> dict[str, object]:
        """As it is kept beside the checkpoint."""
        return asdict(self)

    def part(self, share: float) -> Plan:
        """The same with a share of the steps."""
        return replace(
            self,
            detector=replace(self.detector, steps=_share(self.detector.steps, share)),
            patches=replace(self.patches, steps=_share(self.patches.steps, share)),
            classifier=replace(self.classifier, steps=_share(self.classifier.steps, share)),
        )


def _share(steps: int, share: float) -> int:
    return max(round(steps * share), 1)


def device_at_hand(kind: str = "auto") -> Device:
    """The accelerator where there is one, else the processor.

    Parameters
    ----------
    kind
        ``"cpu"``: the processor in any case.
    """
    import torch

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    cores = cores or os.cpu_count() or 1
    if kind != "cpu" and torch.cuda.is_available():
        memory = torch.cuda.get_device_properties(0).total_memory / 2**30
        return Device("cuda", cores, memory)
    return Device("cpu", cores)


def plan_training(
    data: Fingerprint, device: Device, *, hours: float = 3.0, tuning: bool = False
) -> Plan:
    """Decide crop, batch and number of steps.

    Parameters
    ----------
    hours
        That one training may take on this device.
    tuning
        It begins with trained weights: at a lower rate.
    """
    wanted = CROP_OVER_LESION * data.lesion_px[2]
    crop = int(np.ceil(wanted / CROP_STEP_PX) * CROP_STEP_PX)
    crop = min(max(crop, LEAST_CROP_PX), MOST_CROP_PX)
    area = (crop / 512) ** 2
    batch = _batch(device, area)
    rate = (batch / CPU_BATCH) ** 0.5  # Adam bears the root of the batch (Malladi 2022)
    rate *= TUNING_RATE if tuning else 1
    most = int(hours * 3600 / (_seconds(device) * area * batch))
    detector, patches = DetectorRecipe(), PatchRecipe()
    steps = _steps(data.lesions * VIEWS_OF_A_LESION / detector.lesion_share, batch, most)
    whole = _steps(data.images * VIEWS_OF_AN_IMAGE, batch, most)
    return Plan(
        data,
        device,
        crop,
        replace(detector, steps=steps, batch=batch, rate=detector.rate * rate),
        replace(
            patches, steps=max(steps // 2, LEAST_STEPS), batch=batch, rate=patches.rate * rate
        ),
        replace(ClassifierRecipe(), steps=whole, batch=batch),
    )


def _batch(device: Device, area: float) -> int:
    if device.kind == "cpu":
        return CPU_BATCH
    fits = 0.8 * device.memory_gib / (GPU_GIB * area)
    return int(np.clip(2 ** np.floor(np.log2(fits)), CPU_BATCH, MOST_BATCH))


def _seconds(device: Device) -> float:
    """Of a crop of 512 px; cores share the work, and the nano network fills no more than 8."""
    if device.kind == "cuda":
        return GPU_SECONDS
    return CPU_SECONDS * CPU_CORES / min(device.cores, 8)


def _steps(crops: float, batch: int, most: int) -> int:
    return max(min(round(crops / batch), most), LEAST_STEPS)
