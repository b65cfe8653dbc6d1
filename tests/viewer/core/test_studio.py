from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ml.registry import Figure
from ml.synth.balance import CELLS, Census
from ml.synth.prompts import prompt_text, read_prompt
from viewer.core import batch as batches
from viewer.core import studio
from viewer.core.batch import Batch, Shot
from viewer.core.lacks import DataSet, cell_sentence, images_of, lack_rows, plan_of
from viewer.core.settings import Settings, settings_from_toml, settings_to_toml

if TYPE_CHECKING:
    from pathlib import Path

GENERATOR = studio.Generator("/models/generator", "generator", "1.0.0", ("alpha", "beta"), True)
BARE = replace(GENERATOR, paints=False)
SLOTS = [chips.slot for row in studio.ROWS for chips in row]


def every_word() -> list[tuple[str, str]]:
    return [(slot, word) for slot in SLOTS for word in studio.words_of_slot(slot, GENERATOR)]


@pytest.mark.parametrize(("slot", "word"), every_word())
def test_a_chip_and_the_sentence_say_the_same(slot: str, word: str) -> None:
    draft = studio.choose(studio.first_draft(GENERATOR), slot, word)
    assert studio.chosen_word(draft, slot) == word
    assert read_prompt(draft.text, GENERATOR.vendors) == draft.prompt
    assert studio.write_text(studio.first_draft(GENERATOR), draft.text, GENERATOR) == draft


def test_a_lesion_gets_a_place_and_gives_it_back() -> None:
    draft = studio.first_draft(BARE)
    assert (draft.prompt.lesion, studio.chosen_word(draft, "quadrant")) == (None, "")
    with_lesion = studio.choose(draft, "lesion", "mass")
    assert studio.chosen_word(with_lesion, "quadrant") == "upper outer"
    assert studio.choose(with_lesion, "lesion", studio.NO_LESION) == draft


def test_a_generator_that_paints_nothing_is_asked_for_no_lesion() -> None:
    draft = studio.first_draft(BARE)
    assert not studio.is_open(draft, BARE, "lesion", "mass")
    lesion = prompt_text(studio.first_draft(GENERATOR).prompt)
    assert "paints no lesions" in studio.write_text(draft, lesion, BARE).problem


def test_an_order_says_all_and_can_be_carried_out(tmp_path: Path) -> None:
    from ml.synth.order import Order

    draft = studio.first_draft(GENERATOR)
    order = studio.order_of(draft, GENERATOR, tmp_path)
    assert Order.from_json(order.to_json()) == order
    assert studio.order_of(draft, BARE, tmp_path).sham_share == 0


def test_a_choice_outlives_the_program() -> None:
    choice = studio.GeneratorChoice("/sd", "/a.safetensors", ("siemens", "ge"), 0.4)
    kept = studio.keep_choice(Settings(disk_threads=7), choice)
    assert studio.choice_of(settings_from_toml(settings_to_toml(kept))) == choice
    assert kept.disk_threads == 7
    assert studio.choice_of(Settings()) == studio.GeneratorChoice()


def test_words_stand_between_commas() -> None:
    assert studio.read_words(" siemens , ge  healthcare,,siemens") == (
        "siemens",
        "ge healthcare",
    )


def test_what_no_card_says_stands_in_the_order(tmp_path: Path) -> None:
    foreign = replace(BARE, pixel_mm=0.4, lora="/a.safetensors", has_card=False)
    order = studio.order_of(studio.first_draft(foreign), foreign, tmp_path)
    asked = (order.vendors, order.pixel_mm, order.lora)
    assert asked == (("alpha", "beta"), 0.4, ("/a.safetensors",))
    # One that only paints has the size of what it paints into.
    painter = replace(GENERATOR, draws=False, has_card=False)
    asked_of = studio.order_of(studio.first_draft(painter), painter, tmp_path)
    assert (asked_of.vendors, asked_of.pixel_mm) == (("alpha", "beta"), None)
    own = studio.order_of(studio.first_draft(GENERATOR), GENERATOR, tmp_path)
    assert (own.vendors, own.pixel_mm, own.lora) == ((), None, ())


def test_a_draft_stays_as_far_as_another_generator_can_make_it() -> None:
    draft = studio.choose(replace(studio.first_draft(GENERATOR), seed=9), "view", "CC")
    other = replace(BARE, vendors=("siemens",))
    fitted = studio.fit_draft(draft, other)
    assert fitted.seed == 9
    assert fitted.text == (
        "a siemens mammogram in CC view with medium area and high density, left breast"
    )
    assert studio.fit_draft(draft, GENERATOR) == draft


