from __future__ import annotations

from typing import TYPE_CHECKING

import setup_environment
import system_packages

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

LDD = """
    linux-vdso.so.1 (0x00007ffc)
    libEGL.so.1 => not found
    libxcb-cursor.so.0 => not found
    libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f)
"""


def test_what_ldd_misses_becomes_packages() -> None:
    missing = system_packages.missing_libraries(LDD)
    assert missing == ["libEGL.so.1", "libxcb-cursor.so.0"]
    assert system_packages.packages_for(missing) == ["libegl1", "libxcb-cursor0"]


def test_without_root_one_line_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(system_packages, "can_use_apt", lambda: False)
    assert not system_packages.provide(["libgl1", "libegl1"], "Qt needs libraries.")
    assert capsys.readouterr().out == (
        "Qt needs libraries. Run: sudo apt-get install -y libegl1 libgl1\n"
    )


def test_nothing_missing_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert system_packages.provide([], "unused")
    assert capsys.readouterr().out == ""


def test_every_skipped_tool_is_named() -> None:
    line = system_packages.skipped_line({"dcm2pnm": "dcmtk", "Xvfb": "xvfb"})
    assert line == "Skipped: what needs Xvfb (xvfb), dcm2pnm (dcmtk)."


def test_the_environment_is_the_one_of_set_up() -> None:
    assert system_packages.ENVIRONMENT == setup_environment.ENVIRONMENT


def test_a_server_off_the_path_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system_packages.sys, "platform", "linux")
    monkeypatch.setattr(system_packages.shutil, "which", lambda _name: None)
    monkeypatch.setattr(system_packages, "SERVER_PROGRAMS", tmp_path)
    assert system_packages.missing_server() == {"postgres": "postgresql"}
    (tmp_path / "15" / "bin").mkdir(parents=True)
    (tmp_path / "15" / "bin" / "postgres").write_text("")
    assert system_packages.missing_server() == {}
