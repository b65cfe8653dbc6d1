"""The engine of one machine: processes prepare images, one process looks at them.

The process that this runs in has the models. Images wait for it in memory, as many as the
budget allows; each answer is written as soon as it is there, so that whatever ends the run
costs the images in flight and nothing else.
"""

from __future__ import annotations

import logging
from collections import deque
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, cast

from ml.infer.choice import choose_engine
from ml.infer.reader import load_reader
from ml.screen.places import place_of
from ml.screen.preparing import budget_bytes, bytes_of
from ml.screen.rows import Answer, State
from ml.texts import mark, translate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

    from ml.control import Control
    from ml.exchange import PreparedImage
    from ml.findings import ImageAnalysis
    from ml.mammo.prepare import Wants
    from ml.screen.hindrances import Hindrances
    from ml.screen.preparing import Openers, Ready
    from ml.screen.rows import Heading

log = logging.getLogger("ml.screen")
# Images that are being prepared or wait, for each process that prepares.
AHEAD = 3
# Images at which the models failed one after the other, before it is the models.
MOST_LOST = 5
LOST = mark("The models failed at {name}; read this image yourself.")
_BUGS = (RuntimeError, ValueError, ArithmeticError, LookupError)
# One look for whether the run is to wait or end.
_BREATH_S = 0.5


@dataclass(slots=True)
class _Flight:
    """An image on its way."""

    heading: Heading
    cost: int
    opening: Future[Ready] | None
    looking: Future[ImageAnalysis] | None = None
    ready: Ready | None = None


@dataclass(frozen=True, slots=True)
class Deed:
    """What an engine is to do with the answer to an image."""

    heading: Heading
    answer: Answer
    thumbnail: bytes


class Engine(Protocol):
    """Analyzes images, wherever it does."""

    def answers(self, headings: Iterable[Heading]) -> Iterator[Deed]:
        """Every image's answer, as soon as it is there, in any order."""
        ...


@dataclass(slots=True)
class LocalEngine:
    """Analyzes images as they come.

    Attributes
    ----------
    look
        Has the models look at one prepared image; called on `lookers` threads.
    lookers
        As many as the device does at once.
    budget
        Bytes that all images in flight may take.
    """

    openers: Openers
    look: Callable[[PreparedImage], ImageAnalysis]
    wants: Wants
    control: Control
    hindrances: Hindrances
    lookers: int = 1
    budget: int = field(default_factory=budget_bytes)
    lost_in_a_row: int = 0

    def answers(self, headings: Iterable[Heading]) -> Iterator[Deed]:
        """Every image's answer, as soon as it is there.

        Raises
        ------
        Stopped
            Where `control` ends the work.
        MammoError
            Where the models cannot look at any image.
        """
        waiting, flights = iter(headings), deque[_Flight]()
        again: deque[Heading] = deque()
        with ThreadPoolExecutor(self.lookers, thread_name_prefix="look") as models:
            while True:
                self.control.breathe()
                self._fill(flights, again, waiting)
                if not flights:
                    return
                self._wait(flights)
                for flight in [one for one in flights if self._step(one, models, again)]:
                    flights.remove(flight)
                    if (deed := self._deed(flight)) is not None:
                        yield deed

    def _fill(
        self, flights: deque[_Flight], again: deque[Heading], waiting: Iterator[Heading]
    ) -> None:
        """Begin with as many as there is room for; one is always begun with."""
        used = sum(flight.cost for flight in flights)
        while len(flights) < AHEAD * self.openers.processes:
            heading = again.popleft() if again else next(waiting, None)
            if heading is None:
                return
            cost = bytes_of(heading)
            if flights and used + cost > self.budget:
                again.appendleft(heading)
                return
            used += cost
            flights.append(_Flight(heading, cost, self.openers.prepare(heading, self.wants)))

    def _wait(self, flights: deque[_Flight]) -> None:
        futures: list[Future[Ready] | Future[ImageAnalysis] | None]
        futures = [flight.looking or flight.opening for flight in flights]
        pending = [cast("Future[object]", one) for one in futures if one is not None]
        done, _ = wait(pending, _BREATH_S, FIRST_COMPLETED)
        if done:
            self.hindrances.moved()
        elif any(flight.looking is None for flight in flights):
            self.hindrances.watch_speed()

    def _step(self, flight: _Flight, models: ThreadPoolExecutor, again: deque[Heading]) -> bool:
        """Take a flight further; return whether it has ended."""
        if flight.opening is not None and flight.opening.done():
            flight.ready = self.openers.ready(flight.heading, flight.opening)
            flight.opening = None
            if flight.ready.disk_failed and self.hindrances.root_is_back():
                again.append(flight.heading)
                flight.ready = None
                return True
            if flight.ready.image is None:
                return True
            flight.looking = models.submit(self.look, flight.ready.image)
        return flight.looking is not None and flight.looking.done()

    def _deed(self, flight: _Flight) -> Deed | None:
        """None where the image is to be tried again."""
        ready = flight.ready
        if ready is None:
            return None
        if flight.looking is None:
            return Deed(flight.heading, Answer(State.FAILED, None, ready.sentence), b"")
        try:
            analysis = flight.looking.result()
        except _BUGS as error:
            return self._lost(flight, error)
        self.lost_in_a_row = 0
        state = State.REFUSED if analysis.refused else State.DONE
        answer = Answer(state, analysis, analysis.refused or "")
        return Deed(flight.heading, answer, ready.thumbnail)

    def _lost(self, flight: _Flight, error: Exception) -> Deed:
        """An image that the models fail at costs its row; where they fail at all, the run."""
        self.lost_in_a_row += 1
        if self.lost_in_a_row >= MOST_LOST:
            raise error
        log.warning("the models failed at an image: %s", type(error).__name__)
        sentence = translate(LOST).format(name=place_of(flight.heading.entry.place).name)
        return Deed(flight.heading, Answer(State.FAILED, None, sentence), b"")


def local_engine(
    openers: Openers, device: str, control: Control, hindrances: Hindrances
) -> LocalEngine:
    """The engine with the models in use.

    Raises
    ------
    ModelError
        Where a model cannot be used.
    """
    engine = choose_engine(device, together=openers.processes)
    reader = load_reader(engine=engine)
    look, wants = reader.analyze_prepared, reader.wants
    return LocalEngine(openers, look, wants, control, hindrances, lookers=engine.together)