def test_no_two_batches_share_a_folder(tmp_path: Path) -> None:
    first = studio.new_folder(tmp_path, 7, "2026-01-01")
    first.mkdir()
    assert studio.new_folder(tmp_path, 7, "2026-01-01").name == "2026-01-01-seed-7-2"


def data_set(each: int) -> DataSet:
    return DataSet("/data/mine", Census(dict.fromkeys(CELLS, each), 0))


def test_only_what_can_be_measured_is_compared() -> None:
    assert studio.reference_of(data_set(20), GENERATOR, 80) == "/data/mine"
    assert studio.reference_of(data_set(20), GENERATOR, 8) == ""
    assert studio.reference_of(data_set(0), GENERATOR, 80) == ""
    assert studio.reference_of(None, GENERATOR, 80) == ""


def test_the_table_of_what_is_lacking() -> None:
    data = data_set(3)
    rows = lack_rows(data, 5)
    assert [row.title for row in rows[:3]] == ["normal CC", "normal MLO", "mass CC"]
    assert {(cell.has, cell.make, cell.share) for row in rows for cell in row.cells} == {
        (6, 4, 0.4)
    }
    assert images_of(plan_of(data, 5)) == 2 * len(CELLS)
    text = cell_sentence(rows[0], "low", rows[0].cells[1])
    assert text == "normal CC, density low: 6 there, 4 to make"


def test_a_plan_is_an_order(tmp_path: Path) -> None:
    from ml.synth.order import Order

    order = studio.plan_order(
        studio.first_draft(GENERATOR), GENERATOR, tmp_path, data_set(3), 5
    )
    assert Order.from_json(order.to_json()) == order
    assert (order.plan, order.wanted, order.prompts) == ("/data/mine", 5, ())
    # Its images teach: whole breasts beside painted lesions would teach the difference.
    assert order.sham_share == 1
    told = order.to_json()
    del told["sham_share"]
    assert Order.from_json(told) == order
    bare = studio.plan_order(studio.first_draft(BARE), BARE, tmp_path, data_set(3), 5)
    assert bare.sham_share == 0


SHOT = Shot("/out/00003.dcm", "/out/00003.png", "", 3)
BATCH = Batch(1, "/out", 7, (SHOT,))


def test_what_is_no_image_is_no_shot() -> None:
    assert batches.hear(BATCH, {"loss": 0.1}) is BATCH
    assert batches.tells_of_quality({"quality": "/out/quality.json"})


def test_what_the_folder_holds_comes_first_and_choices_stay() -> None:
    chosen = batches.toggle(BATCH, SHOT.path)
    before = replace(SHOT, path="/out/00001.dcm", number=1)
    found = batches.find(chosen, (before, SHOT), ())
    assert [(shot.number, shot.wanted) for shot in found.shots] == [(1, True), (3, False)]


def test_what_was_written_down_counts_until_something_else_is_chosen() -> None:
    left = replace(SHOT, wanted=False)
    found = batches.find(replace(BATCH, shots=()), (left,), ())
    assert batches.not_kept(found) == ("00003.dcm",)
    again = batches.find(batches.toggle(found, SHOT.path), (left,), ())
    assert batches.not_kept(again) == ()


def test_a_deviation_belongs_to_its_figure() -> None:
    kid = Figure("KID, own", 0.04, 0.03, 0.05, 40, "generated")
    spread = replace(kid, name="KID, own: deviation over subsets", value=0.004)
    (line,) = batches.figure_lines((kid, spread))
    assert line.value == "0.04 ± 0.004"


def test_a_generator_that_only_paints_is_asked_for_lesions_only() -> None:
    painter = replace(GENERATOR, draws=False)
    assert not studio.is_open(studio.first_draft(painter), painter, "lesion", studio.NO_LESION)
    assert studio.is_open(studio.first_draft(painter), painter, "lesion", "mass")
    healthy = studio.choose(studio.first_draft(GENERATOR), "lesion", studio.NO_LESION)
    assert (
        "only paints lesions"
        in studio.write_text(studio.first_draft(painter), healthy.text, painter).problem
    )
    assert studio.fit_draft(healthy, painter).prompt.lesion
    assert "only paints lesions" in studio.headline(painter, "CPU")
