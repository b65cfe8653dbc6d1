"""Prepared images on disk, ready for training: one mapped array, one table beside it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.mammo.codes import FindingType
from ml.mammo.geometry import Box
from ml.mammo.prepare import PrepareSpec
from ml.manifest import Split

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

FOLDS = 5


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
        None where there is no lesion.
    density
        0 to 3 for A to D; None where unknown.
    malignant_boxes, detectability, descriptors
        One a box, of phantoms; empty where it is not known.
    laterality, view, vendor
        As the standard abbreviates them, and the maker; empty where not known.
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
    """

    pixels: NDArray[np.uint16]
    items: tuple[CanvasItem, ...]
    spec: PrepareSpec
    pieces: bool = False

    def images(
        self, indices: Iterable[int] | None = None
    ) -> Iterator[tuple[NDArray[np.uint16], CanvasItem]]:
        """Some images with what is known of them, or all."""
        for index in range(len(self.items)) if indices is None else indices:
            yield self.pixels[index], self.items[index]


def patient_fold(patient_id: str, folds: int = FOLDS) -> int:
    """The fold of a patient, by hash: the same for ever, whoever else is in the set."""
    return fold_of(patient_id, folds)


def fold_of(patient_id: str, folds: int, seed: int = 0) -> int:
    """The fold of a patient under one of many ways to share patients out.

    Parameters
    ----------
    seed
        Another seed gives another sharing, as repeated cross-validation needs; 0 is the one
        that splits and published figures go by.
    """
    salted = f"{seed}:{patient_id}" if seed else patient_id
    return int(hashlib.sha256(salted.encode()).hexdigest(), 16) % folds


def stratified_folds(labels: Mapping[str, str], folds: int, seed: int = 0) -> dict[str, int]:
    """Folds in which every label is as frequent as it can be, within one patient.

    Each label's patients are put in the order of their hashes and dealt out in turn. A patient
    keeps her place while the set does; one more patient moves those behind her by one. Where
    folds must outlive a growing set, use `fold_of`.

    Parameters
    ----------
    labels
        One word for each patient, such as the worst that any of her images shows.
    """
    dealt: dict[str, int] = {}
    start = 0
    for word in sorted(set(labels.values())):
        patients = [name for name, said in labels.items() if said == word]
        patients.sort(key=lambda name: hashlib.sha256(f"{seed}:{name}".encode()).digest())
        dealt.update({name: (start + place) % folds for place, name in enumerate(patients)})
        start += len(patients)
    return dealt


def split_by_patient(patient_id: str) -> Split:
    """What a patient is for where nobody says it: one fold to test, one to validate."""
    return {0: Split.TEST, 1: Split.VALIDATION}.get(patient_fold(patient_id), Split.TRAIN)


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
    """
    folder.mkdir(parents=True, exist_ok=True)
    shape = (count, spec.rows, spec.columns)
    array = np.lib.format.open_memmap(folder / "canvases.npy", "w+", np.uint16, shape)
    items: list[CanvasItem] = []
    for pixels, item in images:
        array[len(items)] = pixels
        items.append(item)
    array.flush()
    table = {"spec": spec.to_json(), "items": [item_to_json(item) for item in items]}
    (folder / "canvases.json").write_text(json.dumps(table), encoding="utf-8")


def read_canvases(folder: Path) -> CanvasSet:
    """Open what `write_canvases` wrote."""
    table = json.loads((folder / "canvases.json").read_text(encoding="utf-8"))
    items = tuple(item_from_json(row) for row in table["items"])
    array = np.load(folder / "canvases.npy", mmap_mode="r")
    return CanvasSet(array[: len(items)], items, PrepareSpec.from_json(table["spec"]))


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
    return CanvasItem(**values)  # type: ignore[arg-type]
