"""Both recipes on a lesion that nobody could miss: they learn, and a killed one goes on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from ml.errors import DataError
from ml.models.classifier import build_classifier
from ml.train import classifier
from ml.train.classifier import (
    ClassifierRecipe,
    classifier_loss,
    known_nature,
    map_target,
    train_classifier,
)
from ml.train.crops import Crop, CropSource, draw_crop
from ml.train.detector import DetectorRecipe, detector_batch, train_detector
from ml.train.loop import learning_rate
from ml.train.patches import PatchRecipe, is_malignant, patch_loss, train_patches
from tests.factories.truths import SMALL, bright_disc_canvases, make_item

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import nn

DETECTOR = DetectorRecipe(steps=8, batch=4, warmup=2, save_every=2)
CLASSIFIER = ClassifierRecipe(
    steps=8, batch=6, warmup=2, save_every=2, phantom_variants=1, real_variants=1
)


class KilledError(Exception):
    """What stands for the machine going down."""


@pytest.fixture(scope="module")
def canvases(tmp_path_factory: pytest.TempPathFactory):
    return bright_disc_canvases(tmp_path_factory.mktemp("canvases"), 8)


@pytest.fixture(params=["detector", "classifier"])
def train(request: pytest.FixtureRequest, canvases) -> Callable[..., nn.Module]:
    everything = tuple(range(8))
    crops = CropSource(canvases, everything, 128, 128)
    whole = CropSource(canvases, everything, SMALL.rows, SMALL.columns)

    def run(folder: Path, progress=lambda step, loss: None) -> nn.Module:
        if request.param == "detector":
            return train_detector(crops, crops, DETECTOR, folder, progress=progress)
        return train_classifier(
            whole, whole, CLASSIFIER, folder, pretrained=False, progress=progress
        )

    return run


def test_a_killed_training_ends_as_if_it_had_not_been(
    train: Callable[..., nn.Module], tmp_path: Path
) -> None:
    def stop(step: int, loss: float) -> None:
        if step == 4:  # after the checkpoint of step 4, in the middle of the next
            raise KilledError

    with pytest.raises(KilledError):
        train(tmp_path / "killed", stop)
    resumed = train(tmp_path / "killed").state_dict()
    for name, value in train(tmp_path / "whole").state_dict().items():
        assert torch.equal(resumed[name], value), name


def test_a_checkpoint_of_other_data_is_not_gone_on_with(canvases, tmp_path: Path) -> None:
    eight, six = (CropSource(canvases, tuple(range(n)), 128, 128) for n in (8, 6))
    train_detector(eight, None, DETECTOR, tmp_path)
    with pytest.raises(DataError, match="belongs to a training with other data or settings"):
        train_detector(six, None, DETECTOR, tmp_path)


def test_a_checkpoint_of_another_recipe_is_not_gone_on_with(canvases, tmp_path: Path) -> None:
    whole = CropSource(canvases, tuple(range(8)), SMALL.rows, SMALL.columns)
    train_classifier(whole, None, CLASSIFIER, tmp_path, pretrained=False)
    longer = replace(CLASSIFIER, steps=12)
    with pytest.raises(DataError, match="belongs to a training with other data or settings"):
        train_classifier(whole, None, longer, tmp_path, pretrained=False)


def test_a_training_may_start_from_the_weights_of_another(canvases, tmp_path: Path) -> None:
    crops = CropSource(canvases, tuple(range(8)), 128, 128)
    first = train_detector(crops, None, DETECTOR, tmp_path / "first").state_dict()
    still = replace(DETECTOR, steps=1, rate=0.0, weight_decay=0.0)
    second = train_detector(crops, crops, still, tmp_path / "second", start=first).state_dict()
    weights = [n for n in first if n.endswith("weight") and "bn" not in n]
    assert all(torch.equal(first[name], second[name]) for name in weights)


def test_a_classifier_that_is_trained_needs_no_image_any_more(
    canvases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = CropSource(canvases, tuple(range(8)), SMALL.rows, SMALL.columns)
    first = train_classifier(whole, None, CLASSIFIER, tmp_path, pretrained=False).state_dict()
    # Another call would pass every image through the trunk again, for nothing.
    monkeypatch.delattr(classifier, "make_variants")
    again = train_classifier(whole, None, CLASSIFIER, tmp_path, pretrained=False).state_dict()
    assert all(torch.equal(first[name], value) for name, value in again.items())


def test_patches_may_start_from_the_weights_of_another(canvases, tmp_path: Path) -> None:
    crops = CropSource(canvases, tuple(range(8)), 128, 128)
    torch.manual_seed(5)
    first = build_classifier(pretrained=False).state_dict()
    still = PatchRecipe(steps=1, batch=2, rate=0.0, weight_decay=0.0)
    second = train_patches(crops, None, still, tmp_path, pretrained=False, start=first)
    weights = {n: value for n, value in second.state_dict().items() if n.endswith("weight")}
    assert all(torch.equal(first[name], value) for name, value in weights.items())


def test_the_loss_falls(train: Callable[..., nn.Module], tmp_path: Path) -> None:
    losses: list[float] = []
    train(tmp_path, lambda step, loss: losses.append(loss))
    assert np.isfinite(losses).all()
    assert np.mean(losses[-3:]) < np.mean(losses[:3])


def test_the_rate_rises_and_falls() -> None:
    rates = [learning_rate(step, 100, 10, 1.0) for step in range(100)]
    assert rates[9] == max(rates) == 1.0
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] == pytest.approx(0.02, abs=0.01)


def test_a_batch_says_where_its_lesions_are(canvases) -> None:
    source = CropSource(canvases, tuple(range(8)), 128, 64)
    crops = [draw_crop(source, np.random.default_rng(s), lesion=s % 2 == 0) for s in range(6)]
    batch = detector_batch(crops)
    assert batch["img"].shape == (6, 1, 128, 64)
    owners = [number for number, crop in enumerate(crops) for _ in crop.boxes]
    assert batch["batch_idx"].tolist() == owners
    assert batch["cls"].shape == (len(owners), 1)
    x, y, width, height = batch["bboxes"][0].tolist()
    box = crops[owners[0]].boxes[0]
    assert (y * 128, x * 64) == pytest.approx(box.center, abs=1e-3)
    assert (height * 128, width * 64) == pytest.approx(box.size, abs=1e-3)


def test_the_map_is_told_where_the_lesion_is() -> None:
    crop_with = _crop(((64.0, 64.0, 128.0, 128.0),))
    unboxed = make_item(lesion=True)
    crop_without = Crop(np.zeros((0, 0), np.float32), (), (), unboxed)
    target, known = map_target([crop_with, crop_without], 4, 3)
    assert target[0].nonzero().tolist() == [[1, 1]]
    assert known.tolist() == [1.0, 0.0], "an abnormal film without a box says nothing"


def _crop(boxes: tuple[tuple[float, float, float, float], ...]) -> Crop:
    item = make_item(boxes=boxes)
    return Crop(np.zeros((0, 0), np.float32), item.box_values(), (0,), item)


def test_patches_learn_and_hand_their_weights_on(canvases, tmp_path: Path) -> None:
    everything = tuple(range(8))
    crops = CropSource(canvases, everything, 128, 128)
    recipe = PatchRecipe(steps=10, batch=6, warmup=2)
    losses: list[float] = []
    model = train_patches(
        crops, crops, recipe, tmp_path, pretrained=False, progress=lambda s, x: losses.append(x)
    )
    assert np.mean(losses[-3:]) < np.mean(losses[:3])
    whole = CropSource(canvases, everything, SMALL.rows, SMALL.columns)
    taken = train_classifier(
        whole, None, CLASSIFIER, tmp_path, pretrained=False, start=model.state_dict()
    )
    stem = "backbone._conv_stem.weight"
    assert torch.equal(taken.state_dict()[stem], model.state_dict()[stem]), "the trunk stays"


def test_a_patch_is_what_lies_on_it_not_what_the_image_is() -> None:
    item = make_item(boxes=((0.0, 0.0, 9.0, 9.0), (50.0, 50.0, 90.0, 90.0)), malignant=True)
    item = replace(item, malignant_boxes=(True, False))
    pixels = np.zeros((0, 0), np.float32)
    first, second = (
        Crop(pixels, (box,), (n,), item) for n, box in enumerate(item.box_values())
    )
    assert is_malignant(first)
    assert not is_malignant(second)
    assert not is_malignant(Crop(pixels, (), (), item))


def test_a_lesion_of_unknown_nature_teaches_nothing_of_malignancy() -> None:
    boxed = make_item(boxes=((10.0, 10.0, 40.0, 40.0),))
    pixels = np.zeros((64, 64), np.float32)
    kinds = (boxed, replace(boxed, malignant=None), make_item())
    crops = [Crop(pixels, i.box_values(), tuple(range(len(i.boxes))), i) for i in kinds]
    assert known_nature(crops).tolist() == [1.0, 0.0, 1.0]
    scores = torch.zeros((3, 2), requires_grad=True)
    outputs = (scores, torch.zeros((3, 1, 2, 2)), torch.zeros((3, 4)))
    for loss in (patch_loss(scores, outputs[1], crops), classifier_loss(outputs, crops)):
        (slope,) = torch.autograd.grad(loss, scores)
        assert slope[1, 1] == 0, "neither benign nor malignant"
        assert (slope[:, 0] != 0).all()
        assert (slope[[0, 2], 1] != 0).all()
