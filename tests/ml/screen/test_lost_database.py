"""The ledger's database is lost in the middle of a run: that waits, and loses nothing.

With a real server where one is installed: `python scripts/test.py --cluster`.
"""

from __future__ import annotations

import random
import threading
from contextlib import closing
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import create_engine, event, func, make_url, select
from sqlalchemy.exc import OperationalError

from ml.control import Control, Stopped
from ml.in_use import cards_in_use
from ml.screen.hindrances import Hindrances, Root
from ml.screen.ledger import Ledger, models_key, url_of
from ml.screen.order import ScreenOrder
from ml.screen.preparing import Openers
from ml.screen.rows import Answer, Entry, Heading, Standing, State
from ml.screen.run import Screening, run
from ml.screen.tables import answers, files, noticing
from tests.factories.analyses import MODELS
from tests.factories.breasts import LETTERS, make_view
from tests.factories.postgres import postgres_server
from tests.factories.screening import said

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from sqlalchemy import URL

    from tests.factories.postgres import Server

WOMEN = 3
IMAGES = 4 * WOMEN
LOST = [
    "The ledger's database does not answer; start it, or mend the network to it, and screening "
    "goes on.",
    "The ledger's database is back.",
]


class Heard(Control):
    """Keeps what is told, and has something happen when a phase has come so far.

    And something else when the database is told to be lost.
    """

    def __init__(
        self, lost: Callable[[], None] = lambda: None, **at: tuple[int, Callable[[], None]]
    ) -> None:
        self.lines: list[str] = []
        self.phases: list[str] = []
        self._lost, self._at = lost, at

    def say(self, done: int, of: int, news: Mapping[str, object] | None = None) -> None:
        phase = str((news or {}).get("phase"))
        self.phases.append(phase)
        turn, happening = self._at.get(phase, (0, None))
        if happening is not None and self.phases.count(phase) == turn:
            happening()

    def log(self, sentence: str) -> None:
        self.lines.append(sentence)
        if sentence == LOST[0]:
            self._lost()


