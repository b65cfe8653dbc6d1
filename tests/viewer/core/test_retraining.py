"""A retraining as a value: what is heard, what the curve says, how far it is."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from ml.audit.report import AuditReport, Check, Sentence, Verdict
from ml.errors import DataError
from ml.evaluate.gate import Standing
from ml.train.modes import DOSED
from ml.train.order import HelpsOrder, TrainingOrder
from viewer.core import retraining
from viewer.core.retraining import Comparison, Counted, Point, Run, Step, Told

ORDER = TrainingOrder(manifest="/data", out="/runs/one", role="detector")


def audit(verdict: Verdict) -> AuditReport:
    said = Sentence.of("Said.")
    return AuditReport("data", 4, 2, (Check(said, verdict, said),))


def curve(*losses: float, stage: str = "detector") -> tuple[Point, ...]:
    return tuple(Point(n, len(losses), stage, loss) for n, loss in enumerate(losses, 1))


def test_losses_are_heard_once_and_in_order() -> None:
    run = Run(ORDER)
    for done in (1, 2, 2, 1):
        news = {"stage": "detector", "loss": 0.5, "done": done, "of": 9}
        run = retraining.hear(run, news)
    assert retraining.hear(run, {"pack": "/runs/one"}) is run
    assert [point.done for point in run.curve] == [1, 2]


def test_a_step_opens_what_comes_next() -> None:
    run = Run(ORDER)
    assert run.reached is Step.AUDIT
    assert Run(ORDER, audit=audit(Verdict.RED)).reached is Step.AUDIT
    assert Run(ORDER, audit=audit(Verdict.AMBER)).reached is Step.TRAIN
    assert Run(ORDER, curve=curve(1.0)).reached is Step.TRAIN
    assert Run(ORDER, trained=True).reached is Step.COMPARE
    compared = Comparison("detector", "own@1", "", True, (), (), 1, {})
    assert Run(ORDER, trained=True, comparison=compared).reached is Step.PROMOTE


def test_a_reason_opens_a_red_audit_and_stays_with_the_order() -> None:
    red = Run(ORDER, audit=audit(Verdict.RED))
    with pytest.raises(DataError, match="Say in a sentence"):
        retraining.overridden(red, "because")
    run = retraining.overridden(red, "It is  only tried.")
    assert run.reached is Step.TRAIN
    assert run.order.override == "It is only tried."
    assert run.audit is not None
    assert run.audit.verdict is Verdict.RED


def test_the_curve_is_read_in_words() -> None:
    assert retraining.reading(()) == "Nothing was told yet."
    assert retraining.reading(curve(1.0, 0.9)) == "Too early to tell."
    falling = retraining.reading(curve(*(1 - n / 40 for n in range(30))))
    assert "have fallen by" in falling
    assert "They still fall." in falling
    flat = retraining.reading(curve(*([1.0] * 3 + [0.4] * 60)))
    assert "hardly fall any more" in flat
    assert "fallen by 60 %" in flat
    assert "The errors grow" in retraining.reading(curve(*(n / 9 for n in range(1, 30))))
    # A later stage has errors of its own, which are not compared with those before.
    later = (*curve(*([9.0] * 20)), Point(21, 40, "classifier", 0.5))
    assert retraining.reading(later) == "Too early to tell."


def test_the_mean_follows_and_never_looks_ahead() -> None:
    losses = retraining.smoothed(curve(3.0, 3.0, 3.0, 0.0))
    assert losses[:3] == (3.0, 3.0, 3.0)
    assert losses[3] == pytest.approx(2.0)


def test_points_are_spread_over_all_with_the_first_and_the_last() -> None:
    assert retraining.spread(4, 9) == (0, 1, 2, 3)
    assert retraining.spread(0, 9) == ()
    kept = retraining.spread(1000, 101)
    assert (len(set(kept)), kept[0], kept[-1]) == (101, 0, 999)
    assert {after - before for before, after in pairwise(kept)} <= {9, 10, 11}


def test_a_new_training_takes_no_other_ones_folder(tmp_path: Path) -> None:
    first = retraining.new_folder(tmp_path, "detector", "2026-11-28")
    assert first.name == "2026-11-28-detector-1"
    first.mkdir()
    assert retraining.new_folder(tmp_path, "detector", "2026-11-28").name.endswith("-2")


@pytest.mark.parametrize(
    ("real", "generated", "doses"),
    [
        (10, 0, ()),
        (10, 3, (0.3,)),
        (10, 5, (0.5,)),
        (10, 19, (0.5, 1.0)),
        (10, 500, (0.5, 1.0, 2.0)),
        (1000, 1, ()),
        (0, 9, ()),
    ],
)
def test_whether_it_helps_is_asked_with_doses_that_there_are_images_for(
    real: int, generated: int, doses: tuple[float, ...]
) -> None:
    counted = Counted(
        ("/data",),
        9,
        9,
        ((9, real + generated, 1),) + ((0, 0, 0),) * 2,
        0,
        synthetic=generated,
    )
    assert retraining.doses_of(counted) == doses
    order = retraining.helps_order(Run(ORDER, counted))
    assert (order is None) == (not doses)
    if order is not None:
        assert (order.role, order.manifest, order.doses) == ("detector", "/data", doses)
        assert order.out == str(Path("/runs/one/helps"))
        assert HelpsOrder.from_json(order.to_json()) == order


def compared(promoted: bool, *standings: str) -> Comparison:
    told = tuple(Told(f"Figure {n}.", standing) for n, standing in enumerate(standings))
    return Comparison("detector", "own@1", "", promoted, told, ("Because.",), 1, {})


@pytest.mark.parametrize(
    ("promoted", "standings", "sign", "title"),
    [
        (True, ("better", "not worse"), "green", "Shown to be no worse"),
        (False, ("better", "worse"), "red", "Not shown to be as good"),
        (False, ("too few to tell", "worse"), "red", "Not shown to be as good"),
        (False, ("not worse", "too few to tell"), "amber", "Too few to tell"),
        (False, (), "amber", "Too few to tell"),
        (False, ("better", "not worse"), "amber", "No worse, but something else"),
        (False, ("a word of later",), "red", "Not shown to be as good"),
    ],
)
def test_a_comparison_is_headed_by_what_it_shows(
    promoted: bool, standings: tuple[str, ...], sign: str, title: str
) -> None:
    assert compared(promoted, *standings).headline[0] == sign
    assert title in compared(promoted, *standings).headline[1]


def test_the_signs_are_of_the_gates_words() -> None:
    signs = {standing: Told("", standing.value).sign for standing in Standing}
    assert signs == {
        Standing.BETTER: "green",
        Standing.NOT_WORSE: "green",
        Standing.TOO_FEW: "amber",
        Standing.WORSE: "red",
    }


def test_a_dose_is_asked_for_in_the_modes_that_have_one() -> None:
    assert tuple(mode.value for mode in DOSED) == retraining.DOSED
