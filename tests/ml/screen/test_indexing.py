"""A folder and its ledger are brought together; only what is new is opened."""

from __future__ import annotations

import os
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ml.control import Control, Stopped
from ml.errors import ReadError
from ml.mammo.read import read_mammogram
from ml.mammo.study import group_studies
from ml.screen import indexing
from ml.screen.hindrances import Hindrances, Root
from ml.screen.indexing import RULE, Indexer
from ml.screen.ledger import Ledger, url_of
from ml.screen.preparing import Glanced, Openers, glances
from ml.screen.rows import Answer, Standing, State
from tests.factories.analyses import MODELS, make_image_analysis
from tests.factories.dicom import make_dicom, make_pixels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future

    from ml.screen.rows import Entry

PIXELS = make_pixels(rows=6, columns=6)
PAGE = 5


def glances_of_poison(entries: Sequence[Entry], pattern: str) -> Glanced:
    """For a process: what a broken decoder does with some headers."""
    for entry in entries:
        if "abort" in entry.place:
            os._exit(1)
        if "hang" in entry.place:
            time.sleep(600)
    return glances(entries, pattern)


class Watched(Openers):
    """Keeps what is opened; a look may be something else than a look."""

    def __init__(self, look: Callable[..., Glanced] = glances, longest_s: float = 60.0) -> None:
        super().__init__(1, longest_s)
        self._look = look
        self.before: Callable[[Sequence[Entry]], None] = lambda entries: None
        self.opened: list[str] = []

    def glances(self, entries: Sequence[Entry], pattern: str) -> Future[Glanced]:
        self.before(entries)
        self.opened += [Path(entry.place).name for entry in entries]
        given = (tuple(entries), pattern)
        return self._pool.schedule(self._look, given, timeout=self._longest_s)


