"""The losses of a training are there for a window that opens late."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ml.train.curve import Recorded
from ml.train.order import CURVE_POINTS as POINTS
from tests.ml.synth.test_making import Watch

if TYPE_CHECKING:
    from pathlib import Path


def test_losses_are_kept_and_everything_is_passed_on(tmp_path: Path) -> None:
    path, watch = tmp_path / "curve.jsonl", Watch()
    control = Recorded(watch, path)
    control.log("It begins.")
    control.say(1, 2, {"stage": "patches", "loss": 0.5})
    control.say(2, 2, {"pack": "/out"})
    control.breathe()
    (point,) = map(json.loads, path.read_text().splitlines())
    assert point == {"done": 1, "of": 2, "stage": "patches", "loss": 0.5}
    assert watch.told == [(1, 2), (2, 2)]
    assert watch.news == [point, {"pack": "/out"}]
    assert watch.sentences == ["It begins."]


def test_a_long_training_keeps_as_many_points_as_a_screen_shows(tmp_path: Path) -> None:
    path, steps = tmp_path / "curve.jsonl", 10 * POINTS
    control = Recorded(Watch(), path)
    for step in range(1, steps + 1):
        control.say(step, steps, {"stage": "detector", "loss": 1 / step})
    points = [json.loads(line)["done"] for line in path.read_text().splitlines()]
    assert POINTS <= len(points) <= POINTS + 2
    assert points[0] == 1
    assert points[-1] == steps


def told(control: Recorded, steps: range, of: int) -> None:
    for step in steps:
        control.say(step, of, {"stage": "detector", "loss": 1 / step})


def test_what_was_done_again_is_in_the_curve_once(tmp_path: Path) -> None:
    of = 3 * POINTS
    told(Recorded(Watch(), tmp_path / "whole"), range(1, of + 1), of)
    path = tmp_path / "killed"
    told(Recorded(Watch(), path), range(1, 1001), of)
    with path.open("a") as table:
        table.write('{"done": 1001, "of')  # killed as it wrote
    told(Recorded(Watch(), path), range(951, of + 1), of)
    assert path.read_bytes() == (tmp_path / "whole").read_bytes()


def test_a_training_from_the_beginning_has_a_curve_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "curve.jsonl"
    told(Recorded(Watch(), path), range(1, 9), 10)
    told(Recorded(Watch(), path), range(1, 4), 10)
    assert [json.loads(line)["done"] for line in path.read_text().splitlines()] == [1, 2, 3]
