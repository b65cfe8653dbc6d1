from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QCoreApplication

from ml.mammo.codes import Laterality
from ml.mammo.mammogram import Evidence, Patient
from tests.factories.analyses import MODELS, make_analysis, make_study
from tests.factories.words import accept, draw, make_outcome
from viewer.core import outcomes, reading
from viewer.core.actions import set_analysis, set_study
from viewer.core.decision import Deed
from viewer.core.state import Impression, Reading
from viewer.library.library import Library
from viewer.qt.memory import Memory, kept_analysis
from viewer.qt.session import Session

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from ml.mammo.study import Study

NOW = "2026-01-01T10:00:00Z"


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "library.sqlite")


def opened(library: Library, study: Study) -> tuple[Session, Memory]:
    session = Session()
    memory = Memory(session, library, now=lambda: NOW)
    session.apply(lambda state: replace(state, study=study, blind_first_read=True))
    return session, memory


def read(session: Session) -> None:
    for side in (Laterality.RIGHT, Laterality.LEFT):
        session.apply(
            lambda state, side=side: reading.record_impression(
                state, side, Impression.RECALL, NOW
            )
        )


def test_both_impressions_and_the_reveal_come_back_with_the_study(
    qtbot: QtBot, library: Library
):
    study = make_study()
    first, _memory = opened(library, study)
    read(first)
    said = first.state.reading
    assert said.revealed_at == NOW
    again, _other = opened(library, study)
    assert again.state.reading == Reading()
    qtbot.waitUntil(lambda: again.state.reading == said)
    assert again.state.machine_shown


def test_opening_the_open_study_again_loses_nothing(qtbot: QtBot, library: Library):
    study = make_study()
    session, _memory = opened(library, study)
    read(session)
    said = session.state.reading
    session.apply(partial(set_study, study=study))
    qtbot.waitUntil(lambda: session.state.reading == said)
    assert library.reading_of(study.uid) == said


def test_marks_that_are_there_before_what_was_kept_take_nothing_away(
    qtbot: QtBot, library: Library
):
    study = make_study()
    first, _memory = opened(library, study)
    first.apply(
        lambda state: reading.record_impression(state, Laterality.LEFT, Impression.NORMAL, NOW)
    )
    said = first.state.reading
    again, _other = opened(library, study)
    again.apply(lambda state: replace(state, blind_first_read=False))
    again.apply(lambda state: set_analysis(state, study, make_analysis()))
    qtbot.waitUntil(lambda: again.state.reading == replace(said, seen_before=True))
    assert library.reading_of(study.uid) == again.state.reading


def test_marks_that_were_looked_at_are_remembered_without_a_word(
    qtbot: QtBot, library: Library
):
    study = make_study()
    session, _memory = opened(library, study)
    session.apply(lambda state: replace(state, blind_first_read=False))
    session.apply(lambda state: set_analysis(state, study, make_analysis()))
    assert library.reading_of(study.uid) == Reading(seen_before=True)
    assert library.statuses_of([study.uid]) == {}, "nothing was said of it"
    again, _other = opened(library, study)
    qtbot.waitUntil(lambda: reading.has_seen(again.state))


def test_a_new_study_starts_blind(qtbot: QtBot, library: Library):
    session, _memory = opened(library, make_study())
    QCoreApplication.processEvents()
    assert session.state.reading == Reading()
    assert library.reading_of("1.2.3") is None


def test_what_comes_back_late_does_not_fall_on_another_study(qtbot: QtBot, library: Library):
    library.keep_reading("1.2.3", Reading(revealed_at=NOW))
    session, _memory = opened(library, make_study())
    other = replace(make_study(), uid="9.9")
    session.apply(lambda state: replace(state, study=other))
    QCoreApplication.processEvents()
    assert session.state.reading == Reading()


def test_opened_studies_are_remembered(library: Library):
    opened(library, make_study())
    (recent,) = library.recent_studies()
    assert (recent.uid, recent.label, recent.opened_at) == (
        "1.2.3",
        "P_00173 20161004 (4)",
        NOW,
    )


