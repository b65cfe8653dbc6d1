"""What a compressed frame says of its own size, read before it is decoded."""

from __future__ import annotations

import struct
from itertools import pairwise

from ml.errors import PixelDecodeError
from ml.texts import mark

JPEG = frozenset({"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"})
JPEG_LOSSLESS = frozenset({"1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"})
JPEG_LS = frozenset({"1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"})
JPEG_2000 = frozenset({"1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"})
HTJ2K = frozenset(
    {"1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203"}
)
RLE = "1.2.840.10008.1.2.5"
_HAS_SOF = JPEG | JPEG_LOSSLESS | JPEG_LS
_HAS_SIZ = JPEG_2000 | HTJ2K
# SOF0 to SOF15 without DHT, JPG and DAC (ITU-T T.81 table B.1), and SOF55 of JPEG-LS.
_SOF = frozenset(set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7})


# End of image and end of codestream are the same bytes (ITU-T T.81 B.1.1.3, T.800 A.4.4).
END = b"\xff\xd9"
# Start of a codestream and its first segment (ITU-T T.800 A.4.1, A.5.1).
SIZ = b"\xff\x4f\xff\x51"


def check_codestream(data: bytes, syntax: str, rows: int, columns: int, bits: int) -> None:
    """Refuse a frame whose codestream disagrees with the header.

    Raises
    ------
    PixelDecodeError
        Another size, more than one component, more bits than are allocated, or no end.
    """
    if syntax == RLE:
        _check_rle(data, bits)
        return
    if syntax in _HAS_SOF:
        said = _jpeg_size(data)
    elif syntax in _HAS_SIZ:
        said = _jpeg_2000_size(data)
    else:
        return
    if said is None or said[:3] != (rows, columns, 1) or said[3] > bits:
        raise PixelDecodeError(
            mark("The compressed pixels are not the image that the header describes."),
            detail=f"codestream says {said}, header {rows} x {columns}, {bits} bits",
        )
    # Some decoders make a picture of half a stream. Zeros may follow, though one is enough.
    if END not in data[-4:] and not data.rstrip(b"\0").endswith(END):
        raise PixelDecodeError(
            mark("The compressed pixels end in the middle. Ask for a new copy."),
            detail="no end of the codestream",
        )


def _check_rle(data: bytes, bits: int) -> None:
    """One segment a byte, one after the other (PS3.5 G.4): the decoder trusts these offsets."""
    header = struct.unpack("<16I", data[:64]) if len(data) > 64 else (0,) * 16
    count = header[0]
    starts = [*header[1 : 1 + count], len(data)]
    ordered = all(one < other for one, other in pairwise(starts))
    if count != bits // 8 or starts[0] != 64 or not ordered:
        raise PixelDecodeError(
            mark("The compressed pixels are not the image that the header describes."),
            detail=f"{count} RLE segments at {starts[:3]}",
        )


def jpeg_2000_samples(data: bytes) -> tuple[int, bool]:
    """Bits and signedness of the first component (Ssiz, ITU-T T.800 A.5.1).

    The stream must be one that `check_codestream` accepts.
    """
    ssiz = data[data.find(SIZ, 0, 4096) + 42]
    return (ssiz & 0x7F) + 1, bool(ssiz & 0x80)


def _jpeg_size(data: bytes) -> tuple[int, int, int, int] | None:
    """Rows, columns, components, bits of a JPEG or JPEG-LS stream."""
    place = 2
    while place + 10 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker in _SOF:
            rows = int.from_bytes(data[place + 5 : place + 7], "big")
            columns = int.from_bytes(data[place + 7 : place + 9], "big")
            return rows, columns, data[place + 9], data[place + 4]
        length = 0 if marker == 0xFF else int.from_bytes(data[place + 2 : place + 4], "big")
        place += 1 if marker == 0xFF else 2 + length
        if marker != 0xFF and length < 2:
            return None
    return None


def _jpeg_2000_size(data: bytes) -> tuple[int, int, int, int] | None:
    """The same from the SIZ marker (ITU-T T.800 A.5.1), in a bare stream or in a JP2 box."""
    start = data.find(SIZ, 0, 4096)
    if start < 0 or len(data) < start + 46:
        return None
    fields = [
        int.from_bytes(data[start + 8 + 4 * i : start + 12 + 4 * i], "big") for i in range(4)
    ]
    components = int.from_bytes(data[start + 40 : start + 42], "big")
    bits = (data[start + 42] & 0x7F) + 1
    return fields[1] - fields[3], fields[0] - fields[2], components, bits
