"""The lesion detector: ultralytics' nano YOLO on one channel at full depth.

The network sees a canvas of `ml.mammo.prepare` as float32 in 0..1. For each anchor it returns
its box (x, y of the middle, width, height, in canvas pixels) and a score for each class.
"""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING

from ml.mammo.codes import FindingType

if TYPE_CHECKING:
    import torch
    from torch import nn

CLASSES = (FindingType.MASS, FindingType.CALCIFICATIONS)
# Distortions and asymmetries are too few in real films to be classes of their own: they are
# taught as masses.
CLASS_OF = {
    kind: CLASSES.index(kind) if kind in CLASSES else CLASSES.index(FindingType.MASS)
    for kind in FindingType
}
ARCHITECTURE = "yolo26n.yaml"
# Weights of the loss's parts: ultralytics' own defaults.
LOSS_GAINS = {"box": 7.5, "cls": 0.5, "dfl": 1.5}


def quiet_ultralytics() -> None:
    """Keep ultralytics off the network; must run before it is imported anywhere."""
    os.environ.setdefault("YOLO_OFFLINE", "1")
    os.environ.setdefault("YOLO_AUTOINSTALL", "False")
    os.environ.setdefault("YOLO_VERBOSE", "False")


def build_detector() -> nn.Module:
    """An untrained detector, ready for `model.loss(batch)`."""
    quiet_ultralytics()
    from ultralytics.nn.tasks import DetectionModel, yaml_model_load

    # Without the second head, which would spare a suppression of overlaps that takes no time
    # here: a step of training takes a quarter less.
    shape = {**yaml_model_load(ARCHITECTURE), "end2end": False}
    model = DetectionModel(shape, ch=1, nc=len(CLASSES), verbose=False)  # type: ignore[arg-type]
    # The loss reads plain attributes of `args`; a module declares none but tensors.
    vars(model)["args"] = SimpleNamespace(**LOSS_GAINS)
    return model


def deployed(model: nn.Module) -> nn.Module:
    """The detector as it is exported: one tensor out, (1, 4 + classes, anchors)."""
    from torch import nn

    class Deployed(nn.Module):
        def __init__(self, inner: nn.Module) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, canvas: torch.Tensor) -> torch.Tensor:
            return self.inner(canvas)[0]

    return Deployed(model).eval()


def for_any_size(model: nn.Module) -> None:
    """Let the detector make its anchors from each canvas, not keep those of the last one.

    Traced so, its graph takes canvases of any size.
    """
    head = next(part for part in model.modules() if hasattr(part, "anchors"))
    vars(head)["dynamic"] = True
