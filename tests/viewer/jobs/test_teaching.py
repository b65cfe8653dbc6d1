"""What is proposed to be read next: of the library, and of the lists of screenings."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ml.in_use import cards_in_use
from ml.mammo.codes import Laterality
from ml.screen.ledger import Ledger, models_key, url_of
from ml.screen.ranking import BreastRank, Placed, StudyRank
from ml.screen.rows import Answer, Entry, Heading, Standing, State
from ml.screen.worklist import WORKLIST, WorkList, write_worklist
from tests.factories.analyses import make_image_analysis
from tests.factories.packs import make_packs
from tests.factories.words import make_decision, make_outcome
from tests.factories.worklists import make_rank, make_worklist
from viewer.core.home import Home, find_home
from viewer.core.teaching import Proposals
from viewer.jobs import screened, teaching
from viewer.jobs.screened import Kept
from viewer.jobs.teaching import point_of, propose
from viewer.library.library import Library, RecentStudy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ml.findings import ModelUse

VIEWS = ("RCC", "RMLO")


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    made = Library(tmp_path / "library.sqlite")
    yield made
    made.close()


@pytest.fixture
def own(home: Path) -> Home:
    """The places of the test's own home."""
    found = find_home()
    assert found.data == home
    return found


@pytest.fixture
def uses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, ModelUse]:
    """The models in use, by role."""
    make_packs(tmp_path / "models")
    monkeypatch.setenv("MAMMOSCOPE_MODELS", str(tmp_path / "models"))
    return {role: card.use for role, card in cards_in_use().items()}


@pytest.fixture
def point(uses: Mapping[str, ModelUse]) -> float:
    found = point_of(cards_in_use()["classifier"])
    assert uses
    assert found is not None
    return found


def make_listed(folder: Path, key: str, *probabilities: float | None) -> StudyRank:
    """A study that a list names, of one breast whose views got these probabilities."""
    file = folder / f"{key}.dcm"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"")
    greatest = max((each for each in probabilities if each is not None), default=None)
    breast = BreastRank(Laterality.RIGHT, 0.3, greatest, None, above=False)
    return make_rank(
        key, breasts=(breast,), probability=greatest, places=(Placed(str(file), "RCC"),)
    )


def screen(
    results: Path,
    uses: Mapping[str, ModelUse],
    said: Mapping[StudyRank, tuple[float | None, ...]],
) -> None:
    """Leave a list and its ledger, as a screening does."""
    results.mkdir(parents=True)
    work: WorkList = make_worklist(*said)
    models = {role: f"{use.name}@{use.version}" for role, use in uses.items()}
    write_worklist(results / WORKLIST, replace(work, models=models))
    with closing(Ledger(url_of(results), models_key(uses))) as ledger:
        for rank, probabilities in said.items():
            for title, value in zip(VIEWS, probabilities, strict=True):
                uid = f"{rank.study_uid}.{title}"
                heading = Heading(
                    Entry(f"{results}/{uid}", 1, 1),
                    Standing.IMAGE,
                    sop_instance_uid=uid,
                    study_instance_uid=rank.study_uid,
                    study_key=rank.key,
                )
                image = replace(
                    make_image_analysis(title), sop_instance_uid=uid, lesion_probability=value
                )
                ledger.put_headings([heading], 1)
                ledger.put_answer(heading, Answer(State.DONE, image), uses)


def names(proposals: Proposals) -> list[str]:
    return [each.case.uid for each in proposals.cases]


def test_what_a_screening_analyzed_and_nobody_opened_is_proposed(
    library: Library, own: Home, uses: Mapping[str, ModelUse], point: float, tmp_path: Path
) -> None:
    sure, disputed, near = (0.999, 0.999), (0.999, point / 100), (point, point / 2)
    values = {"sure": sure, "disputed": disputed, "near": near, "none": (None, None)}
    said = {make_listed(tmp_path, key, *each): each for key, each in values.items()}
    screen(own.screenings / "women", uses, said)
    proposals = propose(library, own)
    assert names(proposals) == ["1.2.near", "1.2.disputed", "1.2.sure"]
    assert (proposals.without, proposals.away) == (1, 0)
    first, second = (each.worth for each in proposals.cases[:2])
    assert first.doubt == pytest.approx(1.0)
    assert second.dispute > 0.9, "by the images' own values, which the list does not hold"
    case = proposals.cases[0].case
    assert case.label == "WOMAN near 20260102 (1)"
    assert case.listed is not None
    assert case.listed.key == "near"


