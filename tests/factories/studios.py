"""A studio over a queue, images as a job makes them, and generators of which only the card is.

No torch: nothing is drawn.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ml.synth.pack import INDEX, PARTS, GeneratorCard, write_generator_card
from viewer.library.job_row import JobState
from viewer.qt.job_runner import JobRunner
from viewer.qt.long_jobs import LongJobs
from viewer.qt.studio.window import StudioDialog

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from tests.factories.queues import FakeQueue
    from viewer.core.batch import Batch
    from viewer.jobs.queue import JobQueue
    from viewer.qt.studio.window import Places

MASS = (
    "a alpha mammogram in MLO view with medium area and high density, left breast, "
    "with a mass in the upper outer quadrant"
)


class Studio:
    """A studio, its queue, and what it opened."""

    def __init__(self, qtbot: QtBot, queue: FakeQueue | JobQueue, places: Places) -> None:
        self.qtbot = qtbot
        self.opened: list[list[Path]] = []
        self.runner = JobRunner()
        self.jobs = LongJobs(cast("JobQueue", queue))
        self.dialog = StudioDialog(self.jobs, self.runner, places, self.opened.append, None)
        qtbot.addWidget(self.dialog)
        self.dialog.show()
        self.jobs.start()

    def ready(self) -> None:
        self.qtbot.waitUntil(lambda: self.dialog.order.draft is not None)

    def close(self) -> None:
        self.dialog.close()
        self.runner.close()
        self.jobs.close()

    @property
    def batch(self) -> Batch:
        assert self.dialog.batch is not None
        return self.dialog.batch


def put_image(folder: Path, name: str, *, kept: bool = True) -> dict[str, object]:
    """A finished image's files, its line of the journal, and what the job tells of it."""
    from PySide6.QtGui import QImage

    place = folder if kept else folder / "rejected"
    place.mkdir(parents=True, exist_ok=True)
    path = place / f"{name}.dcm"
    path.write_bytes(b"image")
    QImage(64, 64, QImage.Format.Format_Grayscale16).save(str(path.with_suffix(".png")))
    reason = "" if kept else "The breast's outline is broken."
    row = {
        **{"patient_id": f"S-{name}", "laterality": "L", "view": "MLO", "label": ""},
        **{"density": "C", "prompt": MASS, "reason": reason},
    }
    line = {
        **{"path": path.name, "number": int(name[:5]), "kept": kept, "row": row},
        **{"boxes": [[1.0, 2.0, 30.0, 40.0]], "finding": "mass"},
    }
    with (folder / "journal.jsonl").open("a") as journal:
        journal.write(json.dumps(line) + "\n")
    thumbnail = str(path.with_suffix(".png"))
    told: dict[str, object] = {"path": str(path), "thumbnail": thumbnail, "prompt": MASS}
    return told | {"kept": kept, "reason": reason}


def start(studio: Studio, queue: FakeQueue) -> Path:
    """Queue what stands there, and have it run."""
    studio.dialog.order.add.click()
    studio.qtbot.waitUntil(lambda: studio.dialog.batch is not None)
    queue.change(1, state=JobState.RUNNING, done=0, of=8)
    return Path(studio.batch.folder)


def make_weights(path: Path, *names: str) -> Path:
    """A safetensors file of which only the head is true."""
    head = json.dumps(
        {name: {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for name in names}
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(len(head).to_bytes(8, "little") + head.encode())
    return path


def make_foreign(folder: Path, channels: int = 4) -> Path:
    """The form of a Stable Diffusion folder; with 9 channels, of one that paints in."""
    for part in PARTS:
        (folder / part).mkdir(parents=True)
        (folder / part / "config.json").write_text(json.dumps({"in_channels": channels}))
    (folder / INDEX).write_text("{}")
    make_weights(folder / "unet" / "diffusion_pytorch_model.safetensors", "conv_in.weight")
    return folder


def make_card(folder: Path, name: str = "tiny-generator", *, paints: bool = True) -> Path:
    """A pack of ours that says of itself what a real one does."""
    make_foreign(folder)
    if paints:
        make_weights(folder / "lesions" / "unet" / "model.safetensors", "conv_in.weight")
    card = GeneratorCard(
        name,
        version="0.1.0",
        licence="AGPL-3.0-or-later",
        data="none",
        intended_use="tests",
        vendors=("alpha", "film-a"),
        breast_mm=0.8,
        piece_mm=0.1,
        files={},
    )
    write_generator_card(folder, card)
    return folder
