"""What was found and what came of it: nothing twice, nothing lost.

The tests of what is kept also run on PostgreSQL where that and its driver are installed: on a
server of their own, or on an empty database of which `MAMMOSCOPE_TEST_POSTGRES` is the URL.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sqlalchemy import create_engine, update

from ml.errors import DataError
from ml.findings import HeatMap
from ml.mammo.geometry import Affine
from ml.screen.ledger import LEDGER, Ledger, models_key, url_of
from ml.screen.rows import Answer, Entry, Heading, Standing, State
from ml.screen.tables import files, metadata
from tests.factories.analyses import MODELS, make_finding, make_image_analysis
from tests.factories.postgres import postgres_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL

ROOT = Path(__file__).parents[3]
POSTGRES = os.environ.get("MAMMOSCOPE_TEST_POSTGRES", "")
# Rows that are read at once in these tests.
PAGE = 40


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """The URL of a database."""
    if POSTGRES:
        yield POSTGRES
        return
    with postgres_server() as server:
        yield server.url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str | URL:
    """An empty database."""
    if request.param == "sqlite":
        return url_of(tmp_path)
    there = request.getfixturevalue("postgres")
    engine = create_engine(there)
    metadata.drop_all(engine)
    engine.dispose()
    return there


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml.screen.ledger._PAGE", PAGE)


@pytest.fixture
def ledger(url: str | URL) -> Iterator[Ledger]:
    with closing(Ledger(url, "models")) as opened:
        yield opened


def entry(place: str, size: int = 1, mtime_ns: int = 1) -> Entry:
    return Entry(place, size, mtime_ns)


def image(place: str, uid: str = "", study: str = "study", **changes: object) -> Heading:
    plain = Heading(
        entry(place),
        Standing.IMAGE,
        sop_instance_uid=uid or f"1.2.{place}",
        study_instance_uid=study,
        study_key=study,
        patient_id="P_001",
        study_date="20260101",
        rows=3000,
        columns=2000,
        frames=3,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def walked(ledger: Ledger, *headings: Heading) -> None:
    """A walk that meets exactly these, and looks only at what is new."""
    walk = ledger.begin_walk()
    new = {one.place for one in ledger.changed([each.entry for each in headings], walk)}
    ledger.put_headings([each for each in headings if each.entry.place in new], walk)
    ledger.end_walk(walk)


def answer(ledger: Ledger, heading: Heading, state: State = State.DONE, why: str = "") -> None:
    said = None if state is State.FAILED else make_image_analysis("RCC")
    ledger.put_answer(heading, Answer(state, said, why), MODELS)


def places(headings: Iterator[Heading]) -> list[str]:
    return [heading.entry.place for heading in headings]


def standings(ledger: Ledger) -> dict[str, Standing]:
    return {one.entry.place: one.standing for one in ledger.images()}


def test_what_is_known_is_not_looked_at_again(ledger: Ledger) -> None:
    entries = [entry("a"), entry("b"), entry("c")]
    first = ledger.begin_walk()
    assert ledger.changed(entries, first) == entries
    ledger.put_headings([image(one.place) for one in entries], first)
    ledger.end_walk(first)
    second = ledger.begin_walk()
    assert second > first
    changed = [entry("a"), entry("b", size=2), entry("c", mtime_ns=2), entry("d")]
    assert ledger.changed(changed, second) == changed[1:]
    # What is told and never written is told again.
    assert ledger.changed(changed, second) == changed[1:]


def test_a_heading_comes_back_as_it_was(ledger: Ledger) -> None:
    whole = image("a", synthetic=True, entry=entry("a", (1 << 63) - 1, -(1 << 63) + 1))
    damaged = Heading(entry("b", -1, -1), Standing.DAMAGED, "b is damaged.")
    other = Heading(entry("c"), Standing.OTHER, "No image.")
    walked(ledger, whole, damaged, other)
    assert list(ledger.images()) == [whole]
    assert list(ledger.skipped(Standing.DAMAGED)) == [damaged]
    assert ledger.counted() == {Standing.IMAGE: 1, Standing.DAMAGED: 1, Standing.OTHER: 1}


def test_what_vanishes_is_forgotten_and_its_answer_stays(ledger: Ledger) -> None:
    walked(ledger, image("a"), image("b"))
    answer(ledger, image("a"))
    walked(ledger, image("b"))
    assert places(ledger.images()) == ["b"]
    assert ledger.answered() == {}
    walked(ledger, image("a"), image("b"))
    assert places(ledger.missing()) == ["b"]
    assert ledger.answered() == {State.DONE: 1}


def test_a_copy_is_no_second_image_and_takes_the_place_of_a_vanished_one(
    ledger: Ledger,
) -> None:
    one, two, three = (image(place, "1.2.3") for place in "abc")
    synthetic = image("d", "1.2.3", synthetic=True)
    walked(ledger, one, two, three, synthetic)
    first = {"a": Standing.IMAGE, "b": Standing.COPY, "c": Standing.COPY, "d": Standing.IMAGE}
    assert standings(ledger) == first
    assert places(ledger.missing()) == ["a", "d"]
    answer(ledger, one)
    assert places(ledger.missing()) == ["d"]
    walked(ledger, two, three)
    assert standings(ledger) == {"b": Standing.IMAGE, "c": Standing.COPY}
    # Back again, the first is the copy.
    walked(ledger, one, two, three)
    assert [name for name, is_ in standings(ledger).items() if is_ is Standing.IMAGE] == ["b"]


def test_a_file_that_becomes_another_image_leaves_its_place_to_the_copy(
    ledger: Ledger,
) -> None:
    walked(ledger, image("a", "1.2.3"), image("b", "1.2.3"))
    walked(ledger, image("a", "1.2.4", entry=entry("a", 2)), image("b", "1.2.3"))
    assert standings(ledger) == {"a": Standing.IMAGE, "b": Standing.IMAGE}


def test_what_a_later_walk_has_met_is_not_forgotten_by_an_earlier_one(ledger: Ledger) -> None:
    """Two machines walk through the same folder."""
    both, changed = image("a"), image("b")
    walked(ledger, both, changed, image("c"))
    first, second = ledger.begin_walk(), ledger.begin_walk()
    assert first < second
    newer = image("b", entry=entry("b", 2))
    for walk in (second, first):
        assert ledger.changed([both.entry, newer.entry], walk) == [newer.entry]
    for walk in (second, first):
        ledger.put_headings([newer], walk)
    ledger.end_walk(first)
    ledger.end_walk(second)
    assert places(ledger.images()) == ["a", "b"]


def test_an_image_that_two_machines_find_at_once_is_one(ledger: Ledger, url: str | URL) -> None:
    one, two = image("a", "1.2.3"), image("b", "1.2.3")
    walked(ledger, one, two)
    # As neither saw what the other was about to write.
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(update(files).values(standing=Standing.IMAGE))
    engine.dispose()
    assert set(standings(ledger).values()) == {Standing.IMAGE}
    walked(ledger, one, two)
    assert standings(ledger) == {"a": Standing.IMAGE, "b": Standing.COPY}


def test_a_changed_file_that_failed_is_tried_again(ledger: Ledger) -> None:
    half, other = image("a"), image("b")
    walked(ledger, half, other)
    for one in (half, other):
        answer(ledger, one, State.FAILED, "It ends in the middle.")
    assert places(ledger.missing()) == []
    walked(ledger, half, other)
    assert places(ledger.missing()) == []
    walked(ledger, image("a", entry=entry("a", size=2)), other)
    assert places(ledger.missing()) == ["a"]


def test_a_new_copy_of_an_image_that_failed_is_tried(ledger: Ledger) -> None:
    bad, good = image("a", "1.2.3"), image("b", "1.2.3")
    walked(ledger, bad)
    answer(ledger, bad, State.FAILED, "Ask for a new copy.")
    walked(ledger, bad, good)
    assert standings(ledger) == {"a": Standing.COPY, "b": Standing.IMAGE}
    assert places(ledger.missing()) == ["b"]
    answer(ledger, good)
    # An image that was read needs no other file.
    walked(ledger, bad, good, image("c", "1.2.3"))
    assert places(ledger.missing()) == []
    assert standings(ledger)["b"] is Standing.IMAGE


def test_what_is_missing_comes_study_by_study(ledger: Ledger) -> None:
    walked(ledger, *(image(f"{n}", study=f"study {n % 3}") for n in range(9)))
    answer(ledger, image("4"))
    missing = list(ledger.missing())
    assert places(iter(missing)) == ["0", "3", "6", "1", "7", "2", "5", "8"]
    assert missing[0] == image("0", study="study 0")


def test_everything_is_given_once_over_many_pages(ledger: Ledger) -> None:
    headings = [image(f"\udcff{n:05}\0", study=f"\udcfe{n % 7}") for n in range(3 * PAGE + 3)]
    walked(ledger, *headings)
    expected = sorted(headings, key=lambda one: (one.study_key, one.entry.place))
    assert list(ledger.images()) == expected
    assert sum(len(study.images) for study in ledger.studies()) == len(headings)
    assert len(list(ledger.studies())) == 7


def test_what_is_answered_while_it_is_gone_through_is_given_once(ledger: Ledger) -> None:
    headings = [image(f"{n:05}", study=f"s{n % 7}") for n in range(2 * PAGE + 20)]
    walked(ledger, *headings)
    met: list[str] = []
    for number, heading in enumerate(ledger.missing()):
        met.append(heading.entry.place)
        if number % 9 == 0:
            answer(ledger, heading)
    assert sorted(met) == [one.entry.place for one in headings]


def test_a_study_with_one_late_file_waits_as_a_whole(ledger: Ledger) -> None:
    early = [image("a1", study="a"), image("b1", study="b")]
    walked(ledger, *early)
    time.sleep(0.05)
    between = time.time()
    assert places(ledger.missing(between)) == ["a1", "b1"]
    time.sleep(0.05)
    late = image("b2", study="b")
    walked(ledger, *early, late)
    assert places(ledger.missing(between)) == ["a1"]
    assert places(ledger.missing()) == ["a1", "b1", "b2"]
    assert places(ledger.missing(time.time())) == ["a1", "b1", "b2"]
    # A copy that is late makes it wait, too; a file that is met again as it was does not.
    walked(ledger, *early, late, image("a2", early[0].sop_instance_uid, study="a"))
    assert places(ledger.missing(between)) == []


def test_a_file_that_still_changes_keeps_its_study_waiting(ledger: Ledger) -> None:
    walked(ledger, image("a"), image("b"))
    time.sleep(0.05)
    between = time.time()
    time.sleep(0.05)
    walked(ledger, image("a"), image("b", entry=entry("b", size=2)))
    assert places(ledger.missing(between)) == []


def test_an_answer_comes_back_equal_without_its_map(ledger: Ledger) -> None:
    heading = image("a")
    walked(ledger, heading)
    plain = make_image_analysis("RCC", findings=(make_finding(0.7),), lesion=1 / 3)
    mapped = replace(plain, heat_map=HeatMap(np.ones((2, 2), np.float32), Affine()))
    ledger.put_answer(heading, Answer(State.DONE, mapped), MODELS)
    (study,) = ledger.studies()
    (one,) = study.images
    assert one.heading == heading
    assert one.answer is not None
    assert one.answer.analysis is not None
    seen = one.answer.analysis.heat_map
    assert seen is not None
    assert seen.scores.tolist() == [[1, 1], [1, 1]]
    assert asdict(replace(one.answer.analysis, heat_map=None)) == asdict(plain)
    assert (one.answer.state, one.answer.sentence) == (State.DONE, "")


def test_refused_failed_and_missing_images_are_told_apart(ledger: Ledger) -> None:
    walked(ledger, *(image(place) for place in "abcd"))
    answer(ledger, image("a"))
    ledger.put_answer(
        image("b"),
        Answer(
            State.REFUSED, make_image_analysis("RCC", refused="A spot view."), "A spot view."
        ),
        MODELS,
    )
    answer(ledger, image("c"))
    answer(ledger, image("c"), State.FAILED, "c is damaged.")
    (study,) = ledger.studies()
    states = [one.answer and (one.answer.state, one.answer.sentence) for one in study.images]
    assert states == [
        (State.DONE, ""),
        (State.REFUSED, "A spot view."),
        (State.FAILED, "c is damaged."),
        None,
    ]
    assert study.key == "study"
    assert ledger.answered() == {State.DONE: 1, State.REFUSED: 1, State.FAILED: 1}


def test_other_models_have_answered_nothing(url: str | URL) -> None:
    with closing(Ledger(url, "these")) as ledger:
        walked(ledger, image("a"))
        answer(ledger, image("a"))
    with closing(Ledger(url, "others")) as ledger:
        assert places(ledger.missing()) == ["a"]
        assert ledger.answered() == {}
        answer(ledger, image("a"), State.FAILED)
    with closing(Ledger(url, "these")) as ledger:
        assert ledger.answered() == {State.DONE: 1}


def test_a_set_of_models_is_known_by_its_cards_or_weights() -> None:
    key = models_key(MODELS)
    assert key == models_key(dict(reversed(MODELS.items())))
    newer = replace(MODELS["detector"], weights_sha256="e" * 64)
    carded = replace(MODELS["detector"], card_sha256="f" * 64)
    keys = {models_key(MODELS | {"detector": use}) for use in (newer, carded)}
    assert len(keys | {key, models_key({"detector": MODELS["detector"]})}) == 4


def test_failures_are_forgotten_when_they_are_to_be_tried_again(url: str | URL) -> None:
    with closing(Ledger(url, "others")) as ledger:
        walked(ledger, image("a"))
        answer(ledger, image("a"), State.FAILED)
    with closing(Ledger(url, "models")) as ledger:
        damaged = Heading(entry("z"), Standing.DAMAGED, "z ended the process.")
        headings = (image("a"), image("b"), image("c"), damaged)
        walked(ledger, *headings)
        answer(ledger, image("a"), State.FAILED)
        answer(ledger, image("b"))
        ledger.forget_failures()
        assert places(ledger.missing()) == ["a", "c"]
        walk = ledger.begin_walk()
        assert ledger.changed([each.entry for each in headings], walk) == [damaged.entry]


def test_facts_are_kept(url: str | URL) -> None:
    with closing(Ledger(url, "models")) as ledger:
        assert ledger.fact("rule") == ""
        ledger.keep_fact("rule", "old")
        ledger.keep_fact("rule", "n\0ew\udcff\ufffd0000")
    with closing(Ledger(url, "models")) as ledger:
        assert ledger.fact("rule") == "n\0ew\udcff\ufffd0000"


ODD = (
    "\udcff\udcfe.dcm",
    "\ud800",
    "a\0b",
    "\ufffd",
    "\ufffddcff",
    "ü\U0001f600",
    "a'b\"%_\\\n",
)


def test_any_text_comes_back_as_it_was(ledger: Ledger) -> None:
    headings = [
        image(f"/{n}{odd}", f"1.2{odd}", f"study {n}{odd}", patient_id=odd, study_date=odd)
        for n, odd in enumerate(ODD)
    ]
    damaged = [Heading(entry(f"/d{odd}"), Standing.DAMAGED, f"{odd} is bad.") for odd in ODD]
    walked(ledger, *headings, *damaged)
    assert sorted(map(repr, ledger.images())) == sorted(map(repr, headings))
    assert sorted(map(repr, ledger.skipped(Standing.DAMAGED))) == sorted(map(repr, damaged))
    assert ledger.changed([each.entry for each in headings], ledger.begin_walk()) == []
    for heading in headings:
        answer(ledger, heading, State.FAILED, f"{heading.entry.place} failed.")
    told = {
        one.answer.sentence
        for study in ledger.studies()
        for one in study.images
        if one.answer is not None
    }
    assert told == {f"{heading.entry.place} failed." for heading in headings}
    assert places(ledger.missing()) == []
    ledger.regroup({heading.entry.place: "\udcff" for heading in headings})
    assert [study.key for study in ledger.studies()] == ["\udcff"]


def test_long_texts_are_kept(ledger: Ledger) -> None:
    """As long as walking and glancing let through, of characters that need four bytes."""
    chance = np.random.default_rng(0)
    letters = [chr(point) for point in chance.integers(0x20000, 0x2A000, 1000)]
    odd = image("".join(letters[:499]), "".join(letters[:256]), "".join(letters[:600]))
    walked(ledger, replace(odd, patient_id="x" * 100_000))
    answer(ledger, odd)
    assert ledger.answered() == {State.DONE: 1}


def test_another_form_is_refused_with_a_sentence(url: str | URL) -> None:
    with closing(Ledger(url, "models")) as ledger:
        ledger.keep_fact("form", "0")
    with pytest.raises(DataError, match="Another version of the program wrote the ledger"):
        Ledger(url, "models")


def test_what_is_no_database_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / LEDGER).write_bytes(b"no database " * 1000)
    with pytest.raises(DataError, match="The ledger cannot be opened"):
        Ledger(url_of(tmp_path), "models")
    with pytest.raises(DataError, match="The ledger cannot be opened"):
        Ledger(url_of(tmp_path / "none"), "models")


def test_a_server_that_is_not_there_is_told_as_such(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(DataError, match="does not answer"):
        Ledger(f"postgresql+psycopg://postgres@/postgres?host={tmp_path}", "models")


@pytest.mark.parametrize("url", ["nonsense", "nosuch://host/x", "mysql+none://host/x"])
def test_what_is_no_url_is_refused_with_a_sentence(url: str) -> None:
    with pytest.raises(DataError, match="No database is known"):
        Ledger(url, "models")


@pytest.mark.parametrize("name", ["a?b#c%20", "ü !", "a&b=c;d", os.fsdecode(b"\xff")])
def test_the_folder_may_have_any_name(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this disk has no such names")
    with closing(Ledger(url_of(folder), "models")) as ledger:
        walked(ledger, image("a"))
    assert (folder / LEDGER).is_file()
    assert [path.name for path in tmp_path.iterdir()] == [name]


CHILD = """
import sys
from itertools import count
from tests.ml.screen.test_ledger import *
url, who, how_many = sys.argv[1], sys.argv[2], int(sys.argv[3])
with closing(Ledger(url, "models")) as ledger:
    walk = ledger.begin_walk()
    for number in range(how_many) if how_many else count():
        one = image(f"{who} {number}")
        ledger.changed([one.entry], walk)
        ledger.put_headings([one], walk)
        answer(ledger, one)
        ledger.keep_fact("last", who)
        print(one.entry.place, flush=True)
