"""What becomes of interrupted jobs when the program starts again is a setting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import viewer.app
from viewer.jobs.queue import JobQueue

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot


@pytest.mark.parametrize(("setting", "resumes"), [("ask", False), ("resume", True)])
def test_interrupted_jobs_go_on_where_the_settings_say_so(
    qtbot: QtBot, home: Path, monkeypatch: pytest.MonkeyPatch, setting: str, resumes: bool
) -> None:
    (home / "settings.toml").write_text(f'interrupted_jobs = "{setting}"\n')
    asked: list[object] = []

    def queue(*given: Any, **named: Any) -> JobQueue:
        asked.append(named["resume_interrupted"])
        return JobQueue(*given, **named)

    monkeypatch.setattr(viewer.app, "JobQueue", queue)
    window = viewer.app.make_window()
    qtbot.addWidget(window)
    window.close()
    assert asked == [resumes]