def test_only_unread_studies_whose_files_are_there_are_proposed(
    library: Library, own: Home, uses: Mapping[str, ModelUse], point: float, tmp_path: Path
) -> None:
    keys = ("unread", "recalled", "marked", "elsewhere", "gone", "nobody")
    ranks = {key: make_listed(tmp_path, key, point, point) for key in keys}
    (tmp_path / "gone.dcm").unlink()
    ranks["nobody"] = replace(ranks["nobody"], synthetic=True)
    results = own.screenings / "women"
    screen(results, uses, dict.fromkeys(ranks.values(), (point, point)))
    screened.keep(Kept(str(results), names={"elsewhere": "9.9"}), own.reading_places)
    library.add_words(
        [
            ("1.2.recalled", "a", make_outcome()),
            ("1.2.marked", "b", make_decision()),
            ("9.9", "c", make_outcome()),
        ]
    )
    proposals = propose(library, own)
    assert names(proposals) == ["1.2.unread"]
    assert proposals.away == 1


def test_a_study_of_several_lists_counts_once(
    library: Library, own: Home, uses: Mapping[str, ModelUse], point: float, tmp_path: Path
) -> None:
    values = {"a": (point, point), "none": (None, None)}
    said = {make_listed(tmp_path, key, *each): each for key, each in values.items()}
    for number in (1, 2):
        screen(own.screenings / f"women-{number}", uses, said)
    proposals = propose(library, own)
    assert names(proposals) == ["1.2.a"]
    assert proposals.without == 1


def test_a_list_of_other_models_or_without_its_ledger_proposes_nothing(
    library: Library, own: Home, uses: Mapping[str, ModelUse], point: float, tmp_path: Path
) -> None:
    rank = make_listed(tmp_path, "a", point, point)
    # Other weights under the same version, and another version.
    classifier = replace(uses["classifier"], weights_sha256="0" * 64)
    weights = {**uses, "classifier": classifier}
    screen(own.screenings / "weights", weights, {rank: (point, point)})
    older = {**uses, "classifier": replace(uses["classifier"], version="0.0.1")}
    screen(own.screenings / "older", older, {rank: (point, point)})
    assert propose(library, own) == Proposals()
    screen(own.screenings / "alone", uses, {rank: (point, point)})
    assert names(propose(library, own)) == ["1.2.a"]
    for path in (own.screenings / "alone").glob("ledger.sqlite*"):
        path.unlink()
    (own.screenings / "broken").mkdir()
    (own.screenings / "broken" / WORKLIST).write_text("no list", encoding="utf-8")
    assert propose(library, own) == Proposals()
    (own.screenings / "alone" / "ledger.sqlite").write_bytes(b"no database" * 100)
    assert propose(library, own) == Proposals()


def test_of_a_long_list_those_are_looked_into_that_may_teach_most(
    library: Library,
    own: Home,
    uses: Mapping[str, ModelUse],
    point: float,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(teaching, "LOOKED_INTO", 1)
    values = {"plain": (0.999, 0.999), "near": (point, point), "low": (0.0001, 0.0001)}
    said = {make_listed(tmp_path, key, *each): each for key, each in values.items()}
    screen(own.screenings / "women", uses, said)
    assert names(propose(library, own)) == ["1.2.near"]


def test_a_study_that_was_opened_out_of_an_archive_is_found_in_its_list(
    library: Library, own: Home, uses: Mapping[str, ModelUse], point: float, tmp_path: Path
) -> None:
    from ml.findings import Analysis

    image = make_image_analysis("RCC")
    library.keep_analysis(Analysis(uses, (image,)))
    copy = str(tmp_path / "copies of an archive" / "RCC.dcm")
    files = {image.sop_instance_uid: copy}
    library.remember_study(RecentStudy("1.2.a", copy, "P1 (1)", "2026", files))
    assert propose(library, own).away == 1
    rank = make_listed(tmp_path, "a", point, point)
    screen(own.screenings / "women", uses, {rank: (point, point)})
    (proposal,) = propose(library, own).cases
    assert proposal.case.listed == rank
