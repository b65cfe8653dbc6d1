"""What a model is given: one function for training and for use, with the exact way back."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.errors import UnsuitableImageError
from ml.mammo.codes import Laterality, PresentationIntent
from ml.mammo.geometry import Affine, Box
from ml.mammo.luts import modality_values
from ml.mammo.orient import to_upright
from ml.mammo.skin import Side, Skin, chest_wall_side, find_skin
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ml.mammo.mammogram import Mammogram


# Detectors of 0.1 mm say 0.0999 or 0.1001.
COARSER = 1.02


@dataclass(frozen=True, slots=True)
class PrepareSpec:
    """How an image is prepared; stands in a model's card and in its checkpoints.

    Attributes
    ----------
    rows, columns
        Size of the canvas.
    pixel_mm
        Images of known spacing are never shown finer than this.
    low_percentile, high_percentile
        Values in the breast that become 0 and 65535.
    """

    rows: int = 1024
    columns: int = 640
    pixel_mm: float = 0.2
    low_percentile: float = 0.5
    high_percentile: float = 99.7

    def to_json(self) -> dict[str, float | int]:
        """As a card holds it."""
        return asdict(self)

    @staticmethod
    def from_json(values: Mapping[str, float | int]) -> PrepareSpec:
        """Back from a card.

        Raises
        ------
        TypeError
            Where a name is unknown.
        """
        return PrepareSpec(**values)  # type: ignore[arg-type]


# What masses and what single specks of calcium are looked for at.
WHOLE = PrepareSpec()
FINE = PrepareSpec(rows=2048, columns=1280, pixel_mm=0.1)


@dataclass(frozen=True, slots=True)
class Wants:
    """What the models in use want to be given of an image.

    Attributes
    ----------
    whole
        The canvas of the detector and the classifier.
    intents
        The presentation intents that they may look at.
    fine
        A second canvas of finer pixels, made only of images that have them (`resolves`).
    """

    whole: PrepareSpec
    intents: tuple[PresentationIntent, ...]
    fine: PrepareSpec | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A breast on a model's canvas.

    Attributes
    ----------
    pixels : (spec.rows, spec.columns) uint16
        0 (air, canvas) to 65535; dense is bright; the chest wall at column 0, feet or the
        medial side down.
    to_stored
        From the canvas's (row, column) to the image's stored pixels.
    levels
        The values, after the modality LUT and so turned that dense is bright, that became 0
        and 65535.
    """

    pixels: NDArray[np.uint16]
    to_stored: Affine
    spec: PrepareSpec
    levels: tuple[float, float] = (0.0, 65535.0)


@dataclass(frozen=True, slots=True, eq=False)
class FineCanvas:
    """The same breast on a canvas of finer pixels than the whole one.

    Attributes
    ----------
    pixels : (rows, columns) uint16
        As those of `Prepared`.
    row_scale, column_scale
        Pixels of the whole canvas for one of this. Both show the same crop from the same
        corner, so nothing but a scale lies between them.
    """

    pixels: NDArray[np.uint16]
    row_scale: float
    column_scale: float


def fine_canvas(whole: Prepared, fine: Prepared | None) -> FineCanvas | None:
    """The finer of two canvases of one image, as it lies to the other."""
    if fine is None:
        return None
    between = fine.to_stored.then(whole.to_stored.inverse())
    return FineCanvas(fine.pixels, between.rr, between.cc)


def resolves(mammogram: Mammogram, spec: PrepareSpec) -> bool:
    """Whether the image's pixels are known to be as fine as a canvas asks for."""
    spacing = mammogram.spacing
    if spacing is None:
        return False
    return max(spacing.row_mm, spacing.column_mm) <= spec.pixel_mm * COARSER


def prepare(
    pixels: NDArray[np.generic],
    mammogram: Mammogram,
    spec: PrepareSpec,
    skin: Skin | None = None,
) -> Prepared:
    """Crop to the breast, turn, shrink and normalize.

    Parameters
    ----------
    pixels : (rows, columns) uint8, uint16 or int16
        Stored values at full size.
    skin
        Of these pixels, where it is known already.

    Raises
    ------
    UnsuitableImageError
        Where the image is blank.
    """
    skin = skin or find_skin(pixels, mammogram)
    turn = _chest_left(mammogram, skin)
    box = _whole_pixels(skin.breast)
    crop = pixels[int(box.row0) : int(box.row1), int(box.col0) : int(box.col1)]
    factor = _factor(crop.shape, mammogram, spec, swapped=turn.rr == 0)
    shrunk, to_crop = _shrunk(crop, factor)
    to_stored = to_crop.then(Affine.shift(box.row0, box.col0))
    values, levels = _normalized(_density(shrunk, mammogram), skin, to_stored, spec)
    # The same turns on the small array and in the affine, in whole steps, so both are exact.
    turned, to_shrunk = _turned(values, turn)
    canvas = np.zeros((spec.rows, spec.columns), np.uint16)
    rows, columns = min(turned.shape[0], spec.rows), min(turned.shape[1], spec.columns)
    canvas[:rows, :columns] = turned[:rows, :columns]
    return Prepared(canvas, to_shrunk.then(to_stored), spec, levels)


