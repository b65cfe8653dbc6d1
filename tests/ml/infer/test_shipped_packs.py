"""The models that come with the program: their cards, and that both forms say the same."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.in_use import packs_in_use
from ml.infer.engine import as_canvas
from ml.infer.on_cuda import CudaEngine, network_of
from ml.infer.reader import load_reader
from ml.mammo.codes import FindingType
from ml.mammo.pixels import read_pixels
from ml.mammo.prepare import prepare
from ml.mammo.scan import find_images
from ml.manifest import read_manifest
from ml.places import SAMPLES
from ml.registry import FINE_ROLE, NEEDED_ROLES, read_pack
from ml.train.export import Difference, compare, difference

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.mammo.prepare import PrepareSpec
    from ml.registry import ModelPack


SHIPPED = tuple(packs_in_use())


@pytest.fixture(scope="module")
def packs() -> dict[str, ModelPack]:
    return {role: read_pack(folder) for role, folder in packs_in_use().items()}


@lru_cache
def canvases(spec: PrepareSpec) -> NDArray[np.float32]:
    """The sample study as a model looks at it."""
    images = find_images([SAMPLES]).images
    return np.concatenate(
        [as_canvas(prepare(read_pixels(image), image, spec).pixels) for image in images]
    )


def test_there_is_one_for_each_role(packs: dict[str, ModelPack]) -> None:
    assert set(NEEDED_ROLES) <= packs.keys()


def test_all_of_them_are_small(packs: dict[str, ModelPack]) -> None:
    files = [file for pack in packs.values() for file in pack.folder.iterdir()]
    assert sum(file.stat().st_size for file in files) < 20e6


@pytest.mark.parametrize("role", SHIPPED)
def test_a_card_says_what_was_measured(packs: dict[str, ModelPack], role: str) -> None:
    card = packs[role].card
    assert "simulated images" in card.data
    # Films of 0.2 mm show no single specks: nobody can learn or be measured on them.
    on_films = role != FINE_ROLE
    assert ("mini-MIAS" in card.data) == on_films
    assert "esearch use only" in card.intended_use
    assert card.licence == "AGPL-3.0-or-later"
    assert card.training_patients
    assert card.training_images
    assert not card.validated_kinds, "nothing here was validated on a reader's images"
    assert any("mini-MIAS" in figure.data for figure in card.figures) == on_films
    for figure in card.figures:
        assert figure.low <= figure.value <= figure.high
        assert figure.n > 0
    for point in card.operating_points:
        assert 0 < point.threshold < 1
        assert point.sensitivity is not None


@pytest.mark.parametrize("role", SHIPPED)
def test_the_graph_says_what_the_weights_say(packs: dict[str, ModelPack], role: str) -> None:
    """Boxes: IoU over 0.95, scores within 0.02; probabilities within 0.01."""
    pack = packs[role]
    network = network_of(pack)
    for precision in {"f32", pack.card.precision}:
        found = compare(network, pack, canvases(pack.card.prepare), precision)
        assert found.acceptable, f"{precision}: {found}"


def test_a_difference_is_noticed() -> None:
    table = np.zeros((1, 6, 2), np.float32)
    table[0, :, 0] = (50, 50, 20, 20, 0.8, 0)
    moved = table.copy()
    moved[0, 0, 0] += 2
    assert difference([table], [table], "detector") == Difference()
    assert not difference([table], [moved], "detector").acceptable, "IoU 0.82"
    fainter = table.copy()
    fainter[0, 4, 0] -= 0.03
    assert not difference([table], [fainter], "detector").acceptable
    assert not difference([table], [np.zeros_like(table)], "detector").acceptable, "lost"
    assert not difference([np.zeros_like(table)], [table], "detector").acceptable, "invented"


def test_the_sample_study_has_its_mass_found(packs: dict[str, ModelPack]) -> None:
    """The obvious lesion of the shipped study, above the operating point, in both views."""
    manifest = read_manifest(SAMPLES)
    masses = {
        SAMPLES / row.path: row.box
        for row in manifest.boxes
        if row.finding_type is FindingType.MASS
    }
    images = [image for image in find_images([SAMPLES]).images if image.path in masses]
    assert len(images) == 2
    analysis = load_reader().analyze(images, read_pixels)
    threshold = packs["detector"].card.operating_points[0].threshold
    for image, seen in zip(images, analysis.images, strict=True):
        truth = masses[image.path]
        hits = [
            finding.score
            for finding in seen.findings
            if truth.row0 <= finding.box.center[0] < truth.row1
            and truth.col0 <= finding.box.center[1] < truth.col1
        ]
        assert max(hits, default=0) >= threshold, image.path.stem


@pytest.mark.gpu
@pytest.mark.parametrize("role", SHIPPED)
def test_torch_on_a_device_agrees(packs: dict[str, ModelPack], role: str) -> None:
    graph, network = CudaEngine().load(packs[role]), network_of(packs[role])
    import torch

    for canvas in canvases(packs[role].card.prepare):
        with torch.no_grad():
            given = network(torch.from_numpy(canvas[None]))
        mine = [part.numpy() for part in (given if isinstance(given, tuple) else (given,))]
        assert difference(mine, graph(canvas[None]), role).acceptable
