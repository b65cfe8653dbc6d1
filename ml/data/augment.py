"""Changes that leave a lesion what it is: other positions, other machines, other films.

The whole geometry (flips, rotation, zoom, shift, elastic deformation) is one map of the plane
and costs one interpolation. Boxes go through the same map.

A box says how far a lesion reaches, not that it fills the corners. The upright box around a
square that is turned by 20 degrees is larger by two thirds; so the ellipse inscribed in the box
is moved and its extent taken, which is exact for upright ovals and for boxes that are not
turned. Where the lesion's outline is known, `Warp.extent` of it is exact for any shape.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml.mammo.geometry import Affine, Box

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEVELS = 65536
# Points on an ellipse: its extent is too small by less than 0.04 % of its radius.
OUTLINE_POINTS = 128
# The displacement's slope stays below a third, so ten steps end within 0.001 px of a hit.
INVERSE_STEPS = 10
MOST_ELASTIC_SHARE = 1 / 12


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How far each change may go; each is drawn evenly from minus to plus its range.

    Attributes
    ----------
    rotation_deg
        About the crop's middle.
    flip_rows, flip_columns
        Probability of a mirror image, top to bottom and left to right.
    zoom
        Range of the zoom's logarithm.
    shift_px
        In both directions, in pixels of the crop.
    elastic_px, elastic_cell_px
        Largest control displacement, and the distance between control points.
    elastic_share, blur_share
        Probability of a deformation and of a blur.
    gamma, gain
        Range of the logarithms.
    offset
        Added to grey levels in 0..1.
    curve
        Strength of a smooth monotone tone curve, below 1.
    blur_px
        Largest standard deviation of a blur.
    noise
        Largest standard deviation of the grain; drawn from 0.
    """

    rotation_deg: float = 15.0
    flip_rows: float = 0.5
    flip_columns: float = 0.0
    zoom: float = 0.25
    shift_px: float = 0.0
    elastic_px: float = 6.0
    elastic_cell_px: float = 128.0
    elastic_share: float = 0.5
    gamma: float = 0.3
    gain: float = 0.05
    offset: float = 0.02
    curve: float = 0.2
    blur_px: float = 1.0
    blur_share: float = 0.3
    noise: float = 0.02

    def __post_init__(self) -> None:
        if self.elastic_px > self.elastic_cell_px * MOST_ELASTIC_SHARE:
            raise ValueError("the elastic deformation would fold the image")
        if not 0 <= self.curve < 1:
            raise ValueError("the tone curve would not be monotone")


