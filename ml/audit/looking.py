"""Look at images: once at all of them for leaks, once at some with their lesions hidden."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml.audit.hiding import Breast, cover, hidden_box, hide
from ml.audit.traits import PATCH_PX, patches, traits
from ml.data.duplicates import VIEW_SIDE
from ml.errors import DataError, MammoError
from ml.mammo.geometry import Affine, Box
from ml.mammo.mammogram import Mammogram
from ml.mammo.pixels import read_pixels
from ml.mammo.prepare import WHOLE, prepare
from ml.mammo.read import read_mammogram
from ml.manifest import ManifestRow, edited_box
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from ml.audit.hiding import Place
    from ml.control import Control
    from ml.mammo.prepare import Prepared
    from ml.manifest import Manifest

Stored = np.ndarray[tuple[int, ...], np.dtype[np.generic]]
# Where a row's image comes from: its stored pixels, one frame, and its header.
Read = Callable[[ManifestRow], tuple[Stored, Mammogram]]
# A frozen network: from images in 0..1, all of one size, to numbers each.
See = Callable[[Sequence["NDArray[np.float32]"]], "NDArray[np.float64]"]

PIXELS, NETWORK = "grays, spectrum and noise", "a network that knows photographs"
AT_ONCE = 16
# A quarter of the canvas, 0.8 mm: the network sees the whole breast, the traits the fine grain.
NETWORK_SIZE = (256, 160)
# What is seen of an image through the one codec: half the canvas, 8 bits, JPEG.
CODEC_QUALITY = 75
# Above this, of 255, a pixel is breast: JPEG rings into the air.
CODEC_AIR = 8


@dataclass(frozen=True, slots=True, eq=False)
class Hidden:
    """An image whose lesions, or shams, are known on its canvas."""

    row: ManifestRow
    prepared: Prepared
    boxes: tuple[Box, ...]
    stored: Stored


# An image, and where what was known of it lay.
_Covered = tuple[Hidden, "tuple[Place, ...]"]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What is left of some images.

    Attributes
    ----------
    blocks
        Features by name, (rows, features) each.
    coded
        Each image through the one codec, and what is hidden in it.
    unusable
        Why an image could not be looked at, by its path; it has no row here.
    """

    rows: tuple[ManifestRow, ...]
    blocks: Mapping[str, NDArray[np.float64]]
    coded: tuple[tuple[bytes, tuple[Box, ...]], ...]
    unusable: Mapping[str, str] = field(default_factory=dict[str, str])


def read_listed(manifest: Manifest) -> Read:
    """Read the files that a manifest names.

    Raises
    ------
    DataError
        When it reads: names the image that cannot be used.
    """

    def read(row: ManifestRow) -> tuple[Stored, Mammogram]:
        try:
            mammogram = read_mammogram(manifest.file_of(row))
            pixels = np.asarray(read_pixels(mammogram))
        except MammoError as error:
            raise _unusable(row, error) from error
        return (pixels[0] if pixels.ndim == 3 else pixels), mammogram

    return read


def small_view(pixels: Stored, mammogram: Mammogram) -> NDArray[np.uint8]:
    """What near copies are found by, no larger than it takes: all images' are held at once."""
    size = (VIEW_SIDE, VIEW_SIDE)
    small = cv2.resize(np.asarray(pixels, np.float32), size, interpolation=cv2.INTER_AREA)
    turned = small.max() - small if mammogram.pixel_format.inverted else small
    low, high = float(turned.min()), float(turned.max())
    return np.round((turned - low) * (255 / max(high - low, 1e-9))).astype(np.uint8)


