"""Pieces of prepared images on disk: every lesion, hard negatives and some of the rest.

A piece is larger than the crop that a training cuts from it, so that augmentation has room. A
store reads as a `CanvasSet`, so whatever draws from whole images draws from a store.

On disk it is `pieces.u16`, piece after piece, and `pieces.jsonl`, one line for each image,
written after its pieces. What a killed writer left behind the last whole line is cut off; so a
store is always whole, and filling it again goes on where it stopped.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml.data.canvases import CanvasSet, item_from_json, item_to_json, only_boxes
from ml.errors import DataError
from ml.files import replacing
from ml.mammo.geometry import Affine, Box
from ml.mammo.prepare import PrepareSpec
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.data.canvases import CanvasItem

PIXELS, TABLE, HEAD = "pieces.u16", "pieces.jsonl", "store.json"
# As in `ml.train.crops`: a lesion of which less is seen is not asked for.
LEAST_VISIBLE = 0.5
# Bright spots are looked for on an image so many times smaller, at two scales apart.
SEARCH_SHRINK, FINE_PX, COARSE_PX = 4, 2.0, 8.0


@dataclass(frozen=True, slots=True)
class StorePlan:
    """What is kept of each image.

    Attributes
    ----------
    side
        Of a piece, in pixels of the prepared image.
    hard, random
        Bright spots that are no lesion, and places anywhere in the tissue.
    seed
        Decides the random places, with the image's own name.
    """

    side: int = 768
    hard: int = 2
    random: int = 2
    seed: int = 0


def fill_store(
    folder: Path,
    images: Iterable[tuple[NDArray[np.uint16], CanvasItem]],
    spec: PrepareSpec,
    plan: StorePlan,
    *,
    hard: Mapping[str, Sequence[tuple[float, float]]] | None = None,
) -> CanvasSet:
    """Store pieces of every image that the store does not have yet.

    Parameters
    ----------
    images
        Prepared images; they may come from a generator, one in memory at a time.
    spec
        How they were prepared.
    hard
        Places (row, column) by `image_id` that a model took for lesions; without it, the
        brightest spots outside every box. What a reader rejected is kept beside either.

    Raises
    ------
    DataError
        The folder holds a store made by another plan.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write_head(folder, {"plan": asdict(plan), "spec": spec.to_json()})
    lines = _whole_lines(folder)
    done = {json.loads(line)["image_id"] for line in lines}
    with (folder / PIXELS).open("ab") as pixels, (folder / TABLE).open("ab") as table:
        for canvas, item in images:
            if item.image_id in done:
                continue
            places = hard.get(item.image_id, ()) if hard is not None else None
            pieces = [
                _piece(canvas, item, place, number, plan.side)
                for number, place in enumerate(_places(canvas, item, plan, places))
            ]
            pixels.write(b"".join(piece.tobytes() for piece, _ in pieces))
            pixels.flush()
            os.fsync(pixels.fileno())
            row = {"image_id": item.image_id, "items": [item_to_json(i) for _, i in pieces]}
            table.write(json.dumps(row).encode() + b"\n")
            table.flush()
            done.add(item.image_id)
    return read_store(folder)


def stored_images(folder: Path) -> int:
    """How many images' pieces lie in a folder already."""
    table = folder / TABLE
    return table.read_bytes().count(b"\n") if table.exists() else 0


def read_store(folder: Path) -> CanvasSet:
    """The pieces of a store, mapped from disk; also while another process still fills it.

    Raises
    ------
    DataError
        There is no store in the folder.
    """
    try:
        head = json.loads((folder / HEAD).read_text("utf-8"))
        text = (folder / TABLE).read_bytes()
    except FileNotFoundError:
        raise DataError(
            mark("There is no crop store in {folder}."), folder=folder.name
        ) from None
    items = tuple(
        item_from_json(row)
        for line in text[: text.rfind(b"\n") + 1].splitlines()
        for row in json.loads(line)["items"]
    )
    side = int(head["plan"]["side"])
    shape = (len(items), side, side)
    pixels = (
        np.memmap(folder / PIXELS, np.dtype("<u2"), "r", shape=shape)
        if items
        else np.zeros(shape, np.uint16)
    )
    spec = replace(PrepareSpec.from_json(head["spec"]), rows=side, columns=side)
    return CanvasSet(pixels, items, spec, pieces=True)


def _write_head(folder: Path, head: dict[str, object]) -> None:
    path = folder / HEAD
    if path.exists():
        if json.loads(path.read_text("utf-8")) != json.loads(json.dumps(head)):
            raise DataError(
                mark("{folder} holds crops of another size or kind; name another folder."),
                folder=folder.name,
            )
        return
    with replacing(path) as fresh:
        fresh.write_text(json.dumps(head), "utf-8")


