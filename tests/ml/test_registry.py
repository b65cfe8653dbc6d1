from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ml.distribution import QUANTILES, Distribution, Part
from ml.errors import ModelError, WeightsCorruptError, WeightsMissingError
from ml.in_use import packs_in_use
from ml.registry import (
    CARD,
    NEEDED_ROLES,
    WEIGHTS,
    Calibration,
    ModelCard,
    card_to_json,
    inherit,
    probability_of,
    read_card,
    read_pack,
)
from tests.factories.packs import make_card, make_packs, rewrite_card

if TYPE_CHECKING:
    from pathlib import Path

FILES = {"weights.safetensors": "c" * 64, "graph.xml": "a" * 64, "graph.bin": "b" * 64}


def written(tmp_path: Path, card: ModelCard, **changes: object) -> Path:
    path = tmp_path / CARD
    path.write_text(json.dumps({**card_to_json(card), **changes}))
    return path


def test_a_card_comes_back_as_it_was(tmp_path: Path) -> None:
    card = make_card("detector", FILES)
    assert read_card(written(tmp_path, card)) == card
    stained = replace(card, overrides=("Only to see whether it runs",))
    assert read_card(written(tmp_path, stained)) == stained
    # A card of before scores were kept has the same hash as ever.
    assert "distribution" not in card_to_json(card)
    part = Part((0.5,) * QUANTILES, 3, 2)
    spread = replace(card, distribution=Distribution(part, Part((), 0, 0), "x"))
    assert read_card(written(tmp_path, spread)) == spread


def test_unknown_keys_are_ignored(tmp_path: Path) -> None:
    card = make_card("classifier", FILES)
    assert read_card(written(tmp_path, card, added_later=[1])) == card


@pytest.mark.parametrize(
    "change",
    [
        {"role": "oracle"},
        {"operating_points": []},
        {"files": {"../graph.xml": "a" * 64, **FILES}},
        {"files": {"graph.xml": "a" * 64}},
        {"classes": ["spot"]},
        {"prepare": {"rows": "many"}},
        {"version": None},
    ],
)
def test_a_broken_card_is_a_sentence(tmp_path: Path, change: dict[str, object]) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        read_card(written(tmp_path, make_card("detector", FILES), **change))


def test_no_json_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / CARD).write_bytes(b"\xff{")
    with pytest.raises(ModelError, match="cannot be read"):
        read_card(tmp_path / CARD)


def test_a_pack_names_the_weights_it_speaks_for(tmp_path: Path) -> None:
    pack = read_pack(make_packs(tmp_path)["detector"])
    assert pack.card.use.weights_sha256 == pack.card.files[WEIGHTS]
    assert pack.card.use.operating_point.threshold == 0.5


def test_a_card_that_was_calibrated_anew_is_another_use_of_the_same_weights(
    tmp_path: Path,
) -> None:
    folder = make_packs(tmp_path)["detector"]
    before = read_card(folder / CARD).use
    fit = {"detector": {"slope": 2.0, "intercept": 0.0, "prevalence": 0.5}}
    rewrite_card(folder, calibration=fit)
    after = read_card(folder / CARD).use
    assert (after.version, after.weights_sha256) == (before.version, before.weights_sha256)
    assert after.card_sha256 != before.card_sha256


def test_missing_and_changed_files_are_told_apart(tmp_path: Path) -> None:
    folder = make_packs(tmp_path)["detector"]
    rewrite_card(folder, note="still fine")
    (folder / WEIGHTS).write_bytes(b"changed")
    with pytest.raises(WeightsCorruptError, match=WEIGHTS):
        read_pack(folder)
    (folder / WEIGHTS).unlink()
    with pytest.raises(WeightsMissingError, match=WEIGHTS):
        read_pack(folder)


def test_a_card_takes_over_what_its_parents_were_trained_on(tmp_path: Path) -> None:
    grandparent = replace(make_card("detector", FILES), name="first", training_images=("i",))
    parent = inherit(
        replace(make_card("detector", FILES), name="second", training_patients=("p",)),
        [grandparent],
    )
    card = inherit(replace(make_card("detector", FILES), training_patients=("q",)), [parent])
    assert card.training_patients == ("p", "q")
    assert card.training_images == ("i",)
    assert card.parents == ("second@0.1.0", "first@0.1.0"), "the nearest first"
    assert read_card(written(tmp_path, card)) == card


def test_a_card_of_before_parents_and_prevalence_still_reads(tmp_path: Path) -> None:
    content = card_to_json(make_card("detector", FILES))
    del content["parents"]
    content["calibration"] = {"detector": {"slope": 1.5, "intercept": 0.5}}
    (tmp_path / CARD).write_text(json.dumps(content))
    card = read_card(tmp_path / CARD)
    assert card.parents == ()
    assert card.calibration["detector"] == Calibration(1.5, 0.5, None)


@pytest.mark.parametrize("share", [0, 1, -0.1, "half"])
def test_an_impossible_prevalence_is_refused(tmp_path: Path, share: object) -> None:
    fit = {"detector": {"slope": 1.0, "intercept": 0.0, "prevalence": share}}
    with pytest.raises(ModelError, match="cannot be read"):
        read_card(written(tmp_path, make_card("detector", FILES), calibration=fit))


def test_a_probability_is_platts() -> None:
    assert probability_of(Calibration(1.0, 0.0), 0.3) == pytest.approx(0.3)
    assert probability_of(Calibration(2.0, 0.0), 0.8) == pytest.approx(16 / 17)
    assert 0 < probability_of(Calibration(1e3, 0.0), 0.0) < 1e-9


def test_a_weight_of_more_than_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        read_card(written(tmp_path, make_card("classifier", FILES), mark_weights={"lesion": 2}))


def test_another_folder_of_packs_is_taken_whole(tmp_path: Path) -> None:
    """Of a folder without calcifications' detector, the program's own is no part."""
    (tmp_path / "detector").mkdir()
    (tmp_path / "detector" / "card.json").write_text("{}")
    found = packs_in_use({"MAMMOSCOPE_MODELS": str(tmp_path)})
    assert found == {"detector": tmp_path / "detector"}
    assert set(NEEDED_ROLES) <= set(packs_in_use({}))
