from __future__ import annotations

from typing import TYPE_CHECKING
from unittest.mock import Mock

import numpy as np
import pytest

from ml.in_use import cards_in_use
from tests.factories.analyses import make_analysis, make_image
from tests.factories.packs import make_packs
from viewer.jobs.analysis import analysis_job
from viewer.jobs.lanes import Lanes
from viewer.jobs.models import ModelProcess
from viewer.jobs.queue import Hold

if TYPE_CHECKING:
    from pathlib import Path

    from ml.mammo.mammogram import Mammogram


def breast(_: Mammogram) -> np.ndarray:
    rows, columns = np.mgrid[:3000, :2400]
    depth = 1 - ((rows - 1500) / 1300) ** 2 - (columns / 1500) ** 2
    return (np.sqrt(np.maximum(depth, 0)) * 3000).astype(np.uint16)


def test_a_study_goes_from_pixels_to_findings(tmp_path: Path) -> None:
    make_packs(tmp_path)
    models = ModelProcess(environment={"MAMMOSCOPE_MODELS": str(tmp_path)})
    lanes, let_go, kept = Lanes(), Mock(), Mock(return_value=None)
    try:
        images = [make_image("LCC", spacing=True), make_image("LMLO", spacing=True)]
        job = analysis_job(images, models, breast, hold=lambda: Hold(let_go), kept=kept)
        analysis = lanes.submit(job).result(60)
    finally:
        lanes.close()
        models.close()
    let_go.assert_called_once()
    # Asked for by the same names that the fresh one carries: it is found again.
    kept.assert_called_once_with(analysis.models)
    assert [image.refused for image in analysis.images] == [None, None]
    for image in analysis.images:
        assert image.findings
        for finding in image.findings:
            assert finding.box == finding.box.clipped(3000, 2400)


def test_an_analysis_that_cannot_begin_holds_nobody_up(tmp_path: Path) -> None:
    def unreadable(_: Mammogram) -> np.ndarray:
        raise OSError

    make_packs(tmp_path)
    models, let_go = Mock(environment={"MAMMOSCOPE_MODELS": str(tmp_path)}), Mock()
    images = [make_image("LCC", spacing=True)]
    job = analysis_job(images, models, unreadable, hold=lambda: Hold(let_go))
    with pytest.raises(OSError):  # noqa: PT011 - whichever it is
        job.work()
    let_go.assert_called_once()


def test_what_is_kept_costs_no_model_no_pixel_and_no_long_job_its_turn(tmp_path: Path) -> None:
    make_packs(tmp_path)
    models = Mock(environment={"MAMMOSCOPE_MODELS": str(tmp_path)})
    read, hold, said = Mock(), Mock(), make_analysis()
    kept = Mock(return_value=said)
    job = analysis_job([make_image("LCC")], models, read, hold=hold, kept=kept)
    assert job.work() is said
    uses = {role: card.use for role, card in cards_in_use(models.environment).items()}
    kept.assert_called_once_with(uses)
    for each in (models.start, models.submit, read, hold):
        each.assert_not_called()
