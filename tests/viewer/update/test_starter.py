"""The installed program starts the version in use, with processes that become others."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from ml.places import RESOURCES
from tests.factories.updates import make_program, make_update, publisher
from viewer.core.home import VERSIONS_FILE
from viewer.update import starter
from viewer.update.install import install_update, is_running
from viewer.update.program import (
    STARTED_FROM,
    environment_of_another,
    running_program,
    trusted_keys,
)
from viewer.update.signature import read_public_key
from viewer.update.versions import going_back, read_versions, write_versions

if TYPE_CHECKING:
    from pathlib import Path

    from viewer.update.program import Program
    from viewer.update.versions import Installed

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="the stand-in is a shell script"
)
# As the frozen program begins, in a place that stands for where it is installed.
BEGINS = """
import sys
from pathlib import Path
sys.frozen, sys.executable = True, sys.argv[1]
from viewer.__main__ import main
sys.exit(main(sys.argv[2:]))
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def program(tmp_path: Path) -> Program:
    # Older than any version of the program whose code runs here.
    return make_program(tmp_path / "opt", "0.0.1")


def take(tmp_path: Path, program: Program, version: str = "99.0") -> Installed:
    trusted = [read_public_key(publisher().line)]
    return install_update(
        make_update(tmp_path, version), tmp_path / "home" / "versions", program, trusted
    )


def begin(
    program: Program, home: Path, *arguments: str, started_from: str = ""
) -> subprocess.CompletedProcess[str]:
    assert program.folder
    surroundings = {
        **os.environ,
        "MAMMOSCOPE_HOME": str(home),
        "PYTHONPATH": str(RESOURCES.parent),
    }
    surroundings.pop(STARTED_FROM, None)
    if started_from:
        surroundings[STARTED_FROM] = started_from
    command = [sys.executable, "-c", BEGINS, str(program.folder / "mammoscope"), *arguments]
    return subprocess.run(
        command, check=False, capture_output=True, text=True, env=surroundings, timeout=120
    )


def test_the_version_in_use_is_started_with_what_was_asked(
    tmp_path: Path, home: Path, program: Program
) -> None:
    take(tmp_path, program)
    done = begin(program, home, "screen", "a folder", "--out", "b")
    assert (done.stdout, done.stderr) == ("99.0: screen a folder --out b\n", "")


def test_an_installed_program_without_an_update_is_itself(home: Path, program: Program) -> None:
    done = begin(program, home, "--version")
    assert done.stdout.startswith("mammoscope 0.")
    assert not home.exists()


def test_what_is_part_of_a_running_version_does_not_become_another(
    tmp_path: Path, home: Path, program: Program
) -> None:
    take(tmp_path, program)
    done = begin(program, home, "update")
    assert done.stdout == (
        "Version 99.0 is in use.\nIt came as an update, signed with the key EFCDAB8967452301.\n"
    )
    # The version in use, which the installed one started.
    done = begin(program, home, "--version", started_from=str(tmp_path / "elsewhere"))
    assert done.stdout.startswith("mammoscope 0.")
    # The installed one, which the version in use started as another program.
    done = begin(program, home, "--help", started_from=str(program.folder))
    assert done.stdout == "99.0: --help\n"


def test_a_wish_to_go_back_is_fulfilled_at_the_next_start(
    tmp_path: Path, home: Path, program: Program
) -> None:
    new = take(tmp_path, program)
    folder = home / "versions"
    write_versions(folder, going_back(read_versions(folder), wanted=True))
    done = begin(program, home, "--version")
    assert done.stdout.startswith("mammoscope 0.")
    assert not (folder / new.folder).exists()


def test_a_library_that_does_not_go_back_is_told_once(
    tmp_path: Path, home: Path, program: Program
) -> None:
    folder = home / "versions"
    update = make_update(tmp_path, "99.0", library=9, leave="; echo locked >&2; exit 1")
    install_update(update, folder, program, [read_public_key(publisher().line)])
    write_versions(folder, going_back(read_versions(folder), wanted=True))
    done = begin(program, home, "--version")
    assert done.stdout == "mammoscope 99.0\n"
    assert done.stderr == "The library cannot be taken back to the older version: locked\n"
    assert begin(program, home, "--version").stderr == ""


def test_windows_of_the_version_that_is_left_are_waited_for(
    tmp_path: Path, home: Path, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = take(tmp_path, program)
    folder = home / "versions"
    write_versions(folder, going_back(read_versions(folder), wanted=True))
    window = folder / new.folder / "mammoscope"
    # A program whose executable is this file, as a frozen one's is.
    window.unlink()
    os.link("/bin/sleep", window)
    with subprocess.Popen([window, "60"]) as process:
        assert is_running(window)
        monkeypatch.setattr(starter, "PATIENCE_S", 0.0)
        starter._go_back(folder)
        assert read_versions(folder).last == new
        monkeypatch.setattr(starter, "PATIENCE_S", 30.0)
        threading.Timer(0.5, process.kill).start()
        starter._go_back(folder)
        assert read_versions(folder).last is None
    assert not is_running(window)


def test_another_version_starts_in_surroundings_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = {
        "HOME": "/h",
        "LD_LIBRARY_PATH": "/opt/_internal",
        "LD_LIBRARY_PATH_ORIG": "/usr/mine",
        "_PYI_APPLICATION_HOME_DIR": "/opt",
        STARTED_FROM: "/opt",
    }
    expected = {"HOME": "/h", "PYINSTALLER_RESET_ENVIRONMENT": "1"}
    assert environment_of_another(given) == expected | {"LD_LIBRARY_PATH": "/usr/mine"}
    del given["LD_LIBRARY_PATH_ORIG"]
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert environment_of_another(given) == expected


def test_a_checkout_is_no_installed_program() -> None:
    assert running_program({STARTED_FROM: "/opt"}).folder is None


def test_the_publisher_of_a_build_is_trusted_beside_those_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "ours.pub").write_text(f"untrusted comment: ours\n{publisher().line}\n")
    keys = trusted_keys(f" {publisher(1).line} ", tmp_path)
    assert [key.key for key in keys] == [
        read_public_key(each.line).key for each in (publisher(), publisher(1))
    ]


def test_a_damaged_list_is_no_reason_not_to_start(home: Path, program: Program) -> None:
    (home / "versions").mkdir(parents=True)
    (home / "versions" / VERSIONS_FILE).write_text("{")
    assert begin(program, home, "--version").stdout.startswith("mammoscope 0.")
