"""One frame of stored values as a lossless codestream, in each transfer syntax we write."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class TransferSyntax(Enum):
    """The transfer syntaxes that are written, all of them lossless (PS3.6 table A-1)."""

    LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
    RLE = "1.2.840.10008.1.2.5"
    JPEG_LOSSLESS = "1.2.840.10008.1.2.4.70"
    JPEG_LS = "1.2.840.10008.1.2.4.80"
    JPEG_2000 = "1.2.840.10008.1.2.4.90"
    HTJ2K = "1.2.840.10008.1.2.4.201"

    @property
    def compressed(self) -> bool:
        """Whether Pixel Data is encapsulated."""
        return self is not TransferSyntax.LITTLE_ENDIAN


def encode_frame(pixels: NDArray[np.uint16], bits: int, syntax: TransferSyntax) -> bytes:
    """Encode one frame without loss.

    Parameters
    ----------
    pixels : (rows, columns) uint16
        Values under ``2**bits``.
    bits
        Bits Stored, 9 to 16: the precision that the codestream declares.

    Returns
    -------
    bytes
        The codestream, or the values themselves where the syntax is not compressed.
    """
    import imagecodecs

    values = np.ascontiguousarray(pixels, "<u2")
    if syntax is TransferSyntax.LITTLE_ENDIAN:
        return values.tobytes()
    if syntax is TransferSyntax.RLE:
        return _rle(values)
    if syntax is TransferSyntax.JPEG_LOSSLESS:
        # 4.70 demands predictor 1 (PS3.5 A.4.2); `ljpeg_encode` writes another.
        return bytes(
            imagecodecs.jpeg_encode(values, lossless=True, predictor=1, bitspersample=bits)
        )
    if syntax is TransferSyntax.JPEG_LS:
        return bytes(imagecodecs.jpegls_encode(values))
    if syntax is TransferSyntax.JPEG_2000:
        return bytes(
            imagecodecs.jpeg2k_encode(values, level=0, codecformat="j2k", bitspersample=bits)
        )
    return _htj2k(values, bits)


def _rle(values: NDArray[np.uint16]) -> bytes:
    """Row by row, as PS3.5 G.3.1 demands; pydicom needs no other library for it."""
    from pydicom.pixels.encoders.base import RLELosslessEncoder

    return RLELosslessEncoder.encode(
        values.tobytes(),
        encoding_plugin="pydicom",
        rows=values.shape[0],
        columns=values.shape[1],
        samples_per_pixel=1,
        bits_allocated=16,
        bits_stored=16,
        pixel_representation=0,
        photometric_interpretation="MONOCHROME2",
        number_of_frames=1,
    )


def _htj2k(values: NDArray[np.uint16], bits: int) -> bytes:
    """HTJ2K that declares `bits` bits, though the encoder knows 16-bit samples only.

    The declared precision moves unsigned samples by half its range before the transform
    (ISO/IEC 15444-1 G.1.2) and nothing else: values moved beforehand by the difference give the
    very same coefficients, and the precision in the SIZ marker can then be set.
    """
    import imagecodecs

    moved = values + np.uint16((1 << 15) - (1 << (bits - 1)))
    stream = bytearray(imagecodecs.htj2k_encode(moved, reversible=True))
    # SIZ follows SOC; Ssiz is 38 bytes behind its marker and length (15444-1 A.5.1).
    if bytes(stream[2:4]) != b"\xff\x51" or stream[42] != 15:
        raise AssertionError("the encoder wrote another header than SIZ of 16 bits")
    stream[42] = bits - 1
    return bytes(stream)
