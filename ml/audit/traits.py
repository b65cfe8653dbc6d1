"""How an image was made, in some dozens of numbers: what a source can be told by.

Grays, the spectrum, noise and quantisation of what is visible; patches never touch what is
hidden.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Image = NDArray[np.float32]
    Corner = tuple[int, int]

PATCH_PX = 64
MOST_PATCHES = 8
BANDS = 12
PERCENTILES = (2, 10, 25, 50, 75, 90, 98)
BLOCK = 8
FLAT = 1e-9
NAN = float("nan")


def traits(
    image: Image, seen: NDArray[np.bool_], stored: Sequence[NDArray[np.generic]]
) -> NDArray[np.float64]:
    """All of them, always in the same order; NaN for what an image does not say.

    Parameters
    ----------
    image : (rows, columns) float32
        `ml.audit.hiding.hide`.
    seen : (rows, columns) bool
        Visible breast.
    stored
        Square pieces of the stored pixels where `patches` lie.
    """
    pieces = [image[r : r + PATCH_PX, c : c + PATCH_PX] for r, c in patches(seen)]
    return np.array(
        [
            *_grays(image, seen),
            *_averaged([spectrum(piece) for piece in pieces], BANDS),
            *_averaged([_noise(piece) for piece in pieces], 5),
            *_averaged([_storage(piece) for piece in stored], 5),
            *_averaged([_noise(_unit(piece)) for piece in stored], 5),
            *_averaged([spectrum(_unit(piece)) for piece in stored], BANDS),
        ]
    )


def patches(seen: NDArray[np.bool_]) -> list[Corner]:
    """The corners of up to 8 squares that are visible breast all over, spread out."""
    many = cv2.integral(seen.astype(np.uint8))
    whole = (
        many[PATCH_PX:, PATCH_PX:]
        - many[:-PATCH_PX, PATCH_PX:]
        - many[PATCH_PX:, :-PATCH_PX]
        + many[:-PATCH_PX, :-PATCH_PX]
    ) == PATCH_PX**2
    step = PATCH_PX // 4
    corners = [(int(r), int(c)) for r, c in np.argwhere(whole[::step, ::step]) * step]
    chosen = np.linspace(0, len(corners) - 1, min(MOST_PATCHES, len(corners)))
    return [corners[round(at)] for at in chosen]


def spectrum(piece: NDArray[np.floating]) -> list[float]:
    """The log of the power in rings of frequency, the mean of all taken out (Hann window)."""
    side = min(piece.shape)
    window = np.hanning(side)
    waves = np.fft.fftshift(
        np.fft.fft2((piece[:side, :side] - piece.mean()) * np.outer(window, window))
    )
    power = np.log10(np.abs(waves) ** 2 + 1e-12)
    rows, columns = np.ogrid[:side, :side]
    ring = (np.hypot(rows - side // 2, columns - side // 2) * 2 * BANDS / side).astype(int)
    inside = (ring < BANDS) & (ring >= 0)
    sums = np.bincount(ring[inside], power[inside], BANDS)
    # A very small piece has rings without any frequency.
    each = sums / np.maximum(np.bincount(ring[inside], minlength=BANDS), 1)
    return list(each - each.mean())


def _grays(image: Image, seen: NDArray[np.bool_]) -> list[float]:
    values = image[seen]
    if not values.size:
        return [NAN] * (len(PERCENTILES) + 5)
    mean, deviation = float(values.mean()), max(float(values.std()), 1e-6)
    skewness = float((((values - mean) / deviation) ** 3).mean())
    rows, columns = np.count_nonzero(seen.any(1)), np.count_nonzero(seen.any(0))
    return [
        *np.percentile(values, PERCENTILES),
        mean,
        deviation,
        skewness,
        float(np.log(rows)),
        float(np.log(columns)),
    ]


def _noise(piece: NDArray[np.floating]) -> list[float]:
    """What is left without the smooth part: its strength, its tails and how far it reaches."""
    high = piece - cv2.GaussianBlur(np.asarray(piece, np.float32), (0, 0), 1.5)
    spread = max(float(high.std()), FLAT)
    if spread == FLAT:
        # Nothing is left: that says how strong it is, and nothing of its form.
        return [float(np.log10(spread)), *[NAN] * 4]
    unit = high / spread
    return [
        float(np.log10(spread)),
        float(np.log(np.mean(unit**4))),
        float(np.mean(unit[1:] * unit[:-1])),
        float(np.mean(unit[:, 1:] * unit[:, :-1])),
        float(np.mean(unit[:, 2:] * unit[:, :-2])),
    ]


def _storage(piece: NDArray[np.generic]) -> list[float]:
    """Levels in use, gaps between them, and steps at every eighth row and column (JPEG)."""
    levels = np.unique(piece)
    gaps = np.diff(levels.astype(np.float64))
    values = piece.astype(np.float64)
    return [
        float(np.log2(len(levels))),
        float(np.log2(np.median(gaps))) if gaps.size else 0.0,
        float(np.mean(np.mod(values, 16) == 0)),
        _steps(values),
        _steps(values.T),
    ]


def _steps(values: NDArray[np.float64]) -> float:
    """How much larger steps are across the most stepped eighth row than across the others."""
    steps = np.abs(np.diff(values, axis=0)).mean(1)
    if len(steps) < 2 * BLOCK:
        return 0.0
    each = [float(steps[at::BLOCK].mean()) for at in range(BLOCK)]
    return float(np.log((max(each) + 1e-9) / (np.median(each) + 1e-9)))


def _unit(piece: NDArray[np.generic]) -> NDArray[np.float32]:
    values = np.asarray(piece, np.float32)
    return (values - values.mean()) / max(float(values.std()), 1e-6)


def _averaged(found: Sequence[Sequence[float]], count: int) -> list[float]:
    """The mean of each trait over the pieces that have it."""
    if not found:
        return [NAN] * count
    values = np.array(found)
    known = np.isfinite(values)
    counts = known.sum(0)
    sums = np.where(known, values, 0).sum(0)
    return list(np.where(counts > 0, sums / np.maximum(counts, 1), NAN))
