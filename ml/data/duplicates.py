"""The same image twice, in two splits: leakage that no patient's name gives away.

Two searches, each also against the mirror image. `near_duplicates` is quick and strict: a 64
bit perceptual hash (DCT, Zauner 2010) within 2 bits, then SSIM (Wang 2004) of at least 0.98; it
finds copies at another size, depth or compression. `same_films` is thorough: it shifts the fine
structure of one image over the other's, and so finds most films that were also cut, retouched
or changed in contrast, some thousands of pairs a second; a person looks at what it finds.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import cv2
import numpy as np
from scipy import fft

from ml.errors import DataError
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from ml.manifest import Split

MOST_BITS, LEAST_SSIM = 2, 0.98
HASH_SIDE, HASH_BITS_SIDE, VIEW_SIDE = 32, 8, 128
# Of 274 films in two editions, one cut, stretched in contrast and mirrored, this finds 92 %;
# 95 % of what it finds is right.
LEAST_CORRELATION = 0.56
FILM_ROWS, PLANE = 64, 128
MANY = 256


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprints:
    """Small forms of some images.

    Attributes
    ----------
    names
        One an image.
    views : (n, side, side) uint8
    hashes, mirrored : (n, 64) bool
        Of the image and of its mirror image.
    """

    names: tuple[str, ...]
    views: NDArray[np.uint8]
    hashes: NDArray[np.bool_]
    mirrored: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two images that are one.

    Attributes
    ----------
    likeness
        SSIM or correlation, 1 for the same.
    """

    first: str
    second: str
    likeness: float
    mirrored: bool


def fingerprints(images: Iterable[tuple[str, NDArray[np.generic]]]) -> Fingerprints:
    """Small forms of named images, which are read one by one."""
    names: list[str] = []
    views: list[NDArray[np.uint8]] = []
    for name, pixels in images:
        names.append(name)
        views.append(_view(pixels))
    shape = (len(views), HASH_BITS_SIDE**2)
    stack = np.stack(views) if views else np.zeros((0, VIEW_SIDE, VIEW_SIDE), np.uint8)
    hashes = np.array([perceptual_hash(view) for view in stack], bool).reshape(shape)
    mirror = np.array([perceptual_hash(view[:, ::-1]) for view in stack], bool)
    return Fingerprints(tuple(names), stack, hashes, mirror.reshape(shape))