"""


def child(url: str | URL, who: str, how_many: int = 0) -> subprocess.Popen[str]:
    told = url if isinstance(url, str) else url.render_as_string(hide_password=False)
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, told, who, str(how_many)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_process_that_is_killed_loses_nothing_that_it_wrote(url: str | URL) -> None:
    told: list[str] = []
    for who in ("a", "b"):
        with child(url, who) as writer:
            assert writer.stdout is not None
            told += [writer.stdout.readline().strip() for _ in range(40)]
            writer.send_signal(signal.SIGKILL)
            told += [line.strip() for line in writer.stdout if line.endswith("\n")]
        assert writer.returncode == -signal.SIGKILL
    assert len(told) >= 80
    with closing(Ledger(url, "models")) as ledger:
        assert set(told) <= set(places(ledger.images()))
        # At most what each was about to write is not answered, or not told.
        assert len(list(ledger.images())) <= len(told) + 2
        assert len(list(ledger.missing())) <= 2
        walked(ledger, image("c"))
        assert places(ledger.images()) == ["c"]


def test_processes_that_write_at_the_same_time_do_not_fail(url: str | URL) -> None:
    """They make the tables at the same time, too."""
    writers = [child(url, who, 60) for who in "ab"]
    for writer in writers:
        out, error = writer.communicate(timeout=120)
        assert (writer.returncode, error) == (0, "")
        assert len(out.splitlines()) == 60
    with closing(Ledger(url, "models")) as ledger:
        assert ledger.counted() == {Standing.IMAGE: 120}
        assert ledger.answered() == {State.DONE: 120}
