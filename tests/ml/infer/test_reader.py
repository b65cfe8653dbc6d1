from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.errors import ModelError, WeightsCorruptError, WeightsMissingError
from ml.exchange import prepare_image
from ml.infer.detections import SCORE_FLOOR, Detections
from ml.infer.marks import best_mark
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
from ml.mammo.mammogram import PixelSpacing
from ml.mammo.prepare import PrepareSpec, Wants, fine_canvas
from ml.registry import GRAPH_WEIGHTS
from tests.factories.analyses import make_image
from tests.factories.packs import (
    DENSITY,
    FINE_SPEC,
    SPEC,
    make_packs,
    make_prepared,
    rewrite_card,
)

if TYPE_CHECKING:
    from pathlib import Path

WANTS = Wants(SPEC, (PresentationIntent.FOR_PRESENTATION,))


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


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> MammogramReader:
    folders = make_packs(tmp_path_factory.mktemp("both"), fine=True)
    return load_reader(folders, CpuEngine("f32"))


def test_calcifications_are_looked_for_in_finer_pixels(both: MammogramReader) -> None:
    seen = both.analyze_prepared(make_prepared(bright=0.8, fine=True))
    mass, calcifications = seen.findings
    assert mass.finding_type is FindingType.MASS
    assert calcifications.finding_type is FindingType.CALCIFICATIONS
    assert mass.box == Box(170, 60, 230, 140), "the whole canvas's mass, not the fine one's"
    assert calcifications.box == Box(480, 135, 520, 165), "five stored pixels a fine pixel"
    assert calcifications.score == pytest.approx(0.4, abs=1e-3)
    assert both.wants.fine == FINE_SPEC


def test_where_pixels_are_coarse_one_detector_says_all(both: MammogramReader) -> None:
    seen = both.analyze_prepared(make_prepared(bright=0.8))
    assert [f.box.row0 for f in seen.findings] == [170, 380]


def test_equal_scores_mean_equal_probability(tmp_path: Path) -> None:
    folders = make_packs(tmp_path, fine=True)
    rare = {"detector": {"slope": 2.0, "intercept": -1.0, "prevalence": 0.5}}
    rewrite_card(folders["calcifications"], calibration=rare)
    reader = load_reader(folders, CpuEngine("f32"))
    _, calcifications = reader.analyze_prepared(make_prepared(fine=True)).findings
    # A score of 0.5 there: 1 / (1 + e), and the other card leaves scores as they are.
    assert calcifications.score == pytest.approx(0.2689, abs=1e-3)
    assert calcifications.probability == pytest.approx(0.2689, abs=1e-3)


def test_the_best_mark_counts_as_the_card_says(tmp_path: Path) -> None:
    folders = make_packs(tmp_path)
    rewrite_card(folders["classifier"], mark_weights={"lesion": 0.25})
    seen = load_reader(folders, CpuEngine("f32")).analyze_prepared(make_prepared(bright=0.5))
    # The classifier says 0.5, whose log odds are 0; the best mark 0.45.
    expected = 1 / (1 + np.exp(-0.25 * np.log(0.45 / 0.55)))
    assert seen.lesion_score == pytest.approx(expected, abs=1e-3)
    assert seen.malignancy_score == pytest.approx(0.25, abs=1e-3), "no weight, no change"


def test_without_a_mark_the_best_is_what_is_just_not_kept() -> None:
    none = Detections(
        np.zeros((0, 4), np.float32), np.zeros(0, np.int64), np.zeros(0, np.float32)
    )
    assert best_mark(none) == pytest.approx(SCORE_FLOOR)


@pytest.mark.parametrize(
    ("spacing_mm", "sharp"), [(0.07, True), (0.1, True), (0.2, False), (None, False)]
)
def test_only_fine_pixels_make_a_fine_canvas(spacing_mm: float | None, *, sharp: bool) -> None:
    from dataclasses import replace

    spacing = None if spacing_mm is None else PixelSpacing(spacing_mm, spacing_mm, "test")
    image = replace(make_image("LCC"), spacing=spacing)
    rows, columns = np.mgrid[: image.rows, : image.columns]
    depth = 1 - ((rows - 1500) / 1300) ** 2 - (columns / 1500) ** 2
    pixels = (np.sqrt(np.maximum(depth, 0)) * 3000).astype(np.uint16)
    made = prepare_image(image, replace(WANTS, fine=FINE_SPEC), lambda _: pixels)
    assert (made.fine is not None) == sharp
    if made.fine is not None and made.prepared is not None:
        between = fine_canvas(made.prepared, made.fine)
        assert between is not None
        row, column = made.fine.to_stored.point(60, 20)
        back = made.prepared.to_stored.inverse().point(row, column)
        assert back == pytest.approx((60 * between.row_scale, 20 * between.column_scale))


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

    seen = reader.analyze_prepared(prepare_image(image, WANTS, unread))
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
