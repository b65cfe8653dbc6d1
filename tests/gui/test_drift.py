"""An alarm of the drift watch is told once after the start, and stands where models are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QLabel

from ml.places import MODELS_VARIABLE
from tests.factories.packs import make_packs
from tests.viewer.jobs.test_drift import analyze, expect
from viewer.core.settings import Settings
from viewer.jobs.models import ModelProcess
from viewer.library.library import Library
from viewer.qt.job_runner import JobRunner
from viewer.qt.main_window import MainWindow
from viewer.qt.preferences import Preferences
from viewer.qt.retraining.open import make_retraining
from viewer.qt.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    make_packs(tmp_path / "models")
    monkeypatch.setenv(MODELS_VARIABLE, str(tmp_path / "models"))
    expect(tmp_path / "models")
    return Library(tmp_path / "library.sqlite")


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, library: Library) -> Iterator[MainWindow]:
    session = Session()
    preferences = Preferences(session, tmp_path / "settings.toml")
    made = MainWindow(session, preferences, JobRunner(), ModelProcess(), library)
    qtbot.addWidget(made)
    yield made
    made.close()


def test_an_alarm_is_told_once_after_the_start(
    qtbot: QtBot, window: MainWindow, library: Library
) -> None:
    analyze(library, 100, "HOLOGIC", lesion=1.0, mark=0.4)
    window.show()
    assert not window.notice.isVisible()
    qtbot.waitUntil(window.notice.isVisible)
    told = window.notice.sentence.text()
    assert "tiny-classifier@0.1.0 differ much" in told
    assert "detector" not in told
    window.notice.dismiss.click()
    # Hidden and shown again is no start.
    window.hide()
    window.show()
    qtbot.wait(50)
    assert not window.notice.isVisible()


def test_scores_as_expected_tell_nothing(
    qtbot: QtBot, window: MainWindow, library: Library
) -> None:
    analyze(library, 100, "HOLOGIC", lesion=0.4, mark=0.4)
    heard: list[object] = []
    window._runner.busy.connect(lambda title: heard.append(title))
    window.show()
    qtbot.waitUntil(lambda: any("latest scores" in str(title) for title in heard))
    qtbot.waitUntil(lambda: heard[-1] == "")
    assert not window.notice.isVisible()


def test_the_page_of_versions_says_how_the_models_score(
    qtbot: QtBot, window: MainWindow, library: Library
) -> None:
    analyze(library, 100, "HOLOGIC", lesion=1.0, mark=0.4)
    assert window.preferences.settings == Settings()
    dialog = make_retraining(
        window.jobs, window._runner, window.preferences, window._models, library, window
    )
    dialog.show()

    def texts() -> list[str]:
        return [each.text() for each in dialog.promote.left.findChildren(QLabel)]

    qtbot.waitUntil(lambda: "Scores of late" in texts())
    said = texts()
    assert sum("do not rely on the model" in text for text in said) == 2
    assert sum("as the card says" in text for text in said) == 2
    assert sum(text.startswith("HOLOGIC: ") for text in said) == 2
    # What is said of a model stands under its role.
    alarmed = next(n for n, text in enumerate(said) if "do not rely" in text)
    assert alarmed > said.index("DIAGNOSIS")
    dialog.close()
