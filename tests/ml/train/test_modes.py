"""Who teaches in which mode, for how many steps, and who may not."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.data.augment import NONE, Augmentation
from ml.errors import DataError
from ml.hashed import name_sha256
from ml.mammo.codes import FindingType
from ml.mammo.geometry import Box
from ml.manifest import BoxRow, Manifest, ManifestRow, ReferenceStandard, Source, Split
from ml.train.classifier import ClassifierRecipe, Variants, draw_variants
from ml.train.crops import Crop, CropSource, draw_crop, sampling_of
from ml.train.detector import DetectorRecipe
from ml.train.modes import (
    Mode,
    Teaching,
    as_told,
    recipes_of,
    refuse_children,
    stages_of,
)
from ml.train.order import TrainingOrder
from tests.factories.truths import bright_disc_canvases, make_item

if TYPE_CHECKING:
    from ml.data.canvases import CanvasItem

BOX = (10.0, 10.0, 40.0, 40.0)


def items(real: int = 8, made: int = 12) -> tuple[CanvasItem, ...]:
    """Every other one with a lesion; the synthetic ones behind the real ones."""
    return tuple(
        replace(
            make_item(f"woman {number}", (BOX,) if number % 2 else ()),
            source="real" if number < real else "generated",
        )
        for number in range(real + made)
    )


@pytest.mark.parametrize("mode", Mode)
def test_every_mode_takes_the_same_updates(mode: Mode) -> None:
    stages = stages_of(Teaching(mode), items())
    for recipe in (DetectorRecipe(steps=501, batch=16), ClassifierRecipe(steps=501, batch=16)):
        recipes = recipes_of(recipe, stages)
        assert sum(each.steps for each in recipes) == 501
        assert {each.batch for each in recipes} == {16}
        assert {each.seed for each in recipes} == {recipe.seed}


def test_who_teaches() -> None:
    taught = {mode: stages_of(Teaching(mode), items()) for mode in Mode}
    real, made = set(range(8)), set(range(8, 20))
    for mode in (Mode.REAL, Mode.AUGMENTED, Mode.OVERSAMPLED):
        (stage,) = taught[mode]
        assert set(stage.all) == real
        assert (stage.augmentation == NONE) == (mode is Mode.REAL)
        assert stage.alike == (mode is Mode.OVERSAMPLED)
    (mixed,) = taught[Mode.MIXED]
    assert set(mixed.real) == real
    assert set(mixed.images) < made
    assert len(mixed.images) == 8, "one for each real one"
    first, second = taught[Mode.SYNTHETIC_FIRST]
    assert set(first.images) == set(mixed.images)
    assert set(second.images) == real
    assert (first.folder, second.folder) == ("synthetic", "")
    assert second.augmentation == Augmentation()
    (only,) = taught[Mode.SYNTHETIC_ONLY]
    assert only.images == mixed.images


def test_a_larger_dose_holds_the_smaller_and_has_as_many_lesions() -> None:
    doses = {d: stages_of(Teaching(Mode.MIXED, d), items())[0].images for d in (0.25, 0.5, 1.5)}
    assert set(doses[0.25]) < set(doses[0.5]) < set(doses[1.5])
    assert [len(images) for images in doses.values()] == [2, 4, 12]
    for images in doses.values():
        assert sum(items()[i].lesion for i in images) == len(images) / 2


def test_a_mixed_batch_is_shared_by_the_numbers_of_images() -> None:
    (recipe,) = recipes_of(DetectorRecipe(batch=16), stages_of(Teaching(Mode.MIXED), items()))
    assert recipe.real_share == 0.5
    many = items(2, 200)
    (recipe,) = recipes_of(DetectorRecipe(batch=16), stages_of(Teaching(Mode.MIXED, 100), many))
    assert round(16 * recipe.real_share) == 1, "one of a batch stays real"


def test_what_goes_on_from_another_stage_is_tuned() -> None:
    stages = stages_of(Teaching(Mode.SYNTHETIC_FIRST), items())
    first, second = recipes_of(DetectorRecipe(), stages)
    assert second.rate == pytest.approx(0.3 * first.rate)
    _, again = recipes_of(DetectorRecipe(), stages, tuned=True)
    assert again.rate == first.rate


def test_a_real_image_has_as_many_variants_in_every_mode() -> None:
    recipe = ClassifierRecipe(phantom_variants=2, real_variants=6)
    (alone,) = recipes_of(recipe, stages_of(Teaching(Mode.AUGMENTED), items()))
    assert alone.phantom_variants == 6
    (mixed,) = recipes_of(recipe, stages_of(Teaching(Mode.MIXED), items()))
    assert (mixed.phantom_variants, mixed.real_variants) == (2, 6)
    (plain,) = recipes_of(recipe, stages_of(Teaching(Mode.REAL), items()))
    assert plain.phantom_variants == 1


def test_too_large_a_dose_is_said() -> None:
    with pytest.raises(DataError, match=r"asks for 16 synthetic images .* there are 12"):
        stages_of(Teaching(Mode.MIXED, 2), items())
    # Where none are wanted, none are missed.
    assert stages_of(Teaching(Mode.AUGMENTED, 2), items())


def test_kinds_that_would_tell_the_label_are_refused() -> None:
    sick = tuple(
        i if i.source == "real" else replace(i, boxes=(BOX,), lesion=True) for i in items()
    )
    with pytest.raises(DataError, match="kind would tell the answer"):
        stages_of(Teaching(Mode.MIXED), sick)
    healthy = tuple(replace(i, boxes=(), lesion=False) for i in items())
    with pytest.raises(DataError, match="The real images"):
        stages_of(Teaching(Mode.REAL), healthy)
    with pytest.raises(DataError, match="does not say whether it is real"):
        stages_of(Teaching(Mode.REAL), (replace(items()[0], source="unknown"), *items()))


def test_children_of_held_out_women_are_refused() -> None:
    held_out = ManifestRow("a.dcm", "held out", split=Split.TEST)
    child = ManifestRow(
        "child.dcm",
        "SYNTHETIC-1",
        source=Source.GENERATED,
        split=Split.TRAIN,
        extra={"host_patient": name_sha256("held out")},
    )
    with pytest.raises(DataError, match=r"child\.dcm was painted into the breast"):
        refuse_children(Manifest(Path(), (held_out, child)))
    refuse_children(Manifest(Path(), (replace(held_out, split=Split.TRAIN), child)))


def test_a_generated_lesion_teaches_though_nobody_knows_its_nature() -> None:
    row = ManifestRow("a.dcm", "SYNTHETIC-1", source=Source.GENERATED, split=Split.TRAIN)
    boxed = Manifest(Path(), (row,), (BoxRow("a.dcm", Box(*BOX)),))
    assert as_told(boxed, row).reference_standard is ReferenceStandard.READER
    assert as_told(replace(boxed, boxes=()), row) is row


def test_seeds_differ_and_the_first_is_the_programs_own() -> None:
    from tests.ml.train.test_command import PLAN

    assert Teaching(Mode.REAL).plan(PLAN) == PLAN
    seeds = {Teaching(Mode.REAL, seed=seed).plan(PLAN).detector.seed for seed in range(3)}
    assert len(seeds) == 3


def test_an_order_knows_its_mode() -> None:
    order = TrainingOrder("in", "out", "detector", mode="mixed", dose=0.5)
    assert TrainingOrder.from_json(order.to_json()) == order
    for wrong in ({"mode": "magic"}, {"dose": 0}, {"role": "generator"}):
        with pytest.raises(DataError, match="make it anew"):
            TrainingOrder.from_json({**order.to_json(), **wrong})


def test_crops_of_a_rare_class_are_drawn_as_often(tmp_path: Path) -> None:
    canvases = bright_disc_canvases(tmp_path, 12)
    rare = replace(canvases.items[1], finding_types=(FindingType.CALCIFICATIONS,))
    known = replace(canvases, items=(canvases.items[0], rare, *canvases.items[2:]))
    usual = CropSource(known, tuple(range(12)), 64, 64)
    alike = replace(usual, alike=True)
    rng = np.random.default_rng(7)
    drawn = Counter(draw_crop(alike, rng, lesion=True).item.image_id for _ in range(100))
    assert 35 <= drawn[rare.image_id] <= 65
    assert len(drawn) == 6
    assert sampling_of(usual, None) == {}
    assert sampling_of(usual, alike) == {"alike": True}, "a checkpoint tells them apart"


def test_whole_images_of_a_rare_class_are_drawn_as_often() -> None:
    import torch

    rows = [make_item(f"w{i}", (BOX,) if i % 2 else (), malignant=i == 1) for i in range(12)]
    crops = tuple(Crop(np.zeros((0, 0), np.float32), (), (), item) for item in rows)
    variants = Variants(torch.zeros((12, 1, 1, 1)), crops, alike=True)
    _, drawn = draw_variants([variants], ClassifierRecipe(batch=200), 0)
    sick = [crop for crop in drawn if crop.item.lesion]
    assert len(sick) == 100
    assert 35 <= sum(bool(crop.item.malignant) for crop in sick) <= 65