def look(
    manifest: Manifest,
    lesions: Sequence[ManifestRow],
    others: Sequence[ManifestRow],
    read: Read,
    see: See,
    control: Control,
) -> Seen:
    """Hide every lesion, and like places of the images without; see what is left.

    What was painted into a generated image without putting a lesion in is hidden, too, and a
    like place of those with one: to be edited must not mean to be healthy, once what was edited
    of the others is hidden. An image that cannot be read or prepared is left out, and why is
    told.

    Parameters
    ----------
    lesions
        Each box is hidden; a row without any is seen as it is.
    others
        Each gets the boxes of one of `lesions`, of its own source where that has any.
    """
    eyes, edits = _Eyes(see), _edits(others, read)
    tried = _Tried(control, len(lesions) + len(others))
    places: dict[str, list[tuple[Place, ...]]] = defaultdict(list)

    def lesion(row: ManifestRow) -> _Covered:
        boxes = [box.box for box in manifest.boxes_of(row.path) if box.frame in (None, 1)]
        return _covered(row, read, boxes, edits.get(_source(row), []))

    def other(row: ManifestRow) -> _Covered:
        edited = edited_box(row)
        shams = places.get(_source(row)) or every
        return _covered(row, read, [edited] if edited else [], shams)

    for found, of_lesions in tried(lesions, lesion):
        places[_source(found.row)].append(of_lesions)
        eyes.take(found)
    every = [each for of_source in places.values() for each in of_source]
    for found, _ in tried(others, other):
        eyes.take(found)
    control.say(tried.of, tried.of)
    blocks = eyes.blocks() if tried.used else {}
    return Seen(tuple(tried.used), blocks, tuple(eyes.coded), tried.unusable)


def through_codec(seen: Seen, see: See, control: Control) -> dict[str, NDArray[np.float64]]:
    """The same features of the same images, all brought to one size, depth and compression."""
    eyes = _Eyes(see)
    for data, boxes in seen.coded:
        control.breathe()
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
        gray = np.asarray(decoded, np.uint8)
        canvas = np.where(gray > CODEC_AIR, gray, 0).astype(np.uint16) * 257
        image, visible = hide(canvas, boxes)
        corners = patches(visible)
        pieces = [gray[r : r + PATCH_PX, c : c + PATCH_PX] for r, c in corners]
        eyes.add(traits(image, visible, pieces), image)
    return eyes.blocks()


def _edits(rows: Sequence[ManifestRow], read: Read) -> dict[str, list[tuple[Place, ...]]]:
    """Where images without lesion were painted in, by their source."""
    places: dict[str, list[tuple[Place, ...]]] = defaultdict(list)
    for row in rows:
        # What cannot be used is told of when it is its turn.
        with suppress(MammoError):
            box = edited_box(row)
            if box is None:
                continue
            prepared = _prepared(row, *read(row))
            hidden = hidden_box(prepared.to_stored.inverse().box(box))
            places[_source(row)].append((Breast(prepared.pixels).place_of(hidden),))
    return places


def _covered(
    row: ManifestRow,
    read: Read,
    known: Sequence[Box],
    shams: Sequence[tuple[Place, ...]],
) -> _Covered:
    """An image with what is known to hide (stored pixels), and like places of another one.

    Prepared anew with all that covered in the stored pixels: a bright lesion has its part in
    where the skin is found and in the range of grays; of a covered one neither knows.

    Returns
    -------
    Hidden
    tuple of Place
        Where what is known lies.
    """
    pixels, mammogram = read(row)
    first = _prepared(row, pixels, mammogram)
    breast, to_canvas = Breast(first.pixels), first.to_stored.inverse()
    # By the path, so that the same manifest is always audited alike.
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(row.path.encode()).digest()[:8]))
    chosen = shams[int(rng.integers(len(shams)))] if shams else ()
    hidden = [hidden_box(to_canvas.box(box)) for box in known]
    where = tuple(map(breast.place_of, hidden))
    boxes = hidden + [breast.sham(place, rng) for place in chosen]
    if not boxes:
        return Hidden(row, first, (), pixels), where
    places = [first.to_stored.box(box) for box in boxes]
    filled = cover(pixels, places)
    prepared = _prepared(row, filled, mammogram)
    to_canvas = prepared.to_stored.inverse()
    return Hidden(row, prepared, tuple(map(to_canvas.box, places)), filled), where


