from __future__ import annotations

import os
import signal
import sys
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING

import pytest

from ml.errors import ModelError, ModelMemoryError, WeightsCorruptError
from ml.registry import WEIGHTS
from tests.factories.packs import make_packs, make_prepared, rewrite_card
from viewer.jobs.models import ModelProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WAIT_S = 60
# A worker that may not import what the reader's edition lacks, whatever else it does.
WITHOUT_TORCH = (
    "import sys\n"
    "for name in ('torch', 'torchvision', 'ultralytics', 'diffusers'):\n"
    "    sys.modules[name] = None\n"
    "from viewer.__main__ import main\n"
    "sys.exit(main(['worker']))\n"
)
DIES_ON_ANALYZE = (
    "import os, sys\n"
    "from ml.exchange import read_message\n"
    "while (message := read_message(sys.stdin.buffer)) is not None:\n"
    "    if message['type'] == 'analyze': os._exit(137)\n"
)


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    make_packs(folder)
    return folder


@pytest.fixture
def models(packs: Path) -> Iterator[ModelProcess]:
    process = ModelProcess(environment={"MAMMOSCOPE_MODELS": str(packs)})
    yield process
    process.close()


def test_a_study_is_analyzed_in_the_other_process(models: ModelProcess) -> None:
    told: list[tuple[int, int]] = []
    images = [make_prepared(title, bright) for title, bright in (("RCC", 0.9), ("LMLO", 0.5))]
    analysis = models.submit(images, lambda done, of: told.append((done, of))).result(WAIT_S)
    assert [image.sop_instance_uid for image in analysis.images] == ["1.2.3.RCC", "1.2.3.LMLO"]
    assert analysis.images[1].lesion_score == pytest.approx(0.5, abs=0.01)
    assert analysis.images[0].heat_map is not None
    assert analysis.engine.startswith("OpenVINO")
    assert analysis.models["detector"].name == "tiny-detector"
    assert told == [(1, 2), (2, 2)]


def test_both_canvases_reach_the_other_process(tmp_path: Path) -> None:
    make_packs(tmp_path, fine=True)
    process = ModelProcess(environment={"MAMMOSCOPE_MODELS": str(tmp_path)})
    try:
        images = [make_prepared(fine=True), make_prepared("LCC")]
        analysis = process.submit(images).result(WAIT_S)
    finally:
        process.close()
    assert analysis.models.keys() == {"detector", "classifier", "calcifications"}
    rows = [[finding.box.row0 for finding in image.findings] for image in analysis.images]
    assert rows == [[170, 480], [170, 380]], "the second has no finer canvas"


def test_no_torch_is_needed(packs: Path) -> None:
    environment = {"MAMMOSCOPE_MODELS": str(packs), "MAMMOSCOPE_DEVICE": "cpu"}
    process = ModelProcess([sys.executable, "-c", WITHOUT_TORCH], environment)
    try:
        assert process.submit([make_prepared()]).result(WAIT_S).images[0].findings
    finally:
        process.close()


def test_a_killed_process_is_replaced(models: ModelProcess) -> None:
    first = models.hello().result(WAIT_S)["pid"]
    os.kill(int(str(first)), signal.SIGKILL)
    assert models.submit([make_prepared()]).result(WAIT_S).images[0].findings
    assert models.pid not in {None, first}


def test_a_study_that_kills_the_process_twice_is_given_up() -> None:
    process = ModelProcess([sys.executable, "-c", DIES_ON_ANALYZE])
    try:
        with pytest.raises(ModelMemoryError, match="twice"):
            process.submit([make_prepared()]).result(WAIT_S)
    finally:
        process.close()


def test_a_cancelled_analysis_does_not_stop_the_next(models: ModelProcess) -> None:
    models.hello().result(WAIT_S)
    first = models.submit([make_prepared()] * 50)
    first.cancel()
    with pytest.raises(CancelledError):
        first.result(WAIT_S)
    assert models.submit([make_prepared()]).result(WAIT_S).images


def test_damaged_weights_are_told(tmp_path: Path) -> None:
    folders = make_packs(tmp_path)
    (folders["detector"] / WEIGHTS).write_bytes(b"other")
    process = ModelProcess(environment={"MAMMOSCOPE_MODELS": str(tmp_path)})
    try:
        with pytest.raises(WeightsCorruptError, match="detector"):
            process.submit([make_prepared()]).result(WAIT_S)
    finally:
        process.close()


def test_closing_ends_the_process_and_what_waits(models: ModelProcess) -> None:
    pending = models.submit([make_prepared()])
    pid = models.pid
    assert pid is not None
    models.close()
    assert pending.cancelled()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert models.submit([make_prepared()]).cancelled()


def test_a_program_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    process = ModelProcess([str(tmp_path / "nothing")])
    with pytest.raises(ModelError, match="cannot be started"):
        process.submit([make_prepared()]).result(WAIT_S)
    process.close()


def test_another_pack_stands_in_for_the_model_of_its_role(
    models: ModelProcess, tmp_path: Path
) -> None:
    own = make_packs(tmp_path)["detector"]
    rewrite_card(own, name="own-detector")
    shadow = models.submit([make_prepared()], shadow=own)
    assert not models.busy, "nobody waits for it"
    live = models.submit([make_prepared()])
    assert models.busy
    assert live.result(WAIT_S).models["detector"].name == "tiny-detector"
    said = shadow.result(WAIT_S)
    assert said.models["detector"].name == "own-detector"
    assert said.models["classifier"].name == "tiny-classifier"
    assert said.images[0].findings
    assert not models.busy


def test_what_is_in_shadow_ends_the_process_once_only(tmp_path: Path) -> None:
    process = ModelProcess([sys.executable, "-c", DIES_ON_ANALYZE])
    try:
        shadow = process.submit([make_prepared()], shadow=tmp_path)
        with pytest.raises(ModelMemoryError):
            shadow.result(WAIT_S)
        assert process.pid is None, "it was not asked again"
    finally:
        process.close()
