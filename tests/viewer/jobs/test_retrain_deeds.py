"""Which jobs are of a training, and what its window offers of a version that went live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml.train.order import TrainingOrder
from tests.factories.queues import make_row
from viewer.core.retraining import Comparison, Run, Step
from viewer.jobs import retrain_deeds
from viewer.library.job_row import JobState

if TYPE_CHECKING:
    from pathlib import Path


def test_a_job_is_of_a_training_whose_folder_it_reads_or_writes(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    for spec, works in (
        ({"out": str(folder), "part": 1.0}, True),
        ({"out": str(folder / "helps")}, True),
        ({"trained": str(folder)}, True),
        ({"manifest": str(folder / "mended"), "out": str(tmp_path / "other")}, True),
        ({"out": str(tmp_path / "run-2"), "mode": ""}, False),
    ):
        assert retrain_deeds.works_in(make_row(1, spec=spec), folder) is works


def test_a_version_in_use_is_neither_compared_nor_promoted_again(tmp_path: Path) -> None:
    order = TrainingOrder("data", str(tmp_path), "detector")
    compared = Comparison("detector", "own@1", "", True, (), (), 1, {})
    run = Run(order, None, trained=True, comparison=compared)
    done = make_row(1, kind="compare", spec={"trained": str(tmp_path)}, state=JobState.DONE)
    names = [
        [deed.name for deed in retrain_deeds.foot_of(step, run, (done,), live).deeds]
        for live in (frozenset[str](), frozenset(("own@1",)))
        for step in (Step.COMPARE, Step.PROMOTE)
    ]
    assert names == [["compare", "to_promote"], ["promote"], ["to_promote"], []]