def _whole_lines(folder: Path) -> list[bytes]:
    """The table's whole lines; what is behind them, here and in the pixels, is cut off."""
    side = json.loads((folder / HEAD).read_text("utf-8"))["plan"]["side"]
    table, pixels = folder / TABLE, folder / PIXELS
    table.touch()
    pixels.touch()
    text = table.read_bytes()
    end = text.rfind(b"\n") + 1
    lines = text[:end].splitlines()
    count = sum(len(json.loads(line)["items"]) for line in lines)
    os.truncate(table, end)
    os.truncate(pixels, count * side * side * 2)
    return lines


def _places(
    canvas: NDArray[np.uint16],
    item: CanvasItem,
    plan: StorePlan,
    hard: Sequence[tuple[float, float]] | None,
) -> list[tuple[float, float]]:
    lesions = [box.center for box in item.box_values()]
    # A film with a lesion that nobody boxed may show it anywhere: no negatives from it.
    if item.lesion and not lesions:
        return []
    # Where nobody says whether there is a lesion, only what a reader rejected is none.
    if item.unknown:
        return list(item.hard)
    spots = bright_spots(canvas, item.box_values(), plan.hard) if hard is None else list(hard)
    spots = [*item.hard, *spots]
    name = int.from_bytes(item.image_id.encode()[-16:], "little")
    rng = np.random.default_rng((plan.seed, name))
    return [*lesions, *spots, *_tissue_places(canvas, plan, rng)]


def bright_spots(
    canvas: NDArray[np.uint16], boxes: Sequence[Box], count: int
) -> list[tuple[float, float]]:
    """Where tissue stands out most from its surroundings, outside every box.

    Returns
    -------
    list of (row, column)
        The strongest first, no two closer than a lesion's usual width.
    """
    small = cv2.resize(
        np.asarray(canvas, np.float32),
        None,
        fx=1 / SEARCH_SHRINK,
        fy=1 / SEARCH_SHRINK,
        interpolation=cv2.INTER_AREA,
    )
    fine = cv2.GaussianBlur(small, (0, 0), FINE_PX)
    contrast = np.asarray(fine - cv2.GaussianBlur(small, (0, 0), COARSE_PX), np.float32)
    # The skin's edge stands out from the air: it is no spot.
    near_air = cv2.dilate((small <= 0).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    contrast[near_air] = 0
    for box in boxes:
        _blacken(contrast, box.center, max(box.size) / 2 + SEARCH_SHRINK * COARSE_PX)
    found: list[tuple[float, float]] = []
    while len(found) < count:
        row, column = np.unravel_index(int(np.argmax(contrast)), contrast.shape)
        if contrast[row, column] <= 0:
            break
        middle = ((float(row) + 0.5) * SEARCH_SHRINK, (float(column) + 0.5) * SEARCH_SHRINK)
        found.append(middle)
        _blacken(contrast, middle, 4 * SEARCH_SHRINK * COARSE_PX)
    return found


def _blacken(contrast: NDArray[np.float32], center: tuple[float, float], reach: float) -> None:
    r0, r1 = (int(max(center[0] + sign * reach, 0) / SEARCH_SHRINK) for sign in (-1, 1))
    c0, c1 = (int(max(center[1] + sign * reach, 0) / SEARCH_SHRINK) for sign in (-1, 1))
    contrast[r0 : r1 + 1, c0 : c1 + 1] = 0


def _tissue_places(
    canvas: NDArray[np.uint16], plan: StorePlan, rng: np.random.Generator
) -> list[tuple[float, float]]:
    rows, columns = np.nonzero(np.asarray(canvas[::16, ::16]))
    if not rows.size:
        return []
    picked = rng.integers(rows.size, size=plan.random)
    return [(float(rows[i]) * 16 + 8, float(columns[i]) * 16 + 8) for i in picked]


def _piece(
    canvas: NDArray[np.uint16],
    item: CanvasItem,
    center: tuple[float, float],
    number: int,
    side: int,
) -> tuple[NDArray[np.uint16], CanvasItem]:
    """The pixels about a place, unchanged, and the boxes on them."""
    top, left = (round(middle - side / 2) for middle in center)
    piece = np.zeros((side, side), np.dtype("<u2"))
    rows, columns = canvas.shape
    r0, c0 = max(top, 0), max(left, 0)
    r1, c1 = min(top + side, rows), min(left + side, columns)
    if r1 > r0 and c1 > c0:
        piece[r0 - top : r1 - top, c0 - left : c1 - left] = canvas[r0:r1, c0:c1]
    moved = [Affine.shift(-top, -left).box(box) for box in item.box_values()]
    seen = [box.clipped(side, side) for box in moved]
    kept = [
        entry
        for entry, (whole, part) in enumerate(zip(moved, seen, strict=True))
        if whole.area and part.area / whole.area >= LEAST_VISIBLE
    ]
    known = replace(only_boxes(item, kept, seen), hard=_hard_within(item, top, left, side))
    return piece, replace(known, image_id=f"{item.image_id}#{number}")


def _hard_within(
    item: CanvasItem, top: int, left: int, side: int
) -> tuple[tuple[float, float], ...]:
    moved = ((row - top, column - left) for row, column in item.hard)
    return tuple(place for place in moved if all(0 <= each < side for each in place))
