"""From stored values to gray, by the standard, as one table of 65,536 entries.

Order of PS3.4 N.2: modality LUT, VOI LUT, presentation LUT; then MONOCHROME1 and the reader's
inversion; padding is black whatever else is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ml.mammo.codes import PresentationIntent, VoiFunction
from ml.mammo.mammogram import LookupTable, Rescale, Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.mammo.mammogram import Mammogram, Voi

ENTRIES = 65536
SIGNED_OFFSET = 32768


def as_index(pixels: NDArray[np.generic]) -> NDArray[np.uint16]:
    """Stored values as indices into a table: signed values are moved up by 32768."""
    if pixels.dtype == np.int16:
        return np.asarray(pixels.view(np.uint16) ^ SIGNED_OFFSET, np.uint16)
    if pixels.dtype == np.int8:
        return as_index(pixels.astype(np.int16))
    return pixels.astype(np.uint16, copy=False)


def display_table(
    mammogram: Mammogram, voi: Voi | None, *, inverted: bool = False
) -> NDArray[np.uint8]:
    """Gray for every stored value.

    Parameters
    ----------
    voi
        A window or VOI LUT; None: the full range of the format.
    inverted
        The reader's inversion, on top of the image's own photometric interpretation.

    Returns
    -------
    (65536,) uint8
        Indexed by `as_index`. Values outside the format take the gray of its nearest end.
    """
    form = mammogram.pixel_format
    stored = np.arange(form.lowest, form.highest + 1, dtype=np.float64)
    unit = voi_unit(modality_values(stored, mammogram), voi, mammogram)
    if mammogram.presentation_lut is not None:
        unit = _looked_up_unit(unit, mammogram.presentation_lut)
    elif mammogram.presentation_inverse:
        unit = 1 - unit
    # A presentation LUT shape or sequence already says what is black, PS3.3 C.11.6.1.2.
    if form.inverted and not mammogram.presentation_inverse:
        unit = 1 - unit
    if inverted:
        unit = 1 - unit
    gray = np.asarray(np.floor(unit * 255 + 0.5), np.uint8)
    _blacken_padding(gray, mammogram)
    return _spread(gray, form.lowest, form.highest, signed=form.signed)


def modality_values(stored: NDArray[np.float64], mammogram: Mammogram) -> NDArray[np.float64]:
    """Modality LUT (PS3.3 C.11.1) on stored values."""
    if isinstance(mammogram.modality, LookupTable):
        return _looked_up(stored, mammogram.modality).astype(np.float64)
    rescale: Rescale = mammogram.modality
    return stored * rescale.slope + rescale.intercept


def voi_unit(
    values: NDArray[np.float64], voi: Voi | None, mammogram: Mammogram
) -> NDArray[np.float64]:
    """VOI LUT (PS3.3 C.11.2) on modality values, scaled to 0..1."""
    if isinstance(voi, LookupTable):
        return _looked_up(values, voi) / float((1 << voi.bits) - 1)
    if voi is None:
        low, high = float(values.min()), float(values.max())
        return (values - low) / max(high - low, 1.0)
    return window_unit(values, voi)


def window_unit(values: NDArray[np.float64], window: Window) -> NDArray[np.float64]:
    """One of the three VOI functions: PS3.3 C.11.2.1.2.1, C.11.2.1.3.1, C.11.2.1.3.2.

    Returns
    -------
    float64
        In [0, 1].
    """
    center, width = window.center, window.width
    if window.function is VoiFunction.SIGMOID:
        return 1 / (1 + np.exp(np.clip(-4 * (values - center) / width, -700, 700)))
    if window.function is VoiFunction.LINEAR_EXACT:
        return np.clip((values - center) / width + 0.5, 0, 1)
    if width == 1:  # C.11.2.1.2.1: width 1 is a step
        return np.asarray(values > center - 0.5, np.float64)
    return np.clip((values - (center - 0.5)) / (width - 1) + 0.5, 0, 1)


def default_voi(mammogram: Mammogram, pixels: NDArray[np.generic] | None = None) -> Voi | None:
    """What the image is first shown with: its own first VOI, else a window over its breast.

    Parameters
    ----------
    pixels
        A copy at any size; needed only where the file has no window.
    """
    if mammogram.voi:
        return mammogram.voi[0]
    if pixels is None:
        return None
    sample = pixels.ravel()[:: max(1, pixels.size // 200_000)].astype(np.float64)
    values = modality_values(sample, mammogram)
    air_is_high = mammogram.pixel_format.inverted ^ (
        mammogram.intent is PresentationIntent.FOR_PROCESSING
    )
    low, high = np.percentile(values, (0.2, 96) if air_is_high else (4, 99.8))
    return Window(float(low + high) / 2, max(float(high - low), 2.0))


def _looked_up(values: NDArray[np.float64], table: LookupTable) -> NDArray[np.uint16]:
    index = np.clip(np.round(values) - table.first, 0, len(table.data) - 1)
    return table.data[index.astype(np.intp)]


def _looked_up_unit(unit: NDArray[np.float64], table: LookupTable) -> NDArray[np.float64]:
    """Presentation LUT: its input is the full range of the VOI's output, PS3.3 C.11.6.1.1."""
    index = np.floor(unit * (len(table.data) - 1) + 0.5).astype(np.intp)
    return table.data[index] / float((1 << table.bits) - 1)


def _blacken_padding(gray: NDArray[np.uint8], mammogram: Mammogram) -> None:
    if mammogram.padding is None:
        return
    lowest = mammogram.pixel_format.lowest
    first = max(mammogram.padding.low - lowest, 0)
    gray[first : max(mammogram.padding.high - lowest + 1, 0)] = 0


def _spread(
    gray: NDArray[np.uint8], lowest: int, highest: int, *, signed: bool
) -> NDArray[np.uint8]:
    offset = SIGNED_OFFSET if signed else 0
    table = np.empty(ENTRIES, np.uint8)
    table[: lowest + offset] = gray[0]
    table[lowest + offset : highest + offset + 1] = gray
    table[highest + offset + 1 :] = gray[-1]
    return table
