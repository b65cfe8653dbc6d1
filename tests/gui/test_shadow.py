"""A model in shadow sees what the reader had analyzed, after her; none of it is shown."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QLabel

from ml.in_use import cards_in_use
from ml.mammo.prepare import PrepareSpec
from ml.registry import WEIGHTS, read_card
from ml.versions import Origin, Versions
from tests.factories.packs import make_packs, rewrite_card
from tests.gui.conftest import Reader
from viewer.core.home import find_home
from viewer.jobs.models import ModelProcess
from viewer.jobs.shadow import change_shadow
from viewer.library.library import Library
from viewer.qt import shadow as shadow_room
from viewer.qt.job_runner import JobRunner
from viewer.qt.main_window import MainWindow
from viewer.qt.memory import Memory
from viewer.qt.preferences import Preferences
from viewer.qt.retraining.open import make_retraining
from viewer.qt.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

ROLE = "detector"
# A worker whose own models are these, and the user's beside them.
WORKS_WITH = (
    "import sys\n"
    "from pathlib import Path\n"
    "import ml.places\n"
    "ml.places.MODELS = Path(sys.argv[1])\n"
    "from ml.worker import main\n"
    "sys.exit(main())\n"
)


@pytest.fixture
def own(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Versions:
    """The user's models: one detector, not in use and not in shadow yet."""
    make_packs(tmp_path / "models", PrepareSpec())
    monkeypatch.setattr("ml.places.MODELS", tmp_path / "models")
    trained = make_packs(tmp_path / "trained", PrepareSpec())[ROLE]
    rewrite_card(trained, name="own-detector")
    versions = Versions(find_home().models)
    versions.add(trained, Origin("a" * 64, "0.3.0"))
    return versions


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "library.sqlite")


@pytest.fixture
def reader(
    qtbot: QtBot,
    tmp_path: Path,
    own: Versions,
    library: Library,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Reader]:
    monkeypatch.setattr(shadow_room, "IDLE_MS", 20)
    session = Session()
    (tmp_path / "settings.toml").write_text('reader = "Dr. A"\n', encoding="utf-8")
    preferences = Preferences(session, tmp_path / "settings.toml")
    models = ModelProcess([sys.executable, "-c", WORKS_WITH, str(tmp_path / "models")])
    runner = JobRunner()
    window = MainWindow(session, preferences, runner, models, library)
    memory = Memory(session, library, parent=window, runner=runner)
    qtbot.addWidget(window)
    window.show()
    yield Reader(qtbot, window, models)
    window.close()
    del memory


def weights(own: Versions) -> tuple[str, str]:
    card = read_card(own.place(ROLE, "own-detector@1") / "card.json")
    return card.files[WEIGHTS], cards_in_use()[ROLE].files[WEIGHTS]


def test_each_analysis_is_repeated_in_shadow_and_kept_apart(
    reader: Reader, own: Versions, library: Library, study: list[Path]
) -> None:
    change_shadow(own.folder, ROLE, "own-detector@1", "Dr. A")
    reader.open(study)
    reader.wait_for_analysis()
    shown = reader.state.analysis
    assert shown is not None
    assert shown.models[ROLE].name == "tiny-detector"
    reader.wait(lambda: len(library.shadow_pairs(ROLE, weights(own))) == len(study))
    assert reader.state.analysis is shown
    uids = [image.sop_instance_uid for image in shown.images]
    kept = library.analysis_of(uids, shown.models)
    assert kept is not None
    assert kept.models == shown.models
    uses = {role: card.use for role, card in cards_in_use().items()}
    uses[ROLE] = read_card(own.place(ROLE, "own-detector@1") / "card.json").use
    assert library.unseen_by_shadow(uids, uses) == ()
    assert library.analysis_of(uids, uses) is None


def test_nothing_is_in_shadow_unless_it_was_asked_for(
    reader: Reader, library: Library, study: list[Path]
) -> None:
    submit = reader.models.submit
    seen = Mock(side_effect=submit)
    reader.models.submit = seen  # type: ignore[method-assign]
    reader.open(study)
    reader.wait_for_analysis()
    reader.qtbot.wait(300)
    assert seen.call_count == 1
    assert "shadow" not in seen.call_args.kwargs


def test_the_one_in_shadow_waits_while_anybody_waits(
    reader: Reader,
    own: Versions,
    library: Library,
    study: list[Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    change_shadow(own.folder, ROLE, "own-detector@1", "Dr. A")
    monkeypatch.setattr(ModelProcess, "busy", property(lambda _: True))
    reader.open(study)
    reader.wait_for_analysis()
    shadower = reader.window.shadower
    reader.wait(lambda: len(shadower._tasks) == len(study))
    reader.qtbot.wait(200)
    assert len(shadower._tasks) == len(study)
    monkeypatch.setattr(ModelProcess, "busy", property(lambda _: False))
    reader.wait(lambda: len(library.shadow_pairs(ROLE, weights(own))) == len(study))


def test_what_long_jobs_tell_does_not_hold_it_up(
    reader: Reader, own: Versions, library: Library, study: list[Path]
) -> None:
    change_shadow(own.folder, ROLE, "own-detector@1", "Dr. A")
    told = 0

    def tell() -> None:
        nonlocal told
        told += 1
        reader.window._on_progress("Training", told, 10**6)

    timer = QTimer(interval=5)
    timer.timeout.connect(tell)
    timer.start()
    reader.open(study)
    reader.wait(lambda: len(library.shadow_pairs(ROLE, weights(own))) == len(study))
    timer.stop()
    assert told > len(study)


def test_the_page_of_versions_puts_one_into_shadow_and_reads_it_out(
    reader: Reader, own: Versions, library: Library, study: list[Path]
) -> None:
    window = reader.window
    dialog = make_retraining(
        window.jobs, window._runner, window.preferences, reader.models, library, window
    )
    dialog.show()
    place = (ROLE, "own-detector@1")

    def texts() -> str:
        return "\n".join(each.text() for each in dialog.promote.left.findChildren(QLabel))

    reader.wait(lambda: place in dialog.promote.shadows)
    assert dialog.promote.shadows[place].text() == "Run in shadow"
    dialog.promote.shadows[place].click()
    reader.wait(lambda: "It has seen no image yet." in texts())
    shadow = own.shadow(ROLE)
    assert shadow is not None
    assert shadow.who == "Dr. A"
    reader.open(study)
    reader.wait(lambda: len(library.shadow_pairs(ROLE, weights(own))) == len(study))
    dialog.hide()
    dialog.show()
    told = "Of 4 images it calls 0 otherwise than the model in use (0.0 %): 0 more, 0 less."
    reader.wait(lambda: told in texts())
    dialog.promote.shadows[place].click()
    reader.wait(lambda: own.shadow(ROLE) is None)
    reader.wait(lambda: dialog.promote.shadows[place].text() == "Run in shadow")
    dialog.close()
