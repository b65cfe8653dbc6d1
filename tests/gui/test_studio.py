"""The studio: chips and sentence, images that stream in, what is kept, and the real queue."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from ml.mammo.pixels import read_pixels
from ml.mammo.read import read_mammogram
from ml.manifest import (
    Label,
    Manifest,
    ManifestRow,
    Source,
    Split,
    read_manifest,
    write_manifest,
)
from tests.factories.generators import VENDORS, make_generator
from tests.factories.queues import FakeQueue
from tests.factories.studios import MASS, Studio, put_image, start
from tests.gui.test_accessibility import nameless
from viewer.jobs.queue import JobQueue
from viewer.library.job_row import JobState
from viewer.qt.studio.window import Places

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

HEALTHY = "a alpha mammogram in CC view with small area and high density, left breast"
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_generator(tmp_path_factory.mktemp("packs") / "generator").folder


@pytest.fixture
def queue() -> FakeQueue:
    return FakeQueue()


@pytest.fixture
def studio(qtbot: QtBot, tmp_path: Path, pack: Path, queue: FakeQueue) -> Iterator[Studio]:
    made = Studio(qtbot, queue, Places((pack,), tmp_path / "generated", "cpu"))
    made.ready()
    yield made
    made.close()


def test_the_head_says_what_makes_and_what_never_happens(studio: Studio) -> None:
    assert studio.dialog.about.text() == "tiny-generator 0.1.0 · paints lesions · CPU, fp32"
    names = [w.accessibleName() for w in studio.dialog.findChildren(type(studio.dialog.about))]
    assert "Never filed under a patient. Never used as test data." in names


def test_chips_write_the_sentence(studio: Studio) -> None:
    order = studio.dialog.order
    assert {word for slot, word in order.chips if slot == "vendor"} == set(VENDORS)
    assert order.sentence.toPlainText() == MASS
    order.chips["view", "CC"].click()
    order.chips["area", "small"].click()
    order.chips["lesion", "none"].click()
    assert order.sentence.toPlainText() == HEALTHY
    assert not order.chips["quadrant", "upper outer"].isEnabled()
    assert not any(c.isChecked() for (slot, _), c in order.chips.items() if slot == "quadrant")


def test_the_sentence_turns_the_chips(studio: Studio) -> None:
    order = studio.dialog.order
    order.sentence.setPlainText(HEALTHY.replace("left", "right"))
    chosen = {slot: word for (slot, word), chip in order.chips.items() if chip.isChecked()}
    assert chosen == {
        **{"vendor": "alpha", "view": "CC", "laterality": "right"},
        **{"density": "high", "area": "small", "lesion": "none"},
    }


def test_a_sentence_that_cannot_be_read_says_where_and_is_not_queued(studio: Studio) -> None:
    order = studio.dialog.order
    order.sentence.setPlainText("a alpha mammogram in MLO view with huge area")
    assert "cannot be read after" in order.problem.text()
    assert not order.add.isEnabled()
    order.chips["area", "big"].click()
    assert order.problem.text() == ""
    assert order.add.isEnabled()


def test_what_is_queued_is_what_stands_there(studio: Studio, queue: FakeQueue) -> None:
    order = studio.dialog.order
    order.count.setValue(3)
    order.seed.setValue(7)
    order.steps.setValue(5)
    order.guidance.setValue(2.5)
    folder = start(studio, queue)
    (wish,) = (w for w in queue.wishes if w.name == "submit")
    kind, _, spec, lane = wish.values
    assert (kind, lane) == ("generate", "cpu")
    assert isinstance(spec, dict)
    assert spec["prompts"] == [MASS]
    asked = [spec[name] for name in ("count", "seed", "steps", "guidance", "out")]
    assert asked == [3, 7, 5, 2.5, str(folder)]
    assert folder.is_dir()


def test_images_stream_in_and_a_click_keeps_one_or_not(
    studio: Studio, queue: FakeQueue
) -> None:
    dialog, folder = studio.dialog, start(studio, queue)
    for number in range(1, 4):
        queue.tell(1, put_image(folder, f"{number:05d}"))
    queue.tell(1, put_image(folder, "00004-1", kept=False))
    studio.qtbot.waitUntil(lambda: len(studio.batch.shots) == 4)
    assert dialog.foot.save.text() == "Save 3 as DICOM…"
    assert dialog.figures.filtered.lines is not None
    assert dialog.figures.filtered.lines[0].value == "1"
    view = dialog.shots
    QTest.mouseClick(view.viewport(), LEFT, pos=view.visualRect(view.shots.index(0)).center())
    assert dialog.foot.save.text() == "Save 2 as DICOM…"
    view.setCurrentIndex(view.shots.index(0))
    QTest.keyClick(view, Qt.Key.Key_Space)
    assert dialog.foot.save.text() == "Save 3 as DICOM…"
    dialog.shots.toggled.emit(studio.batch.shots[3].path)
    assert len(studio.batch.kept) == 3
    told = view.shots.data(view.shots.index(3), Qt.ItemDataRole.AccessibleTextRole)
    assert str(told).startswith("SYNTHETIC · seed 1.4 · mass · filtered out · The breast's")


def test_a_double_click_opens_and_keeps_as_it_was(studio: Studio, queue: FakeQueue) -> None:
    folder = start(studio, queue)
    queue.tell(1, put_image(folder, "00001"))
    studio.qtbot.waitUntil(lambda: len(studio.batch.shots) == 1)
    view = studio.dialog.shots
    at = view.visualRect(view.shots.index(0)).center()
    QTest.mouseClick(view.viewport(), LEFT, pos=at)
    QTest.mouseDClick(view.viewport(), LEFT, pos=at)
    assert studio.opened == [[folder / "00001.dcm"]]
    assert len(studio.batch.kept) == 1


def test_only_what_is_kept_is_saved_with_its_tables(
    studio: Studio, queue: FakeQueue, tmp_path: Path
) -> None:
    folder = start(studio, queue)
    for number in range(1, 4):
        queue.tell(1, put_image(folder, f"{number:05d}"))
    queue.tell(1, put_image(folder, "00004-1", kept=False))
    studio.qtbot.waitUntil(lambda: len(studio.batch.shots) == 4)
    studio.dialog.shots.toggled.emit(str(folder / "00002.dcm"))
    studio.dialog.save_to(tmp_path / "chosen")
    studio.qtbot.waitUntil(lambda: "2 images saved" in studio.dialog.foot.times.text())
    manifest = read_manifest(tmp_path / "chosen")
    assert [row.path for row in manifest.rows] == ["00001.dcm", "00003.dcm"]
    assert {row.source for row in manifest.rows} == {Source.GENERATED}
    assert [box.path for box in manifest.boxes] == ["00001.dcm", "00003.dcm"]
    assert len(list((tmp_path / "chosen").glob("*.png"))) == 2
    studio.dialog.save_to(tmp_path / "chosen")
    studio.qtbot.waitUntil(lambda: "not empty" in studio.dialog.foot.times.text())


def test_a_studio_that_opens_late_shows_what_was_made(
    studio: Studio, queue: FakeQueue, pack: Path
) -> None:
    folder = start(studio, queue)
    put_image(folder, "00001")
    put_image(folder, "00002-1", kept=False)
    later = Studio(studio.qtbot, queue, Places((pack,), folder.parent, "cpu"))
    studio.qtbot.waitUntil(
        lambda: later.dialog.batch is not None and len(later.batch.shots) == 2
    )
    assert len(later.batch.kept) == 1
    later.close()


def test_pause_and_cancel(studio: Studio, queue: FakeQueue) -> None:
    foot = studio.dialog.foot
    start(studio, queue)
    studio.qtbot.waitUntil(lambda: foot.state.text() == "Generating 0 of 8")
    foot.steer.click()
    studio.qtbot.waitUntil(lambda: foot.steer.text() == "Resume")
    foot.cancel.click()
    studio.qtbot.waitUntil(lambda: foot.steer.text() == "Try again")
    assert not foot.cancel.isEnabled()


def test_nothing_is_made_up_where_nothing_was_measured(studio: Studio) -> None:
    lines = studio.dialog.figures.figures.lines
    assert lines
    assert {line.value for line in lines} == {"not measured yet"}


def test_figures_come_from_the_folder(studio: Studio, queue: FakeQueue) -> None:
    folder = start(studio, queue)
    figure = {"name": "KID, own", "value": 0.0412, "low": 0.03, "high": 0.05, "n": 40}
    figures = [figure | {"data": "generated"}, figure | {"data": "held-out", "value": 0.01}]
    (folder / "quality.json").write_text(json.dumps({"counts": {}, "figures": figures}))
    queue.tell(1, {"quality": str(folder / "quality.json")})
    studio.qtbot.waitUntil(lambda: bool(studio.batch.figures))
    (line,) = studio.dialog.figures.figures.lines or ()
    assert (line.name, line.value) == ("KID, own", "0.0412")
    assert line.told == "KID, own: 0.0412 (0.03 to 0.05), n = 40; held-out: 0.01"


def test_what_a_data_set_lacks_is_queued_with_one_click(
    studio: Studio, queue: FakeQueue, tmp_path: Path
) -> None:
    from ml.mammo.codes import BreastDensity, Laterality, ViewPosition

    folder = tmp_path / "mine"
    folder.mkdir()
    row = ManifestRow(
        *("a.dcm", "P1", Laterality.LEFT, ViewPosition.CC, Label.NORMAL),
        source=Source.REAL,
        split=Split.TRAIN,
        density=BreastDensity.B,
    )
    write_manifest(Manifest(folder, (row,)))
    figures = studio.dialog.figures
    studio.dialog.count(folder)
    studio.qtbot.waitUntil(figures.queue_plan.isVisible)
    figures.wanted.setValue(1)
    assert figures.queue_plan.text() == "Queue the plan: 47 images"
    figures.queue_plan.click()
    studio.qtbot.waitUntil(lambda: any(w.name == "submit" for w in queue.wishes))
    spec = queue.wishes[-1].values[2]
    assert isinstance(spec, dict)
    assert (spec["plan"], spec["wanted"], spec["prompts"]) == (str(folder), 1, [])
    assert spec["reference"] == ""


def test_a_folder_without_a_manifest_is_told(studio: Studio, tmp_path: Path) -> None:
    studio.dialog.count(tmp_path)
    studio.qtbot.waitUntil(lambda: "manifest.csv" in studio.dialog.figures.problem.text())


def test_without_a_pack_one_sentence_says_what_to_do(qtbot: QtBot, tmp_path: Path) -> None:
    places = Places((tmp_path / "none",), tmp_path / "generated", "cpu")
    made = Studio(qtbot, FakeQueue(), places)
    qtbot.waitUntil(lambda: "No generator is installed" in made.dialog.empty.text())
    assert not made.dialog.order.isEnabled()
    made.close()


@pytest.mark.parametrize("size", [(1280, 800), (1500, 860)])
def test_everything_has_a_name_and_room(studio: Studio, size: tuple[int, int]) -> None:
    studio.dialog.resize(*size)
    assert nameless(studio.dialog) == []
    assert (studio.dialog.width(), studio.dialog.height()) == size
    for chip in studio.dialog.order.chips.values():
        assert chip.width() >= chip.sizeHint().width()


@pytest.mark.slow
def test_the_real_queue_makes_two_images(qtbot: QtBot, tmp_path: Path, pack: Path) -> None:
    """A network of random weights draws no breast, so that all is refused: but all is told."""
    library = tmp_path / "library.sqlite"
    from viewer.library.library import Library

    place = Library(library).place
    made = Studio(qtbot, JobQueue(place), Places((pack,), tmp_path / "generated", "cpu"))
    made.ready()
    order = made.dialog.order
    order.chips["lesion", "none"].click()
    order.count.setValue(2)
    order.steps.setValue(1)
    order.add.click()

    def ended() -> bool:
        rows = made.jobs.rows
        return bool(rows) and rows[0].state.is_ended

    qtbot.waitUntil(ended, timeout=60000)
    (row,) = made.jobs.rows
    assert (row.state, row.sentence) == (JobState.DONE, "")
    qtbot.waitUntil(lambda: len(made.batch.shots) >= 2)
    image = read_mammogram(Path(made.batch.shots[0].path))
    assert image.synthetic
    assert read_pixels(image).any()
    made.close()


OPEN = """
import sys
from pathlib import Path
from viewer.app import make_application
from viewer.jobs.queue import JobQueue
from viewer.qt.job_runner import JobRunner
from viewer.qt.long_jobs import LongJobs
from viewer.qt.studio.window import Places, StudioDialog

application = make_application()
jobs, runner = LongJobs(JobQueue(None)), JobRunner()
places = Places((Path(sys.argv[1]),), Path(sys.argv[2]), "cpu")
studio = StudioDialog(jobs, runner, places, print, None)
studio.show()
while studio.order.draft is None:
    application.processEvents()
studio.order.add.click()
while not jobs.rows:
    jobs._read_soon()
    application.processEvents()
studio.close()
runner.close()
jobs.close()
print(studio.about.text())
"""


def test_the_studio_opens_and_queues_without_torch(tmp_path: Path, pack: Path) -> None:
    blocked = "torch,torchvision,diffusers,transformers,peft,ultralytics"
    done = subprocess.run(
        [sys.executable, "-c", OPEN, str(pack), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "MAMMOSCOPE_BLOCK_IMPORTS": blocked},
        timeout=60,
    )
    assert "tiny-generator 0.1.0" in done.stdout, done.stderr
