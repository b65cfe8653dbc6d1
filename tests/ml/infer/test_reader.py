from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ml.errors import ModelError, WeightsCorruptError, WeightsMissingError
from ml.exchange import prepare_image
from ml.infer.on_cpu import CpuEngine
from ml.infer.reader import MammogramReader, load_reader
from ml.mammo.codes import (
    BreastDensity,
    FindingType,
    ImageKind,
    PresentationIntent,
    ViewModifier,
)
from ml.mammo.geometry import Box
from ml.mammo.prepare import PrepareSpec
from ml.registry import GRAPH_WEIGHTS
from tests.factories.analyses import make_image
from tests.factories.packs import DENSITY, SPEC, make_packs, make_prepared, rewrite_card

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

INTENTS = (PresentationIntent.FOR_PRESENTATION,)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> MammogramReader:
    return load_reader(make_packs(tmp_path_factory.mktemp("models")), CpuEngine("f32"))


def test_an_image_is_analyzed(reader: MammogramReader) -> None:
    seen = reader.analyze_prepared(make_prepared(bright=0.8))
    mass, calcifications = seen.findings
    assert (mass.finding_type, calcifications.finding_type) == (
        FindingType.MASS,
        FindingType.CALCIFICATIONS,
    )
    assert mass.box == Box(170, 60, 230, 140)
    assert mass.score == pytest.approx(0.72, abs=1e-3)
    assert mass.probability == pytest.approx(mass.score, abs=1e-6)
    assert seen.lesion_score == pytest.approx(0.8, abs=1e-3)
    assert seen.malignancy_score == pytest.approx(0.4, abs=1e-3)
    assert dict(seen.density)[BreastDensity.C] == pytest.approx(DENSITY[2])
    assert seen.refused is None
    assert seen.not_validated == ""


def test_the_heat_map_covers_the_canvas(reader: MammogramReader) -> None:
    heat = reader.analyze_prepared(make_prepared()).heat_map
    assert heat is not None
    rows, columns = heat.scores.shape
    assert heat.to_stored.box(Box(0, 0, rows, columns)) == Box(0, 0, 640, 320)


def test_scores_without_probabilities_on_another_kind(reader: MammogramReader) -> None:
    seen = reader.analyze_prepared(make_prepared(kind=ImageKind.FILM))
    assert seen.lesion_score is not None
    assert seen.lesion_probability is None
    assert seen.findings[0].probability is None
    assert "scanned film" in seen.not_validated


def test_an_unknown_side_is_analyzed_and_said(reader: MammogramReader) -> None:
    seen = reader.analyze_prepared(make_prepared(laterality=None))
    assert seen.findings
    assert seen.lesion_probability is None
    assert "side" in seen.not_validated


@pytest.mark.parametrize(
    "change",
    [
        {"implant": True},
        {"frames": 30},
        {"kind": ImageKind.TOMOSYNTHESIS},
        {"view_modifiers": (ViewModifier.SPOT,)},
        {"view_modifiers": (ViewModifier.MAGNIFICATION,)},
        {"intent": PresentationIntent.FOR_PROCESSING},
    ],
)
def test_what_the_models_were_not_made_for_is_refused(
    reader: MammogramReader, change: dict[str, object]
) -> None:
    from dataclasses import replace

    image = replace(make_image("RCC"), **change)

    def unread(_: object) -> np.ndarray:
        raise AssertionError("the pixels of a refused image were read")

    seen = reader.analyze_prepared(prepare_image(image, SPEC, INTENTS, unread))
    assert seen.refused
    assert seen.findings == ()
    assert seen.lesion_score is None


def test_another_preparation_is_refused(tmp_path: Path) -> None:
    folders = make_packs(tmp_path, PrepareSpec(rows=32, columns=32))
    with pytest.raises(ModelError, match="other models"):
        load_reader(folders).analyze_prepared(make_prepared())


def test_models_that_want_different_images_are_refused(tmp_path: Path) -> None:
    folders = make_packs(tmp_path)
    rewrite_card(folders["detector"], prepare=PrepareSpec(rows=96).to_json())
    with pytest.raises(ModelError, match="different images"):
        load_reader(folders)


def test_a_damaged_graph_is_never_run(tmp_path: Path) -> None:
    folders = make_packs(tmp_path)
    path = folders["classifier"] / GRAPH_WEIGHTS
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(WeightsCorruptError, match="classifier"):
        load_reader(folders)


def test_a_missing_role_is_said(tmp_path: Path) -> None:
    folders = make_packs(tmp_path)
    with pytest.raises(WeightsMissingError, match="detector"):
        load_reader({"classifier": folders["classifier"]})
