from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from ml.train.crops import CropSource, draw_crop
from ml.train.detector import DetectorRecipe
from ml.train.fingerprint import settings_of
from ml.train.hard import MOST, with_hard, with_told
from tests.factories.truths import bright_disc_canvases

# Row and column of the middle, score: of marks 20 pixels wide. The last is too weak.
AIR, CORNER, WEAK = (30.0, 20.0, 0.9), (220.0, 170.0, 0.4), (128.0, 20.0, 0.01)


class Wherever(nn.Module):
    """A detector that says the same of every image."""

    def __init__(self, marks: list[tuple[float, float, float]]) -> None:
        super().__init__()
        rows = [(column, row, 20.0, 20.0, score, 0.0) for row, column, score in marks]
        self.table = torch.tensor(rows).T[None]

    def forward(self, canvas: torch.Tensor) -> tuple[torch.Tensor]:
        return (self.table,)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> CropSource:
    canvases = bright_disc_canvases(tmp_path_factory.mktemp("canvases"), 8)
    return CropSource(canvases, tuple(range(8)), 64, 64)


def test_false_marks_are_hard_places(source: CropSource) -> None:
    taught = with_hard(source, Wherever([AIR, CORNER, WEAK]))
    assert set(taught.hard) == set(range(8))
    assert taught.hard[0] == (AIR[:2], CORNER[:2]), "the strongest first"
    assert not source.hard


def test_a_mark_on_a_lesion_is_none(source: CropSource) -> None:
    (box,) = source.canvases.items[1].box_values()
    row, column = box.center
    edge = (box.row0 - 2, column, 0.8)
    taught = with_hard(source, Wherever([(row, column, 0.9), edge]))
    assert 1 not in taught.hard, "neither the hit nor the loose mark beside it"
    assert 0 in taught.hard


def test_where_nobody_knows_the_lesions_place_nothing_is_wrong(source: CropSource) -> None:
    lost = replace(
        source.canvases.items[1], boxes=(), finding_types=(), detectability=(), lesion=True
    )
    items = (source.canvases.items[0], lost, *source.canvases.items[2:])
    unknown = replace(source, canvases=replace(source.canvases, items=items))
    assert 1 not in with_hard(unknown, Wherever([AIR])).hard


def test_of_one_image_only_the_strongest_and_of_many_images_a_part(source: CropSource) -> None:
    many = [(20.0 + 30 * number, 20.0, 0.9 - 0.1 * number) for number in range(7)]
    assert len(with_hard(source, Wherever(many)).hard[0]) == MOST
    assert set(with_hard(source, Wherever([AIR]), at_most=4).hard) == {0, 2, 4, 6}


def test_crops_without_a_lesion_are_cut_around_hard_places(source: CropSource) -> None:
    one = replace(source, hard={0: (CORNER[:2],)})
    rng = np.random.default_rng(3)
    drawn = [draw_crop(one, rng, lesion=False).item.image_id for _ in range(60)]
    # Half of them, and an eighth of the others.
    assert 25 <= drawn.count(source.canvases.items[0].image_id) <= 45


def with_items(source: CropSource, **changed: object) -> CropSource:
    """The second image, with a lesion, and the first, without, as somebody else knows them."""
    items = tuple(replace(item, **changed) for item in source.canvases.items)
    return replace(source, canvases=replace(source.canvases, items=items))


def test_what_a_reader_rejected_is_hard(source: CropSource) -> None:
    told = with_told(with_items(source, hard=(CORNER[:2],)))
    assert told.hard == dict.fromkeys(range(8), (CORNER[:2],))
    both = with_hard(told, Wherever([AIR]))
    assert both.hard[0] == (CORNER[:2], AIR[:2]), "her word first, then the detector's marks"
    assert with_told(source).hard == {}


def test_what_a_reader_rejected_on_a_lesion_is_not(source: CropSource) -> None:
    (box,) = source.canvases.items[1].box_values()
    assert 1 not in with_told(with_items(source, hard=(box.center,))).hard


def test_nor_where_the_lesion_is_somewhere(source: CropSource) -> None:
    lost = {"boxes": (), "finding_types": (), "lesion": True}
    assert with_told(with_items(source, hard=(CORNER[:2],), **lost)).hard == {}


def test_an_image_of_rejected_marks_is_no_normal_one(source: CropSource) -> None:
    """Its rejected places are drawn; nothing else of it is, neither with nor without lesion."""
    bare = {"boxes": (), "finding_types": (), "lesion": False, "malignant": None}
    first = replace(source.canvases.items[0], **bare, hard=(CORNER[:2],), unknown=True)
    items = (first, *source.canvases.items[1:])
    taught = with_told(replace(source, canvases=replace(source.canvases, items=items)))
    assert taught.hard == {0: (CORNER[:2],)}
    assert 0 not in taught.with_known_places()
    assert 0 not in taught.with_label(lesion=False) + taught.with_label(lesion=True)
    assert taught.with_known_label().indices == tuple(range(1, 8))
    assert with_hard(taught, Wherever([AIR])).hard[0] == (CORNER[:2],)
    middles = {
        draw_crop(taught, np.random.default_rng(seed), lesion=False).item.image_id
        for seed in range(40)
    }
    assert first.image_id in middles


def test_a_training_with_them_is_another_training(source: CropSource) -> None:
    plain, hard = source, replace(source, hard={0: (CORNER[:2],)})
    assert "hard" not in settings_of(DetectorRecipe(), plain)
    assert settings_of(DetectorRecipe(), plain, hard)["hard"] == [[], [0]]
