"""What reading may cost, checked before anything is decoded."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from ml.errors import BudgetError
from ml.texts import mark

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

# The largest detectors have 4,800 x 6,400 pixels, scanned films up to 9,000 rows.
MAX_SIDE = 16384
MAX_FRAME_BYTES = 256 << 20
# Tomosynthesis has some 100 frames; files of 1 GB exist and are read frame by frame.
MAX_FRAMES = 2000
# A deflated file is inflated whole, so it may grow to one frame and its header at most.
MAX_INFLATED = MAX_FRAME_BYTES + (64 << 20)
DEFLATED = b"1.2.840.10008.1.2.1.99"


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


def check_deflated(path: Path) -> None:
    """Inflate a deflated file in bounded steps, only to see how large it becomes.

    Raises
    ------
    BudgetError
    """
    with path.open("rb") as file:
        start = file.read(4096)
        if DEFLATED not in start[:1024]:
            return
        file.seek(_dataset_start(start))
        if _inflated_bytes(file) > MAX_INFLATED:
            raise BudgetError(
                mark("{name} inflates to more than a mammogram needs: not opened."),
                name=path.name,
            )


def _inflated_bytes(file: BinaryIO) -> int:
    """How much comes out, until it is too much, ends or breaks: what breaks is parsed next."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
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


def _dataset_start(start: bytes) -> int:
    """Behind the meta group: its length stands in (0002,0000), PS3.10 7.1."""
    return 132 + 12 + int.from_bytes(start[140:144], "little")
