"""`mammoscope update`, as it is called."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.factories.updates import make_program, make_update, publisher
from viewer.__main__ import main
from viewer.core.settings import Settings, write_settings
from viewer.library.library import Library
from viewer.library.migrations import MIGRATIONS
from viewer.update import command

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="the stand-in is a shell script"
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "home"
    monkeypatch.setenv("MAMMOSCOPE_HOME", str(place))
    program = make_program(tmp_path / "opt")
    monkeypatch.setattr(command, "running_program", lambda: program)
    return place


def test_take_look_and_go_back(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    update = str(make_update(tmp_path))
    assert main(["update", update]) == 1
    assert "EFCDAB8967452301, which is not trusted" in capsys.readouterr().err
    assert main(["update", update, "--trust", publisher().line]) == 0
    assert capsys.readouterr().out == "Version 0.2.0 is started from now on.\n"
    assert main(["update"]) == 0
    assert capsys.readouterr().out.startswith("Version 0.2.0 is in use.\nIt came as an update")
    assert main(["update", "--back"]) == 0
    said = capsys.readouterr().out
    assert said == "Version 0.2.0 was left; version 0.1.0 is started from now on.\n"
    assert main(["update", "--back"]) == 1
    assert "nothing to go back from" in capsys.readouterr().err
    assert main(["update"]) == 0
    assert capsys.readouterr().out == "Version 0.1.0 is in use.\n"


def test_the_settings_name_whom_to_trust(tmp_path: Path, home: Path) -> None:
    write_settings(Settings(trusted_keys=publisher().line), home / "settings.toml")
    assert main(["update", str(make_update(tmp_path))]) == 0


def test_a_key_that_is_none_is_told(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["update", str(make_update(tmp_path)), "--trust", "RWsomething"]) == 1
    assert "RWsomething is no public key" in capsys.readouterr().err


def test_a_version_that_is_left_takes_the_library_back(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Library(home / "library.sqlite").close()
    assert main(["update", "--library-to", str(len(MIGRATIONS) - 1)]) == 0
    assert (home / f"library.sqlite.version-{len(MIGRATIONS)}").exists()
    assert capsys.readouterr().out == ""


def test_what_cannot_be_asked(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["update", "a", "--back"]) == 2
    assert "not allowed with" in capsys.readouterr().err
    assert main(["update", "--help"]) == 0
    said = capsys.readouterr().out
    assert "example: mammoscope update" in said
    assert "library-to" not in said
