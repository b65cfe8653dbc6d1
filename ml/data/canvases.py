"""Prepared images on disk, ready for training: one mapped array, one table beside it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from ml.files import replacing, reserve
from ml.mammo.codes import FindingType
from ml.mammo.geometry import Affine, Box
from ml.mammo.prepare import FineCanvas, PrepareSpec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    # (rows, columns) uint16 of the whole breast, the finer canvas, and the truth.
    Pair = tuple[NDArray[np.uint16], FineCanvas | None, "CanvasItem"]

CALCIFICATIONS = FindingType.CALCIFICATIONS
# Of an image without a finer canvas.
NO_SCALE = (0.0, 0.0)
# What is known of the images that an interrupted writing has left, so many at a time.
TABLE, FINE_TABLE, JOURNAL = "canvases.json", "fine.json", "canvases.jsonl"
NOTED = 16


@dataclass(frozen=True, slots=True)
class CanvasItem:
    """What is known of one prepared image.

    Attributes
    ----------
    patient_id
        The unit of every split.
    source
        ``"phantom"`` or the name of a real collection.
    boxes
        (row0, col0, row1, col1) on the canvas.
    finding_types
        One a box.
    malignant
        None where there is no lesion, and where nobody knows what the lesion is.
    density
        0 to 3 for A to D; None where unknown.
    malignant_boxes, detectability, descriptors
        One a box, of phantoms; empty where it is not known.
    laterality, view, vendor
        As the standard abbreviates them, and the maker; empty where not known.
    hard
        Middles (row, column), on the canvas, of places that a reader says are no lesion.
    unknown
        Nobody says whether there is a lesion: it is neither an image with one nor without.
    """

    patient_id: str
    image_id: str
    source: str
    boxes: tuple[tuple[float, float, float, float], ...]
    finding_types: tuple[FindingType, ...]
    malignant: bool | None
    density: int | None
    detectability: tuple[float, ...] = ()
    lesion: bool = False
    descriptors: tuple[str, ...] = ()
    malignant_boxes: tuple[bool, ...] = ()
    laterality: str = ""
    view: str = ""
    vendor: str = ""
    hard: tuple[tuple[float, float], ...] = ()
    unknown: bool = False

    @property
    def free(self) -> bool:
        """Whether it is known that there is no lesion."""
        return not (self.lesion or self.unknown)

    def box_values(self) -> tuple[Box, ...]:
        """The boxes as values."""
        return tuple(Box(*box) for box in self.boxes)


@dataclass(frozen=True, slots=True, eq=False)
class CanvasSet:
    """Prepared images of one folder.

    Attributes
    ----------
    pixels : (images, rows, columns) uint16
        Mapped from disk, not in memory.
    pieces
        They are pieces of images (`ml.data.crop_store`), of use anywhere, edges included.
    fine : (images, rows, columns) uint16
        The same images in finer pixels, where they were written with them.
    fine_scales, fine_spec
        As in `FineCanvas`, one an image; how those canvases were prepared.
    """

    pixels: NDArray[np.uint16]
    items: tuple[CanvasItem, ...]
    spec: PrepareSpec
    pieces: bool = False
    fine: NDArray[np.uint16] | None = None
    fine_scales: tuple[tuple[float, float], ...] = ()
    fine_spec: PrepareSpec | None = None

    def images(
        self, indices: Iterable[int] | None = None
    ) -> Iterator[tuple[NDArray[np.uint16], CanvasItem]]:
        """Some images with what is known of them, or all."""
        for index in range(len(self.items)) if indices is None else indices:
            yield self.pixels[index], self.items[index]

    def pairs(self, indices: Iterable[int] | None = None) -> Iterator[Pair]:
        """Some images on both canvases, or all; None for the finer one where there is none."""
        for index in range(len(self.items)) if indices is None else indices:
            fine = None
            if self.fine is not None and self.fine_scales[index] != NO_SCALE:
                fine = FineCanvas(self.fine[index], *self.fine_scales[index])
            yield self.pixels[index], fine, self.items[index]

    def calcifications(self) -> tuple[CanvasSet, tuple[int, ...]]:
        """The finer canvases as a set of their own, asked for calcifications only.

        Returns
        -------
        CanvasSet, indices
            The set, and which of its images there are: the others are blank.

        Raises
        ------
        ValueError
            Where the set was written without finer canvases.
        """
        if self.fine is None or self.fine_spec is None:
            raise ValueError("no finer canvases")
        items = tuple(
            item if fine is None else only_calcifications(on_fine(item, fine))
            for _, fine, item in self.pairs()
        )
        there = tuple(i for i, scale in enumerate(self.fine_scales) if scale != NO_SCALE)
        return CanvasSet(self.fine, items, self.fine_spec), there


def only_boxes(item: CanvasItem, kept: Sequence[int], boxes: Sequence[Box]) -> CanvasItem:
    """What is known of an image of which only some findings count.

    Parameters
    ----------
    kept
        Which of the item's boxes.
    boxes
        Where all of them lie now.
    """
    malignant = item.malignant
    if item.malignant_boxes:
        malignant = any(item.malignant_boxes[i] for i in kept)
    return replace(
        item,
        boxes=tuple((boxes[i].row0, boxes[i].col0, boxes[i].row1, boxes[i].col1) for i in kept),
        finding_types=tuple(item.finding_types[i] for i in kept),
        detectability=tuple(item.detectability[i] for i in kept if item.detectability),
        descriptors=tuple(item.descriptors[i] for i in kept if item.descriptors),
        malignant_boxes=tuple(item.malignant_boxes[i] for i in kept if item.malignant_boxes),
        malignant=malignant if kept else None,
        lesion=bool(kept),
    )


def only_seen(item: CanvasItem, least: float) -> CanvasItem:
    """Without the findings that nobody could see: taught, they would teach to guess.

    Parameters
    ----------
    least
        Detectability from which a finding counts; all do where it is not known.
    """
    if len(item.detectability) != len(item.boxes):
        return item
    kept = [i for i, value in enumerate(item.detectability) if value >= least]
    return item if len(kept) == len(item.boxes) else only_boxes(item, kept, item.box_values())


def only_calcifications(item: CanvasItem) -> CanvasItem:
    """What a detector of calcifications alone is asked for.

    An image whose lesion nobody boxed keeps its label: what it shows is not known.
    """
    if not item.free and not item.boxes:
        return item
    kept = [i for i, kind in enumerate(item.finding_types) if kind is CALCIFICATIONS]
    return only_boxes(item, kept, item.box_values())


def on_fine(item: CanvasItem, fine: FineCanvas) -> CanvasItem:
    """The same boxes on the finer canvas."""
    to_fine = Affine.scale(1 / fine.row_scale, 1 / fine.column_scale)
    boxes = [to_fine.box(box) for box in item.box_values()]
    return replace(
        item,
        boxes=tuple((b.row0, b.col0, b.row1, b.col1) for b in boxes),
        hard=tuple(to_fine.point(*place) for place in item.hard),
    )


def write_canvases(
    folder: Path,
    images: Iterable[tuple[NDArray[np.uint16], CanvasItem]],
    count: int,
    spec: PrepareSpec,
) -> None:
    """Write prepared images one by one: memory does not grow with their number.

    Parameters
    ----------
    count
        At least as many as `images` yields.

    Raises
    ------
    OSError
        Where the disk has no room for one more.
    """
    write_order(folder, ((pixels, None, item) for pixels, item in images), Order(count, spec))


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be written.

    Attributes
    ----------
    count
        At least as many as there are images.
    fine
        How finer canvases are prepared; None: there are none.
    images
        Names the images: what was begun with others is begun anew.
    """

    count: int
    spec: PrepareSpec
    fine: PrepareSpec | None = None
    images: str = ""

    def files(self) -> dict[str, PrepareSpec]:
        """The files of pixels, and how what is in them is prepared."""
        fine = {"fine.npy": self.fine} if self.fine else {}
        return {"canvases.npy": self.spec, **fine}

    def to_json(self) -> dict[str, object]:
        """As a journal begins."""
        fine = self.fine.to_json() if self.fine else None
        spec = self.spec.to_json()
        return {"count": self.count, "spec": spec, "fine": fine, "images": self.images}


