from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
import setup_environment
from setup_environment import SetupError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished environment in a folder of its own."""
    environment = tmp_path / ".venv"
    python = environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    python.parent.mkdir(parents=True)
    python.write_text("")
    monkeypatch.setattr(setup_environment, "ENVIRONMENT", environment)
    monkeypatch.setattr(setup_environment, "STAMP", environment / "stamp")
    monkeypatch.setattr(setup_environment, "ROOT", tmp_path)
    monkeypatch.setattr(setup_environment, "LOCK", tmp_path / "requirements.lock")
    monkeypatch.setattr(setup_environment, "TRANSLATIONS", tmp_path / "translations")
    (tmp_path / "translations").mkdir()
    (tmp_path / "requirements.lock").write_text("numpy==2 \\\n    --hash=sha256:00\n")
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    setup_environment.STAMP.write_text(setup_environment.stamp_text())
    return environment


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that set-up would run, none of them run."""
    ran: list[list[str]] = []
    monkeypatch.setattr(setup_environment, "_run_quietly", ran.append)
    monkeypatch.setattr(setup_environment, "_run_with_progress", ran.append)
    monkeypatch.setattr(setup_environment, "_has", lambda _module: True)
    monkeypatch.setattr(setup_environment, "_pip", lambda *words, into=None: ["pip", *words])
    return ran


def test_a_finished_environment_is_left_alone(made: Path, commands: list[list[str]]) -> None:
    assert made.exists()
    setup_environment.prepare_environment()
    assert commands == []


def test_a_half_made_environment_is_made_again(made: Path, commands: list[list[str]]) -> None:
    (made / "stamp").unlink()
    setup_environment.prepare_environment()
    assert commands[0][1:4] == ["-m", "venv", "--clear"]
    assert setup_environment.is_ready()


def test_a_new_lock_is_installed_over_the_old(made: Path, commands: list[list[str]]) -> None:
    setup_environment.LOCK.write_text("numpy==3\n")
    setup_environment.prepare_environment()
    assert [command[1] for command in commands[:2]] == ["install", "install"]
    assert "--require-hashes" in commands[0]
    assert commands[2][1].endswith("compile_texts.py")
    assert setup_environment.is_ready()


def test_a_new_project_table_installs_the_project_only(
    made: Path, commands: list[list[str]]
) -> None:
    (made.parent / "pyproject.toml").write_text("[project]\nname='x'\n")
    setup_environment.prepare_environment()
    assert len(commands) == 1
    assert "-e" in commands[0]


def test_new_translations_are_compiled_and_nothing_else(
    made: Path, commands: list[list[str]]
) -> None:
    (made.parent / "translations" / "de.po").write_text("msgid 'Open'\n")
    setup_environment.prepare_environment()
    assert len(commands) == 1
    assert commands[0][1].endswith("compile_texts.py")
    assert setup_environment.is_ready()


def test_an_interrupted_install_leaves_no_stamp(
    made: Path, commands: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_command: list[str]) -> None:
        raise KeyboardInterrupt

    setup_environment.LOCK.write_text("numpy==3\n")
    monkeypatch.setattr(setup_environment, "_run_with_progress", interrupt)
    with pytest.raises(KeyboardInterrupt):
        setup_environment.prepare_environment()
    assert not (made / "stamp").exists()


def test_too_little_disk_is_said_before_anything_is_made(
    made: Path, commands: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (made / "stamp").unlink()
    monkeypatch.setattr(setup_environment, "DISK_GB", 10**9)
    with pytest.raises(SetupError, match="GB of free disk"):
        setup_environment.prepare_environment()
    assert commands == []


def test_asking_whether_all_is_ready_is_quick(made: Path) -> None:
    start = time.process_time()
    assert setup_environment.is_ready()
    assert time.process_time() - start < 0.1


@pytest.fixture
def over(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a cluster's environment is to be made, over a finished one."""
    cluster = made.parent / ".venv-cluster"
    monkeypatch.setattr(setup_environment, "CLUSTER", cluster)
    monkeypatch.setattr(setup_environment, "CLUSTER_LOCK", made.parent / "cluster.lock")
    monkeypatch.setattr(setup_environment, "CLUSTER_GB", 0)
    (made.parent / "cluster.lock").write_text("ray==2\n")

    def packages_of(python: Path) -> str:
        folder = python.parent / "packages"
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder)

    monkeypatch.setattr(setup_environment, "_packages_of", packages_of)
    return cluster


def test_a_clusters_environment_is_made_over_the_first_and_leaves_it_alone(
    made: Path, over: Path, commands: list[list[str]]
) -> None:
    before = sorted(made.rglob("*"))
    python = setup_environment.prepare_cluster()
    assert python.is_relative_to(over)
    making, installing = commands
    assert making[1:4] == ["-m", "venv", "--clear"]
    assert making[-1] == str(over)
    assert installing[-1] == str(made.parent / "cluster.lock")
    assert "--require-hashes" in installing
    below = (python.parent / "packages" / "mammoscope-below.pth").read_text()
    assert str(made) in below
    assert [path for path in sorted(made.rglob("*")) if path.name != "packages"] == before
    # It is made once, and again where a lock is another.
    setup_environment.prepare_cluster()
    assert len(commands) == 2
    (made.parent / "cluster.lock").write_text("ray==3\n")
    setup_environment.prepare_cluster()
    assert len(commands) == 4


def test_the_first_environment_asks_for_no_cluster(
    made: Path, over: Path, commands: list[list[str]]
) -> None:
    setup_environment.STAMP.unlink()
    setup_environment.prepare_environment()
    assert not over.exists()
    assert not any("cluster" in word for command in commands for word in command)


def test_set_up_imports_the_standard_library_only() -> None:
    code = (
        "import sys; sys.path.insert(0, 'scripts'); import setup_environment, system_packages"
    )
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, check=False)
    assert done.returncode == 0
