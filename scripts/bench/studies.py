"""Large four-view studies to measure with: the sample study, enlarged, in every syntax."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import imagecodecs
import numpy as np
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders.base import RLELosslessEncoder
from pydicom.uid import UID, generate_uid

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "resources" / "samples"
ROWS, COLUMNS, BITS = 4096, 3328, 12
UNCOMPRESSED = "1.2.840.10008.1.2.1"


def _lossless_jpeg(pixels: NDArray[np.uint16]) -> bytes:
    # `ljpeg_encode` writes predictor 6, which is not this syntax (SV1).
    return bytes(
        imagecodecs.jpeg_encode(pixels, lossless=True, predictor=1, bitspersample=BITS)
    )


def _rle(pixels: NDArray[np.uint16]) -> bytes:
    return RLELosslessEncoder.encode(
        pixels,
        rows=pixels.shape[0],
        columns=pixels.shape[1],
        samples_per_pixel=1,
        bits_allocated=16,
        bits_stored=BITS,
        pixel_representation=0,
        photometric_interpretation="MONOCHROME2",
        number_of_frames=1,
    )


def _jpeg_2000(pixels: NDArray[np.uint16]) -> bytes:
    return bytes(
        imagecodecs.jpeg2k_encode(pixels, level=0, codecformat="j2k", bitspersample=BITS)
    )


# Name, transfer syntax UID (PS3.6 A), encoder.
SYNTAXES: dict[str, tuple[str, Callable[[NDArray[np.uint16]], bytes]]] = {
    "uncompressed": (UNCOMPRESSED, lambda pixels: pixels.tobytes()),
    "RLE": ("1.2.840.10008.1.2.5", _rle),
    "JPEG Lossless": ("1.2.840.10008.1.2.4.70", _lossless_jpeg),
    "JPEG-LS": (
        "1.2.840.10008.1.2.4.80",
        lambda pixels: bytes(imagecodecs.jpegls_encode(pixels)),
    ),
    "JPEG 2000": ("1.2.840.10008.1.2.4.90", _jpeg_2000),
    "HTJ2K": (
        "1.2.840.10008.1.2.4.201",
        lambda pixels: bytes(imagecodecs.htj2k_encode(pixels, reversible=True)),
    ),
}


def write_large_study(folder: Path, syntax: str) -> list[Path]:
    """Write the sample's four views at 4096 x 3328 and 12 bits in one transfer syntax."""
    folder.mkdir(parents=True, exist_ok=True)
    uid, encode = SYNTAXES[syntax]
    study = generate_uid()
    paths = []
    for source in sorted(SAMPLES.rglob("*.dcm")):
        dataset = dcmread(source)
        pixels = _enlarged(dataset.pixel_array)
        _describe(dataset, study)
        data = encode(pixels)
        dataset.file_meta.TransferSyntaxUID = UID(uid)
        dataset.PixelData = data if uid == UNCOMPRESSED else encapsulate([data])
        dataset["PixelData"].is_undefined_length = uid != UNCOMPRESSED
        dataset["PixelData"].VR = "OW" if uid == UNCOMPRESSED else "OB"
        paths.append(folder / source.name)
        dataset.save_as(paths[-1], enforce_file_format=True)
    return paths


def _enlarged(pixels: NDArray[np.generic]) -> NDArray[np.uint16]:
    """Enlarge, and add the noise that this takes away: smooth pixels pack too well."""
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
    return page


def _describe(dataset: Dataset, study: str) -> None:
    dataset.Rows, dataset.Columns = ROWS, COLUMNS
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, BITS, BITS - 1
    dataset.WindowCenter, dataset.WindowWidth = 2 ** (BITS - 1), 2**BITS
    dataset.StudyInstanceUID = study
    dataset.SOPInstanceUID = generate_uid()
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
