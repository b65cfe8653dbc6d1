from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from viewer.jobs.job import Job
from viewer.qt.job_runner import JobRunner

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

WAIT_S = 20


def never(value: object) -> None:
    raise AssertionError(f"called with {value!r}")


def test_callbacks_arrive_on_the_gui_thread(qtbot: QtBot) -> None:
    runner, seen = JobRunner(), []
    work = threading.current_thread
    runner.submit(Job("", work), lambda t: seen.append((t, threading.current_thread())), never)
    qtbot.waitUntil(lambda: bool(seen))
    assert seen[0][0] is not seen[0][1]
    assert seen[0][1] is threading.main_thread()
    runner.close()


def test_errors_arrive_as_values(qtbot: QtBot) -> None:
    runner, seen = JobRunner(), []
    runner.submit(Job("", lambda: 1 // 0), never, seen.append)
    qtbot.waitUntil(lambda: bool(seen))
    assert isinstance(seen[0], ZeroDivisionError)
    runner.close()


def test_a_cancelled_job_calls_nothing_back(qtbot: QtBot) -> None:
    runner, titles, go = JobRunner(), [], threading.Event()
    runner.busy.connect(titles.append)
    handle = runner.submit(Job("Reading", lambda: go.wait(WAIT_S)), never, never)
    handle.cancel()
    go.set()
    qtbot.waitUntil(lambda: titles == ["Reading", ""])
    runner.close()


def test_nothing_is_called_back_after_close(qtbot: QtBot) -> None:
    runner, go = JobRunner(), threading.Event()
    started = threading.Event()

    def work() -> None:
        started.set()
        go.wait(WAIT_S)

    runner.submit(Job("", work), never, never)
    assert started.wait(WAIT_S)
    runner.close()
    go.set()
    qtbot.wait(20)
