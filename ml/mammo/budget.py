"""What reading may cost, checked before anything is decoded."""

from __future__ import annotations

import io
import zlib

from ml.errors import BudgetError
from ml.texts import mark

# The largest detectors have 4,800 x 6,400 pixels, scanned films up to 9,000 rows.
MAX_SIDE = 16384
MAX_FRAME_BYTES = 256 << 20
# Tomosynthesis has some 100 frames; files of 1 GB exist and are read frame by frame.
MAX_FRAMES = 2000
# A deflated file is inflated whole, so it may grow to one frame and its header at most.
MAX_INFLATED = MAX_FRAME_BYTES + (64 << 20)


def check_size(name: str, rows: int, columns: int, frames: int, bits_allocated: int) -> None:
    """Refuse sizes that no mammogram has.

    Raises
    ------
    BudgetError
    """
    frame_bytes = rows * columns * max(bits_allocated, 8) // 8
    sane = 0 < rows <= MAX_SIDE and 0 < columns <= MAX_SIDE and bits_allocated in (8, 16)
    if sane and 0 < frames <= MAX_FRAMES and frame_bytes <= MAX_FRAME_BYTES:
        return
    raise BudgetError(
        mark(
            "{name} claims {frames} frames of {rows} x {columns} pixels with {bits} bits: "
            "no mammogram has that, so it is not opened."
        ),
        name=name,
        rows=rows,
        columns=columns,
        frames=frames,
        bits=bits_allocated,
    )


def check_inflated(name: str, deflated: bytes) -> None:
    """Inflate in bounded steps, only to see how large it becomes.

    Raises
    ------
    BudgetError
    """
    if _inflated_bytes(deflated) > MAX_INFLATED:
        raise BudgetError(
            mark("{name} inflates to more than a mammogram needs: not opened."), name=name
        )


def _inflated_bytes(deflated: bytes) -> int:
    """How much comes out, until it is too much, ends or breaks: what breaks is parsed next."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    file = io.BytesIO(deflated)
    total = 0
    try:
        while total <= MAX_INFLATED and not inflater.eof:
            piece = inflater.unconsumed_tail or file.read(1 << 16)
            if not piece:
                break
            total += len(inflater.decompress(piece, 1 << 20))
    except zlib.error:
        return total
    return total
