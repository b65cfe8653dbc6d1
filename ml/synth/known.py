"""Small pictures of what a generator was taught, so that a copy of one is recognized.

A pack may hold them in ``training.png``, 32 x 32 values for each image below each other, from
which no image can be made again, but by which it is found again. Half of them are air: as a
picture they take a fraction of their size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml.errors import ModelError
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

KNOWN = "training.png"
SIDE = 32
# Of 255: what is finer is noise, tells a copy no better, and takes a quarter more room.
GREY_STEP = 4
# A copy is nearer to an image of the training than this share of the distance that two of
# those have at the nearest (the first percentile: some are one woman's, some are twins).
COPY_SHARE = 0.5
NEAREST_PERCENTILE = 1.0
AT_ONCE = 256


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What was taught.

    Attributes
    ----------
    pictures : (n, 1024) float32
        In 0..1.
    most
        Distance (root of the mean square) under which an image is a copy.
    """

    pictures: NDArray[np.float32]
    most: float

    def nearest(self, image: NDArray[np.float32]) -> float:
        """Root mean square distance to the most similar one, in grey levels of 0..1.

        Parameters
        ----------
        image : (rows, columns) float32
            In 0..1, chest wall at the left.
        """
        return float(_distances(small_picture(image)[None], self.pictures).min())

    def is_copy(self, image: NDArray[np.float32]) -> bool:
        """Whether an image is nearer to one of the training than those are to each other."""
        return self.nearest(image) < self.most


def known_of(images: Iterable[NDArray[np.float32]]) -> Known:
    """Pictures of images, each once, and how near to each other they are.

    Parameters
    ----------
    images : (rows, columns) float32 each
        In 0..1, chest wall at the left.
    """
    pictures = np.stack([_quantized(small_picture(image)) for image in images])
    return _with_threshold(np.unique(pictures, axis=0))


def write_known(folder: Path, known: Known) -> None:
    """Put pictures into a pack, before its card is written."""
    rows = np.round(known.pictures * 255).astype(np.uint8).reshape(-1, SIDE)
    # Filtered: a twentieth smaller than by default.
    how = (
        cv2.IMWRITE_PNG_COMPRESSION,
        9,
        cv2.IMWRITE_PNG_STRATEGY,
        cv2.IMWRITE_PNG_STRATEGY_FILTERED,
    )
    png = cv2.imencode(".png", rows, how)[1]
    (folder / KNOWN).write_bytes(png.tobytes())


def read_known(folder: Path) -> Known | None:
    """A pack's pictures; None where it holds none.

    Raises
    ------
    ModelError
        Where they are none.
    """
    if not (folder / KNOWN).exists():
        return None
    content = np.frombuffer((folder / KNOWN).read_bytes(), np.uint8)
    pictures = cv2.imdecode(content, cv2.IMREAD_UNCHANGED) if content.size else None
    if pictures is None or pictures.dtype != np.uint8 or pictures.size % SIDE**2:
        raise ModelError(
            mark("{name} of the model {model} cannot be read; copy the model again."),
            name=KNOWN,
            model=folder.name,
        )
    # Those of before have a picture in each row: the same values in the same order.
    return _with_threshold(pictures.reshape(-1, SIDE**2).astype(np.float32) / np.float32(255))


def small_picture(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """(1024,) float32: grey levels of a grid of 32 x 32."""
    small = cv2.resize(np.ascontiguousarray(image), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32).ravel()


def _quantized(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    steps = np.round(picture * (255 / GREY_STEP)) * GREY_STEP
    return np.minimum(steps, 255).astype(np.float32) / np.float32(255)


def _with_threshold(pictures: NDArray[np.float32]) -> Known:
    if len(pictures) < 2:
        return Known(pictures, 0.0)
    nearest = []
    for begin in range(0, len(pictures), AT_ONCE):
        some = pictures[begin : begin + AT_ONCE]
        apart = _distances(some, pictures)
        apart[np.arange(len(some)), begin + np.arange(len(some))] = np.inf
        nearest.append(apart.min(1))
    usual = float(np.percentile(np.concatenate(nearest), NEAREST_PERCENTILE))
    return Known(pictures, COPY_SHARE * usual)


def _distances(some: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, m): root mean square differences."""
    from scipy.spatial.distance import cdist

    return (cdist(some, others) / SIDE).astype(np.float32)
