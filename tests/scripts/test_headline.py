"""Who teaches and who is asked in the headline's experiment, and what its figures say."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
import headline
from headline import FEW, PHANTOMS_FIRST, WAYS, Material, cells
from headline_crossed import Said, crossed_accuracy, crossed_sensitivity, crossed_skill
from headline_figures import REFERENCE, joined, kept, report_of, to_keep

from ml.data.canvases import CanvasItem, CanvasSet
from ml.mammo.prepare import WHOLE
from ml.splits import FOLDS, patient_fold
from tests.factories.truths import make_item, make_judged, make_marked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from ml.evaluate.outcomes import Judged, Marked

PAIRS = list(combinations(range(FOLDS), 2))
FILMS, PHANTOMS, REAL, TEST, PAINTED = 40, 60, max(FEW), 30, 220


@pytest.fixture
def material() -> Material:
    parts: dict[str, range] = {}
    items: list[CanvasItem] = []
    for name, count in (
        ("films", FILMS),
        ("phantoms", PHANTOMS),
        ("real", REAL),
        ("test", TEST),
        ("painted", PAINTED),
    ):
        parts[name] = range(len(items), len(items) + count)
        items += [make_item(f"{name} {number // 2}") for number in range(count)]
    pixels = np.zeros((len(items), 1, 1), np.uint16)
    return Material(CanvasSet(pixels, tuple(items), WHOLE), parts)


def test_no_film_is_asked_of_models_that_saw_its_woman(material: Material) -> None:
    items = material.canvases.items
    asked: list[int] = []
    for question in list(material.questions())[:FOLDS]:
        women = {items[i].patient_id for i in question.real}
        assert not women & {items[i].patient_id for i in question.asked}
        asked += question.asked
    assert sorted(asked) == list(material.parts["films"])


def test_few_real_images_are_a_part_of_more(material: Material) -> None:
    few = list(material.questions())[FOLDS : FOLDS + len(FEW)]
    assert [len(one.real) for one in few] == list(FEW)
    assert all(set(a.real) < set(b.real) for a, b in pairwise(few))
    assert {one.asked for one in few} == {tuple(material.parts["test"])}


def test_every_way_takes_the_same_steps_and_real_images_only_are_asked(
    material: Material,
) -> None:
    for question in material.questions():
        for way in WAYS:
            stages = material.stages(way, question)
            assert sum(stage.share for stage in stages) == 1
            taught = {i for stage in stages for i in stage.all}
            assert set(question.real) <= taught
            assert not taught & set(question.asked)
            made = taught & set(material.parts["painted"])
            assert len(made) == (len(question.real) if way.painted else 0)
            first = taught & set(material.parts["phantoms"])
            assert len(first) == (PHANTOMS if way.phantoms else 0)
            assert (stages[0].folder == PHANTOMS_FIRST) is way.phantoms


def test_each_training_has_a_place_of_its_own(material: Material, tmp_path: Path) -> None:
    places = [cell.place(tmp_path) for cell in cells(material, 2)]
    questions = FOLDS + len(FEW) + len(PAIRS)
    assert len(set(places)) == len(places) == 2 * 2 * len(WAYS) * questions


def test_what_decides_over_a_fold_comes_of_models_that_saw_neither(material: Material) -> None:
    items = material.canvases.items
    inner = {one.name: one for one in material.questions() if one.name.startswith("inner")}
    assert list(inner) == [f"inner-{a}-{b}" for a, b in PAIRS]
    films = set(material.parts["films"])
    for pair in PAIRS:
        one = inner[f"inner-{pair[0]}-{pair[1]}"]
        assert set(one.real) | set(one.asked) == films
        assert not set(one.real) & set(one.asked)
        assert {patient_fold(items[i].patient_id) for i in one.asked} == set(pair)


def test_without_a_generator_the_others_are_taught_as_with_one(material: Material) -> None:
    painted = material.parts["painted"]
    without = replace(
        material,
        canvases=replace(material.canvases, items=material.canvases.items[: painted.start]),
        parts={name: part for name, part in material.parts.items() if name != "painted"},
    )
    some = {one.name: without.stages(one.way, one.question) for one in cells(without, 1)}
    every = {one.name: material.stages(one.way, one.question) for one in cells(material, 1)}
    assert {name: every[name] for name in some} == some
    assert len(some) == len(every) / 2


def test_answers_come_back_as_they_were() -> None:
    said = [make_marked("a", (0.9, 0.0), (0.4,)), make_marked("b")]
    items = {one.item.image_id: one.item for one in said}
    again = kept(json.loads(json.dumps(to_keep(said))), items)
    assert to_keep(again) == to_keep(said)
    judged = [make_judged("a", 0.25, lesion=True)]
    assert to_keep(kept(to_keep(judged), {"a-image": judged[0].item})) == to_keep(judged)


def whole(
    figure: Callable[[Said, NDArray[np.int64]], float], said: Sequence[Judged | Marked]
) -> float:
    return figure(Said(said), np.arange(len(said)))


def women(count: int, good: float) -> list[Judged]:
    """Every other one is ill, and has a score that is higher by so much."""
    rng = np.random.default_rng(3)
    return [
        make_judged(
            f"woman {n}", float(0.3 + 0.3 * rng.random() + good * (n % 2)), lesion=n % 2 > 0
        )
        for n in range(count)
    ]


def test_an_accuracy_is_at_the_threshold_of_the_other_folds() -> None:
    assert whole(crossed_accuracy, women(60, 0.4)) > 0.95
    # One fold's scores lie elsewhere: the others' threshold is wrong there, and that is told.
    moved = [
        replace(one, said=replace(one.said, lesion=one.said.lesion + 5))
        if patient_fold(one.item.patient_id) == 0
        else one
        for one in women(60, 0.4)
    ]
    called = sum(not one.item.lesion and one.said.lesion > 5 for one in moved)
    assert called > 3
    assert whole(crossed_accuracy, moved) <= 1 - called / 60


def test_models_that_saw_neither_decide_where_there_are_some() -> None:
    # Whoever answers has scores of one size, and who decides of another: what is told is what
    # the deciding ones say, not what would fit.
    said = women(60, 0.4)
    high = [replace(one, said=replace(one.said, lesion=one.said.lesion + 5)) for one in said]
    inner = {
        fold: [one for one in high if patient_fold(one.item.patient_id) != fold]
        for fold in range(FOLDS)
    }
    told = crossed_accuracy(Said(said, inner), np.arange(60))
    assert told == pytest.approx(0.5), "all are called healthy"
    # In another order of the images it is the same.
    turned = Said(said, inner).in_order([one.item.image_id for one in reversed(said)])
    assert [one.item.image_id for one in turned.answers] == [
        one.item.image_id for one in reversed(said)
    ]
    assert crossed_accuracy(turned, np.arange(60)) == pytest.approx(0.5)


def folds(said: list[Judged]) -> dict[str, dict[int, list[Judged]]]:
    return {
        f"classifier/films-{fold}": {
            0: [one for one in said if patient_fold(one.item.patient_id) == fold]
        }
        for fold in range(FOLDS)
    }


def test_what_helps_is_told_from_what_does_not() -> None:
    usual, better = folds(women(130, 0.05)), folds(women(130, 0.3))
    found = {
        name: {REFERENCE: usual[name], "both": better[name], "phantoms-first": usual[name]}
        for name in usual
    }
    (question,) = report_of(found, draws=600)["questions"].values()  # type: ignore[union-attr]
    told = {(row["way"], row["figure"]): row for row in question["rows"]}
    assert told["both", "AUC, lesion"]["verdict"] == "helps"
    assert told["both", "accuracy"]["gain"]["low"] > 0
    assert told["phantoms-first", "AUC, lesion"]["verdict"] == "no gain"
    assert "verdict" not in told[REFERENCE, "accuracy"]


def test_films_count_where_every_fold_is_answered() -> None:
    said = folds(women(60, 0.3))
    some = dict(list(said.items())[1:])
    found = {name: {REFERENCE: said[name]} for name in said}
    for name in some:
        found[name]["both"] = some[name]
    assert list(joined(found)["classifier/films"]) == [REFERENCE]


def test_ways_are_compared_at_the_seeds_that_all_of_them_have() -> None:
    said, other = folds(women(60, 0.3)), folds(women(60, 0.1))
    found = {
        name: {
            REFERENCE: {0: said[name][0], 1: other[name][0], 2: said[name][0]},
            "both": {0: said[name][0], 1: other[name][0]},
        }
        for name in said
    }
    films = joined(found)["classifier/films"]
    assert {way: sorted(of) for way, of in films.items()} == {REFERENCE: [0, 1], "both": [0, 1]}
    assert [one.item.patient_id for one in films["both"][1].answers] == [
        one.item.patient_id for one in films[REFERENCE][1].answers
    ]
    # A training that was stopped: one fold of one seed is not answered.
    del found["classifier/films-3"]["both"][1]
    assert {way: list(of) for way, of in joined(found)["classifier/films"].items()} == {
        REFERENCE: [0],
        "both": [0],
    }
    # Without the first seed there is nothing to compare it with yet.
    del found["classifier/films-3"]["both"][0]
    assert list(joined(found)["classifier/films"]) == [REFERENCE]


def test_inner_answers_count_where_every_way_has_all_of_them() -> None:
    said = women(60, 0.3)
    outer = folds(said)
    found = {name: {REFERENCE: outer[name], "both": outer[name]} for name in outer}
    for pair in PAIRS:
        of_pair = [one for one in said if patient_fold(one.item.patient_id) in pair]
        name = f"classifier/inner-{pair[0]}-{pair[1]}"
        found[name] = {REFERENCE: {0: of_pair}, "both": {0: of_pair}}
    films = joined(found)["classifier/films"]
    for way in (REFERENCE, "both"):
        inner = films[way][0].inner
        assert set(inner) == set(range(FOLDS))
        for fold, told in inner.items():
            assert len(told) == sum(patient_fold(x.item.patient_id) != fold for x in said)
            assert all(patient_fold(one.item.patient_id) != fold for one in told)
    assert "neither the patients" in str(report_of(found, draws=5)["note"])
    del found["classifier/inner-1-3"]["both"]
    assert not joined(found)["classifier/films"][REFERENCE][0].inner
    assert "had seen the fold's own" in str(report_of(found, draws=5)["note"])


def test_a_generator_that_saw_the_women_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ml.hashed import name_sha256
    from ml.synth.pack import read_generator, write_generator_card
    from tests.factories.generators import make_generator

    pack = make_generator(tmp_path / "generator")
    write_generator_card(
        pack.folder, replace(pack.card, training_patients=(name_sha256("woman 3"),))
    )
    pixels = np.zeros((1, 1), np.uint16)
    film = (pixels, make_item("woman 3"))
    monkeypatch.setattr(headline, "mini_mias_canvases", lambda folder, spec: iter([film]))
    assert read_generator(pack.folder).card.training_patients
    with pytest.raises(SystemExit, match="phantoms alone"):
        headline.untaught(pack.folder, tmp_path)


def test_a_generator_that_does_not_say_whom_it_was_taught_is_refused(tmp_path: Path) -> None:
    from ml.synth.pack import write_generator_card
    from tests.factories.generators import make_generator

    pack = make_generator(tmp_path / "generator")
    write_generator_card(pack.folder, replace(pack.card, training_patients=()))
    with pytest.raises(SystemExit, match="does not say"):
        headline.untaught(pack.folder, tmp_path)


def test_a_sensitivity_is_where_the_other_folds_have_one_false_mark() -> None:
    def marks(n: int, lift: float) -> Marked:
        if n % 2:
            return make_marked(f"woman {n}", (0.6 + lift,))
        return make_marked(f"woman {n}", (), (0.5 + lift, 0.4 + lift))

    said = [marks(n, 0.0) for n in range(60)]
    assert whole(crossed_sensitivity, said) == 1
    # One fold's scores lie lower: there the others' threshold leaves its lesions unmarked.
    lower = [marks(n, -0.3 if patient_fold(f"woman {n}") == 0 else 0.0) for n in range(60)]
    missed = sum(n % 2 and patient_fold(f"woman {n}") == 0 for n in range(60))
    assert missed > 3
    assert whole(crossed_sensitivity, lower) == pytest.approx(1 - missed / 30)
    assert math.isnan(whole(crossed_sensitivity, [said[1]]))


def test_a_skill_is_of_probabilities_that_the_other_folds_give() -> None:
    rng = np.random.default_rng(5)
    chance = rng.random(400)
    ill = rng.random(400) < chance

    def judged(scores: NDArray[np.float64]) -> list[Judged]:
        return [
            make_judged(f"woman {n}", float(score), lesion=bool(ill[n]))
            for n, score in enumerate(scores)
        ]

    def skill(scores: NDArray[np.float64]) -> float:
        return crossed_skill(Said(judged(scores)))(np.arange(400))

    # With the true chances of an even draw, the error is 1/6, and that of the share 1/4.
    assert skill(chance) == pytest.approx(1 / 3, abs=0.07)
    # A straight change of the logit costs nothing: the fit takes it back.
    odds = np.log(chance / (1 - chance))
    assert skill(1 / (1 + np.exp(2 - odds / 3))) == pytest.approx(skill(chance), abs=1e-3)
    assert skill(rng.permutation(chance)) == pytest.approx(0, abs=0.03)
    assert math.isnan(crossed_skill(Said(judged(chance)[:1]))(np.arange(1)))
