"""The data and the device decide the schedule: every rule does what it says."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ml.train.fingerprint import Fingerprint, fingerprint
from ml.train.plan import (
    LEAST_STEPS,
    VIEWS_OF_A_LESION,
    Device,
    device_at_hand,
    plan_training,
)
from tests.factories.truths import bright_disc_canvases

DATA = Fingerprint(1600, 800, 800, 2000, 1024, 640, 0.2, (12.0, 60.0, 150.0))
TWO_CORES = Device("cpu", 2)


def test_a_fingerprint_is_what_the_images_are(tmp_path) -> None:
    canvases = bright_disc_canvases(tmp_path, 8)
    seen = fingerprint(canvases)
    boxes = [box for item in canvases.items for box in item.box_values()]
    assert (seen.images, seen.lesions) == (8, len(boxes))
    assert seen.images_with_lesion == sum(item.lesion for item in canvases.items)
    sides = [max(box.size) for box in boxes]
    assert (
        min(sides) <= seen.lesion_px[0] <= seen.lesion_px[1] <= seen.lesion_px[2] <= max(sides)
    )


def test_data_without_a_box_cannot_be_planned_for(tmp_path) -> None:
    canvases = bright_disc_canvases(tmp_path, 2)
    plain = replace(canvases, items=tuple(replace(i, boxes=()) for i in canvases.items))
    with pytest.raises(ValueError, match="no lesion has a box"):
        fingerprint(plain)


@pytest.mark.parametrize(("largest", "crop"), [(20, 256), (150, 320), (190, 384), (900, 512)])
def test_a_crop_holds_the_largest_lesions_and_as_much_again(largest: float, crop: int) -> None:
    plan = plan_training(replace(DATA, lesion_px=(10.0, 20.0, largest)), TWO_CORES)
    assert plan.crop_px == crop


def test_steps_go_with_the_lesions_until_time_is_up() -> None:
    few, more = (plan_training(replace(DATA, lesions=n), TWO_CORES) for n in (400, 800))
    assert more.detector.steps == 2 * few.detector.steps
    seen = few.detector.steps * few.detector.batch * few.detector.lesion_share / 400
    assert seen == pytest.approx(VIEWS_OF_A_LESION, rel=0.01)
    many = replace(DATA, lesions=10**6)
    hour, three = (plan_training(many, TWO_CORES, hours=h).detector.steps for h in (1, 3))
    assert three == pytest.approx(3 * hour, rel=0.01)
    # Issue: some 180,000 crops of 512 px in three hours on two cores.
    large = plan_training(replace(many, lesion_px=(1.0, 9.0, 999.0)), TWO_CORES)
    assert large.detector.steps * large.detector.batch == pytest.approx(180_000, rel=0.01)
    assert plan_training(replace(DATA, lesions=1), TWO_CORES).detector.steps == LEAST_STEPS


def test_a_gpu_takes_larger_batches_and_a_small_one_smaller() -> None:
    large, small = (plan_training(DATA, Device("cuda", 8, gib)) for gib in (80.0, 4.0))
    assert large.detector.batch == 128
    assert 16 <= small.detector.batch < 128
    assert large.detector.rate > plan_training(DATA, TWO_CORES).detector.rate


def test_trained_weights_are_tuned_at_a_lower_rate() -> None:
    anew, tuned = (plan_training(DATA, TWO_CORES, tuning=t) for t in (False, True))
    assert tuned.detector.rate < anew.detector.rate / 2
    assert tuned.patches.rate < anew.patches.rate / 2
    assert tuned.detector.steps == anew.detector.steps


def test_a_plan_is_plain_values() -> None:
    plan = json.loads(json.dumps(plan_training(DATA, TWO_CORES).to_json()))
    assert plan["fingerprint"]["lesions"] == DATA.lesions
    assert plan["detector"]["steps"] > 0


def test_the_device_at_hand_can_be_planned_for() -> None:
    device = device_at_hand()
    assert device.kind in {"cpu", "cuda"}
    assert device.cores >= 1
    assert plan_training(DATA, device).detector.steps >= LEAST_STEPS