def prepare_for(
    pixels: NDArray[np.generic], mammogram: Mammogram, wants: Wants
) -> tuple[Prepared, Prepared | None]:
    """The whole canvas and, where it is wanted and the image resolves it, the fine one.

    Raises
    ------
    UnsuitableImageError
        Where the image is blank.
    """
    skin = find_skin(pixels, mammogram)
    whole = prepare(pixels, mammogram, wants.whole, skin)
    if wants.fine is None or not resolves(mammogram, wants.fine):
        return whole, None
    return whole, prepare(pixels, mammogram, wants.fine, skin)


def _whole_pixels(box: Box) -> Box:
    return Box(
        float(np.floor(box.row0)),
        float(np.floor(box.col0)),
        float(np.ceil(box.row1)),
        float(np.ceil(box.col1)),
    )


def _factor(
    shape: tuple[int, ...], mammogram: Mammogram, spec: PrepareSpec, *, swapped: bool
) -> float:
    """Canvas pixels a stored pixel: fits, is no finer than `pixel_mm`, never enlarges."""
    rows, columns = shape[::-1] if swapped else shape
    fit = min(spec.rows / rows, spec.columns / columns, 1.0)
    if mammogram.spacing is None:
        return fit
    return min(fit, mammogram.spacing.row_mm / spec.pixel_mm)


def _shrunk(crop: NDArray[np.generic], factor: float) -> tuple[NDArray[np.float32], Affine]:
    import cv2

    rows, columns = crop.shape
    size = (max(1, round(columns * factor)), max(1, round(rows * factor)))
    # uint16 and int16 are resized as they are (five times as fast as float32).
    small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)  # type: ignore[arg-type]
    to_crop = Affine.scale(rows / size[1], columns / size[0])
    return np.asarray(small, np.float32), to_crop


def _density(shrunk: NDArray[np.float32], mammogram: Mammogram) -> NDArray[np.float32]:
    """Modality values so turned that dense is bright, raw exposures on a logarithmic scale."""
    values = modality_values(shrunk, mammogram)
    if mammogram.intent is PresentationIntent.FOR_PROCESSING:
        return -np.log1p(np.maximum(values - min(float(values.min()), 0.0), 0))
    return -values if mammogram.pixel_format.inverted else values


def _normalized(
    values: NDArray[np.float32], skin: Skin, to_stored: Affine, spec: PrepareSpec
) -> tuple[NDArray[np.uint16], tuple[float, float]]:
    """Percentiles of the breast become 0 and 65535; outside it, and its rim, is 0."""
    import cv2

    to_mask = to_stored.then(skin.to_stored.inverse()).xy_matrix()
    inside = cv2.warpAffine(
        skin.tissue.astype(np.uint8),
        to_mask,
        values.shape[::-1],
        flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    sample = values[inside > 0]
    sample = sample if sample.size else values.ravel()
    low, high = np.percentile(sample[::5], (spec.low_percentile, spec.high_percentile))
    if not high > low:
        raise UnsuitableImageError(mark("The image is blank: there is nothing to analyze."))
    # The skin line of the small mask is a pixel or two too tight at the rim.
    rim = max(3, round(0.01 * max(values.shape)))
    kept = cv2.dilate(inside, np.ones((2 * rim + 1, 2 * rim + 1), np.uint8)) > 0
    unit = np.clip((values - low) / (high - low), 0, 1) * kept
    return np.asarray(np.round(unit * 65535), np.uint16), (float(low), float(high))


# How to bring each edge of the stored image to the left: turning parts only.
_TO_LEFT = {
    Side.LEFT: Affine(),
    Side.RIGHT: Affine(cc=-1.0),
    Side.TOP: Affine.transpose(),
    Side.BOTTOM: Affine(rr=-1.0).then(Affine.transpose()),
}


def _chest_left(mammogram: Mammogram, skin: Skin) -> Affine:
    """Upright, chest wall to the left; by the pixels where the header does not say."""
    side = mammogram.laterality.value if mammogram.laterality else None
    if mammogram.orientation is None or side not in (Laterality.RIGHT, Laterality.LEFT):
        return _TO_LEFT[chest_wall_side(skin) or Side.LEFT]
    turn = to_upright(mammogram)
    return turn.then(Affine(cc=-1.0)) if side is Laterality.RIGHT else turn


def _turned(values: NDArray[np.uint16], turn: Affine) -> tuple[NDArray[np.uint16], Affine]:
    """Apply the turning part of `turn`; return the array and the way back from it."""
    back = Affine()
    if turn.rr == 0:
        values, back = values.T, Affine.transpose()
        turn = Affine.transpose().then(turn)
    if turn.cc < 0:
        back = Affine.flip_columns(values.shape[1]).then(back)
        values = values[:, ::-1]
    if turn.rr < 0:
        back = Affine.flip_rows(values.shape[0]).then(back)
        values = values[::-1]
    return np.ascontiguousarray(values), back