def perceptual_hash(view: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Which low frequencies are above their median: 64 bits."""
    small = cv2.resize(
        np.ascontiguousarray(view, np.float32),
        (HASH_SIDE, HASH_SIDE),
        interpolation=cv2.INTER_AREA,
    )
    low = cv2.dct(small)[:HASH_BITS_SIDE, :HASH_BITS_SIDE].ravel()
    return np.asarray(low > np.median(low), bool)


def near_duplicates(one: Fingerprints, other: Fingerprints) -> list[Pair]:
    """Copies of an image of one part in another part."""
    pairs: list[Pair] = []
    for first, name in enumerate(one.names):
        for hashes, is_mirrored in ((other.hashes, False), (other.mirrored, True)):
            bits = (hashes != one.hashes[first]).sum(axis=1)
            for second in np.flatnonzero(bits <= MOST_BITS):
                view = other.views[second]
                like = ssim(one.views[first], view[:, ::-1] if is_mirrored else view)
                if like >= LEAST_SSIM:
                    pairs.append(Pair(name, other.names[int(second)], like, is_mirrored))
    return _best(pairs)


def ssim(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Structural similarity of 8-bit images, with the published window and constants."""
    x, y = np.ascontiguousarray(one, np.float64), np.ascontiguousarray(other, np.float64)
    mean_x, mean_y = _blurred(x), _blurred(y)
    var_x, var_y = _blurred(x * x) - mean_x**2, _blurred(y * y) - mean_y**2
    both = _blurred(x * y) - mean_x * mean_y
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    above = (2 * mean_x * mean_y + c1) * (2 * both + c2)
    below = (mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2)
    return float(np.mean(above / below))


def same_films(
    one: Sequence[tuple[str, NDArray[np.generic]]],
    other: Sequence[tuple[str, NDArray[np.generic]]],
    least: float = LEAST_CORRELATION,
) -> list[Pair]:
    """Images of two parts whose fine structure is the same, wherever it lies."""
    if not one:
        return []
    here = np.stack([fine_structure(pixels) for _, pixels in one])
    pairs: list[Pair] = []
    for start in range(0, len(other), MANY):
        some = other[start : start + MANY]
        there = np.stack([fine_structure(pixels) for _, pixels in some])
        for is_mirrored in (False, True):
            waves = np.conj(_waves(there[:, :, ::-1] if is_mirrored else there))
            for (name, _), plane in zip(one, here, strict=True):
                shifted = np.asarray(fft.irfft2(_waves(plane) * waves, s=(PLANE, PLANE)))
                likeness = shifted.max((1, 2))
                pairs += [
                    Pair(name, some[int(at)][0], float(likeness[at]), is_mirrored)
                    for at in np.flatnonzero(likeness >= least)
                ]
    return _best(pairs)


def _waves(planes: NDArray[np.float32]) -> NDArray[np.complexfloating]:
    return np.asarray(fft.rfft2(planes))


def fine_structure(pixels: NDArray[np.generic]) -> NDArray[np.float32]:
    """Lines and spots of the tissue at one strength everywhere, on a plane of unit length."""
    rows, columns = pixels.shape
    width = min(max(round(columns * FILM_ROWS / rows), 1), PLANE)
    small = cv2.resize(
        _as_bytes(pixels).astype(np.float32),
        (width, FILM_ROWS),
        interpolation=cv2.INTER_AREA,
    )
    tissue = cv2.erode((small > 8).astype(np.uint8), np.ones((5, 5), np.uint8))
    band = cv2.GaussianBlur(small, (0, 0), FILM_ROWS / 128) - cv2.GaussianBlur(
        small, (0, 0), FILM_ROWS / 32
    )
    strength = np.sqrt(cv2.GaussianBlur(band * band, (0, 0), FILM_ROWS / 16)) + 0.5
    even = np.clip(band / strength, -2, 2) * tissue
    plane = np.zeros((PLANE, PLANE), np.float32)
    plane[:FILM_ROWS, :width] = even / max(float(np.linalg.norm(even)), 1e-6)
    return plane


def across_splits(parts: Mapping[Split, Fingerprints]) -> list[Pair]:
    """Near-duplicates between any two splits."""
    return [
        pair
        for one, other in combinations(parts, 2)
        for pair in near_duplicates(parts[one], parts[other])
    ]


def refuse_duplicates(parts: Mapping[Split, Fingerprints]) -> None:
    """No image may stand in two splits.

    Raises
    ------
    DataError
        Names two images that are one.
    """
    for pair in across_splits(parts):
        raise DataError(
            mark(
                "{first} and {second} are the same image in two splits, so the figures would "
                "mean nothing; give both the same patient and split."
            ),
            first=pair.first,
            second=pair.second,
        )


def _best(pairs: list[Pair]) -> list[Pair]:
    """Each two images once, as they are most alike; the most alike first."""
    found: dict[tuple[str, str], Pair] = {}
    for pair in sorted(pairs, key=lambda pair: -pair.likeness):
        found.setdefault((pair.first, pair.second), pair)
    return list(found.values())


def _view(pixels: NDArray[np.generic]) -> NDArray[np.uint8]:
    side = (VIEW_SIDE, VIEW_SIDE)
    return cv2.resize(_as_bytes(pixels), side, interpolation=cv2.INTER_AREA).astype(np.uint8)


def _as_bytes(pixels: NDArray[np.generic]) -> NDArray[np.uint8]:
    """The range of grey levels that the image uses, so that depth and offset do not matter."""
    values = np.asarray(pixels, np.float32)
    low, high = float(values.min()), float(values.max())
    scaled = (values - low) * (255 / (high - low)) if high > low else np.zeros_like(values)
    return np.round(scaled).astype(np.uint8)


def _blurred(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(cv2.GaussianBlur(values, (11, 11), 1.5), np.float64)
