"""A run waits for a disk that is full or gone, says so once, and goes on."""

from __future__ import annotations

import errno
import shutil
import sqlite3
import threading
from contextlib import closing, suppress
from functools import partial
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError, OperationalError

from ml.control import Control, Stopped
from ml.screen.hindrances import SLOW_S, Hindrances, Root
from ml.screen.ledger import Ledger, url_of
from ml.screen.rows import Entry, Heading, Standing
from tests.factories.disks import small_disk

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FULL = ["The disk of out is full; make room, and screening goes on."]
LOST = [
    "The ledger's database does not answer; start it, or mend the network to it, and screening "
    "goes on.",
    "The ledger's database is back.",
]
GONE = ["The folder is gone; connect its disk, and screening goes on.", "The folder is back."]


class Heard(Control):
    """Keeps what is told; after so many breaths something happens."""

    def __init__(self, after: int = 3, then: Callable[[], object] | None = None) -> None:
        self.lines: list[str] = []
        self.breaths = 0
        self._after, self._then = after, then or self._stop

    def breathe(self) -> None:
        self.breaths += 1
        if self.breaths == self._after:
            self._then()

    def log(self, sentence: str) -> None:
        self.lines.append(sentence)

    def _stop(self) -> None:
        raise Stopped


def hindrances(folder: Path, control: Control) -> Hindrances:
    """Of `folder / "in"` and `folder / "out"`."""
    (folder / "in").mkdir(exist_ok=True)
    return Hindrances(Root(folder / "in"), folder / "out", control, again_s=0.01)


def refusing(times: int, error: Exception) -> Callable[[], str]:
    """A write that fails so often and then does it."""
    left = [error] * times

    def write() -> str:
        if left:
            raise left.pop()
        return "written"

    return write


def test_what_is_written_at_once_is_not_told(tmp_path: Path) -> None:
    control = Heard()
    assert hindrances(tmp_path, control).overcome(lambda: 7) == 7
    assert (control.lines, control.breaths) == ([], 0)


class OfPsycopgError(Exception):
    """An error of a server, or of a connection that did not come about: that has no state."""

    def __init__(self, sqlstate: str | None = None) -> None:
        self.sqlstate = sqlstate


def of_sqlite(name: str) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorname = name
    return error


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Quota exceeded"),
        OperationalError("INSERT", {}, of_sqlite("SQLITE_FULL")),
        OperationalError("INSERT", {}, of_sqlite("SQLITE_IOERR_WRITE")),
        OperationalError("INSERT", {}, OfPsycopgError("53100")),
    ],
)
def test_a_full_disk_is_waited_for_and_told_once(error: Exception, tmp_path: Path) -> None:
    control = Heard(after=1000)
    assert hindrances(tmp_path, control).overcome(refusing(4, error)) == "written"
    assert control.lines == FULL
    assert control.breaths >= 4


