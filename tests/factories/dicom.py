"""DICOM files with any header and any transfer syntax, small enough to make by the hundred."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

MG = "1.2.840.10008.5.1.4.1.1.1.2"
MG_RAW = "1.2.840.10008.5.1.4.1.1.1.2.1"
TOMOSYNTHESIS = "1.2.840.10008.5.1.4.1.1.13.1.3"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
IMPLICIT = "1.2.840.10008.1.2"
LITTLE = "1.2.840.10008.1.2.1"
BIG = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
JPEG_EXTENDED = "1.2.840.10008.1.2.4.51"
JPEG_LOSSLESS = "1.2.840.10008.1.2.4.57"
JPEG_LOSSLESS_SV1 = "1.2.840.10008.1.2.4.70"
JPEG_LS = "1.2.840.10008.1.2.4.80"
JPEG_LS_LOSSY = "1.2.840.10008.1.2.4.81"
JPEG_2000 = "1.2.840.10008.1.2.4.90"
JPEG_2000_LOSSY = "1.2.840.10008.1.2.4.91"
HTJ2K = "1.2.840.10008.1.2.4.201"
HTJ2K_RPCL = "1.2.840.10008.1.2.4.202"
HTJ2K_LOSSY = "1.2.840.10008.1.2.4.203"
RLE = "1.2.840.10008.1.2.5"
ENCAPSULATED = (
    *(JPEG_BASELINE, JPEG_EXTENDED, JPEG_LOSSLESS, JPEG_LOSSLESS_SV1, JPEG_LS, JPEG_LS_LOSSY),
    *(JPEG_2000, JPEG_2000_LOSSY, HTJ2K, HTJ2K_RPCL, HTJ2K_LOSSY, RLE),
)


def make_pixels(
    bits: int = 12, rows: int = 48, columns: int = 40, *, signed: bool = False, seed: int = 0
) -> NDArray[np.generic]:
    """Stored values that use the whole range of their bits, smooth enough for any codec."""
    row, column = np.mgrid[:rows, :columns]
    unit = (row / max(rows - 1, 1) + column / max(columns - 1, 1)) / 2
    unit = np.clip(unit + np.random.default_rng(seed).normal(0, 0.01, unit.shape), 0, 1)
    values = np.round(unit * (2**bits - 1)).astype(np.int64)
    if signed:
        return (values - 2 ** (bits - 1)).astype(np.int16)
    return values.astype(np.uint8 if bits <= 8 else np.uint16)


def make_dataset(pixels: NDArray[np.generic], bits: int, **header: Any) -> Dataset:
    """A header that fits the pixels; None takes an attribute out."""
    frames = pixels[None] if pixels.ndim == 2 else pixels
    plain: dict[str, Any] = {
        "SOPClassUID": MG,
        "SOPInstanceUID": "1.2.3.4.1",
        "StudyInstanceUID": "1.2.3.4",
        "SeriesInstanceUID": "1.2.3.4.2",
        "Modality": "MG",
        "PatientID": "TEST",
        "PatientName": "Test^Woman",
        "ImageLaterality": "R",
        "ViewPosition": "CC",
        "PatientOrientation": ["P", "L"],
        "PresentationIntentType": "FOR PRESENTATION",
        "ImagerPixelSpacing": ["0.1", "0.1"],
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": frames.shape[1],
        "Columns": frames.shape[2],
        "BitsAllocated": pixels.dtype.itemsize * 8,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelRepresentation": int(pixels.dtype.kind == "i"),
    }
    if len(frames) > 1:
        plain["NumberOfFrames"] = len(frames)
    dataset = Dataset()
    for keyword, value in (plain | header).items():
        if value is not None:
            setattr(dataset, keyword, value)
    return dataset


def make_dicom(
    path: Path,
    pixels: NDArray[np.generic] | None = None,
    *,
    bits: int = 12,
    syntax: str = LITTLE,
    encode: Callable[[NDArray[np.generic]], bytes] | None = None,
    tags: Mapping[tuple[int, int], tuple[str, Any]] | None = None,
    pixel_data: bytes | None = None,
    **header: Any,
) -> Path:
    """Write a file and return its path.

    Parameters
    ----------
    pixels
        (rows, columns) or (frames, rows, columns); None: some of `bits` bits.
    encode
        One frame to its codestream; must be given for an encapsulated syntax.
    tags
        Attributes by tag, with their VR: what has no keyword, or the wrong VR.
    pixel_data
        Replaces whatever the pixels would become.
    header
        By keyword; None takes an attribute out.
    """
    pixels = make_pixels(bits) if pixels is None else pixels
    dataset = make_dataset(pixels, bits, **header)
    for tag, (vr, value) in (tags or {}).items():
        dataset.add_new(tag, vr, value)
    data = _pixel_data(pixels, syntax, encode) if pixel_data is None else pixel_data
    if data:
        # Words of two pixels would be turned round in big endian.
        in_bytes = syntax in ENCAPSULATED or (syntax == BIG and pixels.dtype.itemsize == 1)
        dataset.add_new((0x7FE0, 0x0010), "OB" if in_bytes else "OW", data)
        dataset["PixelData"].is_undefined_length = syntax in ENCAPSULATED
    path.write_bytes(file_bytes(dataset, syntax))
    return path


def file_bytes(dataset: Dataset, syntax: str = LITTLE) -> bytes:
    """The file that holds a data set."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(str(dataset.get("SOPClassUID", MG)))
    meta.MediaStorageSOPInstanceUID = UID(str(dataset.get("SOPInstanceUID", "1.2.3")))
    meta.TransferSyntaxUID = UID(syntax)
    meta.ImplementationClassUID = UID("1.2.3.9")
    buffer = io.BytesIO()
    file = FileDataset(buffer, dataset, preamble=b"\0" * 128, file_meta=meta)
    dcmwrite(
        buffer,
        file,
        implicit_vr=syntax == IMPLICIT,
        little_endian=syntax != BIG,
        enforce_file_format=syntax != BIG,
        force_encoding=syntax == BIG,
    )
    return buffer.getvalue()


def _pixel_data(
    pixels: NDArray[np.generic],
    syntax: str,
    encode: Callable[[NDArray[np.generic]], bytes] | None,
) -> bytes:
    if syntax in ENCAPSULATED:
        if encode is None:
            raise ValueError(f"{syntax} needs an encoder")
        frames = pixels[None] if pixels.ndim == 2 else pixels
        return encapsulate([encode(frame) for frame in frames])
    order = ">" if syntax == BIG else "<"
    data = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    return data + b"\0" * (len(data) % 2)