class Heard(Control):
    """Keeps what is told, and does something when it is told or breathes."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.breaths = 0
        self.on_say: Callable[[int], None] = lambda done: None
        self.on_log: Callable[[str], None] = lambda sentence: None
        self.stop_after = 10_000

    def breathe(self) -> None:
        self.breaths += 1
        if self.breaths > self.stop_after:
            raise Stopped

    def say(self, done: int, of: int, news: object = None) -> None:
        self.on_say(done)

    def log(self, sentence: str) -> None:
        self.lines.append(sentence)
        self.on_log(sentence)


@pytest.fixture(scope="module")
def pool() -> Iterator[Watched]:
    with closing(Watched()) as opened:
        yield opened


@pytest.fixture
def openers(pool: Watched) -> Watched:
    pool.opened, pool.before = [], lambda entries: None
    return pool


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "PAGE", PAGE)
    monkeypatch.setattr(indexing, "_REGROUPED", 2)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    return folder


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(Ledger(url_of(tmp_path), "models")) as opened:
        yield opened


def images(folder: Path, count: int, first: int = 0) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    return [
        make_dicom(
            folder / f"{number:02}.dcm",
            PIXELS,
            SOPInstanceUID=f"1.2.{sum(folder.name.encode())}.{number}",
            StudyInstanceUID=f"1.2.{number // 4}",
            PatientID=f"P_{number // 8}_{number}",
        )
        for number in range(first, first + count)
    ]


def indexer(
    root: Path, ledger: Ledger, openers: Openers, control: Control | None = None, **more: str
) -> Indexer:
    control = control or Control()
    hindrances = Hindrances(Root(root), root.parent, control, again_s=0.01)
    return Indexer(root, root.parent, ledger, openers, control, hindrances, **more)


def standings(ledger: Ledger) -> dict[Standing, int]:
    return ledger.counted()


def test_only_what_is_new_is_opened(root: Path, ledger: Ledger, openers: Watched) -> None:
    files = images(root / "a", 12)
    (root / "readme.txt").write_bytes(b"no image")
    assert indexer(root, ledger, openers).index() == 13
    assert standings(ledger) == {Standing.IMAGE: 12, Standing.OTHER: 1}
    assert len(openers.opened) == 13
    openers.opened.clear()
    assert indexer(root, ledger, openers).index() == 13
    assert openers.opened == []
    files[3].unlink()
    files[5].write_bytes(files[6].read_bytes() + b"\0\0")
    images(root / "b", 1)
    assert indexer(root, ledger, openers).index() == 13
    assert openers.opened == [files[5].name, "00.dcm"]
    assert standings(ledger) == {Standing.IMAGE: 11, Standing.COPY: 1, Standing.OTHER: 1}


def test_studies_are_those_that_the_viewer_hangs(
    root: Path, ledger: Ledger, openers: Watched
) -> None:
    read = [read_mammogram(file) for file in images(root, 14)]

    def expected(pattern: str) -> list[list[str]]:
        studies = group_studies(read, patient_pattern=pattern)
        return sorted(sorted(str(one.path) for one in study.images) for study in studies)

    def found() -> list[list[str]]:
        return sorted(
            [one.heading.entry.place for one in study.images] for study in ledger.studies()
        )

    for pattern in ("", r"P_\d", "", "P_1"):
        indexer(root, ledger, openers, patient_pattern=pattern).index()
        assert found() == expected(pattern)
        assert ledger.fact(RULE) == pattern
    # The rule alone opens nothing.
    assert len(openers.opened) == 14
    # What comes later is put together by the rule of the day.
    read += [read_mammogram(file) for file in images(root, 4, first=14)]
    indexer(root, ledger, openers, patient_pattern="P_1").index()
    assert found() == expected("P_1")


@pytest.mark.slow
def test_poison_costs_its_own_row(root: Path, ledger: Ledger) -> None:
    names = ("00 abort", "03 hang")
    good = images(root, 8)
    for name in names:
        good[0].with_name(f"{name}.dcm").write_bytes(good[0].read_bytes())
    with closing(Watched(glances_of_poison, longest_s=3.0)) as openers:
        assert indexer(root, ledger, openers).index() == 10
        told = {
            Path(one.entry.place).stem: one.sentence for one in ledger.skipped(Standing.DAMAGED)
        }
        assert set(told) == set(names)
        assert "ended the process that opened it" in told["00 abort"]
        assert "took more than 3 s to open" in told["03 hang"]
        assert standings(ledger) == {Standing.IMAGE: 8, Standing.DAMAGED: 2}
        openers.opened.clear()
        indexer(root, ledger, openers).index()
        assert openers.opened == []


def test_what_cannot_be_looked_into_is_told_and_hides_nothing(
    root: Path, ledger: Ledger, openers: Watched
) -> None:
    images(root, 3)
    for number in range(3 * PAGE + 1):
        (root / f"{number:02}.zip").write_bytes(b"no archive")
    assert indexer(root, ledger, openers).index() == 3
    assert standings(ledger) == {Standing.IMAGE: 3, Standing.DAMAGED: 3 * PAGE + 1}
    (root / "00.zip").unlink()
    indexer(root, ledger, openers).index()
    assert standings(ledger)[Standing.DAMAGED] == 3 * PAGE


def test_what_was_stopped_goes_on(root: Path, ledger: Ledger, openers: Watched) -> None:
    images(root, 9 * PAGE)
    control = Heard()
    control.stop_after = 7
    with pytest.raises(Stopped):
        indexer(root, ledger, openers, control).index()
    kept = standings(ledger)[Standing.IMAGE]
    assert 0 < kept < 9 * PAGE
    openers.opened.clear()
    assert indexer(root, ledger, openers).index() == 9 * PAGE
    assert len(openers.opened) == 9 * PAGE - kept
    assert standings(ledger) == {Standing.IMAGE: 9 * PAGE}


def test_what_was_stopped_has_forgotten_nothing(
    root: Path, ledger: Ledger, openers: Watched
) -> None:
    images(root, 3 * PAGE)
    indexer(root, ledger, openers).index()
    control = Heard()
    control.stop_after = 1
    with pytest.raises(Stopped):
        indexer(root, ledger, openers, control).index()
    assert standings(ledger) == {Standing.IMAGE: 3 * PAGE}


def test_a_file_that_changed_is_an_image_before_the_walk_has_ended(
    root: Path, ledger: Ledger, openers: Watched
) -> None:
    images(root, 1)
    indexer(root, ledger, openers).index()
    (heading,) = ledger.images()
    changed = replace(heading, entry=replace(heading.entry, size=9))
    ledger.put_headings([changed], ledger.begin_walk())
    assert list(ledger.missing()) == [changed]


class Unplugged:
    """Takes the disk away, and connects it again when that is asked for."""

    def __init__(self, root: Path, control: Heard) -> None:
        self._root, self._away = root, root.with_name("away")
        control.on_log = self._connect

    def pull(self) -> None:
        """Leave the empty folder that the disk was mounted on."""
        self._root.rename(self._away)
        self._root.mkdir()

    def _connect(self, sentence: str) -> None:
        if "gone" in sentence:
            self._root.rmdir()
            self._away.rename(self._root)


GONE = ["The folder is gone; connect its disk, and screening goes on.", "The folder is back."]


def kept(root: Path, ledger: Ledger, openers: Watched) -> None:
    """What another folder's worth of walks may not forget: all, with an answer."""
    for folder in "abc":
        images(root / folder, PAGE + 2)
    indexer(root, ledger, openers).index()
    for heading in ledger.missing():
        ledger.put_answer(heading, Answer(State.DONE, make_image_analysis("RCC")), MODELS)
    openers.opened.clear()


