"""Simulated women as prepared images."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ml.data.canvases import CanvasItem
from ml.mammo.codes import ImageKind
from ml.mammo.mammogram import (
    Acquisition,
    Evidence,
    Mammogram,
    Orientation,
    Patient,
    PixelFormat,
    PixelSpacing,
)
from ml.mammo.prepare import PrepareSpec, Wants, fine_canvas, prepare_for
from ml.mammo.write import ORIENTATION
from ml.phantom.phantom import STANDARD_VIEWS, Phantom, make_phantom
from ml.phantom.vendors import FILMS, VENDORS
from ml.phantom.woman import draw_woman

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ml.data.canvases import Pair
    from ml.phantom.vendors import Vendor


@dataclass(frozen=True, slots=True)
class PhantomSet:
    """Which phantoms: the same set gives the same images.

    Attributes
    ----------
    first_seed
        Women are drawn from this seed on; sets with far apart seeds share none.
    count
        Images, two a woman.
    vendors
        To draw from: one a woman.
    lesion_rate, most_lesions
        As for `draw_woman`.
    """

    first_seed: int
    count: int
    vendors: tuple[Vendor, ...] = VENDORS + FILMS
    lesion_rate: float = 0.5
    most_lesions: int = 1
    pixel_mm: float = 0.2


def phantom_canvases(
    phantoms: PhantomSet, spec: PrepareSpec, *, processes: int = 1, begin: int = 0
) -> Iterator[tuple[NDArray[np.uint16], CanvasItem]]:
    """Prepared phantoms, two views of each woman.

    Parameters
    ----------
    processes
        That draw side by side; the order and the bytes stay the same.
    begin
        The number of the first image, where those before it are there already.
    """
    pairs = phantom_pairs(phantoms, Wants(spec, ()), processes=processes, begin=begin)
    return ((pixels, item) for pixels, _, item in pairs)


def phantom_pairs(
    phantoms: PhantomSet, wants: Wants, *, processes: int = 1, begin: int = 0
) -> Iterator[Pair]:
    """The same on both canvases."""
    draw = partial(_drawn, phantoms, wants)
    numbers = range(begin, phantoms.count)
    if processes == 1:
        yield from map(draw, numbers)
        return
    # Spawned: a forked child of a process with threads may hang.
    with get_context("spawn").Pool(processes, initializer=_one_thread) as pool:
        yield from pool.imap(draw, numbers, chunksize=4)


def _one_thread() -> None:
    import cv2

    cv2.setNumThreads(1)


def _drawn(phantoms: PhantomSet, wants: Wants, number: int) -> Pair:
    woman = draw_woman(
        phantoms.first_seed + number // 2,
        lesion_rate=phantoms.lesion_rate,
        most_lesions=phantoms.most_lesions,
    )
    rng = np.random.default_rng((woman.seed, 11))
    sides = rng.permutation(len(STANDARD_VIEWS))
    side, view = STANDARD_VIEWS[sides[number % 2]]
    vendor = phantoms.vendors[int(rng.integers(len(phantoms.vendors)))]
    phantom = make_phantom(woman, side, view, pixel_mm=phantoms.pixel_mm, vendor=vendor)
    return _prepared(phantom, wants)


def as_mammogram(phantom: Phantom) -> Mammogram:
    """The phantom as it would read from its own DICOM file."""
    row, column = ORIENTATION[phantom.laterality, phantom.view]
    uid = f"2.25.{phantom.seed}{STANDARD_VIEWS.index((phantom.laterality, phantom.view))}"
    return Mammogram(
        path=Path(f"phantom-{phantom.seed}"),
        kind=ImageKind.FILM if phantom.vendor.film else ImageKind.DIGITAL,
        sop_instance_uid=uid,
        study_instance_uid=f"2.25.{phantom.seed}",
        series_instance_uid=uid,
        sop_class_uid="",
        transfer_syntax_uid="",
        patient=Patient(),
        acquisition=Acquisition(),
        rows=phantom.pixels.shape[0],
        columns=phantom.pixels.shape[1],
        frames=1,
        pixel_format=PixelFormat(phantom.bits, inverted=phantom.vendor.inverted),
        laterality=Evidence(phantom.laterality, "simulation"),
        view=Evidence(phantom.view, "simulation"),
        orientation=Orientation(row, column, "simulation"),
        spacing=PixelSpacing(phantom.pixel_mm, phantom.pixel_mm, "simulation"),
        intent=phantom.intent,
        synthetic=True,
    )


def _prepared(phantom: Phantom, wants: Wants) -> Pair:
    whole, fine = prepare_for(phantom.pixels, as_mammogram(phantom), wants)
    to_canvas, size = whole.to_stored.inverse(), (wants.whole.rows, wants.whole.columns)
    boxes = [to_canvas.box(truth.box).clipped(*size) for truth in phantom.lesions]
    item = CanvasItem(
        patient_id=phantom.patient_id,
        image_id=f"phantom-{phantom.seed}-{phantom.laterality.value}{phantom.view.value}",
        source="phantom",
        boxes=tuple(
            (float(b.row0), float(b.col0), float(b.row1), float(b.col1)) for b in boxes
        ),
        finding_types=tuple(truth.finding_type for truth in phantom.lesions),
        malignant=any(t.malignant for t in phantom.lesions) if phantom.lesions else None,
        density="ABCD".index(phantom.density.value),
        detectability=tuple(t.detectability for t in phantom.lesions),
        lesion=bool(phantom.lesions),
        descriptors=tuple(t.descriptor for t in phantom.lesions),
        malignant_boxes=tuple(t.malignant for t in phantom.lesions),
        laterality=phantom.laterality.value,
        view=phantom.view.value,
        vendor=phantom.vendor.name,
    )
    return whole.pixels, fine_canvas(whole, fine), item
