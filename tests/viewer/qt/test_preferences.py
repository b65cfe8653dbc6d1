from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from viewer.core.reading import set_blind_first_read
from viewer.core.settings import Settings, read_settings, write_settings
from viewer.qt.preferences import Preferences
from viewer.qt.session import Session

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot


def test_the_switch_is_remembered_from_one_session_to_the_next(tmp_path: Path):
    path = tmp_path / "settings.toml"
    session = Session()
    _first = Preferences(session, path)
    assert not session.state.blind_first_read
    session.apply(lambda state: set_blind_first_read(state, True, "now"))
    again = Session()
    _second = Preferences(again, path)
    assert again.state.blind_first_read


def test_changed_settings_are_written_and_told(qtbot: QtBot, tmp_path: Path):
    path = tmp_path / "settings.toml"
    session = Session()
    preferences = Preferences(session, path)
    new = replace(Settings(), disk_threads=2, blind_first_read=True)
    with qtbot.waitSignal(preferences.changed) as told:
        preferences.change(new)
    assert told.args == [Settings(), new]
    assert read_settings(path)[0] == new
    assert session.state.blind_first_read


def test_the_prevalence_holds_from_the_start_and_after_a_change(tmp_path: Path):
    path = tmp_path / "settings.toml"
    write_settings(replace(Settings(), prevalence_per_thousand=8.0), path)
    session = Session()
    preferences = Preferences(session, path)
    assert session.state.per_thousand == 8
    preferences.change(replace(Settings(), prevalence_per_thousand=12.0))
    assert session.state.per_thousand == 12


def test_a_broken_file_is_said_and_the_program_goes_on(tmp_path: Path):
    path = tmp_path / "settings.toml"
    path.write_text("blind_frist_read = true")
    preferences = Preferences(Session(), path)
    assert preferences.settings == Settings()
    assert "blind_first_read" in preferences.sentence


def test_settings_that_cannot_be_written_hold_for_this_session(qtbot: QtBot, tmp_path: Path):
    (tmp_path / "file").write_text("")
    preferences = Preferences(Session(), tmp_path / "file" / "settings.toml")
    with qtbot.waitSignal(preferences.failed):
        preferences.change(replace(Settings(), disk_threads=2))
    assert preferences.settings.disk_threads == 2


def test_settings_read_at_the_start_are_not_written_back(tmp_path: Path):
    path = tmp_path / "settings.toml"
    write_settings(replace(Settings(), blind_first_read=True), path)
    before = path.stat().st_mtime_ns
    Preferences(Session(), path)
    assert path.stat().st_mtime_ns == before
