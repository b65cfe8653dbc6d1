"""What is chosen in the studio and outlives it: a generator, and which images are kept."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tests.factories.queues import FakeQueue
from tests.factories.studios import (
    Studio,
    make_card,
    make_foreign,
    make_weights,
    put_image,
    start,
)
from tests.gui.test_accessibility import nameless, out_of_reach
from viewer.core.studio import GeneratorChoice
from viewer.jobs.queue import JobQueue
from viewer.library.library import Library
from viewer.qt.studio.generator_dialog import GeneratorDialog
from viewer.qt.studio.window import Places

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot


@dataclass
class Kept:
    """What the settings would keep."""

    choice: GeneratorChoice = field(default_factory=GeneratorChoice)

    def keep(self, choice: GeneratorChoice) -> None:
        self.choice = choice

    def places(self, folder: Path) -> Places:
        own = (folder / "own",)
        return Places(own, folder / "generated", "cpu", lambda: self.choice, self.keep)


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def studio(qtbot: QtBot, tmp_path: Path, kept: Kept) -> Iterator[Studio]:
    make_card(tmp_path / "own", "own-generator")
    made = Studio(qtbot, FakeQueue(), kept.places(tmp_path))
    made.ready()
    yield made
    made.close()


@pytest.fixture
def dialog(studio: Studio) -> GeneratorDialog:
    studio.dialog.change.click()
    (made,) = studio.dialog.findChildren(GeneratorDialog)
    made.other.setChecked(True)
    return made


def refused(studio: Studio, dialog: GeneratorDialog) -> str:
    """What is said after OK; nothing has changed then."""
    dialog.ok.click()
    studio.qtbot.waitUntil(dialog.ok.isEnabled)
    assert dialog.isVisible()
    assert studio.dialog.about.text().startswith("own-generator")
    return dialog.problem.text()


def test_another_pack_is_taken_and_remembered(
    studio: Studio, dialog: GeneratorDialog, kept: Kept, tmp_path: Path
) -> None:
    order = studio.dialog.order
    order.chips["view", "CC"].click()
    folder = make_card(tmp_path / "other", "other-generator", paints=False)
    dialog.folder.setText(str(folder))
    dialog.ok.click()
    about = studio.dialog.about
    studio.qtbot.waitUntil(lambda: about.text().startswith("other-generator"))
    assert about.text() == "other-generator 0.1.0 · no lesions · CPU, fp32"
    assert kept.choice == GeneratorChoice(str(folder))
    assert order.chips["view", "CC"].isChecked()
    assert not order.chips["lesion", "mass"].isEnabled()
    assert "with a mass" not in order.sentence.toPlainText()


def test_what_is_chosen_is_what_is_queued(qtbot: QtBot, kept: Kept, tmp_path: Path) -> None:
    folder, lora = make_foreign(tmp_path / "sd"), tmp_path / "style.safetensors"
    make_weights(lora, "unet.mid_block.to_q.lora_A.weight")
    kept.choice = GeneratorChoice(str(folder), str(lora), ("siemens", "ge"), 0.4)
    queue = FakeQueue()
    made = Studio(qtbot, queue, kept.places(tmp_path))
    made.ready()
    assert made.dialog.about.text() == "sd 0 + style · no lesions · CPU, fp32"
    start(made, queue)
    spec = queue.wishes[0].values[2]
    assert isinstance(spec, dict)
    assert (spec["model"], spec["lora"]) == (str(folder), [str(lora)])
    assert (spec["vendors"], spec["pixel_mm"]) == (["siemens", "ge"], 0.4)
    assert spec["sham_share"] == 0
    made.close()


def test_a_folder_that_only_paints_needs_no_size(
    qtbot: QtBot, kept: Kept, tmp_path: Path
) -> None:
    kept.choice = GeneratorChoice(str(make_foreign(tmp_path / "sd", 9)), vendors=("ge",))
    queue = FakeQueue()
    made = Studio(qtbot, queue, kept.places(tmp_path))
    made.ready()
    start(made, queue)
    spec = queue.wishes[0].values[2]
    assert isinstance(spec, dict)
    assert (spec["vendors"], spec["pixel_mm"]) == (["ge"], None)
    assert "with a mass" in str(spec["prompts"])
    made.close()


def test_a_folder_that_is_gone_is_told_and_another_can_be_chosen(
    qtbot: QtBot, kept: Kept, tmp_path: Path
) -> None:
    kept.choice = GeneratorChoice(str(tmp_path / "gone"))
    make_card(tmp_path / "own")
    made = Studio(qtbot, FakeQueue(), kept.places(tmp_path))
    qtbot.waitUntil(lambda: "There is no folder" in made.dialog.empty.text())
    made.dialog.change.click()
    (dialog,) = made.dialog.findChildren(GeneratorDialog)
    dialog.own.setChecked(True)
    dialog.ok.click()
    made.ready()
    assert kept.choice == GeneratorChoice()
    made.close()


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("missing", "The file vae/config.json of the model other is missing"),
        ("changed", "The file vae/config.json of the model other is damaged"),
        ("pickle", "holds unet/model.ckpt, which could run code"),
        ("empty", "is no generator: neither card.json nor model_index.json"),
        ("nowhere", "There is no folder"),
        ("unnamed", "Name the folder"),
    ],
)
def test_what_is_wrong_with_a_folder_is_said_before_anything_is_queued(
    studio: Studio, dialog: GeneratorDialog, tmp_path: Path, harm: str, said: str
) -> None:
    folder = make_card(tmp_path / "other")
    if harm == "missing":
        (folder / "vae" / "config.json").unlink()
    elif harm == "changed":
        (folder / "vae" / "config.json").write_text("[]")
    elif harm == "pickle":
        (folder / "unet" / "model.ckpt").write_bytes(b"\x80\x04.")
    elif harm == "empty":
        folder = tmp_path
    elif harm == "nowhere":
        folder = tmp_path / "nowhere"
    dialog.folder.setText("" if harm == "unnamed" else str(folder))
    assert said in refused(studio, dialog)


def test_what_no_card_says_is_asked_for(
    studio: Studio, dialog: GeneratorDialog, tmp_path: Path
) -> None:
    dialog.folder.setText(str(make_foreign(tmp_path / "sd")))
    assert "call the makers" in refused(studio, dialog)
    dialog.vendors.setText("siemens, ge")
    assert "how large a pixel" in refused(studio, dialog)
    dialog.lora.setText(str(make_weights(tmp_path / "vae.safetensors", "conv_in.weight")))
    dialog.pixel.setValue(0.4)
    assert "holds no LoRA" in refused(studio, dialog)
    dialog.lora.clear()
    dialog.ok.click()
    studio.qtbot.waitUntil(lambda: studio.dialog.about.text().startswith("sd 0"))
    assert {w for slot, w in studio.dialog.order.chips if slot == "vendor"} == {"siemens", "ge"}


def test_the_picker_has_names_and_is_reached_by_the_keyboard(dialog: GeneratorDialog) -> None:
    assert nameless(dialog) == []
    # Of two that exclude each other the tab key finds the chosen one, and arrows the other.
    assert [each for each in out_of_reach(dialog) if "QRadioButton" not in each] == []
    dialog.other.setFocus()
    QTest.keyClick(dialog.other, Qt.Key.Key_Up)
    assert dialog.own.isChecked()


class Program:
    """The studio over a library, as often as the program is started; its job does nothing."""

    def __init__(self, qtbot: QtBot, tmp_path: Path, places: Places) -> None:
        place = Library(tmp_path / "library.sqlite").place
        self.studio = Studio(qtbot, JobQueue(place, [sys.executable, "-c", ""]), places)
        self.studio.ready()

    def wait_for_images(self, count: int) -> None:
        dialog = self.studio.dialog
        self.studio.qtbot.waitUntil(
            lambda: dialog.batch is not None and len(dialog.batch.shots) == count, timeout=20000
        )


def test_what_is_kept_is_known_when_the_program_starts_again(
    qtbot: QtBot, tmp_path: Path, kept: Kept
) -> None:
    make_card(tmp_path / "own")
    first = Program(qtbot, tmp_path, kept.places(tmp_path))
    dialog = first.studio.dialog
    dialog.order.add.click()
    qtbot.waitUntil(lambda: dialog.batch is not None, timeout=20000)
    folder = dialog.order.draft and next((tmp_path / "generated").iterdir())
    assert folder
    for number in range(1, 4):
        put_image(folder, f"{number:05d}")
    first.studio.close()

    second = Program(qtbot, tmp_path, kept.places(tmp_path))
    second.wait_for_images(3)
    view = second.studio.dialog.shots
    view.setCurrentIndex(view.shots.index(1))
    QTest.keyClick(view, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: (folder / "not_kept.json").exists())
    second.studio.close()

    third = Program(qtbot, tmp_path, kept.places(tmp_path))
    third.wait_for_images(3)
    assert [shot.kept for shot in third.studio.batch.shots] == [True, False, True]
    assert third.studio.dialog.foot.save.text() == "Save 2 as DICOM…"
    third.studio.dialog.shots.toggled.emit(str(folder / "00002.dcm"))
    third.studio.dialog.shots.toggled.emit(str(folder / "00003.dcm"))
    third.studio.dialog.finish()
    third.studio.close()
    fourth = Program(qtbot, tmp_path, kept.places(tmp_path))
    fourth.wait_for_images(3)
    assert [shot.kept for shot in fourth.studio.batch.shots] == [True, True, False]
    fourth.studio.close()


def test_a_choice_that_cannot_be_written_is_told(studio: Studio) -> None:
    import shutil

    queue = studio.jobs._queue
    assert isinstance(queue, FakeQueue)
    folder = start(studio, queue)
    queue.tell(1, put_image(folder, "00001"))
    studio.qtbot.waitUntil(lambda: len(studio.batch.shots) == 1)
    shutil.rmtree(folder)
    studio.dialog.shots.toggled.emit(studio.batch.shots[0].path)
    told = studio.dialog.foot.times
    studio.qtbot.waitUntil(lambda: "cannot be written down" in told.text())
