"""What every test gets: no network, a home of its own, no window, no stray log line."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ml import texts

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
BLOCKED = ROOT / "tests" / "blocked"


def pytest_configure() -> None:
    """Set the environment before anything heavy is imported, for child processes too."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    # Two-thread torch collapses on a loaded machine; one thread is also deterministic.
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "YOLO_OFFLINE", "DO_NOT_TRACK"):
        os.environ[name] = "1"
    os.environ["YOLO_AUTOINSTALL"] = "False"
    # Whatever whoever runs the tests speaks.
    os.environ["LANGUAGE"] = "en"
    path = [str(BLOCKED), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(path))


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test settings, a library, models and logs of its own."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("MAMMOSCOPE_HOME", str(folder))
    # What the program's door would set for itself and its processes.
    monkeypatch.setenv("MAMMOSCOPE_OWN_MODELS", str(folder / "models"))
    return folder


@pytest.fixture(autouse=True)
def one_language() -> Iterator[None]:
    """Let no test speak the language of another: the system's own messages would follow it."""
    yield
    texts.use_language("en")


@pytest.fixture(autouse=True)
def no_stray_log_line(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail a test that leaves a line at WARNING; one that expects it calls `caplog.clear()`."""
    yield
    stray = [
        f"{record.name}: {record.getMessage()}"
        for when in ("setup", "call")
        for record in caplog.get_records(when)
        if record.levelno >= logging.WARNING
    ]
    if stray:
        pytest.fail("unexpected log lines:\n" + "\n".join(stray))
