"""The job: find what a folder holds, have it analyzed, rank it and write the results.

The same call goes on where an earlier one was stopped, and does only what is missing. As news
it tells

    {"phase": "indexing", "indexed": 12000}
    {"phase": "analyzing", "images_a_minute": 220.0}
    {"phase": "done", "report": "/out/report.html", "studies": 400, "attention": 31}
"""

from __future__ import annotations

import hashlib
import time
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from ml.control import PassedOn
from ml.errors import DataError
from ml.files import written_into
from ml.in_use import cards_in_use
from ml.screen.hindrances import Hindrances, Root
from ml.screen.indexing import Indexer
from ml.screen.ledger import Ledger, models_key, url_of
from ml.screen.local import local_engine
from ml.screen.order import RAY, THUMBNAILS, ScreenOrder
from ml.screen.page import About
from ml.screen.preparing import Openers
from ml.screen.ranking import Tally, ranked, summary_of
from ml.screen.report import REPORT_HTML, write_results
from ml.screen.rows import Standing
from ml.screen.worklist import WORKLIST, WorkList, write_worklist
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ml.control import Control
    from ml.findings import ModelUse
    from ml.registry import ModelCard
    from ml.screen.local import Deed, Engine

# For the rate: the last so many images.
_RATE_OF = 50
# Watching: seconds between two looks, or so many times what a look takes.
_LOOK_AGAIN_S, _REST = 5.0, 4.0
_BREATH_S = 0.2


def run(spec: Mapping[str, object], control: Control) -> None:
    """Screen a folder by its order.

    Raises
    ------
    MammoError
        Where the order, the folder, the models or the ledger are not what they should be.
    Stopped
        Where `control` ends the work; what is done stays.
    """
    with _screening(spec, control) as one:
        one.run()


def index(spec: Mapping[str, object], control: Control) -> None:
    """Only find what a folder holds; raises what `run` does."""
    with _screening(spec, control) as one:
        one.index()


@contextmanager
def _screening(spec: Mapping[str, object], control: Control) -> Iterator[Screening]:
    order = ScreenOrder.from_json(spec)
    with written_into(order.results):
        pass
    cards = cards_in_use()
    with (
        closing(Ledger(order.ledger or url_of(order.results), models_key(_uses(cards)))) as led,
        closing(Openers(order.processes)) as openers,
    ):
        yield Screening(order, led, openers, cards, control)


