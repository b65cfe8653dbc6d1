"""Nothing of a training is lost: its process killed, the viewer killed, the disk full."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import psutil
import pytest
import torch

from ml.manifest import Split, write_manifest
from ml.phantom.dataset import write_phantoms
from ml.registry import WEIGHTS
from ml.train.order import CURVE, SAMPLES
from tests.factories.disks import small_disk
from tests.viewer.jobs.test_queue import Office
from tests.viewer.jobs.training import GO, REACHED, SAVE_EVERY, STEPS, WAIT_AT, spec_of
from viewer.library.job_row import JobState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ml.manifest import ManifestRow

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-m", "tests.viewer.jobs.training"]
# A training takes half a minute on a quiet machine.
WAIT_S = 1200
DISK_MB, ROOM_MB = 192, 8
DONE = (JobState.DONE, "")


def open_office(folder: Path) -> Office:
    folder.mkdir(exist_ok=True)
    office = Office(folder, COMMAND, wait_s=WAIT_S)
    office.queue.start()
    return office


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For each purpose an image with a lesion and one without, at a coarse pixel."""
    folder = tmp_path_factory.mktemp("phantoms")
    manifest = write_phantoms(folder, 6, 34, pixel_mm=0.4)
    women = list(dict.fromkeys(row.patient_id for row in manifest.rows))
    chosen: dict[tuple[Split, bool], ManifestRow] = {}
    for row in manifest.rows:
        purpose = tuple(Split)[women.index(row.patient_id) % 3]
        boxed = bool(manifest.boxes_of(row.path))
        chosen.setdefault((purpose, boxed), replace(row, split=purpose))
    assert len(chosen) == 6
    rows = tuple(chosen.values())
    boxes = tuple(box for row in rows for box in manifest.boxes_of(row.path))
    write_manifest(replace(manifest, rows=rows, boxes=boxes))
    return folder


@pytest.fixture(scope="module")
def whole(
    phantoms: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], dict[str, bytes]]:
    """What a role's training makes that nobody interrupts."""
    kept: dict[str, dict[str, bytes]] = {}

    def made(role: str) -> dict[str, bytes]:
        if role not in kept:
            folder = tmp_path_factory.mktemp(role)
            office = open_office(folder)
            job_id = office.queue.submit("train", "A", spec_of(phantoms, folder, role))
            assert end(office, job_id) == DONE
            office.queue.close()
            kept[role] = made_in(folder)
        return kept[role]

    return made


def end(office: Office, job_id: int) -> tuple[JobState, str]:
    """How a job ended, and why."""
    office.wait(lambda: office.state(job_id).is_ended)
    return office.state(job_id), office.row(job_id).sentence


def made_in(folder: Path) -> dict[str, bytes]:
    """Weights, curve and samples: all that a training leaves but its plan and its audit."""
    out = folder / "out"
    files = [out / WEIGHTS, out / CURVE, *sorted((out / SAMPLES).iterdir())]
    return {path.name: path.read_bytes() for path in files}


def process_at_the_gate(office: Office, folder: Path) -> int:
    office.wait(lambda: (folder / REACHED).exists() and bool((folder / REACHED).read_text()))
    return int((folder / REACHED).read_text())


# The classifier is killed in its second stage.
@pytest.mark.parametrize(
    ("role", "wait_at"), [("detector", WAIT_AT), ("classifier", STEPS + WAIT_AT)]
)
def test_a_killed_trainer_goes_on_to_the_same_model(
    phantoms: Path,
    whole: Callable[[str], dict[str, bytes]],
    tmp_path: Path,
    role: str,
    wait_at: int,
) -> None:
    office = open_office(tmp_path)
    job_id = office.queue.submit("train", "A", spec_of(phantoms, tmp_path, role, wait_at))
    os.kill(process_at_the_gate(office, tmp_path), signal.SIGKILL)
    state, sentence = end(office, job_id)
    assert state is JobState.FAILED
    assert "ended suddenly" in sentence
    assert torch.load(tmp_path / "out" / f"{role}.pt")["step"] == SAVE_EVERY
    (tmp_path / GO).touch()
    office.queue.retry(job_id)
    assert end(office, job_id) == DONE
    office.queue.close()
    assert made_in(tmp_path) == whole(role)


def test_a_killed_viewers_training_is_offered_and_goes_on_to_the_same_model(
    phantoms: Path, whole: Callable[[str], dict[str, bytes]], tmp_path: Path
) -> None:
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from tests.viewer.jobs.test_killed import open_office\n"
        "from tests.viewer.jobs.training import WAIT_AT, spec_of\n"
        "manifest, folder = map(Path, sys.argv[1:])\n"
        "office = open_office(folder)\n"
        "office.queue.submit('train', 'A', spec_of(manifest, folder, 'detector', WAIT_AT))\n"
        "time.sleep(3600)\n"
    )
    viewer = subprocess.Popen([sys.executable, "-c", code, str(phantoms), str(tmp_path)])
    after = Office(tmp_path, COMMAND, wait_s=WAIT_S)
    trainer = psutil.Process(process_at_the_gate(after, tmp_path))
    viewer.kill()
    viewer.wait()
    # Nobody is left who could end it: it sees that by itself.
    trainer.wait(30)
    after.queue.start()
    after.wait(lambda: bool(after.queue.interrupted()))
    (job,) = after.queue.interrupted()
    assert job.state is JobState.PAUSED
    (tmp_path / GO).touch()
    after.queue.resume(job.id)
    assert end(after, job.id) == DONE
    after.queue.close()
    assert made_in(tmp_path) == whole("detector")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", DISK_MB) as place:
        yield place


def test_a_full_disk_ends_a_training_that_then_goes_on_to_the_same_model(
    phantoms: Path, whole: Callable[[str], dict[str, bytes]], tmp_path: Path, disk: Path
) -> None:
    office = open_office(tmp_path)
    spec = spec_of(phantoms, disk, "detector", WAIT_AT)
    job_id = office.queue.submit("train", "A", spec)
    process_at_the_gate(office, disk)
    before = (disk / "out" / "detector.pt").read_bytes()
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(shutil.disk_usage(disk).free - ROOM_MB * 1024 * 1024))
    (disk / GO).touch()
    assert end(office, job_id) == (
        JobState.FAILED,
        "The disk is full; what is finished stays. Make room and try again.",
    )
    assert (disk / "out" / "detector.pt").read_bytes() == before
    assert not list(disk.rglob("*.part"))
    ballast.unlink()
    office.queue.retry(job_id)
    assert end(office, job_id) == DONE
    office.queue.close()
    assert made_in(disk) == whole("detector")
