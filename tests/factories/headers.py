"""Mammograms as values, for arrays that never were in a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml.mammo.codes import ImageKind, Laterality, ViewPosition
from ml.mammo.mammogram import (
    Acquisition,
    Evidence,
    Mammogram,
    Orientation,
    Patient,
    PixelFormat,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def mammogram_of(pixels: NDArray[np.generic], **header: Any) -> Mammogram:
    """A header that fits these stored values; `header` replaces any of its fields."""
    rows, columns = pixels.shape
    bits = pixels.dtype.itemsize * 8
    plain = Mammogram(
        path=Path("array"),
        kind=ImageKind.DIGITAL,
        sop_instance_uid="1.2.3.1",
        study_instance_uid="1.2.3",
        series_instance_uid="1.2.3.2",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.1.2",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        patient=Patient(),
        acquisition=Acquisition(),
        rows=rows,
        columns=columns,
        frames=1,
        pixel_format=PixelFormat(bits, signed=pixels.dtype.kind == "i", bits_allocated=bits),
    )
    return replace(plain, **header)


def hung(row: str, column: str, side: str, view: str | None = "MLO") -> dict[str, Any]:
    """Header fields that say how an image lies."""
    return {
        "orientation": Orientation(row, column, "test"),
        "laterality": Evidence(Laterality(side), "test"),
        "view": Evidence(ViewPosition(view), "test") if view else None,
    }
