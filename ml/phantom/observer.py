"""How well anybody could see a lesion: d' of a model observer.

The non-prewhitening observer with an eye filter holds the lesion's expected signal against the
image and compares (Burgess 1994, J Opt Soc Am A 11:1237). In mammograms it follows readers
better than an observer that undoes the correlations of the tissue (Burgess 2001, Med Phys
28:419). It knows what it looks for and where, so it is a bound, not a reader.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
from scipy import fft
from scipy.stats import norm

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Map = NDArray[np.float32]
    Values = NDArray[np.float64]

# E(f) = f^1.3 exp(-c f^2), f in cycles a degree, with c so that the eye is best at 4
# (Burgess 1994; Richard and Siewerdsen 2008, Med Phys 35:5043). Its height cancels.
EYE_POWER, EYE_PEAK_PER_DEGREE = 1.3, 4.0
# An arm's length from the screen, as a reader sits.
VIEWING_MM = 500.0
# On the screen over on the detector: life size. Enlarged, the eye filter passes the fine edges
# that tissue lacks on average and its strands have, and lesions that nobody sees come out high.
MAGNIFICATIONS = (1.0,)
# Side of the patches for the background's spectrum: of the window's shorter side. Smaller ones
# scatter less but smear a steep spectrum: at 2/3, d' of a large lesion comes out 16 % low, at
# 0.8 9 %, at 1 4 % with a third more scatter.
PATCH_SHARE = 0.8
# Below so many periods a patch its window and the lost plane hide the power, and the first
# rings hold few waves: a power law is laid through them and goes on below, of an exponent
# that no breast exceeds (Burgess 1999: 1.5 to 3.5).
LEAST_PERIODS, FIT_RINGS, STEEPEST = 2.5, 8, 4.0
# Rings of the signal's spectrum over the step between its frequencies: fine enough to be exact.
RINGS_A_STEP = 4
# Patches with a larger share of air tell of the skin line, not of tissue.
MOST_AIR = 0.02


def detectability(
    signal: Map,
    background: Map,
    pixel_mm: float,
    *,
    tissue: NDArray[np.bool_] | None = None,
    viewing_mm: float = VIEWING_MM,
    magnifications: Sequence[float] = MAGNIFICATIONS,
) -> float:
    """D' of a lesion that is known exactly, in a background that is known statistically.

    d'^2 = (integral of |S|^2 E^2)^2 / integral of |S|^2 E^4 W, over spatial frequencies.

    Parameters
    ----------
    signal : (rows, columns) float32
        What the lesion changes, of any unit.
    background : (rows, columns) float32
        The same window without it, of the same unit: tissue and noise. It may be larger.
    pixel_mm
        On the detector.
    tissue : (rows, columns) bool, optional
        Of the background, where it is breast; patches that reach out of it are left out while
        there are others.
    viewing_mm
        From the eye to the screen.
    magnifications
        Size on the screen over size on the detector; the greatest d' counts.

    Returns
    -------
    float
        0 where nothing changes, infinite where nothing hides it.
    """
    if not np.any(signal):
        return 0.0
    frequency, energy = _energy(signal, pixel_mm)
    noise = power_at(frequency, *noise_power(background, pixel_mm, tissue))
    degree_mm = viewing_mm * np.pi / 180
    best = 0.0
    for magnification in magnifications:
        eye = eye_filter(frequency * degree_mm / magnification) ** 2
        shown, hidden = float(np.sum(energy * eye)), float(np.sum(energy * eye**2 * noise))
        best = max(best, shown / float(np.sqrt(hidden)) if hidden > 0 else float("inf"))
    return best


def found_by_search(d_prime: float, places: float, false_marks: float) -> float:
    """The chance that the observer finds a lesion when it is not told the place.

    It holds the signal against so many independent places of an image and marks each response
    over a threshold; the lesion's own is one of them (Swensson 1996, Med Phys 23:1709).

    Parameters
    ----------
    d_prime
        As `detectability` gives it.
    places
        For instance the breast's area over the lesion's.
    false_marks
        An image, in (0, places): this decides the threshold.
    """
    return float(norm.cdf(d_prime - norm.isf(false_marks / places)))


def eye_filter(per_degree: Values) -> Values:
    """The eye's response at spatial frequencies in cycles a degree; no unit."""
    fall = EYE_POWER / (2 * EYE_PEAK_PER_DEGREE**2)
    return np.asarray(per_degree**EYE_POWER * np.exp(-fall * per_degree**2), np.float64)