NONE = Augmentation(0, 0, 0, 0, 0, 0, 128, 0, 0, 0, 0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Warp:
    """One map from an image to a crop of it.

    Attributes
    ----------
    affine
        From the image to the crop, before the deformation.
    field : (rows, columns, 2) float32 or None
        Where crop pixel p shows the image at ``affine^-1(p + field(p))``; row, then column.
    """

    affine: Affine
    rows: int
    columns: int
    field: NDArray[np.float32] | None = None

    def pixels(self, image: NDArray[np.uint16]) -> NDArray[np.uint16]:
        """The crop, by one linear interpolation; air (0) outside the image."""
        size = (self.columns, self.rows)
        if self.field is None:
            return np.asarray(
                cv2.warpAffine(image, self.affine.xy_matrix(), size, flags=cv2.INTER_LINEAR),
                np.uint16,
            )
        x, y = self._image_points(self.affine.inverse(), self.field)
        return np.asarray(cv2.remap(image, x, y, cv2.INTER_LINEAR), np.uint16)

    def box(self, box: Box) -> Box:
        """Extent of the lesion in a box, taken as the ellipse inscribed in it; not clipped."""
        angle = np.linspace(0, 2 * np.pi, OUTLINE_POINTS, endpoint=False)
        (row, column), (height, width) = box.center, box.size
        return self.extent(
            np.stack(
                [row + height / 2 * np.sin(angle), column + width / 2 * np.cos(angle)], axis=1
            )
        )

    def extent(self, outline: NDArray[np.floating]) -> Box:
        """The upright box around where an outline goes; not clipped.

        Parameters
        ----------
        outline : (n, 2)
            Rows and columns of the lesion's edge in the image.
        """
        moved = self.points(outline)
        low, high = moved.min(axis=0), moved.max(axis=0)
        return Box(float(low[0]), float(low[1]), float(high[0]), float(high[1]))

    def points(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Where points (n, 2) of the image lie in the crop."""
        a = self.affine
        linear, start = np.array([[a.rr, a.rc], [a.cr, a.cc]]), np.array([a.r0, a.c0])
        goal = np.asarray(points, np.float64) @ linear.T + start
        if self.field is None:
            return goal
        moved = goal
        for _ in range(INVERSE_STEPS):
            moved = goal - self._displacement(self.field, moved)
        return moved

    def _displacement(
        self, displacement: NDArray[np.float32], points: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """The field between its pixels; beyond the crop it goes on as at its edge."""
        x = (points[None, :, 1] - 0.5).astype(np.float32)
        y = (points[None, :, 0] - 0.5).astype(np.float32)
        found = cv2.remap(displacement, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(found[0], np.float64)

    def _image_points(
        self, back: Affine, displacement: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        f = np.float32
        middles = (
            np.arange(self.rows, dtype=f) + f(0.5),
            np.arange(self.columns, dtype=f) + f(0.5),
        )
        rows = np.asarray(displacement[..., 0] + middles[0][:, None], f)
        columns = np.asarray(displacement[..., 1] + middles[1], f)
        y = rows * f(back.rr)
        y += columns * f(back.rc)
        y += f(back.r0 - 0.5)
        # In place, as above: new arrays of this size cost as much as the sums.
        rows *= f(back.cr)
        columns *= f(back.cc)
        rows += columns
        rows += f(back.c0 - 0.5)
        return rows, y


@dataclass(frozen=True, slots=True)
class Tone:
    """How grey levels change; drawn once for a crop.

    Attributes
    ----------
    waves
        Weights of the tone curve's sines; their magnitudes add up to less than 1.
    """

    gamma: float = 1.0
    gain: float = 1.0
    offset: float = 0.0
    waves: tuple[float, float] = field(default=(0.0, 0.0))
    blur_px: float = 0.0
    noise: float = 0.0

    def table(self) -> NDArray[np.float32]:
        """The tone of each of 65536 levels: one look-up keeps the full depth and is quick."""
        level = _levels()
        # Slope 1 + sum a cos(k pi x) > 0: rising from 0 to 1 whatever the weights.
        curved = level.copy()
        for number, weight in enumerate(self.waves, 1):
            if weight:
                turn = np.float32(number * np.pi)
                curved += np.float32(weight) / turn * _sine(number)
        toned = np.maximum(curved, 0) ** np.float32(self.gamma)
        return toned * np.float32(self.gain) + np.float32(self.offset)

    def apply(
        self, pixels: NDArray[np.uint16], rng: np.random.Generator
    ) -> NDArray[np.float32]:
        """In 0..1; air stays 0."""
        toned = np.asarray(cv2.LUT(pixels, self.table()), np.float32)
        if self.blur_px:
            toned = np.asarray(cv2.GaussianBlur(toned, (0, 0), self.blur_px), np.float32)
        if self.noise:
            grain = rng.standard_normal(toned.shape, dtype=np.float32)
            grain *= np.float32(self.noise)
            toned += grain
        np.clip(toned, 0, 1, out=toned)
        toned[pixels == 0] = 0
        return toned


@cache
def _levels() -> NDArray[np.float32]:
    return np.linspace(0, 1, LEVELS, dtype=np.float32)


@cache
def _sine(number: int) -> NDArray[np.float32]:
    """Of every level, so many half turns: the same for all crops, and dear."""
    return np.sin(np.float32(number * np.pi) * _levels())


def draw_warp(
    augmentation: Augmentation,
    rng: np.random.Generator,
    center: tuple[float, float],
    rows: int,
    columns: int,
) -> Warp:
    """Draw the geometry of a crop about a place in the image.

    Parameters
    ----------
    center
        Row and column that come to the crop's middle, but for the shift.
    rows, columns
        Size of the crop.
    """
    a = augmentation
    zoom = float(np.exp(rng.uniform(-a.zoom, a.zoom)))
    up, across = (-zoom if rng.random() < p else zoom for p in (a.flip_rows, a.flip_columns))
    angle = np.deg2rad(rng.uniform(-a.rotation_deg, a.rotation_deg))
    cos, sin = float(np.cos(angle)), float(np.sin(angle))
    move = rng.uniform(-a.shift_px, a.shift_px, 2)
    affine = (
        Affine.shift(-center[0], -center[1])
        .then(Affine(rr=up, cc=across))
        .then(Affine(rr=cos, rc=-sin, cr=sin, cc=cos))
        .then(Affine.shift(rows / 2 + float(move[0]), columns / 2 + float(move[1])))
    )
    return Warp(affine, rows, columns, _draw_field(a, rng, rows, columns))


def draw_tone(augmentation: Augmentation, rng: np.random.Generator) -> Tone:
    """Draw what differs between makers and scanners."""
    a = augmentation
    gamma, gain = np.exp(rng.uniform(-a.gamma, a.gamma)), np.exp(rng.uniform(-a.gain, a.gain))
    offset = rng.uniform(-a.offset, a.offset)
    first, second = rng.uniform(-a.curve / 2, a.curve / 2, 2)
    blurred, blur = rng.random() < a.blur_share, rng.uniform(0.4 * a.blur_px, a.blur_px)
    noise = rng.uniform(0, a.noise)
    return Tone(
        float(gamma),
        float(gain),
        float(offset),
        (float(first), float(second)),
        float(blur) if blurred else 0.0,
        float(noise),
    )


def _draw_field(
    a: Augmentation, rng: np.random.Generator, rows: int, columns: int
) -> NDArray[np.float32] | None:
    if not rng.random() < a.elastic_share or not a.elastic_px:
        return None
    across = (int(rows // a.elastic_cell_px) + 2, int(columns // a.elastic_cell_px) + 2)
    control = rng.uniform(-a.elastic_px, a.elastic_px, (*across, 2)).astype(np.float32)
    # Control points at the least distance or more: drawn on the larger grid, then cut.
    size = (round(across[1] * a.elastic_cell_px), round(across[0] * a.elastic_cell_px))
    smooth = cv2.resize(control, size, interpolation=cv2.INTER_CUBIC)
    return np.asarray(smooth[:rows, :columns], np.float32)
