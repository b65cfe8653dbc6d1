"""A stray log line at WARNING or a Qt warning fails the test that leaves it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PROBES = """
import logging

import pytest
from PySide6.QtCore import qWarning


def test_log_line():
    logging.getLogger("viewer.qt").warning("something odd")


def test_quiet_log_line():
    logging.getLogger("viewer.qt").info("all is well")


def test_expected_log_line(caplog):
    logging.getLogger("viewer.qt").warning("something odd")
    caplog.clear()


def test_qt_warning(qtbot):
    qWarning("something odd of Qt")
"""


def test_what_is_stray_fails_its_test(tmp_path: Path) -> None:
    (tmp_path / "test_probes.py").write_text(PROBES)
    command = [
        *(sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml")),
        *("-p", "tests.conftest", "-p", "no:cacheprovider", "-q", "-rA"),
        *("--rootdir", str(ROOT), str(tmp_path / "test_probes.py")),
    ]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    ended = {
        line.split("::")[1].split()[0]: line.split()[0]
        for line in done.stdout.splitlines()
        if line.startswith(("PASSED", "FAILED", "ERROR"))
    }
    assert ended == {
        "test_log_line": "ERROR",
        "test_quiet_log_line": "PASSED",
        "test_expected_log_line": "PASSED",
        "test_qt_warning": "FAILED",
    }, done.stdout + done.stderr