def noise_power(
    background: Map, pixel_mm: float, tissue: NDArray[np.bool_] | None = None
) -> tuple[Values, Values]:
    """Power spectrum of a background, the mean over directions and patches (Welch 1967).

    Returns
    -------
    (rings,) float64
        Frequencies, cycles a mm, rising.
    (rings,) float64
        Power, unit squared times mm squared.
    """
    side = max(8, round(PATCH_SHARE * min(background.shape)))
    side = _fast_length(min(side, *background.shape))
    edge = np.hanning(side + 2)[1:-1].astype(np.float32)
    window = edge[:, None] * edge[None, :]
    total = np.zeros((side, side // 2 + 1))
    patches = [
        background[place]
        for place in _places(background.shape, side)
        if tissue is None or np.mean(tissue[place]) >= 1 - MOST_AIR
    ] or [background[place] for place in _places(background.shape, side)]
    for patch in patches:
        total += np.abs(np.asarray(fft.rfft2(_flattened(patch, window) * window))) ** 2
    total *= pixel_mm**2 / (len(patches) * float(np.sum(window**2)))
    # Rings one step of frequency wide; each direction counts once, its mirror image too.
    steps = np.hypot(np.abs(fft.fftfreq(side, 1 / side))[:, None], np.arange(side // 2 + 1))
    ring = np.round(steps).astype(np.int64).ravel()
    count = np.bincount(ring)
    mean_step = np.bincount(ring, steps.ravel()) / count
    mean_power = np.bincount(ring, total.ravel()) / count
    known = mean_step >= LEAST_PERIODS
    return mean_step[known] / (side * pixel_mm), np.asarray(mean_power[known], np.float64)


def power_at(frequency: Values, rings: Values, power: Values) -> Values:
    """The spectrum at any frequency: a power law between rings, and one below the first few."""
    if not np.any(power > 0):
        return np.zeros_like(frequency)
    places = np.log(rings)
    logs = np.log(np.maximum(power, np.finfo(np.float64).tiny))
    wanted = np.log(np.maximum(frequency, 1e-6))
    floor, level, slope = _rise(rings, power)
    first = places <= places[min(FIT_RINGS, len(rings)) - 1]
    logs[first] = np.log(floor + np.exp(level + slope * places[first]))
    return np.asarray(
        np.where(
            wanted < places[0],
            floor + np.exp(level + slope * wanted),
            np.exp(np.interp(wanted, places, logs)),
        ),
        np.float64,
    )


def _rise(rings: Values, power: Values) -> tuple[float, float, float]:
    """Noise below, and the line through the logarithms of what the first rings hold over it."""
    first = slice(0, min(FIT_RINGS, len(rings)))
    floor = float(np.median(power[len(power) // 2 :]))
    mean = float(np.average(power[first], weights=rings[first]))
    if mean < 2 * floor:  # no tissue to speak of: what rises over noise is chance
        return mean, -np.inf, 0.0
    over = np.log(np.maximum(power[first] - floor, 0.05 * power[first]) + 1e-300)
    # A ring holds as many waves as it is long.
    weights, places = rings[first] / rings[first].sum(), np.log(rings[first])
    middle, level = float(weights @ places), float(weights @ over)
    spread = float(weights @ (places - middle) ** 2)
    slope = float(weights @ ((places - middle) * over)) / spread if spread else 0.0
    slope = float(np.clip(slope, -STEEPEST, 0))
    return floor, level - slope * middle, slope


def _energy(signal: Map, pixel_mm: float) -> tuple[Values, Values]:
    """Frequencies, cycles a mm, and |S|^2 integrated over a thin ring around each."""
    shape = tuple(cast("int", fft.next_fast_len(side, real=True)) for side in signal.shape)
    energy = np.abs(np.asarray(fft.rfft2(signal, shape))).astype(np.float64) ** 2
    last = -1 if shape[1] % 2 == 0 else None
    energy[:, 1:last] *= 2  # each mirrored pair stands here once
    energy *= pixel_mm**2 / (shape[0] * shape[1])
    frequency = np.hypot(
        fft.fftfreq(shape[0], pixel_mm)[:, None], fft.rfftfreq(shape[1], pixel_mm)
    )
    thin = 1 / (RINGS_A_STEP * max(shape) * pixel_mm)
    ring = (frequency / thin).astype(np.int32).ravel()
    count = np.bincount(ring)
    held = count > 0
    middle = np.bincount(ring, frequency.ravel())[held] / count[held]
    return middle, np.asarray(np.bincount(ring, energy.ravel())[held], np.float64)


def _fast_length(most: int) -> int:
    """The longest that is transformed fast."""
    return next(n for n in range(most, 0, -1) if fft.next_fast_len(n, real=True) == n)


def _places(shape: tuple[int, ...], side: int) -> Iterator[tuple[slice, slice]]:
    """Squares half over each other, the last flush with the end."""
    for row in _starts(shape[0], side):
        for column in _starts(shape[1], side):
            yield slice(row, row + side), slice(column, column + side)


def _starts(length: int, side: int) -> list[int]:
    count = 1 + int(np.ceil((length - side) / max(side / 2, 1)))
    return [int(n) for n in np.round(np.linspace(0, length - side, count))]


def _flattened(patch: Map, window: Map) -> Map:
    """The patch less the plane that fits it best under the window."""
    rows, columns = (np.linspace(-1, 1, n, dtype=np.float32) for n in patch.shape)
    # The window is even in both directions, so mean and slopes are found apart.
    weighted = (patch - patch.mean()) * window
    mean = float(weighted.sum() / window.sum())
    fall = float(rows @ weighted.sum(1)) / float(rows**2 @ window.sum(1))
    rise = float(weighted.sum(0) @ columns) / float(columns**2 @ window.sum(0))
    plane = mean + fall * rows[:, None] + rise * columns[None, :]
    return np.asarray(patch - patch.mean() - plane, np.float32)
