"""Torch on CUDA, for the same packs: the training weights instead of the exported graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml.infer.batching import Together

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from torch import nn

    from ml.infer.engine import Graph
    from ml.registry import ModelPack


class CudaEngine:
    """Runs a pack's network on the first CUDA device, in float32.

    Parameters
    ----------
    together
        How many images are looked at in one batch at most, each on a thread of the caller's.
    device
        Where torch computes.
    """

    def __init__(self, together: int = 1, device: str = "cuda") -> None:
        self.together, self._device = together, device

    @property
    def name(self) -> str:
        """For the reader."""
        return "torch CUDA f32"

    def load(self, pack: ModelPack) -> Graph:
        """Build the network and load its weights (safetensors, no pickle)."""
        import torch

        model = network_of(pack).to(self._device)

        def compute(canvas: NDArray[np.float32]) -> list[NDArray[np.float32]]:
            with torch.inference_mode():
                given = model(torch.from_numpy(canvas).to(self._device))
            return [_array(part) for part in (given if isinstance(given, tuple) else (given,))]

        return compute if self.together == 1 else Together(compute, self.together)


def cuda_engine(together: int = 1) -> CudaEngine | None:
    """An engine, or None where torch is not installed or finds no device.

    Parameters
    ----------
    together
        As for `CudaEngine`.
    """
    try:
        import torch
    except ImportError:
        return None
    return CudaEngine(together) if torch.cuda.is_available() else None


def _array(tensor: torch.Tensor) -> NDArray[np.float32]:
    return tensor.float().cpu().numpy()


def network_of(pack: ModelPack) -> nn.Module:
    """The network of a pack, with its training weights (no pickle) and the exported outputs."""
    from safetensors.torch import load_file

    weights = load_file(pack.weights)
    if pack.card.role != "classifier":
        from ml.models.detector import build_detector, deployed

        detector = build_detector()
        detector.load_state_dict(weights)
        return deployed(detector).eval()
    from ml.models.classifier import DeployedClassifier, build_classifier

    classifier = build_classifier(pretrained=False)
    classifier.load_state_dict(weights)
    return DeployedClassifier(classifier).eval()
