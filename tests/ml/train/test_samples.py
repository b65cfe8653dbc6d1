"""Live samples: the same images each time, told in words, and no part of the training."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from ml.control import Stopped
from ml.mammo.codes import FindingType
from ml.train import samples
from ml.train.classifier import ClassifierRecipe, train_classifier
from ml.train.crops import CropSource
from ml.train.detector import DetectorRecipe, train_detector
from ml.train.order import SAMPLES
from ml.train.samples import KNOWN_COLOUR, MARK_COLOUR, Said, Sampled, chosen, look, picture
from tests.factories.truths import SMALL, bright_disc_canvases, make_item
from tests.ml.synth.test_making import Watch

if TYPE_CHECKING:
    from pathlib import Path

    from ml.data.canvases import CanvasSet

STEPS = 5
FEW = {"steps": STEPS, "warmup": 1, "save_every": 2}
DETECTOR = DetectorRecipe(batch=2, **FEW)
CLASSIFIER = ClassifierRecipe(batch=2, phantom_variants=1, **FEW)
LESION = (10.0, 20.0, 50.0, 60.0)


@pytest.fixture(scope="module")
def canvases(tmp_path_factory: pytest.TempPathFactory) -> CanvasSet:
    return bright_disc_canvases(tmp_path_factory.mktemp("canvases"), 8)


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "LEAST_STEPS", 2)


class Stopping(Watch):
    """Ends the work after a step."""

    def say(self, done: int, of: int, news: Any = None) -> None:
        super().say(done, of, news)
        if done == 3 and news and "loss" in news:
            raise Stopped


def trained(
    role: str, canvases: CanvasSet, folder: Path, watch: Watch | None = None
) -> dict[str, torch.Tensor]:
    """A few steps, with samples where somebody watches."""
    folder.mkdir(exist_ok=True)
    everything = tuple(range(8))
    begun = lambda model: None  # noqa: E731
    tell = lambda step, loss: None  # noqa: E731
    if watch is not None:
        seen = Sampled(watch, role, canvases, everything, folder, 2)
        begun = seen.watch
        tell = lambda step, loss: seen.say(  # noqa: E731
            step + 1, STEPS, {"stage": role, "loss": loss}
        )
    if role == "detector":
        crops = CropSource(canvases, everything, 128, 128)
        model = train_detector(crops, None, DETECTOR, folder, progress=tell, begun=begun)
    else:
        whole = CropSource(canvases, everything, SMALL.rows, SMALL.columns)
        model = train_classifier(
            whole, None, CLASSIFIER, folder, pretrained=False, progress=tell, begun=begun
        )
    return model.state_dict()


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / SAMPLES).iterdir()}


@pytest.mark.parametrize("role", ["detector", "classifier"])
def test_a_training_ends_as_if_nobody_had_looked(
    role: str, canvases: CanvasSet, tmp_path: Path
) -> None:
    watch = Watch()
    alone = trained(role, canvases, tmp_path / "alone")
    watched = trained(role, canvases, tmp_path / "watched", watch)
    with pytest.raises(Stopped):
        trained(role, canvases, tmp_path / "stopped", Stopping())
    resumed = trained(role, canvases, tmp_path / "stopped", Watch())
    for name, value in alone.items():
        assert torch.equal(watched[name], value), name
        assert torch.equal(resumed[name], value), name
    assert files(tmp_path / "stopped") == files(tmp_path / "watched")
    tables = [str(news["sample"]) for news in watch.news if "sample" in news]
    names = [f"{role}-0000{done}" for done in (2, 4, 5)]
    assert tables == [str(tmp_path / "watched" / SAMPLES / f"{name}.json") for name in names]
    pictures = [f"{name}-{number}.png" for name in names for number in (1, 2, 3, 4)]
    assert sorted(files(tmp_path / "watched")) == sorted(
        [*(f"{name}.json" for name in names), *pictures]
    )


def test_a_table_says_what_is_known_and_what_is_said(
    canvases: CanvasSet, tmp_path: Path
) -> None:
    trained("classifier", canvases, tmp_path, Watch())
    table = json.loads((tmp_path / SAMPLES / "classifier-00005.json").read_text())
    assert (table["stage"], table["done"]) == ("classifier", 5)
    assert [row["lesion"] for row in table["images"]] == [True, True, False, False]
    for row in table["images"]:
        assert 0 <= row["score"] <= 1
        assert row["found"] is None
        assert (tmp_path / SAMPLES / row["picture"]).exists()


def test_nobody_looks_at_a_classifier_that_knows_pieces_only(
    canvases: CanvasSet, tmp_path: Path
) -> None:
    watch = Watch()
    seen = Sampled(watch, "classifier", canvases, range(8), tmp_path, 1)
    seen.watch(nn.Identity())
    seen.say(2, 8, {"stage": "patches", "loss": 0.5})
    assert watch.news == [{"stage": "patches", "loss": 0.5}]
    assert list(tmp_path.iterdir()) == []


def test_images_are_chosen_evenly_and_half_of_them_have_a_lesion() -> None:
    lesion = make_item(boxes=(LESION,))
    items = [lesion] * 10 + [make_item()] * 10
    assert chosen(items, range(20)) == (0, 5, 10, 15)
    assert chosen(items, range(5, 20)) == (5, 7, 10, 15)
    assert chosen(items[:11], range(11)) == (0, 3, 6, 10), "more of one where the other lacks"
    unknown = replace(make_item(), unknown=True)
    assert chosen([unknown, lesion, *items[10:12]], range(4)) == (1, 2, 3)
    unboxed = make_item(lesion=True)
    assert chosen([unboxed, lesion, unboxed, make_item()], range(4)) == (1, 3)


class Marks(nn.Module):
    """A detector that marks two places, whatever it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, canvas: torch.Tensor) -> tuple[torch.Tensor]:
        # Middle x and y, width, height, and a score for each class.
        hit, wrong = [40.0, 30.0, 40.0, 40.0, 0.9, 0.0], [100.0, 150.0, 20.0, 20.0, 0.6, 0.0]
        return (torch.tensor([hit, wrong]).T[None],)


def test_marks_are_held_against_what_is_known() -> None:
    pixels = np.zeros((256, 192), np.uint16)
    second = (200.0, 100.0, 220.0, 120.0)
    item = replace(make_item(boxes=(LESION, second)), finding_types=(FindingType.MASS,) * 2)
    said = look(Marks(), pixels, item)
    assert (said.found, said.wrong, said.score) == (1, 1, None)
    assert [score for _, score in said.marks] == pytest.approx([0.9, 0.6])
    assert said.marks[0][0] == pytest.approx(LESION)


def test_a_lesions_line_is_whole_and_a_marks_is_broken() -> None:
    pixels = np.full((960, 640), 257 * 20, np.uint16)
    said = Said(marks=(((400.0, 40.0, 500.0, 300.0), 0.5),))
    drawn = picture(pixels, make_item(boxes=((100.0, 40.0, 200.0, 300.0),)), said)
    assert drawn.shape == (480, 320, 3)
    known = (drawn[50, 20:150] == KNOWN_COLOUR).all(1)
    assert known.all()
    marked = (drawn[200, 20:150] == MARK_COLOUR).all(1)
    assert 0.3 < marked.mean() < 0.7
    assert cv2.absdiff(drawn[30:48, 20:100], np.full((18, 80, 3), 20, np.uint8)).any(), "named"