def test_an_analysis_is_kept_and_found_again(library: Library):
    study = make_study()
    session, _memory = opened(library, study)
    assert kept_analysis(library, None, study, MODELS) is None
    session.apply(lambda state: replace(state, analysis=make_analysis()))
    kept = kept_analysis(library, None, study, MODELS)
    assert kept is not None
    assert kept.images[0].lesion_score == 0.63


def test_a_kept_analysis_is_of_the_files_that_are_open(library: Library):
    study = make_study()
    session, _memory = opened(library, study)
    session.apply(lambda state: replace(state, analysis=make_analysis()))
    moved = tuple(replace(image, path=Path("/new") / image.path) for image in study.images)
    kept = kept_analysis(library, None, replace(study, images=moved), MODELS)
    assert kept is not None
    assert [image.path for image in kept.images] == [str(image.path) for image in moved]


@pytest.mark.parametrize(
    "change", [{"rows": 2999}, {"laterality": Evidence(Laterality.LEFT, "mended")}]
)
def test_an_image_that_was_mended_since_is_analyzed_again(
    library: Library, change: dict[str, object]
):
    study = make_study()
    session, _memory = opened(library, study)
    session.apply(lambda state: replace(state, analysis=make_analysis()))
    images = (replace(study.images[0], **change), *study.images[1:])
    assert kept_analysis(library, None, replace(study, images=images), MODELS) is None


def test_what_came_out_of_the_library_is_not_written_again(library: Library):
    session, _memory = opened(library, make_study())
    session.apply(lambda state: replace(state, analysis=replace(make_analysis(), kept=True)))
    assert kept_analysis(library, None, make_study(), MODELS) is None


def test_without_a_study_nothing_is_kept(library: Library):
    session = Session()
    _memory = Memory(session, library)
    session.apply(lambda state: replace(state, reading=Reading(revealed_at=NOW)))
    assert library.recent_studies() == ()