class Screening:
    """One run over a folder.

    Parameters
    ----------
    cards
        Of the models in use, by role.
    """

    def __init__(
        self,
        order: ScreenOrder,
        ledger: Ledger,
        openers: Openers,
        cards: Mapping[str, ModelCard],
        control: Control,
    ) -> None:
        self._order, self._openers = order, openers
        self._cards, self._control = cards, control
        self._hindrances = Hindrances(Root(order.root), order.results, control)
        self._ledger = ledger.through(self._hindrances.overcome)
        self._written = False

    def run(self) -> None:
        """Index, analyze, rank and write; where it is so ordered, again and again.

        Raises
        ------
        DataError
            Where there is no mammogram.
        Stopped
            Where `control` ends it: the only end of watching.
        """
        if self._order.retry_failed:
            self._ledger.forget_failures()
        if self._order.watch:
            self._watch()
        self.index()
        if not self._images():
            raise DataError(
                mark("{name} holds no mammogram; choose another folder."),
                name=self._order.root.name,
            )
        self.analyze()
        self.write()

    def _watch(self) -> None:
        """Analyze every study when no file of it has come for a while."""
        while True:
            began = time.monotonic()
            self.index()
            taken = time.monotonic() - began
            # A file that arrives now is of a study that is not whole.
            if self.analyze(time.time() - self._order.settle_s) or not self._written:
                self.write()
            end = time.monotonic() + max(_LOOK_AGAIN_S, _REST * taken)
            while time.monotonic() < end:
                self._control.breathe()
                time.sleep(_BREATH_S)

    def _images(self) -> int:
        return self._ledger.counted().get(Standing.IMAGE, 0)

    def index(self) -> None:
        """Find what there is."""
        order = self._order
        Indexer(
            order.root,
            order.results,
            self._ledger,
            self._openers,
            _Phase(self._control, "indexing"),
            self._hindrances,
            order.patient_pattern,
        ).index()

    def analyze(self, arrived_before_s: float = float("inf")) -> int:
        """Have the models look at what they did not look at yet.

        Parameters
        ----------
        arrived_before_s
            As for `Ledger.missing`.

        Returns
        -------
        int
            How many images they looked at.
        """
        missing = self._ledger.missing(arrived_before_s)
        first = next(missing, None)
        if first is None:
            return 0
        earlier, of = sum(self._ledger.answered().values()), self._images()
        uses, pace, done = _uses(self._cards), _Pace(), 0
        for deed in self._engine.answers(chain([first], missing)):
            self._keep(deed, uses)
            done += 1
            news = {"phase": "analyzing", "images_a_minute": round(pace.after_one(), 1)}
            self._control.say(min(earlier + done, of), of, news)
        return done

    @cached_property
    def _engine(self) -> Engine:
        """With the models, which are loaded when an image wants them."""
        order = self._order
        if order.engine == RAY:
            from ml.screen.cluster import ClusterEngine

            return ClusterEngine(order, self._control)
        return local_engine(self._openers, order.device, self._control, self._hindrances)

    def _keep(self, deed: Deed, uses: Mapping[str, ModelUse]) -> None:
        def write() -> None:
            if deed.thumbnail:
                path = self._order.results / thumbnail_name(deed.heading.entry.place)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(deed.thumbnail)
            self._ledger.put_answer(deed.heading, deed.answer, uses)

        self._hindrances.overcome(write)

    def write(self) -> None:
        """Rank and write the results."""
        uses = _uses(self._cards)
        classifier = self._cards["classifier"]
        tally = Tally(classifier.operating_points[0].threshold)
        ranks = ranked(tally.add(study) for study in self._ledger.studies())
        skipped = {
            standing.value: count
            for standing, count in self._ledger.counted().items()
            if standing is not Standing.IMAGE
        }
        summary = summary_of(tally, skipped, classifier.distribution)
        results = self._order.results
        listed = WorkList(
            str(self._order.root),
            {role: f"{use.name}@{use.version}" for role, use in uses.items()},
            datetime.now(UTC).isoformat(timespec="seconds"),
            summary.threshold,
            ranks,
            summary,
        )
        about = About(listed.folder, uses, listed.written_at, summary)
        given = (self._ledger.studies, self._thumbnail, self._ledger.skipped)
        self._hindrances.overcome(lambda: write_results(results, about, ranks, *given))
        self._hindrances.overcome(lambda: write_worklist(results / WORKLIST, listed))
        self._written = True
        news = {
            "phase": "done",
            "report": str(results / REPORT_HTML),
            "studies": summary.studies,
            "attention": summary.attention,
        }
        self._control.say(summary.images, summary.images, news)

    def _thumbnail(self, place: str) -> str | None:
        name = thumbnail_name(place)
        return name if (self._order.results / name).exists() else None


class _Phase(PassedOn):
    """Passes everything on, with the name of the phase."""

    def __init__(self, control: Control, phase: str) -> None:
        super().__init__(control)
        self._phase = phase

    def say(self, done: int, of: int, news: Mapping[str, object] | None = None) -> None:
        """Tell the phase, too."""
        super().say(done, of, {"phase": self._phase, **(news or {})})


class _Pace:
    """How fast the last images came."""

    def __init__(self) -> None:
        self._times = [time.monotonic()]

    def after_one(self) -> float:
        """Images a minute."""
        self._times = [*self._times[-_RATE_OF:], time.monotonic()]
        taken = self._times[-1] - self._times[0]
        return 60 * (len(self._times) - 1) / max(taken, 1e-9)


def thumbnail_name(place: str) -> str:
    """Where an image's picture lies, below the results."""
    digest = hashlib.sha256(place.encode("utf-8", "surrogatepass")).hexdigest()[:24]
    return f"{THUMBNAILS}/{digest[:2]}/{digest}.jpg"


def _uses(cards: Mapping[str, ModelCard]) -> dict[str, ModelUse]:
    return {role: card.use for role, card in cards.items()}