@pytest.mark.parametrize(
    "error",
    [
        DBAPIError("INSERT", {}, OfPsycopgError("XX000"), connection_invalidated=True),
        OperationalError("INSERT", {}, OfPsycopgError()),
        OperationalError("INSERT", {}, OfPsycopgError("08006")),
        OperationalError("INSERT", {}, OfPsycopgError("57P01")),
        OperationalError("INSERT", {}, OfPsycopgError("57P03")),
    ],
)
def test_a_lost_database_is_waited_for_and_told_once(
    error: Exception, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    control = Heard(after=1000)
    assert hindrances(tmp_path, control).overcome(refusing(4, error)) == "written"
    assert control.lines == LOST
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    caplog.clear()


def test_a_ledger_that_another_program_holds_is_waited_for(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'ledger'}", connect_args={"timeout": 0.01})
    with closing(sqlite3.connect(tmp_path / "ledger")) as other:
        other.execute("CREATE TABLE t (a)")
        other.execute("BEGIN IMMEDIATE")
        tries: list[int] = []

        def write() -> str:
            tries.append(1)
            if len(tries) == 3:
                other.execute("COMMIT")
            with engine.begin() as connection:
                connection.exec_driver_sql("INSERT INTO t VALUES (1)")
            return "written"

        control = Heard(after=1000)
        assert hindrances(tmp_path, control).overcome(write) == "written"
    engine.dispose()
    assert len(tries) == 3
    assert control.lines == [
        "Another program holds the ledger in out; screening goes on when it lets go.",
        "The ledger can be written again.",
    ]


@pytest.mark.parametrize("state", ["40001", "40P01"])
def test_where_another_machine_was_first_it_is_tried_again_and_not_told(
    state: str, tmp_path: Path
) -> None:
    control = Heard(after=1000)
    (tmp_path / "in").mkdir()
    waiting = Hindrances(Root(tmp_path / "in"), tmp_path / "out", control, again_s=1e6)
    error = OperationalError("INSERT", {}, OfPsycopgError(state))
    assert waiting.overcome(refusing(3, error)) == "written"
    assert (control.lines, control.breaths) == ([], 3)


def test_one_hindrance_may_follow_another(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    full, lost = OSError(errno.ENOSPC, "full"), OperationalError("", {}, OfPsycopgError())
    left = [full, lost, lost, full, full]

    def write() -> None:
        if left:
            raise left.pop()

    control = Heard(after=1000)
    hindrances(tmp_path, control).overcome(write)
    assert control.lines == [*FULL, LOST[0], *FULL]
    caplog.clear()


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EACCES, "Permission denied"),
        OperationalError("INSERT", {}, of_sqlite("SQLITE_READONLY")),
        OperationalError("INSERT", {}, of_sqlite("SQLITE_CORRUPT")),
        OperationalError("INSERT", {}, OfPsycopgError("57014")),
        DBAPIError("INSERT", {}, OfPsycopgError()),
        ZeroDivisionError(),
    ],
)
def test_what_is_no_hindrance_is_raised(error: Exception, tmp_path: Path) -> None:
    control = Heard()
    with pytest.raises(type(error)):
        hindrances(tmp_path, control).overcome(refusing(1, error))
    assert control.lines == []


@pytest.mark.parametrize("again_s", [0.0, 0.01, 60.0])
def test_waiting_for_room_ends_where_the_run_is_to_end(again_s: float, tmp_path: Path) -> None:
    control = Heard(after=2)
    (tmp_path / "in").mkdir()
    waiting = Hindrances(Root(tmp_path / "in"), tmp_path / "out", control, again_s)
    with pytest.raises(Stopped):
        waiting.overcome(refusing(10_000, OSError(errno.ENOSPC, "full")))


def filled(disk: Path) -> Path:
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    assert not shutil.disk_usage(disk).free
    return ballast


def test_a_file_is_written_when_the_disk_has_room_again(tmp_path: Path) -> None:
    with small_disk(tmp_path / "out", 1) as disk:
        ballast = filled(disk)
        control = Heard(then=ballast.unlink)
        hindrances(tmp_path, control).overcome(lambda: (disk / "a").write_bytes(bytes(9000)))
        assert (disk / "a").stat().st_size == 9000
    assert control.lines == FULL


def test_the_ledger_is_written_when_the_disk_has_room_again(tmp_path: Path) -> None:
    headings = [
        Heading(Entry(f"/in/{number}", 1, 1), Standing.IMAGE, "x" * 2000, f"1.2.{number}")
        for number in range(60)
    ]
    with (
        small_disk(tmp_path / "out", 1) as disk,
        closing(Ledger(url_of(disk), "models")) as ledger,
    ):
        walk = ledger.begin_walk()
        ledger.put_headings(headings[:5], walk)
        ballast = filled(disk)
        control = Heard(then=ballast.unlink)
        waiting = hindrances(tmp_path, control)
        for at in range(5, 60, 5):
            page = headings[at : at + 5]
            waiting.overcome(lambda page=page: ledger.put_headings(page, walk))
        assert sorted(one.entry.place for one in ledger.images()) == sorted(
            one.entry.place for one in headings
        )
    assert control.lines == FULL


def test_a_full_disk_says_so_in_a_way_that_is_known(tmp_path: Path) -> None:
    """Whatever the ledger writes first when there is no room, it is waited for."""
    control = Heard()
    with (
        small_disk(tmp_path / "out", 1) as disk,
        closing(Ledger(url_of(disk), "models")) as ledger,
    ):
        filled(disk)
        keep = partial(ledger.keep_fact, "name", "x" * 100_000)
        with pytest.raises(DBAPIError):
            keep()
        with pytest.raises(Stopped):
            hindrances(tmp_path, control).overcome(keep)
        assert ledger.fact("name") == ""
    assert control.lines == FULL