def test_nothing_of_the_patient_reaches_a_log(
    library: Library, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("DEBUG")
    study = replace(make_study(), patient=Patient("TEST^SECRET", "TEST^SECRET"))
    session, _memory = opened(library, study)
    read(session)
    session.apply(lambda state: replace(state, analysis=make_analysis()))
    library.close()
    session.apply(lambda state: replace(state, reading=Reading(seen_before=True)))
    assert "could not be written" in caplog.text
    assert "SECRET" not in caplog.text
    caplog.clear()


def test_a_synthetic_study_is_never_filed_under_the_real_one_of_its_uid(
    qtbot: QtBot, library: Library
) -> None:
    real = make_study()
    images = tuple(replace(image, synthetic=True) for image in real.images)
    session, _memory = opened(library, replace(real, images=images))
    session.apply(
        lambda s: reading.record_impression(s, Laterality.LEFT, Impression.RECALL, NOW)
    )
    session.apply(lambda s: replace(s, analysis=make_analysis()))
    assert library.reading_of(real.uid) is None
    assert kept_analysis(library, None, real, MODELS) is None
    kept = kept_analysis(library, None, replace(real, images=images), MODELS)
    assert kept is not None
    assert [i.sop_instance_uid for i in kept.images] == [i.sop_instance_uid for i in images]
    assert library.reading_of(f"synthetic:{real.uid}") is not None
    assert library.files_of(real.uid) == ()


DECIDES = """
import os, signal, sys, time
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from tests.factories.words import accept, draw, make_state
from viewer.library.library import Library
from viewer.qt.job_runner import JobRunner
from viewer.qt.memory import Memory
from viewer.qt.session import Session
application = QCoreApplication([])
session, runner = Session(), JobRunner()
memory = Memory(session, Library(Path(sys.argv[1])), runner=runner)
session.apply(lambda _: make_state())
session.apply(accept)
session.apply(draw)
time.sleep(1)  # no turn of the event loop: the writing waits for none
os.kill(os.getpid(), signal.SIGKILL)
"""


def with_words(library: Library, study: Study) -> tuple[Session, Memory]:
    session, memory = opened(library, study)
    session.apply(
        lambda s: replace(s, analysis=make_analysis(), blind_first_read=False, reader="B")
    )
    return session, memory


def test_decisions_and_outcomes_come_back_with_the_study(
    qtbot: QtBot, library: Library
) -> None:
    first, _memory = with_words(library, make_study())
    first.apply(accept)
    first.apply(draw)
    first.undo()
    first.apply(lambda s: outcomes.add_outcome(s, "1.2.3", make_outcome()))
    said = first.state
    assert len(said.decisions) == 3
    again, _other = with_words(library, make_study())
    qtbot.waitUntil(lambda: again.state.decisions == said.decisions)
    assert again.state.outcomes == said.outcomes
    assert len(library.decisions_of("1.2.3")) == 3, "what came back is not written again"


def test_words_that_come_back_late_stand_before_new_ones(
    qtbot: QtBot, library: Library
) -> None:
    first, _memory = with_words(library, make_study())
    first.apply(accept)
    again, _other = with_words(library, make_study())
    again.apply(draw)
    qtbot.waitUntil(lambda: len(again.state.decisions) == 2)
    assert [each.deed for each in again.state.decisions] == [Deed.ACCEPTED, Deed.DRAWN]
    assert library.decisions_of("1.2.3") == again.state.decisions


def test_opening_the_open_study_again_brings_the_words_back_once(
    qtbot: QtBot, library: Library
) -> None:
    study = make_study()
    session, _memory = with_words(library, study)
    session.apply(draw)
    for _ in range(2):
        session.apply(partial(set_study, study=study))
    qtbot.waitUntil(lambda: len(session.state.decisions) == 1)
    qtbot.wait(20)
    assert len(session.state.decisions) == 1


def test_words_on_a_synthetic_study_say_so_and_are_filed_apart(
    qtbot: QtBot, library: Library
) -> None:
    real = make_study()
    made = replace(real, images=tuple(replace(i, synthetic=True) for i in real.images))
    session, _memory = with_words(library, made)
    session.apply(draw)
    assert library.decisions_of(real.uid) == ()
    (kept,) = library.decisions_of(f"synthetic:{real.uid}")
    assert kept.sop_instance_uid == "synthetic:1.2.3.RCC"
    assert kept.circumstances.synthetic
    again, _other = with_words(library, made)
    qtbot.waitUntil(lambda: again.state.decisions == session.state.decisions)


def test_a_word_that_could_not_be_written_goes_along_with_the_next(
    library: Library, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, memory = with_words(library, make_study())
    told: list[str] = []
    memory.failed.connect(told.append)
    with monkeypatch.context() as full:
        full.setattr(library, "_execute", lambda statements: False)
        session.apply(accept)
    assert len(told) == 1
    assert library.decisions_of("1.2.3") == ()
    session.apply(draw)
    assert library.decisions_of("1.2.3") == session.state.decisions
    caplog.clear()


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_what_was_decided_survives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite"
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", DECIDES, str(path)], check=False, cwd=root)
    assert done.returncode == -9
    again = Library(path)
    assert [each.deed for each in again.decisions_of("1.2.3")] == [Deed.ACCEPTED, Deed.DRAWN]
    again.close()


def test_the_maker_of_the_device_is_kept_with_an_analysis(qtbot: QtBot, library: Library):
    study = make_study()
    made_by = replace(study.images[0].acquisition, manufacturer="HOLOGIC, Inc.")
    images = (replace(study.images[0], acquisition=made_by), *study.images[1:])
    session, _memory = opened(library, replace(study, images=images))
    session.apply(lambda state: replace(state, analysis=make_analysis()))
    scored = library.latest_scores("classifier", MODELS["classifier"].weights_sha256)
    assert {one.image: one.maker for one in scored} == {
        "1.2.3.RCC": "HOLOGIC, Inc.",
        "1.2.3.LCC": "",
        "1.2.3.RMLO": "",
        "1.2.3.LMLO": "",
    }