def begun(folder: Path, order: Order) -> int:
    """How many images of an order an interrupted writing has left; 0: none of use."""
    return len(_journal(folder, order))


def finished(folder: Path, order: Order) -> bool:
    """Whether all images of an order are there, and no other's."""
    path = folder / TABLE
    return path.exists() and json.loads(path.read_text("utf-8")).get("order") == order.to_json()


def write_order(folder: Path, pairs: Iterable[Pair], order: Order, begin: int = 0) -> None:
    """As `write_canvases`, with the finer canvas of each image that has one.

    An interruption loses the last few images at most: `begun` says how many are there.

    Parameters
    ----------
    begin
        So many are there already; `pairs` yields those after them.

    Raises
    ------
    OSError
        Where the disk has no room for one more.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done = _journal(folder, order)[:begin]
    if len(done) != begin:
        raise ValueError(f"{begin} images cannot be there: {len(done)} are")
    for name in (TABLE, FINE_TABLE):
        # Of another order: its images are written over.
        (folder / name).unlink(missing_ok=True)
    arrays = _arrays(folder, order, begun=bool(begin))
    with replacing(folder / JOURNAL) as journal:
        journal.write_text(_lines((order.to_json(), *done)), encoding="utf-8")
    with (folder / JOURNAL).open("a", encoding="utf-8") as journal:
        fresh: list[dict[str, Any]] = []
        for index, (pixels, fine, item) in enumerate(pairs, begin):
            _put(arrays[0], index, pixels)
            if fine is not None:
                _put(arrays[1], index, fine.pixels)
            scale = (fine.row_scale, fine.column_scale) if fine else NO_SCALE
            fresh.append({"item": item_to_json(item), "scale": scale})
            if len(fresh) == NOTED:
                _note(journal, arrays, fresh)
                done += fresh
                fresh = []
        done += fresh
    for array in arrays:
        array.flush()
    _write_tables(folder, order, done)
    (folder / JOURNAL).unlink()


def _journal(folder: Path, order: Order) -> list[dict[str, Any]]:
    """What is known of the images that are there; none where they are of another order."""
    if not all((folder / name).exists() for name in order.files()):
        return []
    try:
        text = (folder / JOURNAL).read_text("utf-8")
    except FileNotFoundError:
        return []
    # The last line ends nowhere where its writing was interrupted.
    first, *rest = [json.loads(line) for line in text.split("\n")[:-1]] or [None]
    return rest if first == order.to_json() else []


def _arrays(folder: Path, order: Order, *, begun: bool) -> list[np.memmap[Any, Any]]:
    """The files of pixels, opened or made."""
    mode = "r+" if begun else "w+"
    return [
        np.lib.format.open_memmap(
            folder / name, mode, np.uint16, (order.count, spec.rows, spec.columns)
        )
        for name, spec in order.files().items()
    ]


def _note(
    journal: IO[str], arrays: Sequence[np.memmap[Any, Any]], lines: Sequence[object]
) -> None:
    """Note what is on the disk, once it is there."""
    for array in arrays:
        array.flush()
    journal.write(_lines(lines))
    journal.flush()


def _lines(documents: Iterable[object]) -> str:
    return "".join(f"{json.dumps(each)}\n" for each in documents)


def _write_tables(folder: Path, order: Order, done: Sequence[dict[str, Any]]) -> None:
    if order.fine:
        table = {"spec": order.fine.to_json(), "scales": [line["scale"] for line in done]}
        (folder / FINE_TABLE).write_text(json.dumps(table), encoding="utf-8")
    items = [line["item"] for line in done]
    table = {"spec": order.spec.to_json(), "order": order.to_json(), "items": items}
    with replacing(folder / TABLE) as fresh:
        fresh.write_text(json.dumps(table), encoding="utf-8")


def _put(array: np.memmap[Any, Any], index: int, pixels: NDArray[np.uint16]) -> None:
    """Write one image where the disk has room for it."""
    reserve(Path(str(array.filename)), array.offset + index * pixels.nbytes, pixels.nbytes)
    array[index] = pixels


def read_canvases(folder: Path) -> CanvasSet:
    """Open what `write_canvases` wrote."""
    table = json.loads((folder / TABLE).read_text(encoding="utf-8"))
    items = tuple(item_from_json(row) for row in table["items"])
    array = np.load(folder / "canvases.npy", mmap_mode="r")
    canvases = CanvasSet(array[: len(items)], items, PrepareSpec.from_json(table["spec"]))
    if not (folder / FINE_TABLE).exists():
        return canvases
    fine = json.loads((folder / FINE_TABLE).read_text(encoding="utf-8"))
    return replace(
        canvases,
        fine=np.load(folder / "fine.npy", mmap_mode="r")[: len(items)],
        fine_scales=tuple((float(rows), float(columns)) for rows, columns in fine["scales"]),
        fine_spec=PrepareSpec.from_json(fine["spec"]),
    )


def item_to_json(item: CanvasItem) -> dict[str, object]:
    """As a table's row."""
    row = asdict(item)
    row["finding_types"] = [kind.value for kind in item.finding_types]
    return row


def item_from_json(row: dict[str, object]) -> CanvasItem:
    """The way back from `item_to_json`."""
    values = dict(row)
    values["boxes"] = tuple(tuple(box) for box in row["boxes"])  # type: ignore[attr-defined]
    values["finding_types"] = tuple(FindingType(k) for k in row["finding_types"])  # type: ignore[attr-defined]
    for name in ("detectability", "descriptors", "malignant_boxes"):
        values[name] = tuple(row.get(name, ()))  # type: ignore[arg-type]
    values["hard"] = tuple(tuple(place) for place in row.get("hard", ()))  # type: ignore[attr-defined]
    return CanvasItem(**values)  # type: ignore[arg-type]
