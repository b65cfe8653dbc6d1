from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.data.augment import NONE
from ml.data.canvases import CanvasSet
from ml.data.crop_store import PIXELS, TABLE, StorePlan, bright_spots, fill_store, read_store
from ml.errors import DataError
from ml.train.crops import CropSource, draw_crop
from ml.train.detector import DetectorRecipe, detector_batch, draw_batch
from tests.factories.truths import bright_disc_canvases

if TYPE_CHECKING:
    from pathlib import Path

PLAN = StorePlan(side=96, hard=1, random=2, seed=3)


@pytest.fixture(scope="module")
def canvases(tmp_path_factory: pytest.TempPathFactory) -> CanvasSet:
    folder: Path = tmp_path_factory.mktemp("canvases")
    return bright_disc_canvases(folder, 6)


def first(canvases: CanvasSet, count: int) -> CanvasSet:
    return CanvasSet(canvases.pixels[:count], canvases.items[:count], canvases.spec)


def test_every_lesion_is_stored_at_full_depth(tmp_path: Path, canvases: CanvasSet) -> None:
    store = fill_store(tmp_path, canvases.images(), canvases.spec, PLAN)
    assert store.pieces
    assert store.pixels.dtype == np.uint16
    assert (store.spec.rows, store.spec.columns) == (96, 96)
    for pixels, item in canvases.images():
        pieces = [n for n, i in enumerate(store.items) if i.image_id.startswith(item.image_id)]
        assert len(pieces) >= len(item.boxes) + 2
        for piece, box in zip(pieces, item.box_values(), strict=False):
            here = store.items[piece].box_values()[0]
            top, left = round(box.row0 - here.row0), round(box.col0 - here.col0)
            r0, c0 = max(top, 0), max(left, 0)
            r1, c1 = min(top + 96, pixels.shape[0]), min(left + 96, pixels.shape[1])
            part = store.pixels[piece][r0 - top : r1 - top, c0 - left : c1 - left]
            assert np.array_equal(part, pixels[r0:r1, c0:c1])
    patients = {item.patient_id for item in canvases.items}
    assert {item.patient_id for item in store.items} == patients
    assert all(item.lesion == bool(item.boxes) for item in store.items)


def test_what_a_reader_rejected_is_stored_and_nothing_else_of_an_unknown_image(
    tmp_path: Path, canvases: CanvasSet
) -> None:
    place = (120.0, 40.0)
    known = replace(canvases.items[0], hard=(place,))
    unknown = replace(canvases.items[2], hard=(place,), unknown=True)
    images = ((canvases.pixels[0], known), (canvases.pixels[2], unknown))
    store = fill_store(tmp_path, images, canvases.spec, PLAN)
    of_unknown = [i for i in store.items if i.image_id.startswith(unknown.image_id)]
    assert [item.hard for item in of_unknown] == [((48.0, 48.0),)], "its middle is the place"
    assert of_unknown[0].unknown
    of_known = [i for i in store.items if i.image_id.startswith(known.image_id)]
    assert len(of_known) == 1 + 1 + 2, "beside the bright spot and the places anywhere"


def test_a_killed_writer_leaves_a_whole_store_that_goes_on(
    tmp_path: Path, canvases: CanvasSet
) -> None:
    whole = fill_store(tmp_path / "whole", canvases.images(), canvases.spec, PLAN)
    fill_store(tmp_path / "cut", first(canvases, 3).images(), canvases.spec, PLAN)
    # The kill came after some pixels and half a line of the fourth image.
    with (tmp_path / "cut" / PIXELS).open("ab") as pixels:
        pixels.write(b"\1" * 5000)
    with (tmp_path / "cut" / TABLE).open("ab") as table:
        table.write(b'{"image_id": "unfini')
    assert {i.patient_id for i in read_store(tmp_path / "cut").items} == {
        i.patient_id for i in canvases.items[:3]
    }
    again = fill_store(tmp_path / "cut", canvases.images(), canvases.spec, PLAN)
    assert again.items == whole.items
    assert np.array_equal(again.pixels, whole.pixels)
    assert (tmp_path / "cut" / TABLE).read_bytes() == (tmp_path / "whole" / TABLE).read_bytes()


def test_another_plan_is_refused(tmp_path: Path, canvases: CanvasSet) -> None:
    fill_store(tmp_path, first(canvases, 1).images(), canvases.spec, PLAN)
    with pytest.raises(DataError, match="another size or kind"):
        fill_store(tmp_path, canvases.images(), canvases.spec, replace(PLAN, side=64))
    with pytest.raises(DataError, match="no crop store"):
        read_store(tmp_path / "nothing")


def test_a_detector_draws_from_a_store_as_from_images(
    tmp_path: Path, canvases: CanvasSet
) -> None:
    store = fill_store(tmp_path, canvases.images(), canvases.spec, PLAN)
    source = CropSource(store, tuple(range(len(store.items))), 64, 64)
    crops = draw_batch(source, None, DetectorRecipe(batch=6), 1)
    assert detector_batch(crops)["img"].shape == (6, 1, 64, 64)
    assert any(crop.boxes for crop in crops)
    still = replace(source, augmentation=NONE)
    for seed in range(20):
        crop = draw_crop(still, np.random.default_rng(seed), lesion=True)
        piece = next(i for i in store.items if i is crop.item)
        assert piece.boxes
        if crop.boxes:
            inside = crop.pixels[
                int(crop.boxes[0].row0) : int(np.ceil(crop.boxes[0].row1)),
                int(crop.boxes[0].col0) : int(np.ceil(crop.boxes[0].col1)),
            ]
            assert inside.max() >= 0.98 * crop.pixels.max(), "the disc is the brightest"


def test_hard_negatives_are_what_stands_out_and_is_no_lesion() -> None:
    rows, columns = np.mgrid[:600, :400]
    image = np.full((600, 400), 20000, np.uint16)
    for row, column, height in ((150, 150, 30000), (400, 250, 20000)):
        near = np.hypot(rows - row, columns - column) < 10
        image[near] += np.uint16(height - 10000)
    from ml.mammo.geometry import Box

    ((row, column),) = bright_spots(image, [Box(140, 140, 160, 160)], 1)
    assert np.hypot(row - 400, column - 250) < 8, "not the lesion, though it is brighter"
    (brightest,) = bright_spots(image, [], 1)
    assert np.hypot(brightest[0] - 150, brightest[1] - 150) < 8


def test_places_that_a_model_named_are_stored(tmp_path: Path, canvases: CanvasSet) -> None:
    one = first(canvases, 1)
    name = one.items[0].image_id
    store = fill_store(
        tmp_path,
        one.images(),
        canvases.spec,
        replace(PLAN, random=0),
        hard={name: [(100.0, 50.0)]},
    )
    expected = one.pixels[0][52:148, 2:98]
    assert any(np.array_equal(piece, expected) for piece in store.pixels)


def test_a_film_whose_lesion_nobody_boxed_gives_no_negatives(
    tmp_path: Path, canvases: CanvasSet
) -> None:
    mute = replace(canvases.items[0], lesion=True, boxes=(), finding_types=())
    store = fill_store(tmp_path, [(canvases.pixels[0], mute)], canvases.spec, PLAN)
    assert not store.items