def _prepared(row: ManifestRow, pixels: Stored, mammogram: Mammogram) -> Prepared:
    try:
        return prepare(pixels, mammogram, WHOLE)
    except MammoError as error:
        raise _unusable(row, error) from error


class _Tried:
    """Covers images in turn; notes which could be used, and why others could not."""

    def __init__(self, control: Control, of: int) -> None:
        self.of = of
        self.used: list[ManifestRow] = []
        self.unusable: dict[str, str] = {}
        self._control = control

    def __call__(
        self, rows: Sequence[ManifestRow], cover: Callable[[ManifestRow], _Covered]
    ) -> Iterator[_Covered]:
        for row in rows:
            self._control.breathe()
            self._control.say(len(self.used) + len(self.unusable), self.of)
            try:
                found = cover(row)
            except MammoError as error:
                self.unusable[row.path] = str(error)
            else:
                self.used.append(row)
                yield found


class _Eyes:
    """Gathers features, the network's for some images at a time."""

    def __init__(self, see: See) -> None:
        self._see = see
        self._traits: list[NDArray[np.float64]] = []
        self._waiting: list[NDArray[np.float32]] = []
        self._network: list[NDArray[np.float64]] = []
        self.coded: list[tuple[bytes, tuple[Box, ...]]] = []

    def take(self, one: Hidden) -> None:
        """Look at a whole canvas, and keep it as the codec gives it back."""
        canvas = one.prepared.pixels
        image, visible = hide(canvas, one.boxes)
        pieces = _stored_pieces(one, patches(visible))
        half = (canvas.shape[1] // 2, canvas.shape[0] // 2)
        self.add(traits(image, visible, pieces), image)
        self.coded.append((_coded(canvas, half), tuple(map(Affine.scale(0.5).box, one.boxes))))

    def add(self, found: NDArray[np.float64], image: NDArray[np.float32]) -> None:
        """Add one image's traits, and have the network see it when there are enough."""
        self._traits.append(found)
        small = cv2.resize(
            image, (NETWORK_SIZE[1], NETWORK_SIZE[0]), interpolation=cv2.INTER_AREA
        )
        self._waiting.append(np.asarray(small, np.float32))
        if len(self._waiting) == AT_ONCE:
            self._look()

    def blocks(self) -> dict[str, NDArray[np.float64]]:
        """All that was gathered."""
        if self._waiting:
            self._look()
        return {PIXELS: np.stack(self._traits), NETWORK: np.concatenate(self._network)}

    def _look(self) -> None:
        self._network.append(self._see(self._waiting))
        self._waiting = []


def _coded(canvas: NDArray[np.uint16], size: tuple[int, int]) -> bytes:
    small = cv2.resize(canvas, size, interpolation=cv2.INTER_AREA)
    gray = (small // 257).astype(np.uint8)
    return cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, CODEC_QUALITY])[1].tobytes()


def _stored_pieces(one: Hidden, corners: Sequence[tuple[int, int]]) -> list[Stored]:
    """Squares of stored pixels in the middle of squares of the canvas, which are larger."""
    pieces: list[Stored] = []
    half = PATCH_PX // 2
    for row, column in corners:
        middle = one.prepared.to_stored.point(row + half, column + half)
        r, c = (max(int(at) - half, 0) for at in middle)
        piece = one.stored[r : r + PATCH_PX, c : c + PATCH_PX]
        if piece.shape == (PATCH_PX, PATCH_PX):
            pieces.append(piece)
    return pieces


def _source(row: ManifestRow) -> str:
    return row.source.value if row.source else ""


def _unusable(row: ManifestRow, error: MammoError) -> DataError:
    return DataError(
        mark("{path} in the manifest cannot be used: {why}"), path=row.path, why=str(error)
    )
