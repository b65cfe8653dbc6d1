"""The images that a manifest lists, read and prepared as they are in use."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ml.data.canvases import CanvasItem
from ml.errors import DataError, MammoError
from ml.mammo.codes import BreastDensity, FindingType
from ml.mammo.pixels import read_pixels
from ml.mammo.prepare import PrepareSpec, Wants, fine_canvas, prepare_for
from ml.mammo.read import read_mammogram
from ml.manifest import Label, ReferenceStandard, Source, Split
from ml.splits import split_of
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from ml.data.canvases import Pair
    from ml.mammo.geometry import Box
    from ml.mammo.mammogram import Mammogram
    from ml.manifest import BoxRow, Manifest, ManifestRow

GRADES = tuple(BreastDensity)


def listed_canvases(
    manifest: Manifest, rows: Iterable[ManifestRow], spec: PrepareSpec
) -> Iterator[tuple[NDArray[np.uint16], CanvasItem]]:
    """Prepared images of some of a manifest's rows, in their order.

    Raises
    ------
    DataError
        As `listed_pairs`.
    """
    wants = Wants(spec, ())
    return ((pixels, item) for pixels, _, item in listed_pairs(manifest, rows, wants))


def listed_pairs(
    manifest: Manifest, rows: Iterable[ManifestRow], wants: Wants
) -> Iterator[Pair]:
    """The same on both canvases; None for the finer one where an image does not resolve it.

    Raises
    ------
    DataError
        Names the row whose label or file cannot be used.
    """
    for row in rows:
        if row.label is None and not _is_readers_word(row):
            raise DataError(mark("{path} has no label in the manifest."), path=row.path)
        try:
            mammogram = read_mammogram(manifest.file_of(row))
            _refuse_disguised(row, mammogram)
            whole, fine = prepare_for(read_pixels(mammogram), mammogram, wants)
        except MammoError as error:
            raise DataError(
                mark("{path} in the manifest cannot be used: {why}"),
                path=row.path,
                why=str(error),
            ) from error
        boxes = [box for box in manifest.boxes_of(row.path) if box.frame in (None, 1)]
        to_canvas, size = whole.to_stored.inverse(), (wants.whole.rows, wants.whole.columns)
        placed = [to_canvas.box(box.box).clipped(*size) for box in boxes]
        item = _item(row, boxes, placed)
        hard = [box for box in manifest.hard_of(row.path) if box.frame in (None, 1)]
        middles = tuple(to_canvas.point(*box.box.center) for box in hard)
        yield whole.pixels, fine_canvas(whole, fine), replace(item, hard=middles)


def _is_readers_word(row: ManifestRow) -> bool:
    """Boxes without a label teach where lesions lie; no figure may rest on them."""
    said = row.reference_standard is ReferenceStandard.READER
    return said and split_of(row) is Split.TRAIN


def _refuse_disguised(row: ManifestRow, mammogram: Mammogram) -> None:
    """No table makes a synthetic image a patient's."""
    if mammogram.synthetic and row.source not in (Source.PHANTOM, Source.GENERATED):
        raise DataError(
            mark("its header says that it is synthetic; give its row that source"),
        )


def _item(row: ManifestRow, boxes: list[BoxRow], placed: list[Box]) -> CanvasItem:
    return CanvasItem(
        patient_id=row.patient_id,
        image_id=row.path,
        source=row.source.value if row.source else "unknown",
        boxes=tuple((b.row0, b.col0, b.row1, b.col1) for b in placed),
        finding_types=tuple(box.finding_type or FindingType.MASS for box in boxes),
        malignant=None if row.label in (None, Label.NORMAL) else row.label is Label.MALIGNANT,
        density=GRADES.index(row.density) if row.density else None,
        detectability=_detectability(boxes),
        lesion=bool(boxes) if row.label is None else row.label is not Label.NORMAL,
        descriptors=tuple(box.extra.get("descriptor", "") for box in boxes),
        malignant_boxes=_malignant(boxes),
        laterality=row.laterality.value if row.laterality else "",
        view=row.view.value if row.view else "",
        vendor=row.extra.get("vendor", ""),
        unknown=row.label is None and not boxes,
    )


def _malignant(boxes: list[BoxRow]) -> tuple[bool, ...]:
    """Of each box; empty where one does not say: then the image's label counts."""
    if any(box.label is None for box in boxes):
        return ()
    return tuple(box.label is Label.MALIGNANT for box in boxes)


def _detectability(boxes: list[BoxRow]) -> tuple[float, ...]:
    """As `mammoscope phantom` writes it; empty where it is not known of every box."""
    told = [box.extra.get("detectability", "") for box in boxes]
    return tuple(float(value) for value in told) if all(told) else ()
