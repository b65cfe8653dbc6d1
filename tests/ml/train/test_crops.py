from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.train.crops import CropSource, draw_crop, whole_canvas
from tests.factories.truths import SMALL, bright_disc_canvases

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> CropSource:
    folder: Path = tmp_path_factory.mktemp("canvases")
    canvases = bright_disc_canvases(folder, 8)
    return CropSource(canvases, tuple(range(8)), 128, 128)


def test_boxes_follow_their_lesion_through_every_augmentation(source: CropSource) -> None:
    seen = 0
    for seed in range(40):
        crop = draw_crop(source, np.random.default_rng(seed), lesion=True)
        for box in crop.boxes:
            if box.row0 <= 0 or box.col0 <= 0 or box.row1 >= 128 or box.col1 >= 128:
                continue
            seen += 1
            bright = crop.pixels > 0.5 * (crop.pixels.max() + np.median(crop.pixels))
            rows, columns = np.nonzero(bright)
            found = (rows.min(), columns.min(), rows.max() + 1, columns.max() + 1)
            wanted = (box.row0, box.col0, box.row1, box.col1)
            assert np.abs(np.subtract(found, wanted)).max() <= 3
    assert seen > 10


def test_a_crop_is_asked_for_by_its_seed_alone(source: CropSource) -> None:
    one, other = (draw_crop(source, np.random.default_rng((5, 9)), lesion=True) for _ in "ab")
    assert np.array_equal(one.pixels, other.pixels)
    assert one.boxes == other.boxes


def test_pixels_stay_between_nought_and_one_and_air_stays_black(source: CropSource) -> None:
    for seed in range(12):
        pixels = draw_crop(source, np.random.default_rng(seed), lesion=False).pixels
        assert pixels.dtype == np.float32
        assert 0 <= pixels.min() <= pixels.max() <= 1
    whole = CropSource(source.canvases, (0,), SMALL.rows + 40, SMALL.columns + 40)
    crop = whole_canvas(whole, 0, np.random.default_rng(0))
    assert (crop.pixels[:, -1] == 0).all(), "outside the canvas is air"


def test_a_whole_image_keeps_its_lesion(source: CropSource) -> None:
    whole = CropSource(source.canvases, source.indices, SMALL.rows, SMALL.columns)
    kept = [len(whole_canvas(whole, 1, np.random.default_rng(s)).boxes) for s in range(20)]
    assert np.mean(kept) > 0.9


def test_no_crop_is_cut_where_a_lesion_may_lie_anywhere(source: CropSource) -> None:
    items = source.canvases.items
    lost = replace(items[1], boxes=(), finding_types=(), detectability=(), lesion=True)
    canvases = replace(source.canvases, items=(items[0], lost, *items[2:]))
    unknown = replace(source, canvases=canvases, indices=(0, 1))
    drawn = {
        draw_crop(unknown, np.random.default_rng(seed), lesion=False).item.lesion
        for seed in range(30)
    }
    assert drawn == {False}


def test_images_by_what_they_show(source: CropSource) -> None:
    assert source.with_lesion() == source.with_label(lesion=True) == (1, 3, 5, 7)
    assert source.with_label(lesion=False) == (0, 2, 4, 6)
