"""The real main window over small studies and tiny models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ml.mammo.prepare import PrepareSpec
from tests.factories.breasts import make_four_views
from tests.factories.packs import make_packs
from viewer.core.state import AnalysisPhase
from viewer.jobs.models import ModelProcess
from viewer.library.library import Library
from viewer.qt.job_runner import JobRunner
from viewer.qt.main_window import MainWindow
from viewer.qt.memory import Memory
from viewer.qt.preferences import Preferences
from viewer.qt.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from viewer.core.state import SessionState

WAIT_MS = 20000
READER = "Dr. A. Reader"


class Reader:
    """Someone at the window, who waits for what she asked for."""

    def __init__(self, qtbot: QtBot, window: MainWindow, models: ModelProcess) -> None:
        self.qtbot, self.window, self.models = qtbot, window, models

    @property
    def state(self) -> SessionState:
        return self.window.session.state

    def open(self, paths: Sequence[Path], *, together: bool = False) -> None:
        """Open, and wait until the files were read."""
        before = self.state.studies
        self.window.open_paths(list(paths), together=together)
        self.wait(lambda: not self.state.opening and self.state.studies is not before)

    def wait_for_pictures(self) -> None:
        self.wait(lambda: self.window.canvas.is_complete)

    def wait_for_analysis(self) -> None:
        phases = (AnalysisPhase.DONE, AnalysisPhase.FAILED)
        self.wait(lambda: self.state.analysis_phase in phases)

    def wait(self, condition: object) -> None:
        self.qtbot.waitUntil(condition, timeout=WAIT_MS)  # type: ignore[arg-type]

    def press(self, keys: str) -> None:
        """Press a command's key, as the shortcut list writes it."""
        from PySide6.QtGui import QKeySequence
        from PySide6.QtTest import QTest

        combination = QKeySequence(keys)[0]
        QTest.keyClick(self.window.canvas, combination.key(), combination.keyboardModifiers())


@pytest.fixture(scope="session")
def packs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    make_packs(folder, PrepareSpec())
    return folder


@pytest.fixture
def study(tmp_path: Path) -> list[Path]:
    return make_four_views(tmp_path / "study")


@pytest.fixture
def reader(qtbot: QtBot, tmp_path: Path, packs: Path) -> Iterator[Reader]:
    session = Session()
    settings = tmp_path / "settings.toml"
    settings.write_text(f'reader = "{READER}"\n', encoding="utf-8")
    preferences = Preferences(session, settings)
    models = ModelProcess(environment={"MAMMOSCOPE_MODELS": str(packs)})
    library = Library(tmp_path / "library.sqlite")
    runner = JobRunner()
    window = MainWindow(session, preferences, runner, models, library)
    memory = Memory(session, library, parent=window, runner=runner)
    qtbot.addWidget(window)
    window.resize(1400, 900)
    window.show()
    window.activateWindow()
    yield Reader(qtbot, window, models)
    window.close()
    del memory
