"""mini-MIAS as a folder of PNG films with a `labels.csv` (Suckling 1994; research use only).

Boxes are `x0, y0, x1, y1` in pixels; a film without lesion is one row with an empty box.
"""

from __future__ import annotations

import csv
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np

from ml.data.canvases import CanvasItem
from ml.mammo.codes import FindingType, ImageKind, Laterality, ViewPosition
from ml.mammo.geometry import Affine, Box
from ml.mammo.mammogram import (
    Acquisition,
    Evidence,
    Mammogram,
    Orientation,
    Patient,
    PixelFormat,
    PixelSpacing,
)
from ml.mammo.prepare import PrepareSpec, prepare
from ml.mammo.skin import Skin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

# Their boxes lie outside the tissue, which was cut away (the set's own README).
MISPLACED = frozenset({"mdb212", "mdb214"})
# Fatty, fatty-glandular, dense-glandular: three classes, so no BI-RADS letter follows.
PIXEL_MM = 0.2
FINDING_TYPES = {
    "CALC": FindingType.CALCIFICATIONS,
    "ARCH": FindingType.ARCHITECTURAL_DISTORTION,
    "ASYM": FindingType.ASYMMETRY,
}


def mini_mias_canvases(
    folder: Path, spec: PrepareSpec, *, uncropped: bool = False
) -> Iterator[tuple[NDArray[np.uint16], CanvasItem]]:
    """Prepared films, in the order of the table.

    Parameters
    ----------
    uncropped
        The whole film with its air and letters on the canvas, as if nobody had looked for the
        breast: to measure what the crop brings.
    """
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    for path, group in groupby(rows, itemgetter("file")):
        lesions = list(group)
        if (folder / path).stem not in MISPLACED:
            yield _film(folder / path, lesions, spec, uncropped=uncropped)


def mini_mias_with_muscle(
    folder: Path, spec: PrepareSpec
) -> Iterator[tuple[NDArray[np.uint16], CanvasItem]]:
    """The edition of 256 rows, which keeps the muscle and the letters: of no known scale.

    Its films are cropped and shrunk already, chest wall to the left: they are put on the
    canvas as they are. No lesion has a box.
    """
    import cv2

    with (folder / "labels.csv").open(newline="", encoding="utf-8") as table:
        rows = {row["file"]: row for row in csv.DictReader(table)}
    for file, row in rows.items():
        pixels = cv2.imread(str(folder / file), cv2.IMREAD_GRAYSCALE)
        if pixels is None:
            raise FileNotFoundError(folder / file)
        canvas = np.zeros((spec.rows, spec.columns), np.uint16)
        kept = pixels[: spec.rows, : spec.columns].astype(np.uint16) * 257
        canvas[: kept.shape[0], : kept.shape[1]] = kept
        yield (
            canvas,
            CanvasItem(
                patient_id=row["patient_id"],
                image_id=(folder / file).stem,
                source="mini-MIAS",
                boxes=(),
                finding_types=(),
                malignant=None if row["label"] == "normal" else row["label"] == "malignant",
                density=None,
                lesion=row["label"] != "normal",
                laterality=row["laterality"],
                view=ViewPosition.MLO.value,
                vendor="mini-MIAS",
            ),
        )


def _film(
    path: Path, rows: list[dict[str, str]], spec: PrepareSpec, *, uncropped: bool
) -> tuple[NDArray[np.uint16], CanvasItem]:
    import cv2

    pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise FileNotFoundError(path)
    skin = _everything(pixels.shape) if uncropped else None
    prepared = prepare(pixels, _as_mammogram(path, rows[0], pixels.shape), spec, skin)
    to_canvas = prepared.to_stored.inverse()
    boxed = [row for row in rows if row["x0"]]
    boxes = [to_canvas.box(_box(row)).clipped(spec.rows, spec.columns) for row in boxed]
    labels = {row["label"] for row in rows}
    item = CanvasItem(
        patient_id=rows[0]["patient_id"],
        image_id=path.stem,
        source="mini-MIAS",
        boxes=tuple((b.row0, b.col0, b.row1, b.col1) for b in boxes),
        finding_types=tuple(_finding_type(row) for row in boxed),
        malignant=None if labels == {"normal"} else "malignant" in labels,
        density=None,
        lesion=labels != {"normal"},
        malignant_boxes=tuple(row["label"] == "malignant" for row in boxed),
        laterality=rows[0]["laterality"],
        view=ViewPosition.MLO.value,
        vendor="mini-MIAS",
    )
    return prepared.pixels, item


def _everything(shape: tuple[int, ...]) -> Skin:
    whole = np.ones((2, 2), np.bool_)
    to_stored = Affine.scale(shape[0] / 2, shape[1] / 2)
    return Skin(whole, whole, to_stored, Box(0, 0, *shape), sure=False)


def _box(row: dict[str, str]) -> Box:
    return Box(float(row["y0"]), float(row["x0"]), float(row["y1"]), float(row["x1"]))


def _finding_type(row: dict[str, str]) -> FindingType:
    """Circumscribed, spiculated and ill-defined (MISC) ones are masses."""
    return FINDING_TYPES.get(row["lesion_class"], FindingType.MASS)


def _as_mammogram(path: Path, row: dict[str, str], shape: tuple[int, ...]) -> Mammogram:
    side = Laterality(row["laterality"])
    chest_right = row["chest_wall_side"] == "right"
    return Mammogram(
        path=path,
        kind=ImageKind.PICTURE,
        sop_instance_uid=path.stem,
        study_instance_uid=row["patient_id"],
        series_instance_uid=path.stem,
        sop_class_uid="",
        transfer_syntax_uid="",
        patient=Patient(),
        acquisition=Acquisition(),
        rows=shape[0],
        columns=shape[1],
        frames=1,
        pixel_format=PixelFormat(8, bits_allocated=8),
        laterality=Evidence(side, "table"),
        view=Evidence(ViewPosition.MLO, "table"),
        orientation=Orientation("P" if chest_right else "A", "F", "table"),
        spacing=PixelSpacing(PIXEL_MM, PIXEL_MM, "table"),
    )
