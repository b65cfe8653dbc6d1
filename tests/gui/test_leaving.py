"""Discs, the command line, and what is left when the window closes or a process dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pydicom
import pytest
from pydicom.fileset import FileSet

from tests.gui.test_opening import STANDARD, hung
from viewer.core.home import find_home
from viewer.core.settings import Settings, write_settings
from viewer.core.state import AnalysisPhase

if TYPE_CHECKING:
    from pathlib import Path

    from tests.gui.conftest import Reader


def test_a_disc_opens_by_its_index(reader: Reader, study: list[Path], tmp_path: Path) -> None:
    files = FileSet()
    for path in study:
        dataset = pydicom.dcmread(path)
        dataset.StudyTime, dataset.StudyID = "120000", "1"
        dataset.SeriesNumber, dataset.AccessionNumber = 1, ""
        files.add(dataset)
    files.write(tmp_path / "disc")
    reader.open([tmp_path / "disc" / "DICOMDIR"])
    assert hung(reader) == STANDARD
    assert reader.state.refusals == ()


LOOK = """
import sys
from PySide6.QtCore import QTimer
from viewer import app
from viewer.core.start import start_of

application = app.make_application()
make, windows = app.make_window, []
app.make_window = lambda preferences: windows.append(make(preferences)) or windows[-1]

def look():
    state = windows[-1].session.state if windows else None
    if state and state.study:
        print(*(viewport.title for viewport in state.viewports if viewport.image))
        timer.stop()
        windows[-1].close()

timer = QTimer()
timer.timeout.connect(look)
timer.start(5)
sys.exit(app.run(start_of(sys.argv[1:])))
"""


def test_the_command_line_opens_what_it_names_and_ends_with_its_window(
    study: list[Path], packs: Path
) -> None:
    write_settings(Settings(accepted="1 2026-11-30"), find_home().settings)
    done = subprocess.run(
        [sys.executable, "-c", LOOK, *map(str, study)],
        env={**os.environ, "MAMMOSCOPE_MODELS": str(packs)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout.split()) == (0, STANDARD), done.stderr


def test_a_process_killed_at_work_is_replaced(reader: Reader, study: list[Path]) -> None:
    reader.open(study)
    reader.wait_for_pictures()
    reader.wait(lambda: reader.models.pid is not None)
    first = reader.models.pid
    assert first is not None
    os.kill(first, signal.SIGTERM)
    reader.wait_for_analysis()
    if reader.state.analysis_phase is AnalysisPhase.FAILED:
        assert reader.state.analysis_error.endswith(".")
        reader.window.analyzer.analyze()
        reader.wait_for_analysis()
    assert reader.state.analysis_phase is AnalysisPhase.DONE
    assert hung(reader) == STANDARD


@pytest.mark.parametrize("early", [True, False])
def test_a_closed_window_leaves_neither_thread_nor_process(
    reader: Reader, study: list[Path], early: bool
) -> None:
    before = set(threading.enumerate())
    reader.open(study)
    if not early:
        reader.wait_for_analysis()
    reader.window.close()
    reader.wait(lambda: not set(threading.enumerate()) - before)
    assert reader.models.pid is None
