"""From stored values to gray, by the standard, as one table of 65,536 entries.

Order of PS3.4 N.2: modality LUT, VOI LUT, presentation LUT; then MONOCHROME1 and the reader's
inversion; padding is black whatever else is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from ml.mammo.codes import VoiFunction
from ml.mammo.mammogram import LookupTable, Rescale, Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.mammo.mammogram import Mammogram, Voi

Real = TypeVar("Real", np.float32, np.float64)

ENTRIES = 65536
SIGNED_OFFSET = 32768
# Values of the breast between which an image without a window of its own is shown.
WINDOW_PERCENTILES = (1.0, 99.8)


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


def modality_values(stored: NDArray[Real], mammogram: Mammogram) -> NDArray[Real]:
    """Modality LUT (PS3.3 C.11.1) on stored values, in the floating type that comes in."""
    if isinstance(mammogram.modality, LookupTable):
        return _looked_up(stored, mammogram.modality).astype(stored.dtype)
    rescale: Rescale = mammogram.modality
    return np.asarray(stored * rescale.slope + rescale.intercept, stored.dtype)


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


def default_voi(
    mammogram: Mammogram, pixels: NDArray[np.generic] | None = None, frame: int = 0
) -> Voi | None:
    """What the image is first shown with: its own first VOI, else a window over its breast.

    Parameters
    ----------
    pixels : (rows, columns) uint8, uint16 or int16
        A copy at any size; needed only where the file has no window.
    frame
        Counted from 0; a frame's own windows come first.

    Returns
    -------
    Window, LookupTable or None
        None (the full range) where neither file nor pixels say better.
    """
    own = mammogram.frame_voi[frame] if frame < len(mammogram.frame_voi) else ()
    if own or mammogram.voi:
        return (own or mammogram.voi)[0]
    if pixels is None:
        return None
    values = modality_values(_breast_sample(pixels, mammogram), mammogram)
    low, high = (float(v) for v in np.percentile(values, WINDOW_PERCENTILES))
    return Window((low + high) / 2, max(high - low, 2.0))


def _breast_sample(pixels: NDArray[np.generic], mammogram: Mammogram) -> NDArray[np.float64]:
    """Stored values of the breast, thinned out."""
    import cv2

    from ml.mammo.skin import find_skin

    step = max(1, max(pixels.shape) // 1024)
    thin = pixels[::step, ::step]
    tissue = find_skin(pixels, mammogram).tissue.astype(np.uint8)
    # Without the rim, which is half air.
    tissue = cv2.erode(tissue, np.ones((7, 7), np.uint8))
    inside = cv2.resize(tissue, thin.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
    return (thin[inside] if inside.any() else thin).ravel().astype(np.float64)


def _looked_up(values: NDArray[Real], table: LookupTable) -> NDArray[np.uint16]:
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
