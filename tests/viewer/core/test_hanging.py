from __future__ import annotations

from dataclasses import replace

from ml.mammo.codes import Laterality, PresentationIntent, ViewModifier, ViewPosition
from ml.mammo.mammogram import Evidence
from ml.mammo.study import merge_images
from tests.factories.analyses import make_image, make_study
from viewer.core.hanging import extra_images, hang, title_of


def titles(viewports):
    return [v.image and title_of(v.image) for v in viewports]


def test_four_views_hang_back_to_back():
    study = make_study(("LMLO", "RMLO", "LCC", "RCC"))
    assert titles(hang(study)) == ["RCC", "LCC", "RMLO", "LMLO"]


def test_a_missing_view_leaves_an_empty_slot_with_its_name():
    slots = hang(make_study(("RCC", "RMLO", "LMLO")))
    assert [slot.title for slot in slots] == ["RCC", "LCC", "RMLO", "LMLO"]
    assert slots[1].image is None


def test_spot_views_and_other_projections_stay_out():
    spot = replace(make_image("RCC"), view_modifiers=(ViewModifier.SPOT,))
    side = replace(make_image("RCC"), view=Evidence(ViewPosition.ML, "test"))
    study = merge_images([spot, side, make_image("LCC")])
    slots = hang(study)
    assert titles(slots) == [None, "LCC", None, None]
    assert set(extra_images(study, slots)) == {spot, side}


def test_a_view_of_both_breasts_stays_out():
    cleavage = replace(make_image("RCC"), laterality=Evidence(Laterality.BOTH, "test"))
    study = merge_images([cleavage, make_image("LCC"), make_image("RCC")])
    slots = hang(study)
    assert titles(slots) == ["RCC", "LCC", None, None]
    assert extra_images(study, slots) == (cleavage,)


def test_the_image_made_for_reading_hangs():
    raw = replace(make_image("RCC"), intent=PresentationIntent.FOR_PROCESSING)
    made = replace(make_image("RCC"), intent=PresentationIntent.FOR_PRESENTATION)
    assert hang(merge_images([raw, made]))[0].image is made


def test_of_two_takes_the_later_hangs():
    first = replace(make_image("RCC"), instance_number=1)
    second = replace(make_image("RCC"), instance_number=7)
    assert hang(merge_images([second, first]))[0].image is second


def test_implant_displaced_hangs_only_where_nothing_better_is():
    displaced = replace(make_image("RCC"), view_modifiers=(ViewModifier.IMPLANT_DISPLACED,))
    plain = make_image("RCC")
    assert hang(merge_images([displaced]))[0].image is displaced
    assert hang(merge_images([displaced, plain]))[0].image is plain


def test_without_a_standard_view_the_first_images_hang_by_side():
    right = replace(make_image("RCC"), view=Evidence(ViewPosition.ML, "test"))
    left = replace(make_image("LCC"), view=None)
    slots = hang(merge_images([left, right]))
    assert [slot.image for slot in slots] == [right, left, None, None]


def test_one_side_alone_fills_row_by_row():
    images = [replace(make_image("RCC"), view=None, instance_number=n) for n in (1, 2, 3)]
    assert [slot.image for slot in hang(merge_images(images))] == [*images, None]
