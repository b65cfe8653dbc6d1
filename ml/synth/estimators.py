"""What an image shows, by others than the generator: tissue, chest wall, density, view.

They see whole breasts of 0.8 mm, as `ml.synth.teaching.ANATOMY` has them, in 0..1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import cv2
import numpy as np

from ml.infer.classified import classified
from ml.infer.engine import as_canvas
from ml.mammo.codes import Laterality
from ml.mammo.prepare import WHOLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ml.infer.engine import Graph

Value = TypeVar("Value", bound=np.generic)
# Air of a decoded image is not exactly 0; skin is well above this.
AIR = 0.06
# Smaller patches than this share of the image are specks of noise.
LEAST_SHARE = 0.02
# Columns at either edge in which the chest wall is looked for.
EDGE_PX = 6
# Side of the picture that the view is told from.
VIEW_PX = 16


@dataclass(frozen=True, slots=True, eq=False)
class Tissue:
    """The breast in an image.

    Attributes
    ----------
    mask : (rows, columns) bool
        The largest patch of tissue; empty where there is none.
    patches
        How many there are of some size.
    """

    mask: NDArray[np.bool_]
    patches: int

    @property
    def share(self) -> float:
        """Of the image, 0 to 1."""
        return float(self.mask.mean())


def find_tissue(image: NDArray[np.float32]) -> Tissue:
    """Whatever is brighter than air, without specks.

    Parameters
    ----------
    image : (rows, columns) float32
        In 0..1.
    """
    smooth = cv2.GaussianBlur(image, (0, 0), 1.5)
    bright = (smooth > AIR).astype(np.uint8)
    opened = cv2.morphologyEx(bright, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(opened)
    areas = stats[1:count, cv2.CC_STAT_AREA]
    large = areas >= LEAST_SHARE * image.size
    if not large.any():
        return Tissue(np.zeros(image.shape, np.bool_), 0)
    return Tissue(labels == 1 + int(areas.argmax()), int(large.sum()))


def side_of(tissue: Tissue) -> Laterality | None:
    """Which breast it is: the chest wall of a left one is at the left edge.

    Returns
    -------
    Laterality or None
        None where the breast touches neither edge, or both alike.
    """
    left = int(tissue.mask[:, :EDGE_PX].sum())
    right = int(tissue.mask[:, -EDGE_PX:].sum())
    if left == right:
        return None
    return Laterality.LEFT if left > right else Laterality.RIGHT


def chest_left(image: NDArray[Value], laterality: Laterality) -> NDArray[Value]:
    """An image, or a mask, as it hangs, turned so that the chest wall is at the left."""
    return image[:, ::-1] if laterality is Laterality.RIGHT else image


class DensityEstimator:
    """The classifier's density head: it never saw the generator, nor the generator it.

    It was taught at 0.2 mm: coarser images are enlarged for it, so it sees less detail than it
    is used to. How often it is right on images of known density is measured beside every use
    (`ml.synth.quality`).

    Parameters
    ----------
    graph
        Of a classifier's pack.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    @staticmethod
    def installed() -> DensityEstimator | None:
        """With the installed classifier; None where there is none."""
        from ml.in_use import packs_in_use
        from ml.infer.on_cpu import CpuEngine
        from ml.registry import read_pack

        folder = packs_in_use().get("classifier")
        return DensityEstimator(CpuEngine().load(read_pack(folder))) if folder else None

    def __call__(
        self, image: NDArray[np.float32], tissue: Tissue, pixel_mm: float
    ) -> NDArray[np.float32]:
        """How likely each grade is.

        Parameters
        ----------
        image : (rows, columns) float32
            In 0..1, chest wall at the left.
        tissue
            Of that image.

        Returns
        -------
        (4,) float32
            For A to D, summing to 1.
        """
        canvas = enlarged(image, tissue, pixel_mm)
        return classified(self._graph(as_canvas(canvas))).density


def enlarged(image: NDArray[np.float32], tissue: Tissue, pixel_mm: float) -> NDArray[np.uint16]:
    """The breast on the canvas that the classifier knows, as `ml.mammo.prepare` would put it.

    Returns
    -------
    (1024, 640) uint16
    """
    rows, columns = (np.flatnonzero(tissue.mask.any(axis)) for axis in (1, 0))
    crop = np.where(tissue.mask, image, np.float32(0))
    crop = crop[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    fit = min(WHOLE.rows / crop.shape[0], WHOLE.columns / crop.shape[1])
    factor = min(fit, pixel_mm / WHOLE.pixel_mm)
    size = [max(int(side * factor), 1) for side in crop.shape[::-1]]
    large = cv2.resize(crop, size, interpolation=cv2.INTER_LINEAR)
    canvas = np.zeros((WHOLE.rows, WHOLE.columns), np.uint16)
    canvas[: size[1], : size[0]] = np.round(np.clip(large, 0, 1) * 65535).astype(np.uint16)
    return canvas


class ViewEstimator:
    """Tells CC from MLO by logistic regression on small pictures (the muscle's wedge).

    It is fitted on images whose view is known, never on generated ones.

    Parameters
    ----------
    images : sequence of (rows, columns) float32
        In 0..1, chest wall at the left.
    are_mlo
        What each shows.
    """

    def __init__(self, images: Sequence[NDArray[np.float32]], are_mlo: Sequence[bool]) -> None:
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        # One weight a pixel and some hundred images: strongly held back.
        self._model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
        self._model.fit(np.stack([_small(one) for one in images]), np.asarray(are_mlo))

    def __call__(self, images: Sequence[NDArray[np.float32]]) -> NDArray[np.bool_]:
        """Whether each image is an MLO."""
        return self._model.predict(np.stack([_small(one) for one in images]))


def _small(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """The breast's own extent, so that its place and size do not decide."""
    tissue = find_tissue(image)
    rows = np.flatnonzero(tissue.mask.any(1))
    crop = image[rows[0] : rows[-1] + 1] if rows.size else image
    small = cv2.resize(crop, (VIEW_PX, VIEW_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32).ravel()
