"""What a screening left, where the reader is in it, and a study taken from where it lies."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ml.errors import DataError
from ml.mammo.codes import Laterality
from ml.screen.order import ScreenOrder
from ml.screen.ranking import Placed
from ml.screen.worklist import WORKLIST, write_worklist
from tests.factories.breasts import make_four_views, make_view
from tests.factories.words import make_outcome
from tests.factories.worklists import make_few, make_rank, make_worklist
from viewer.core.read_study import Status
from viewer.core.screening import Part, View
from viewer.core.screening_words import Column
from viewer.core.state import BLIND
from viewer.jobs import screened
from viewer.jobs.listed_study import take_study
from viewer.jobs.screened import Kept
from viewer.library.library import Library

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = tmp_path / "results"
    folder.mkdir()
    write_worklist(folder / WORKLIST, make_few())
    return folder


@pytest.fixture
def places(tmp_path: Path) -> Path:
    return tmp_path / "places"


def test_a_list_is_read_with_what_was_read_of_it(results: Path, places: Path) -> None:
    library = Library(results.parent / "library.sqlite")
    recalled = replace(make_outcome(), recall=True, laterality=Laterality.LEFT)
    library.add_words([("1.2.0.9", "a", recalled), ("other", "b", recalled)])
    screened.keep(Kept(str(results), names={"partial": "other"}), places)
    read = screened.read_screened(results, places, library)
    assert len(read.listed.shown) == 6
    assert dict(read.listed.statuses) == {
        "0.9": Status.RECALLED,
        "partial": Status.RECALLED,
    }
    library.close()


def test_the_place_the_order_and_the_filters_are_kept(results: Path, places: Path) -> None:
    view = View(BLIND, Column.DATE, True, "woman", Status.UNREAD, Part.RANKED)
    screened.keep(Kept(str(results), view, "0.7", {"0.7": "9.9"}), places)
    read = screened.read_screened(results, places, None)
    assert (read.listed.view, read.listed.current) == (view, "0.7")
    assert read.names == {"0.7": "9.9"}
    assert screened.kept_of(results / ".." / "results", places) is not None


def test_a_list_that_was_never_opened_is_seen_as_wanted(results: Path, places: Path) -> None:
    read = screened.read_screened(results, places, None, View(order=BLIND))
    assert read.listed.view.order == BLIND
    assert read.listed.current == ""


@pytest.mark.parametrize("content", ["", "[]", '{"results": "x"}', '{"view": 3}'])
def test_a_place_that_is_damaged_is_forgotten(
    results: Path, places: Path, content: str
) -> None:
    screened.keep(Kept(str(results), current="0.7"), places)
    (path,) = places.iterdir()
    path.write_text(content)
    assert screened.kept_of(results, places) is None
    assert screened.read_screened(results, places, None).listed.current == ""


def test_a_folder_without_a_list_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no list of a screening"):
        screened.read_screened(tmp_path, tmp_path / "places", None)


def test_all_lists_that_are_known_are_found_the_newest_first(
    results: Path, places: Path, tmp_path: Path
) -> None:
    own = tmp_path / "screening" / "women-2026-01-01"
    own.mkdir(parents=True)
    write_worklist(own / WORKLIST, make_few())
    screened.keep(Kept(str(results)), places)
    screened.keep(Kept(str(tmp_path / "gone")), places)
    screened.keep(Kept(str(own)), places)
    (places / "odd.json").write_text("no JSON")
    assert screened.lists_of(tmp_path / "screening", places) == (own, results)
    assert screened.lists_of(tmp_path / "none", tmp_path / "none") == ()


def test_results_of_one_folder_go_to_one_place_and_of_another_elsewhere(tmp_path: Path) -> None:
    first, second = tmp_path / "a" / "women", tmp_path / "b" / "women"
    for folder in (first, second):
        folder.mkdir(parents=True)
    day = "2026-01-02"
    results = screened.results_for(tmp_path / "screening", first, day)
    assert results.name == "women-2026-01-02"
    screened.begin(ScreenOrder(str(first), str(results)))
    assert screened.results_for(tmp_path / "screening", first, day) == results
    other = screened.results_for(tmp_path / "screening", second, day)
    assert other.name == "women-2026-01-02-2"
    with pytest.raises(DataError, match="not there any more"):
        screened.begin(ScreenOrder(str(tmp_path / "gone"), str(other)))
    assert not other.exists()


def test_a_study_is_taken_as_it_lies(tmp_path: Path) -> None:
    paths = make_four_views(tmp_path / "study")
    rank = make_rank("1", places=tuple(Placed(str(path), path.stem) for path in paths))
    taken = take_study(rank, tmp_path / "copies")
    (study,) = taken.studies
    assert {image.path for image in study.images} == set(paths)
    assert (taken.key, taken.refusals, taken.copies) == ("1", (), None)


def test_a_study_in_an_archive_is_copied_out_of_it(tmp_path: Path) -> None:
    # Of one name in two folders.
    paths = [make_view(tmp_path / title, title, n) for n, title in enumerate(("RCC", "LCC"), 1)]
    archive = tmp_path / "ü.zip"
    with zipfile.ZipFile(archive, "w") as made:
        for number, path in enumerate(paths):
            made.write(path, f"{number}/image.dcm")
    where = [f"{archive}!/{number}/image.dcm" for number in (0, 1)]
    rank = make_rank("1", places=(*(Placed(w, "x") for w in where), Placed("gone.dcm", "y")))
    copies = tmp_path / "copies"
    taken = take_study(rank, copies)
    (study,) = taken.studies
    assert [image.laterality.value.value for image in study.images if image.laterality] == [
        "R",
        "L",
    ]
    assert all(image.path.parent == copies for image in study.images)
    assert taken.copies == copies
    (refusal,) = taken.refusals
    assert "gone.dcm" in refusal.sentence


def test_what_cannot_be_taken_is_told_and_hides_no_other(tmp_path: Path) -> None:
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK no archive")
    image = make_view(tmp_path / "study", "RCC")
    places = (
        *(Placed(f"{broken}!/a.dcm", "a"), Placed(str(tmp_path / "gone.zip!/b.dcm"), "b")),
        Placed(str(image), "RCC"),
    )
    taken = take_study(make_rank("1", places=places), tmp_path / "copies")
    assert [len(study.images) for study in taken.studies] == [1]
    told = [refusal.sentence for refusal in taken.refusals]
    assert "a.dcm cannot be taken out of broken.zip" in told[0]
    assert told[1].startswith("b.dcm")
    assert all(sentence.endswith((".", "?")) for sentence in told)
    nothing = take_study(make_rank("2", places=places[:2]), tmp_path / "copies")
    assert nothing.studies == ()


def test_what_is_another_womans_by_now_is_hung_with_an_alarm(tmp_path: Path) -> None:
    paths = [
        make_view(tmp_path, title, n, PatientID=f"W{n}", SOPInstanceUID=f"1.{n}")
        for n, title in enumerate(("RCC", "LCC"), 1)
    ]
    rank = make_rank("1", places=tuple(Placed(str(path), "") for path in paths))
    (study,) = take_study(rank, tmp_path / "copies").studies
    assert study.merged
    assert make_worklist(rank).studies == (rank,)
