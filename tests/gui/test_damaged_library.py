"""A library that is damaged: seen behind the window, told in one sentence, nothing lost."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from ml.mammo.codes import Laterality
from tests.factories.queues import FakeQueue
from tests.gui.conftest import Reader
from tests.gui.test_accessibility import nameless
from tests.viewer.library.test_library import damage
from viewer.core.reading import record_impression
from viewer.core.state import Impression
from viewer.jobs.models import ModelProcess
from viewer.library import library as library_module
from viewer.library.database import is_whole
from viewer.library.library import Library
from viewer.qt.job_runner import JobRunner
from viewer.qt.long_jobs import LongJobs
from viewer.qt.main_window import MainWindow
from viewer.qt.memory import Memory
from viewer.qt.preferences import Preferences
from viewer.qt.session import Session

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from pytestqt.qtbot import QtBot

    from viewer.jobs.queue import JobQueue


def damaged(path: Path) -> Path:
    """Write a library whose analyses are damaged, and nothing that is read on opening."""
    damage(path)
    return path


def program(qtbot: QtBot, path: Path, queue: FakeQueue) -> Reader:
    """Start the program on a library; nothing is analyzed."""
    session = Session()
    preferences = Preferences(session, path.with_name("settings.toml"))
    preferences.change(replace(preferences.settings, analysis_on_open=False))
    library, models = Library(path), ModelProcess()
    jobs = LongJobs(cast("JobQueue", queue))
    window = MainWindow(session, preferences, JobRunner(), models, library, jobs)
    Memory(session, library, parent=window)
    qtbot.addWidget(window)
    window.show()
    return Reader(qtbot, window, models)


def test_the_damage_is_seen_off_the_gui_thread_and_what_was_said_is_kept(
    qtbot: QtBot,
    tmp_path: Path,
    study: list[Path],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path, queue = damaged(tmp_path / "library.sqlite"), FakeQueue()
    looking, go_on = threading.Event(), threading.Event()
    threads: list[str] = []

    def slowly(of: Path) -> bool:
        threads.append(threading.current_thread().name)
        looking.set()
        go_on.wait(20)
        return is_whole(of)

    monkeypatch.setattr(library_module, "is_whole", slowly)
    reader = program(qtbot, path, queue)
    reader.open(study)
    said = reader.state
    assert said.study is not None
    reader.wait(looking.is_set)
    reader.window.session.apply(
        lambda state: record_impression(state, Laterality.LEFT, Impression.RECALL, "now")
    )
    assert not queue.started, "the long jobs write to the same file"
    assert not reader.window.notice.isVisible()
    go_on.set()
    reader.wait(reader.window.notice.isVisible)
    assert "set aside" in reader.window.notice.sentence.text()
    assert queue.started
    assert nameless(reader.window.notice) == []
    assert threads == [next(name for name in threads if name.startswith("disk"))]
    reader.window.notice.dismiss.click()
    assert not reader.window.notice.isVisible()
    reader.window.close()
    caplog.clear()  # SQLite may have stumbled over the damage before it was looked for
    again = Library(path)
    assert again.check() == ""
    assert [each.uid for each in again.recent_studies()] == [said.study.uid]
    kept = again.reading_of(said.study.uid)
    assert kept is not None
    assert Impression.RECALL in {**kept.before, **kept.after}.values()
    again.close()


def test_a_whole_library_says_nothing(qtbot: QtBot, tmp_path: Path) -> None:
    queue = FakeQueue()
    reader = program(qtbot, tmp_path / "library.sqlite", queue)
    reader.wait(lambda: queue.started)
    assert not reader.window.notice.isVisible()
    reader.window.close()


def test_a_window_that_is_closed_at_once_looks_at_nothing(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("viewer.qt.main_window.JOBS_AFTER_MS", 50)
    queue = FakeQueue()
    program(qtbot, tmp_path / "library.sqlite", queue).window.close()
    qtbot.wait(100)
    assert not queue.started
