"""The dialog that takes an update: with real files, really taken, and left again."""

from __future__ import annotations

import sys
from threading import Event
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt

from tests.factories.updates import make_program, make_update, publisher
from viewer.qt.dialogs.update import UpdateDialog
from viewer.qt.job_runner import JobRunner
from viewer.update import install
from viewer.update.program import Program
from viewer.update.versions import read_versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    Make = Callable[..., UpdateDialog]

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="the stand-in is a shell script"
)
LONGEST_MS = 30_000


@pytest.fixture
def runner() -> Iterator[JobRunner]:
    made = JobRunner()
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "home" / "versions"


@pytest.fixture
def make(qtbot: QtBot, tmp_path: Path, folder: Path, runner: JobRunner) -> Make:
    def make_dialog(
        program: Program | None = None, keys: str = publisher().line
    ) -> UpdateDialog:
        dialog = UpdateDialog(
            folder, program or make_program(tmp_path / "opt"), keys, runner, None
        )
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        qtbot.addWidget(dialog)
        dialog.show()
        return dialog

    return make_dialog


def press_update(qtbot: QtBot, dialog: UpdateDialog, file: Path) -> None:
    dialog.file.setText(str(file))
    # A click of the mouse would let events through, and the end of a quick update with them.
    dialog.take.click()
    assert not dialog.take.isEnabled()
    assert dialog.progress.isVisible()
    qtbot.waitUntil(lambda: not dialog.progress.isVisible(), timeout=LONGEST_MS)


def test_an_update_is_taken_and_left(
    qtbot: QtBot, tmp_path: Path, folder: Path, make: Make
) -> None:
    dialog = make()
    assert dialog.version.text() == "This is version 0.1.0."
    assert not dialog.take.isEnabled()
    assert not dialog.back.isVisible()
    press_update(qtbot, dialog, make_update(tmp_path))
    assert dialog.sentence.text() == "Version 0.2.0 is ready. It opens at the next start."
    with qtbot.waitSignal(dialog.restart_requested):
        qtbot.mouseClick(dialog.restart, Qt.MouseButton.LeftButton)
    assert dialog.back.text() == "Go back to version 0.1.0"
    qtbot.mouseClick(dialog.back, Qt.MouseButton.LeftButton)
    assert read_versions(folder).going_back
    assert "opens at the next start" in dialog.sentence.text()
    assert dialog.back.text() == "Stay with version 0.2.0"
    qtbot.mouseClick(dialog.back, Qt.MouseButton.LeftButton)
    assert not read_versions(folder).going_back
    assert not dialog.restart.isVisible()


def test_the_version_that_an_update_brought_names_what_was_before(
    qtbot: QtBot, tmp_path: Path, folder: Path, make: Make
) -> None:
    press_update(qtbot, make(), make_update(tmp_path))
    # The update runs now; it does not know which version was installed.
    program = Program("0.2.0", folder / "0.2.0-x", tmp_path / "opt", 4)
    dialog = make(program)
    assert dialog.back.text() == "Go back to the version before"
    press_update(qtbot, dialog, make_update(tmp_path, "0.3.0"))
    assert dialog.back.text() == "Go back to version 0.2.0"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"signed_by": publisher(1)}, "not what its publisher signed"),
        ({"test": "; exit 1"}, "its test of itself failed"),
        ({"version": "0.0.1"}, "runs already"),
    ],
)
def test_what_is_refused_is_told_and_another_can_be_chosen(
    qtbot: QtBot, tmp_path: Path, folder: Path, make: Make, change: dict[str, str], told: str
) -> None:
    dialog = make()
    press_update(qtbot, dialog, make_update(tmp_path, **change))
    assert told in dialog.sentence.text()
    assert dialog.sentence.accessibleName() == dialog.sentence.text()
    assert dialog.take.isEnabled()
    assert not dialog.restart.isVisible()
    press_update(qtbot, dialog, make_update(tmp_path))
    assert read_versions(folder).last is not None


def test_what_cannot_be_a_key_or_a_file_is_told(
    qtbot: QtBot, tmp_path: Path, make: Make
) -> None:
    dialog = make(keys="RWnonsense")
    press_update(qtbot, dialog, make_update(tmp_path))
    assert "RWnonsense is no public key" in dialog.sentence.text()
    press_update(qtbot, make(), tmp_path / "nothing")
    checkout = make(Program("0.1.0", None, None, 4))
    press_update(qtbot, checkout, make_update(tmp_path))
    assert "git pull" in checkout.sentence.text()


def test_closed_meanwhile_it_leaves_nothing(
    qtbot: QtBot, tmp_path: Path, folder: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog = make()
    started, closed = Event(), Event()

    def slow(*_: object) -> None:
        # Closed while the new version tests itself.
        started.set()
        closed.wait(LONGEST_MS / 1000)

    monkeypatch.setattr(install, "_test", slow)
    dialog.file.setText(str(make_update(tmp_path)))
    qtbot.mouseClick(dialog.take, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(started.is_set, timeout=LONGEST_MS)
    dialog.close()
    closed.set()
    qtbot.waitUntil(lambda: not any(folder.iterdir()), timeout=LONGEST_MS)
    assert read_versions(folder).last is None
