"""A case that a screening analyzed is proposed in the real window, and opens from there."""

from __future__ import annotations

import threading
import zipfile
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ml.in_use import cards_in_use
from ml.mammo.codes import Laterality
from ml.mammo.read import read_mammogram
from ml.screen.ledger import Ledger, models_key, url_of
from ml.screen.ranking import BreastRank, Placed
from ml.screen.rows import Answer, Entry, Heading, Standing, State
from ml.screen.worklist import WORKLIST, write_worklist
from tests.factories.analyses import make_image_analysis
from tests.factories.breasts import make_view
from tests.factories.worklists import make_rank, make_worklist
from viewer.core import actions
from viewer.core.commands import command_keys
from viewer.core.home import find_home
from viewer.qt import reads
from viewer.qt.dialogs.outcomes import OutcomesDialog

if TYPE_CHECKING:
    from pathlib import Path

    from tests.gui.conftest import Reader

WOMEN = ("file", "archive", "gone")


@pytest.fixture
def screened(tmp_path: Path, packs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A screening of three women: a plain file, a member of an archive, and one that went."""
    monkeypatch.setenv("MAMMOSCOPE_MODELS", str(packs))
    cards = cards_in_use()
    uses = {role: card.use for role, card in cards.items()}
    results = find_home().screenings / "women"
    results.mkdir(parents=True)
    ranks = []
    with closing(Ledger(url_of(results), models_key(uses))) as ledger:
        for number, key in enumerate(WOMEN, 1):
            uids = {"SOPInstanceUID": f"1.2.{number}.1", "StudyInstanceUID": f"1.2.{number}"}
            path = make_view(tmp_path / key, "RCC", **uids, PatientID=key)
            facts, place = read_mammogram(path), str(path)
            if key == "archive":
                with zipfile.ZipFile(tmp_path / "women.zip", "w") as made:
                    made.write(path, "deep/one.dcm")
                path.unlink()
                place = f"{tmp_path / 'women.zip'}!/deep/one.dcm"
            image = replace(
                make_image_analysis("RCC", lesion=number / 4),
                sop_instance_uid=facts.sop_instance_uid,
                study_instance_uid=facts.study_instance_uid,
                rows=facts.rows,
                columns=facts.columns,
            )
            heading = Heading(
                Entry(place, 1, 1),
                Standing.IMAGE,
                sop_instance_uid=facts.sop_instance_uid,
                study_key=key,
            )
            ledger.put_headings([heading], 1)
            ledger.put_answer(heading, Answer(State.DONE, image), uses)
            breast = BreastRank(
                Laterality.RIGHT, 0.5, image.lesion_probability, None, above=None
            )
            ranks.append(
                make_rank(
                    key,
                    study_uid=facts.study_instance_uid,
                    patient_id=key,
                    breasts=(breast,),
                    places=(Placed(place, "RCC"),),
                )
            )
    models = {role: f"{use.name}@{use.version}" for role, use in uses.items()}
    write_worklist(results / WORKLIST, replace(make_worklist(*ranks), models=models))


def proposed(reader: Reader) -> OutcomesDialog:
    reader.press(command_keys()["outcomes"])
    dialog = reader.window.findChild(OutcomesDialog)
    assert isinstance(dialog, OutcomesDialog)
    reader.wait(lambda: len(dialog.proposed) == len(WOMEN))
    return dialog


def is_open(reader: Reader, uid: str) -> bool:
    study = reader.state.study
    return study is not None and study.uid == uid


def open_proposed(dialog: OutcomesDialog, key: str) -> None:
    keys = [case.listed.key for case in dialog.proposed if case.listed is not None]
    item = dialog.unread.topLevelItem(keys.index(key))
    assert item is not None
    dialog.unread.setCurrentItem(item)
    dialog.buttons["open_unread"].click()


@pytest.mark.usefixtures("screened")
def test_what_nobody_opened_is_proposed_and_opens_from_where_it_lies(
    reader: Reader, tmp_path: Path
) -> None:
    dialog = proposed(reader)
    for number, key in ((1, "file"), (2, "archive")):
        open_proposed(dialog, key)
        uid = f"1.2.{number}"
        reader.wait(lambda uid=uid: is_open(reader, uid))
        reader.wait_for_pictures()
        assert reader.state.opening == ""
    before = reader.state.study
    (tmp_path / "gone" / "RCC-1.dcm").unlink()
    open_proposed(dialog, "gone")
    reader.wait(lambda: "No image of this study" in reader.window.notice.sentence.text())
    assert reader.state.study is before
    assert reader.state.opening == ""


@pytest.mark.usefixtures("screened")
def test_whoever_closes_the_images_meanwhile_does_not_wait_for_a_proposal(
    reader: Reader, study: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader.open(study)
    dialog = proposed(reader)
    go, take = threading.Event(), reads.take_study
    monkeypatch.setattr(reads, "take_study", lambda *given: go.wait(20) and take(*given))
    open_proposed(dialog, "file")
    assert reader.state.opening
    reader.window.session.apply(actions.close_study)
    go.set()
    reader.wait(lambda: not reader.state.opening)
    assert reader.state.study is None


@pytest.mark.usefixtures("screened")
def test_what_was_read_is_proposed_no_more(reader: Reader) -> None:
    dialog = proposed(reader)
    open_proposed(dialog, "file")
    reader.wait(lambda: reader.state.study is not None)
    reader.press(command_keys()["impression_right_recall"])
    library = reader.window.library
    assert library is not None
    reader.wait(lambda: bool(library.outcomes_of("1.2.1")))
    dialog.hide()
    dialog.show()
    reader.wait(lambda: len(dialog.proposed) == len(WOMEN) - 1)
    assert all(case.uid != "1.2.1" for case in dialog.proposed)
