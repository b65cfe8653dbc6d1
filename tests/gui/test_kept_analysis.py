"""A study that was analyzed once: opened again, it costs the models nothing."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from ml.mammo.prepare import PrepareSpec
from tests.factories.packs import make_packs, rewrite_card
from tests.gui.conftest import Reader
from viewer.core.state import AnalysisPhase
from viewer.jobs.models import ModelProcess
from viewer.library.library import Library
from viewer.qt.job_runner import JobRunner
from viewer.qt.main_window import MainWindow
from viewer.qt.memory import Memory
from viewer.qt.preferences import Preferences
from viewer.qt.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from ml.exchange import PreparedImage
    from ml.findings import Analysis
    from viewer.jobs.models import Progress

    Start = Callable[[], Reader]


class CountedModels(ModelProcess):
    """The model process, and how often it was asked."""

    asked = 0

    def submit(
        self, images: Sequence[PreparedImage], progress: Progress = lambda done, of: None
    ) -> Future[Analysis]:
        self.asked += 1
        return super().submit(images, progress)


@pytest.fixture
def models_folder(tmp_path: Path) -> Path:
    make_packs(tmp_path / "models", PrepareSpec())
    return tmp_path / "models"


@pytest.fixture
def start(qtbot: QtBot, tmp_path: Path, models_folder: Path) -> Iterator[Start]:
    """Start the program anew, on the library that the one before left."""
    opened: list[tuple[MainWindow, Library]] = []

    def leave() -> None:
        while opened:
            window, library = opened.pop()
            window.close()
            library.close()

    def begin() -> Reader:
        leave()
        session = Session()
        preferences = Preferences(session, tmp_path / "settings.toml")
        models = CountedModels(environment={"MAMMOSCOPE_MODELS": str(models_folder)})
        library = Library(tmp_path / "library.sqlite")
        window = MainWindow(session, preferences, JobRunner(), models, library)
        Memory(session, library, parent=window)
        opened.append((window, library))
        qtbot.addWidget(window)
        window.show()
        return Reader(qtbot, window, models)

    yield begin
    leave()


def analyzed(reader: Reader, study: list[Path]) -> Analysis:
    """Open a study and wait for what is said of it."""
    reader.open(study)
    reader.wait_for_analysis()
    assert reader.state.analysis_phase is AnalysisPhase.DONE
    assert reader.state.analysis is not None
    return reader.state.analysis


def asked(reader: Reader) -> int:
    assert isinstance(reader.models, CountedModels)
    return reader.models.asked


def footer(reader: Reader) -> str:
    return reader.window.diagnosis._footer.text()


def test_a_study_that_was_analyzed_before_starts_no_model(
    start: Start, study: list[Path]
) -> None:
    first = start()
    fresh = analyzed(first, study)
    assert asked(first) == 1
    assert "earlier" not in footer(first)
    again = start()
    kept = analyzed(again, study)
    assert (asked(again), again.models.pid) == (0, None)
    assert [i.findings for i in kept.images] == [i.findings for i in fresh.images]
    assert [i.lesion_score for i in kept.images] == [i.lesion_score for i in fresh.images]
    assert (kept.models, kept.engine) == (fresh.models, fresh.engine)
    assert f"{fresh.engine} · from an earlier analysis" in footer(again)
    assert "0.00 s" not in footer(again)


def test_the_same_study_from_another_place_is_known(
    start: Start, study: list[Path], tmp_path: Path
) -> None:
    analyzed(start(), study)
    copies = [tmp_path / f"copied-{path.name}" for path in study]
    for path, copy in zip(study, copies, strict=True):
        shutil.copy(path, copy)
    again = start()
    kept = analyzed(again, copies)
    assert asked(again) == 0
    assert {image.path for image in kept.images} == set(map(str, copies))


def test_who_asks_again_is_answered_anew(start: Start, study: list[Path]) -> None:
    analyzed(start(), study)
    again = start()
    kept = analyzed(again, study)
    again.window.commands.actions["analyze"].trigger()
    again.wait(lambda: again.state.analysis is not kept)
    assert asked(again) == 1
    assert again.state.analysis is not None
    assert not again.state.analysis.kept
    assert "earlier" not in footer(again)


def test_what_another_model_said_is_not_shown(
    start: Start, study: list[Path], models_folder: Path
) -> None:
    analyzed(start(), study)
    rewrite_card(models_folder / "classifier", version="0.2.0")
    again = start()
    fresh = analyzed(again, study)
    assert asked(again) == 1
    assert not fresh.kept
    # The old models are back, and with them what they said.
    rewrite_card(models_folder / "classifier", version="0.1.0")
    back = start()
    assert analyzed(back, study).models["classifier"].version == "0.1.0"
    assert asked(back) == 0
