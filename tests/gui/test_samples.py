"""What a training says of a few images stands under its curve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ml.train.order import SAMPLES, TrainingOrder
from tests.gui.test_accessibility import nameless
from tests.viewer.jobs.test_samples import write_sample
from viewer.core.retraining import Point, Run
from viewer.jobs.samples import read_samples
from viewer.qt.retraining.charts import LEAST_PX
from viewer.qt.retraining.pages import TrainPage
from viewer.qt.retraining.samples import HEIGHT_PX

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot


@pytest.fixture
def page(qtbot: QtBot) -> TrainPage:
    made = TrainPage()
    qtbot.addWidget(made)
    made.resize(1200, 900)
    made.show()
    return made


def run_in(folder: Path) -> Run:
    """A training as its folder tells of it, by the job's news."""
    points = tuple(Point(done, 2000, "detector", 1 / done) for done in range(1, 60))
    order = TrainingOrder("data", str(folder), "detector")
    return Run(order, curve=points, samples=read_samples(folder / SAMPLES))


def test_samples_come_and_the_newest_is_shown(page: TrainPage, tmp_path: Path) -> None:
    page.show_run(run_in(tmp_path))
    assert page.samples.isHidden()
    write_sample(tmp_path / SAMPLES, 500, found=0)
    page.show_run(run_in(tmp_path))
    assert page.samples.isVisibleTo(page)
    assert page.samples.slider.isHidden(), "there is nothing to go back to"
    assert "After 500 steps: 0 of 2 lesions found" in page.samples.said.text()
    write_sample(tmp_path / SAMPLES, 1000, found=1)
    page.show_run(run_in(tmp_path))
    assert "After 1000 steps: 2 of 2 lesions found" in page.samples.said.text()
    assert [picture.pixmap().height() for picture in page.samples.pictures] == [HEIGHT_PX] * 4
    assert "Found: 1 of 1" in page.samples.captions[0].text()
    assert nameless(page) == []


@pytest.mark.parametrize("height", [400, 700, 937])
def test_the_curve_stays_a_curve_beside_samples(
    page: TrainPage, tmp_path: Path, qtbot: QtBot, height: int
) -> None:
    page.resize(1200, height)
    page.show_run(run_in(tmp_path))
    write_sample(tmp_path / SAMPLES, 500, found=0)
    page.show_run(run_in(tmp_path))
    qtbot.waitUntil(lambda: page.samples.height() > 2 * HEIGHT_PX)
    assert page.curve.widget.height() == LEAST_PX
    assert LEAST_PX >= 250, "it is read, not guessed"


def test_who_went_back_stays_there(page: TrainPage, tmp_path: Path) -> None:
    for done in (500, 1000):
        write_sample(tmp_path / SAMPLES, done, found=1)
    page.show_run(run_in(tmp_path))
    page.samples.slider.setValue(0)
    assert "After 500 steps" in page.samples.said.text()
    write_sample(tmp_path / SAMPLES, 1500, found=1)
    page.show_run(run_in(tmp_path))
    assert "After 500 steps" in page.samples.said.text()
    page.samples.slider.setValue(2)
    assert "After 1500 steps" in page.samples.said.text()


def test_a_picture_that_is_gone_is_said(page: TrainPage, tmp_path: Path) -> None:
    write_sample(tmp_path / SAMPLES, 500, found=1)
    (tmp_path / SAMPLES / "detector-00500-2.png").unlink()
    page.show_run(run_in(tmp_path))
    assert "not there any more" in page.samples.pictures[1].text()