@pytest.fixture
def archive(tmp_path: Path, packs: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Some women; what waits tries again soon, and rows are read few at a time."""
    monkeypatch.setenv("MAMMOSCOPE_MODELS", str(packs))
    monkeypatch.setattr("ml.screen.run.Hindrances", partial(Hindrances, again_s=0.05))
    monkeypatch.setattr("ml.screen.ledger._PAGE", 3)
    monkeypatch.setattr("ml.screen.indexing.PAGE", 2)
    for woman in range(WOMEN):
        for number, title in enumerate(LETTERS, 1):
            uid = f"1.2.{woman}"
            named = {"StudyInstanceUID": uid, "SOPInstanceUID": f"{uid}.4.{number}"}
            make_view(tmp_path / "in" / f"{woman}", title, number, PatientID=uid, **named)
    return tmp_path / "in"


def cleared(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing else was logged."""
    told = {record.getMessage().partition(":")[0] for record in caplog.records}
    assert told == {"the database does not answer"}
    caplog.clear()


def order(archive: Path, out: str, **more: object) -> dict[str, object]:
    results = str(archive.parent / out)
    return {"folder": str(archive), "out": results, "processes": 1, "device": "cpu", **more}


def rows(url: str | URL) -> tuple[int, int]:
    """How many files and answers a database holds."""
    engine = create_engine(url)
    with engine.connect() as connection:
        counts = [
            connection.scalar(select(func.count()).select_from(table)) or 0
            for table in (files, answers)
        ]
    engine.dispose()
    return counts[0], counts[1]


class Unreliable:
    """Has the database of a ledger be lost, before a statement or after a commit.

    After that it was done, and only the word of it did not come back.
    """

    def __init__(self, ledger: Ledger, seed: int) -> None:
        self._chance = random.Random(seed)
        self.lost = 0
        engine = ledger._engine
        event.listen(engine, "before_cursor_execute", self._before)
        self._commit = engine.dialect.do_commit
        engine.dialect.do_commit = self._committed

    def _before(self, *_: object) -> None:
        if self._chance.random() < 0.2:
            self._lose()

    def _committed(self, dbapi_connection: Any) -> None:
        self._commit(dbapi_connection)
        if self._chance.random() < 0.3:
            self._lose()

    def _lose(self) -> None:
        self.lost += 1
        cause = ConnectionResetError("server closed the connection unexpectedly")
        raise OperationalError("", {}, cause, connection_invalidated=True)


@pytest.mark.parametrize("seed", range(3))
def test_lost_anywhere_nothing_is_lost_and_nothing_doubled(
    seed: int, archive: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Every deed of a ledger, on a database that is lost all the time."""

    def everything(out: Path, unreliable: bool) -> tuple[object, ...]:
        out.mkdir()
        waiting = Hindrances(Root(archive), out, Control(), again_s=0.0)
        with closing(Ledger(url_of(out), "models")) as plain:
            flaky = Unreliable(plain, seed) if unreliable else None
            ledger = plain.through(waiting.overcome)
            for turn in range(2):
                walk = ledger.begin_walk()
                headings = [image(number) for number in range(turn, 20 + turn)]
                for at in range(0, 20, 4):
                    page = headings[at : at + 4]
                    new = ledger.changed([one.entry for one in page], walk)
                    ledger.put_headings([one for one in page if one.entry in new], walk)
                ledger.end_walk(walk)
                for number, heading in enumerate(ledger.missing()):
                    state = State.FAILED if number % 3 == turn else State.REFUSED
                    ledger.put_answer(heading, Answer(state, None, str(number)), MODELS)
                ledger.regroup({one.entry.place: "other" for one in headings[:5]})
                if not turn:
                    ledger.forget_failures()
            ledger.keep_fact("name", "value")
            assert flaky is None or flaky.lost > 20
            return (
                ledger.counted(),
                ledger.answered(),
                list(ledger.images()),
                [asdict(study) for study in ledger.studies()],
                list(ledger.skipped()),
                ledger.fact("name"),
            )

    whole = everything(archive.parent / "plain", unreliable=False)
    assert everything(archive.parent / "lost", unreliable=True) == whole
    cleared(caplog)


def image(number: int) -> Heading:
    """Every fourth is a copy of the one before."""
    uid = f"1.2.{number - (number % 4 == 3)}"
    entry = Entry(f"/in/{number:02}", 1, 1)
    return Heading(entry, Standing.IMAGE, "", uid, "1.3", f"study {number // 4}")


def test_a_run_goes_on_where_it_was_when_the_database_is_back(
    archive: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """No server: a database that is not there for some tries, in each phase."""
    away = [0]

    def lose() -> None:
        away[0] = 3

    def before(*_: object) -> None:
        if away[0]:
            away[0] -= 1
            raise OperationalError("", {}, OSError("gone"), connection_invalidated=True)

    run(order(archive, "plain"), Control())
    cards, spec = cards_in_use(), ScreenOrder.from_json(order(archive, "lost"))
    spec.results.mkdir()
    uses = {role: card.use for role, card in cards.items()}
    heard = Heard(indexing=(2, lose), analyzing=(5, lose))
    with (
        closing(Ledger(url_of(spec.results), models_key(uses))) as ledger,
        closing(Openers(1)) as openers,
    ):
        event.listen(ledger._engine, "before_cursor_execute", before)
        Screening(spec, ledger, openers, cards, heard).run()
    assert heard.lines == LOST * 2
    assert heard.phases.count("analyzing") == IMAGES
    assert rows(url_of(spec.results)) == (IMAGES, IMAGES)
    assert list(said(spec.results)) == list(said(archive.parent / "plain"))
    cleared(caplog)


def test_waiting_for_the_database_ends_where_the_run_is_to_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Ending(Control):
        def breathe(self) -> None:
            raise Stopped

    waiting = Hindrances(Root(tmp_path), tmp_path, Ending(), again_s=0.01)
    with closing(Ledger(url_of(tmp_path), "models")) as plain:
        ledger = plain.through(waiting.overcome)

        def never(*_: object) -> None:
            raise OperationalError("", {}, OSError("gone"), connection_invalidated=True)

        event.listen(plain._engine, "before_cursor_execute", never)
        with pytest.raises(Stopped):
            next(ledger.missing())
    cleared(caplog)


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_a_cut_network_is_noticed_unless_the_url_says_otherwise(driver: str) -> None:
    noticed = noticing(make_url(f"postgresql+{driver}://host/x?keepalives_idle=99"))
    assert noticed["tcp_user_timeout"] == "30000"
    assert "keepalives_idle" not in noticed
    assert noticing(make_url("postgresql+pg8000://host/x")) == {}


@pytest.fixture
def server() -> Iterator[Server]:
    with postgres_server() as running:
        yield running


@pytest.mark.slow
def test_a_server_that_is_restarted_costs_nothing(
    archive: Path, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """It stays away until that was noticed, and for some tries more."""
    starts: list[threading.Timer] = []

    def start() -> None:
        starts.append(threading.Timer(0.5, server.start))
        starts[-1].start()

    run(order(archive, "plain"), Control())
    heard = Heard(start, indexing=(2, server.stop), analyzing=(5, server.stop))
    try:
        run(order(archive, "lost", ledger=server.url), heard)
    finally:
        for one in starts:
            one.join()
    assert heard.lines == LOST * 2
    assert heard.phases.count("analyzing") == IMAGES
    assert rows(server.url) == (IMAGES, IMAGES)
    assert list(said(archive.parent / "lost")) == list(said(archive.parent / "plain"))
    cleared(caplog)


@pytest.mark.slow
def test_a_server_that_ends_at_any_moment_costs_nothing(
    archive: Path, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """It is killed and started again and again while the run goes on."""
    over = threading.Event()
    restarts = [0]

    def again_and_again() -> None:
        while not over.wait(0.3):
            server.stop()
            restarts[0] += 1
            server.start()

    run(order(archive, "plain"), Control())
    restarting = threading.Thread(target=again_and_again)

    def begin() -> None:
        restarting.start()

    try:
        run(order(archive, "lost", ledger=server.url), Heard(indexing=(1, begin)))
    finally:
        over.set()
        restarting.join()
    assert restarts[0] >= 1
    assert rows(server.url) == (IMAGES, IMAGES)
    assert list(said(archive.parent / "lost")) == list(said(archive.parent / "plain"))
    # It may have been back before anybody missed it.
    caplog.clear()