def test_a_folder_that_is_there_is_not_waited_for(tmp_path: Path) -> None:
    control = Heard()
    assert not hindrances(tmp_path, control).root_is_back()
    assert control.lines == []


@pytest.mark.parametrize("mounted_on", [True, False])
def test_a_folder_that_is_gone_is_waited_for_and_told_once(
    mounted_on: bool, tmp_path: Path
) -> None:
    root, away = tmp_path / "in", tmp_path / "away"

    def connect() -> None:
        if mounted_on:
            root.rmdir()
        away.rename(root)

    control = Heard(after=5, then=connect)
    waiting = hindrances(tmp_path, control)
    (root / "a.dcm").write_bytes(b"")
    assert waiting.root.there()
    root.rename(away)
    if mounted_on:
        root.mkdir()
    assert not waiting.root.there()
    assert waiting.root_is_back()
    assert control.lines == GONE
    assert waiting.root.there()


def test_waiting_for_a_folder_ends_where_the_run_is_to_end(tmp_path: Path) -> None:
    control = Heard()
    waiting = hindrances(tmp_path, control)
    (tmp_path / "in").rmdir()
    with pytest.raises(Stopped):
        waiting.root_is_back()
    assert control.lines == GONE[:1]


def test_a_folder_that_was_never_there_is_not_waited_for(tmp_path: Path) -> None:
    root = Root(tmp_path / "in")
    control = Heard()
    waiting = Hindrances(root, tmp_path / "out", control, again_s=0.01)
    assert not root.there()
    assert not waiting.root_is_back()
    (tmp_path / "in").mkdir()
    assert root.there()


def test_a_disk_is_known_again_by_what_it_holds_though_its_number_is_another(
    tmp_path: Path,
) -> None:
    with small_disk(tmp_path / "in", 1) as disk:
        (disk / "a.dcm").write_bytes(b"")
        root = Root(disk)
        assert root.there()
    assert not root.there()
    other = tmp_path / "in"
    (other / "b.dcm").write_bytes(b"")
    assert not root.there()
    (other / "a.dcm").write_bytes(b"")
    assert root.there()


def test_a_folder_that_was_empty_is_known_again_when_it_holds_something(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    root = Root(folder)
    folder.rename(tmp_path / "away")
    folder.mkdir()
    assert not root.there()
    (folder / "a.dcm").write_bytes(b"")
    assert root.there()


def test_a_folder_whose_files_come_and_go_is_still_the_same(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    root = Root(tmp_path)
    (tmp_path / "b").write_bytes(b"")
    (tmp_path / "a").unlink()
    assert root.there()
    (tmp_path / "b").unlink()
    assert root.there()


def test_an_archive_may_be_written_anew(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    archive.write_bytes(b"1")
    root = Root(archive)
    archive.rename(tmp_path / "old.zip")
    assert not root.there()
    archive.write_bytes(b"22")
    assert root.there()


def test_a_slow_disk_is_told_once(tmp_path: Path) -> None:
    control = Heard()
    waiting = hindrances(tmp_path, control)
    began = waiting._last
    for after in (1.0, SLOW_S - 1, SLOW_S + 1.2, SLOW_S + 30, 10 * SLOW_S):
        waiting.watch_speed(began + after)
    assert control.lines == ["The disk is slow: nothing came for 61 s."]
    waiting.moved()
    waiting.watch_speed(waiting._last + 1)
    assert len(control.lines) == 1
    # It may become slow again, and that is told again.
    waiting.watch_speed(waiting._last + SLOW_S + 5)
    assert control.lines[1:] == ["The disk is slow: nothing came for 65 s."]


def test_waiting_takes_no_core(tmp_path: Path) -> None:
    """It sleeps between two looks; a stop is still seen soon."""
    control = Heard(after=10_000)
    (tmp_path / "in").mkdir()
    waiting = Hindrances(Root(tmp_path / "in"), tmp_path / "out", control, again_s=30.0)
    (tmp_path / "in").rmdir()
    stopper = threading.Timer(0.7, lambda: setattr(control, "_after", control.breaths + 1))
    stopper.start()
    with pytest.raises(Stopped):
        waiting.root_is_back()
    stopper.join()
    assert control.breaths < 20
