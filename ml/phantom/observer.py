"""How well anybody could see a lesion: d' of a model observer.

The non-prewhitening observer with an eye filter holds the lesion's expected signal against the
image and compares (Burgess 1994; in mammograms it predicts radiologists better than an observer
that undoes the correlations of the tissue, Burgess 2001).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
from scipy import fft

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Map = NDArray[np.float32]

# The eye is best at 4 cycles a degree: E(f) = f^1.3 exp(-c f^2) (Burgess 1994, as
# Richard and Siewerdsen 2008 use it), half a metre from the screen.
EYE_POWER, EYE_PEAK_PER_DEGREE = 1.3, 4.0
DEGREE_MM = 500.0 * np.pi / 180
# A reader enlarges what is small: the best of these is what she can reach.
MAGNIFICATIONS = (1.0, 2.0, 4.0)


def detectability(signal: Map, background: Map, pixel_mm: float) -> float:
    """D' of a lesion that is known exactly, in a background that is known statistically.

    d'^2 = (integral of |S|^2 E^2)^2 / integral of |S|^2 E^4 W, over spatial frequencies.

    Parameters
    ----------
    signal : (rows, columns) float32
        What the lesion changes, of any unit.
    background : (rows, columns) float32
        The same window without it, of the same unit: tissue and noise.
    pixel_mm
        On the detector; the screen shows it in life size times each of `MAGNIFICATIONS`.

    Returns
    -------
    float
        0 where nothing changes.
    """
    if not np.any(signal):
        return 0.0
    shape = tuple(cast("int", fft.next_fast_len(side)) for side in signal.shape)
    energy = np.abs(np.asarray(fft.fft2(signal, shape))) ** 2 * pixel_mm**4
    noise = _power(background, shape, pixel_mm)
    frequency = np.hypot(
        fft.fftfreq(shape[0], pixel_mm)[:, None], fft.fftfreq(shape[1], pixel_mm)[None, :]
    )
    cell = 1 / (shape[0] * shape[1] * pixel_mm**2)
    return max(
        float(np.sqrt(cell) * _ratio(energy, noise, _eye(frequency / zoom)))
        for zoom in MAGNIFICATIONS
    )


def _power(background: Map, shape: tuple[int, ...], pixel_mm: float) -> NDArray[np.float64]:
    """Power spectrum, unit squared times mm squared, under a Hann window in the middle."""
    rows, columns = background.shape
    window = np.outer(np.hanning(rows + 2)[1:-1], np.hanning(columns + 2)[1:-1])
    values = (background - np.average(background, weights=window)) * window
    power = np.abs(np.asarray(fft.fft2(values, shape))) ** 2
    return np.asarray(power * pixel_mm**2 / np.sum(window**2), np.float64)


def _eye(per_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    per_degree = per_mm * DEGREE_MM
    fall = EYE_POWER / (2 * EYE_PEAK_PER_DEGREE**2)
    return np.asarray(per_degree**EYE_POWER * np.exp(-fall * per_degree**2), np.float64)


def _ratio(
    energy: NDArray[np.float64], noise: NDArray[np.float64], eye: NDArray[np.float64]
) -> float:
    return float(np.sum(energy * eye**2) / np.sqrt(np.sum(energy * eye**4 * noise)))
