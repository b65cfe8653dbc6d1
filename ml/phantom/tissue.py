"""What the breast is made of: glandular lobes, and the ligaments that run through fat."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np
from scipy import fft

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.phantom.outline import Frame, Map, Outline

# Width of the step from fat to gland: beams cross both, so few are all of one.
SOFTNESS = 0.52
# The polar fields: so many rows (distance) and columns (angle) for so many mm and radians, on
# images of this pixel size and finer.
FINE_MM = 0.2
POLAR_ROWS, POLAR_COLUMNS = 640, 1280
POLAR_MM, POLAR_RADIANS = 320.0, 2.6
# Sheets of ligaments that a beam crosses, each with its own run.
SHEETS = 9
# Steep: ligaments curve, they do not tremble.
BEND_BETA = 5.0


def power_law_noise(
    shape: tuple[int, ...],
    beta: float,
    pixel_mm: float,
    rng: np.random.Generator,
    *,
    stretch: float = 1.0,
) -> Map:
    """Noise of power spectrum 1/f**beta, mean 0, deviation 1 (Burgess 2001: beta near 3).

    Below 0.02 cycles a mm the spectrum is flat, so that the largest lumps stay inside a breast.

    Parameters
    ----------
    stretch
        Lumps are so many times as long down the rows as across.
    """
    rows, columns = (cast("int", fft.next_fast_len(n, real=True)) for n in shape)
    white = rng.standard_normal((rows, columns), dtype=np.float32)
    spectrum = np.asarray(fft.rfft2(white)) * _filter(rows, columns, beta, pixel_mm, stretch)
    noise = np.asarray(fft.irfft2(spectrum, (rows, columns)))[: shape[0], : shape[1]]
    noise -= noise.mean()
    noise /= noise.std()
    return np.asarray(noise, np.float32)


# A view asks for the same few filters again and again.
@lru_cache(maxsize=24)
def _filter(rows: int, columns: int, beta: float, pixel_mm: float, stretch: float) -> Map:
    fy = fft.fftfreq(rows, pixel_mm)[:, None].astype(np.float32) * stretch
    fx = fft.rfftfreq(columns, pixel_mm)[None, :].astype(np.float32)
    return np.asarray(np.maximum(np.hypot(fy, fx), 0.02) ** (-beta / 2), np.float32)


def draw_glandular(
    frame: Frame, outline: Outline, muscle: Map, fraction: float, rng: np.random.Generator
) -> Map:
    """Share of glandular tissue along each beam, 0 to 1, of the given mean over the breast.

    Isotropic and nipple-radial power-law noise under an envelope behind the nipple, with the
    scalloped edge that Cooper's ligaments give the gland.
    """
    down, inward = _from_nipple(frame, outline.nipple_mm)
    angle, distance = np.arctan2(down, np.maximum(inward, 1e-3)), np.hypot(down, inward)
    lumps = power_law_noise(frame.shape, 3.4, frame.pixel_mm, rng)
    bend = 4.5 * power_law_noise(frame.shape, BEND_BETA, frame.pixel_mm, rng)
    radial = np.zeros(frame.shape, np.float32)
    for _ in range(2):
        noise = power_law_noise(_polar_shape(frame), 3.0, 0.5, rng, stretch=5.0)
        radial += _in_polar(noise, *_towards_apex(frame, outline, bend, rng)) / np.float32(1.4)
    spread, reach = rng.uniform(0.6, 0.95), rng.uniform(28, 42)
    tilt = rng.normal(0, 0.12)
    cone = np.exp(-(((angle - tilt) / spread) ** 2)) * np.exp(
        -(((distance - reach) / reach) ** 2)
    )
    under_skin = np.clip((outline.depth_mm - 5) / rng.uniform(6, 11), 0, 1) - 1
    field = 0.5 * lumps + 0.65 * radial + 2.4 * cone + 1.8 * under_skin - 3 * muscle
    tissue = outline.depth_mm > 0
    # A fatty breast has thin lobes: few of its beams cross much gland.
    most = min(max(0.5 + 1.8 * fraction, 0.6), 1.0)
    return most * _with_fraction(field, tissue, fraction / most) * tissue


def draw_ligaments(
    frame: Frame, outline: Outline, glandular: Map, rng: np.random.Generator
) -> Map:
    """Extra path through ligaments, mm of glandular tissue: thin crossing lines in sheets.

    A sheet seen on edge is a line: where smooth noise, stretched along the way to the nipple,
    crosses zero. The sheets of a breast meet the skin at other places, so each has an apex of
    its own in front of the nipple.
    """
    total = np.zeros(frame.shape, np.float32)
    bend = 4.5 * power_law_noise(frame.shape, BEND_BETA, frame.pixel_mm, rng)
    for _ in range(SHEETS):
        sheet = _in_polar(
            _lines(_polar_shape(frame), rng), *_towards_apex(frame, outline, bend, rng)
        )
        total += sheet * float(rng.uniform(0.8, 2.2))
    # Quiet in some parts of the breast and busy in others, most of all where there is gland.
    slow = np.exp(0.6 * power_law_noise(frame.shape, 4.5, frame.pixel_mm, rng))
    amount = (0.5 + 0.5 * np.clip(glandular * 2.2, 0, 1)) * np.clip(slow, 0.3, 2.5)
    reach = np.clip((outline.depth_mm - 1.5) / 4, 0, 1)
    return np.asarray(total * amount * reach, np.float32)


def _towards_apex(
    frame: Frame, outline: Outline, bend: Map, rng: np.random.Generator
) -> tuple[Map, Map]:
    """Angle and distance from a point some way in front of the nipple, bent by `bend` (mm)."""
    y, x = outline.nipple_mm
    apex = (y + float(rng.normal(0, 35)), x + float(rng.uniform(30, 130)))
    down, inward = _from_nipple(frame, apex)
    down = down + bend * float(rng.normal(0, 1.0))
    inward = np.maximum(inward, 1e-3)
    return np.arctan2(down, inward), np.hypot(down, inward)


def _polar_shape(frame: Frame) -> tuple[int, int]:
    """Cells of a polar field: fewer for a coarse image, which shows no finer."""
    share = min(FINE_MM / frame.pixel_mm, 1.0)
    return round(POLAR_ROWS * share), round(POLAR_COLUMNS * share)


def _lines(shape: tuple[int, int], rng: np.random.Generator) -> Map:
    """Lines of uneven strength: the zero crossings of noise, in polar form."""
    stretch = float(rng.integers(3, 8))
    noise = power_law_noise(shape, 2.4, 0.5, rng, stretch=stretch)
    strength = power_law_noise(shape, 2.6, 0.5, rng, stretch=2.0)
    # Divided by its slope, so that every line has the same width however steep the noise is.
    slope = np.abs(cv2.Sobel(noise, cv2.CV_32F, 1, 0, ksize=3, scale=0.125)) + 0.01
    width = rng.uniform(0.8, 1.8)
    return np.asarray(
        np.exp(-((noise / slope / width) ** 2)) * np.clip(1.3 * strength, 0, 3), np.float32
    )


def _from_nipple(frame: Frame, place_mm: tuple[float, float]) -> tuple[Map, Map]:
    """Distance down from a place, and inward from it, mm."""
    return frame.y - np.float32(place_mm[0]), np.float32(place_mm[1]) - frame.x


def _in_polar(polar: Map, angle: Map, distance: Map) -> Map:
    """Take values of a field given over distance (rows) and angle (columns)."""
    most_row, most_column = polar.shape[0] - 1, polar.shape[1] - 1
    columns = (angle + POLAR_RADIANS / 2) * np.float32(most_column / POLAR_RADIANS)
    rows = np.broadcast_to(distance * np.float32(most_row / POLAR_MM), angle.shape)
    return np.asarray(
        cv2.remap(
            polar,
            np.ascontiguousarray(columns, np.float32),
            np.ascontiguousarray(rows, np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        ),
        np.float32,
    )


def _with_fraction(
    field: Map | NDArray[np.float64], inside: NDArray[np.bool_], fraction: float
) -> Map:
    """Squash a field to 0..1 so that its mean inside is `fraction`, by bisection."""
    sample = field[inside][::7]
    low, high = float(sample.min()) - 4, float(sample.max()) + 4
    offset = (low + high) / 2
    for _ in range(30):
        offset = (low + high) / 2
        mean = float(np.mean(1 / (1 + np.exp(-(sample - offset) / SOFTNESS))))
        low, high = (offset, high) if mean > fraction else (low, offset)
    return np.asarray(
        1 / (1 + np.exp(-np.clip((field - offset) / SOFTNESS, -30, 30))), np.float32
    )
