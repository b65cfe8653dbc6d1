"""`mammoscope find-duplicates`: images that are the same although their patients are not."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml.data.duplicates import Pair, fingerprints, near_duplicates, same_films
from ml.errors import DataError, MammoError
from ml.mammo.pixels import read_pixels
from ml.mammo.read import read_mammogram
from ml.manifest import read_manifest
from ml.texts import mark

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.manifest import Manifest, ManifestRow

# More than either search looks at.
SMALL_ROWS = 256


def main(manifest: Path, other: Path | None = None) -> None:
    """Write a line for each pair: the paths, how alike they are, and how it was found."""
    for pair, how in find_duplicates(
        read_manifest(manifest), read_manifest(other) if other else None
    ):
        turned = ", mirrored" if pair.mirrored else ""
        sys.stdout.write(f"{pair.first}\t{pair.second}\t{pair.likeness:.3f}\t{how}{turned}\n")


def find_duplicates(
    manifest: Manifest, other: Manifest | None = None
) -> list[tuple[Pair, str]]:
    """Pairs of images under two patients' ids, the copies first.

    Parameters
    ----------
    other
        Look between the two manifests instead; patients of theirs are never the same.

    Raises
    ------
    DataError
        Names the image that cannot be read.
    """
    one = [(row.path, _small(manifest, row)) for row in manifest.rows]
    two = [(row.path, _small(other, row)) for row in other.rows] if other else one
    patients = {row.path: row.patient_id for row in manifest.rows}
    place = {row.path: number for number, row in enumerate(manifest.rows)}
    here = fingerprints(one)
    copies = near_duplicates(here, fingerprints(two) if other else here)
    found = [(pair, "copy") for pair in copies]
    found += [(pair, "same film") for pair in same_films(one, two)]
    seen: set[tuple[str, str]] = set()
    kept: list[tuple[Pair, str]] = []
    for pair, how in found:
        both = (pair.first, pair.second)
        # Within one manifest each pair comes twice, and a woman's own images may be alike.
        own = other is None and (
            place[pair.first] >= place[pair.second]
            or patients[pair.first] == patients[pair.second]
        )
        if not own and both not in seen:
            seen.add(both)
            kept.append((pair, how))
    return kept


def _small(manifest: Manifest, row: ManifestRow) -> NDArray[np.float32]:
    try:
        mammogram = read_mammogram(manifest.file_of(row))
        pixels = np.asarray(read_pixels(mammogram))
    except MammoError as error:
        raise DataError(
            mark("{path} in the manifest cannot be used: {why}"), path=row.path, why=str(error)
        ) from error
    if pixels.ndim == 3:
        pixels = pixels[len(pixels) // 2]
    rows, columns = pixels.shape
    scale = min(SMALL_ROWS / rows, 1)
    size = (max(round(columns * scale), 1), max(round(rows * scale), 1))
    small = cv2.resize(pixels.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    if mammogram.pixel_format.inverted:
        small = small.max() - small
    return np.asarray(small, np.float32)
