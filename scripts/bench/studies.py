"""Large four-view studies to measure with: the sample study, enlarged, in every syntax."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import UID, generate_uid

from ml.mammo.encode import TransferSyntax, encode_frame
from ml.mammo.pixels import read_pixels
from ml.mammo.read import read_mammogram

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "resources" / "samples"
ROWS, COLUMNS, BITS = 4096, 3328, 12


SYNTAXES = {
    "uncompressed": TransferSyntax.LITTLE_ENDIAN,
    "RLE": TransferSyntax.RLE,
    "JPEG Lossless": TransferSyntax.JPEG_LOSSLESS,
    "JPEG-LS": TransferSyntax.JPEG_LS,
    "JPEG 2000": TransferSyntax.JPEG_2000,
    "HTJ2K": TransferSyntax.HTJ2K,
}


def write_large_study(folder: Path, syntax: str) -> list[Path]:
    """Write the sample's four views at 4096 x 3328 and 12 bits in one transfer syntax."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen = SYNTAXES[syntax]
    study = generate_uid()
    paths = []
    for source in sorted(SAMPLES.rglob("*.dcm")):
        dataset = dcmread(source)
        pixels, factor = _enlarged(read_pixels(read_mammogram(source)))
        _describe(dataset, study, factor)
        data = encode_frame(pixels, BITS, chosen)
        dataset.file_meta.TransferSyntaxUID = UID(chosen.value)
        dataset.PixelData = encapsulate([data]) if chosen.compressed else data
        dataset["PixelData"].is_undefined_length = chosen.compressed
        dataset["PixelData"].VR = "OB" if chosen.compressed else "OW"
        paths.append(folder / source.name)
        dataset.save_as(paths[-1], enforce_file_format=True)
    return paths


def _enlarged(pixels: NDArray[np.generic]) -> tuple[NDArray[np.uint16], float]:
    """Enlarge, and add the noise that this takes away: smooth pixels pack too well.

    Returns
    -------
    pixels, factor
        So many times as many rows show the same breast.
    """
    values = np.asarray(pixels, np.float32)
    factor = min(ROWS / values.shape[0], COLUMNS / values.shape[1])
    large = np.asarray(cv2.resize(values, None, fx=factor, fy=factor), np.float32)
    large *= (2**BITS - 1) / max(float(large.max()), 1.0)
    large += np.random.default_rng(1).normal(0, 6, large.shape).astype(np.float32) * (large > 0)
    page = np.zeros((ROWS, COLUMNS), np.uint16)
    # The breast keeps its chest wall: it is put against the side where it was.
    from_right = values[:, -1].mean() > values[:, 0].mean()
    column = COLUMNS - large.shape[1] if from_right else 0
    part = np.clip(large, 0, 2**BITS - 1).astype(np.uint16)
    page[: part.shape[0], column : column + part.shape[1]] = part
    return page, factor


def _describe(dataset: Dataset, study: str, factor: float) -> None:
    dataset.Rows, dataset.Columns = ROWS, COLUMNS
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, BITS, BITS - 1
    dataset.WindowCenter, dataset.WindowWidth = 2 ** (BITS - 1), 2**BITS
    # The woman keeps her size: some 50 um a pixel, as the finest detectors have.
    dataset.ImagerPixelSpacing = [float(mm) / factor for mm in dataset.ImagerPixelSpacing]
    dataset.StudyInstanceUID = study
    dataset.SOPInstanceUID = generate_uid()
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