def test_a_disk_that_goes_away_in_the_middle_takes_nothing_with_it(
    root: Path, ledger: Ledger, openers: Watched
) -> None:
    kept(root, ledger, openers)
    control = Heard()
    disk = Unplugged(root, control)
    control.on_say = lambda done: disk.pull() if done == PAGE and not control.lines else None
    index = indexer(root, ledger, openers, control)
    assert index.index() == 3 * (PAGE + 2)
    assert control.lines == GONE
    assert openers.opened == []
    assert standings(ledger) == {Standing.IMAGE: 3 * (PAGE + 2)}
    assert ledger.answered() == {State.DONE: 3 * (PAGE + 2)}


def test_a_disk_that_is_gone_before_the_first_look_takes_nothing_with_it(
    root: Path, ledger: Ledger, openers: Watched
) -> None:
    kept(root, ledger, openers)
    control = Heard()
    disk = Unplugged(root, control)
    index = indexer(root, ledger, openers, control)
    disk.pull()
    assert index.index() == 3 * (PAGE + 2)
    assert control.lines == GONE
    assert openers.opened == []
    assert standings(ledger) == {Standing.IMAGE: 3 * (PAGE + 2)}


def test_a_disk_that_goes_away_under_the_openers_spoils_no_row(
    root: Path, ledger: Ledger, openers: Watched
) -> None:
    images(root, 3)
    control = Heard()
    disk = Unplugged(root, control)
    openers.before = lambda entries: None if control.lines else disk.pull()
    index = indexer(root, ledger, openers, control)
    assert index.index() == 3
    assert control.lines == GONE
    assert standings(ledger) == {Standing.IMAGE: 3}


def test_a_disk_that_is_back_before_one_looks_is_walked_again(
    root: Path, ledger: Ledger, openers: Watched
) -> None:
    kept(root, ledger, openers)
    away = root.with_name("away")
    root.rename(away)
    root.mkdir()

    class Flickering(Root):
        """Gone at the first look, and back at the second."""

        def there(self) -> bool:
            if not away.exists():
                return True
            root.rmdir()
            away.rename(root)
            return False

    plain = indexer(root, ledger, openers)
    hindrances = Hindrances(Flickering(root), root.parent, Control(), again_s=0.01)
    assert replace(plain, hindrances=hindrances).index() == 3 * (PAGE + 2)
    assert not away.exists()
    assert standings(ledger) == {Standing.IMAGE: 3 * (PAGE + 2)}


def test_a_file_that_could_not_be_opened_is_looked_at_again_though_it_did_not_change(
    root: Path, ledger: Ledger, openers: Watched
) -> None:
    file = images(root, 2)[0]
    hidden = root.with_name("hidden")
    openers.before = lambda entries: (file.rename(hidden), None)[1]
    indexer(root, ledger, openers).index()
    assert standings(ledger) == {Standing.IMAGE: 1, Standing.DAMAGED: 1}
    (problem,) = ledger.skipped(Standing.DAMAGED)
    assert "cannot be opened" in problem.sentence
    hidden.rename(file)
    openers.before = lambda entries: None
    openers.opened.clear()
    indexer(root, ledger, openers).index()
    assert openers.opened == [file.name]
    assert standings(ledger) == {Standing.IMAGE: 2}


def test_what_was_never_there_is_not_waited_for(
    root: Path, ledger: Ledger, openers: Watched
) -> None:
    control = Heard()
    control.stop_after = 50
    for wrong in (root / "none", root / "none.zip"):
        with pytest.raises(ReadError, match="none"):
            indexer(wrong, ledger, openers, control).index()
    assert control.lines == []
