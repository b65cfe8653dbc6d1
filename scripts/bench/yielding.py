"""How soon a long job yields the processor to an analysis: from `hold` until it is held.

The job is a generation in a process of its own, as the viewer runs it. Its own processor time
until it is held is told, too: on a busy machine the clock says more of the others than of the
job.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, cast

import psutil
from generating import IMAGES, PROMPT
from tables import Row, Table, at_most

from ml.places import GENERATOR, MODELS
from ml.synth.order import Order
from ml.synth.prompts import prompt_text
from viewer.jobs.queue import JobQueue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ml.exchange import Message

    Told = SimpleQueue[Message]
    Took = tuple[float, float]

TIMES = 20
GOAL_MS = 1000.0
# Until the job has imported and loaded what it needs, at the lowest priority.
LONGEST_S = 600.0
# The hold falls on every part of a step: the golden ratio spreads the pauses evenly.
PAUSE_S, SPREAD = 0.4, 0.618


def measure() -> Table:
    """Hold one generation again and again; the first time while its process starts."""
    with tempfile.TemporaryDirectory() as folder:
        queue = JobQueue(Path(folder) / "library.sqlite")
        told = _listen(queue)
        queue.start()
        try:
            queue.submit("generate", "benchmark", _order(Path(folder)), lane="cpu")
            job = psutil.Process(int(str(_wait_for(told, "started")["pid"])))
            first = _held_ms(queue, told, job)
            _wait_for(told, "progress")
            took = [_once_ms(queue, told, job, number) for number in range(TIMES)]
        finally:
            queue.close()
    return Table("A long job that yields to an analysis", (*_rows(took), _first(first)))


def _rows(took: list[Took]) -> tuple[Row, ...]:
    walls, processor = ([each[i] for each in took] for i in (0, 1))
    return (
        at_most(
            f"from hold to held, median of {TIMES}", statistics.median(walls), "ms", GOAL_MS
        ),
        at_most("from hold to held, the longest", max(walls), "ms", GOAL_MS),
        Row("the job's processor time of that, median", statistics.median(processor), "ms"),
        Row("the job's processor time of that, the longest", max(processor), "ms"),
    )


def _first(took: Took) -> Row:
    return at_most("from hold to still where it is asked as it starts", took[0], "ms", GOAL_MS)


def _order(folder: Path) -> Mapping[str, object]:
    texts = (prompt_text(PROMPT),)
    model, out = str(MODELS / GENERATOR), str(folder / "out")
    return Order(out, texts, IMAGES, model=model, sham_share=0.0, keep_all=True).to_json()


def _listen(queue: JobQueue) -> Told:
    """Hear all that the job tells; for a subscriber "held" is one change of many."""
    told: Told = SimpleQueue()
    driver = queue._driver
    take = cast("Callable[[object, Message], None]", driver._take)

    def heard(run: object, message: Message) -> None:
        told.put(message)
        take(run, message)

    driver._take = heard
    return told


def _once_ms(queue: JobQueue, told: Told, job: psutil.Process, number: int) -> Took:
    time.sleep(PAUSE_S + number * SPREAD % 1)
    return _held_ms(queue, told, job)


def _held_ms(queue: JobQueue, told: Told, job: psutil.Process) -> Took:
    """Milliseconds until the job is held, and of the processor's time that it took."""
    while not told.empty():
        told.get()
    begun, worked = time.perf_counter(), _processor_s(job)
    with queue.hold():
        frozen = _wait_for(told, "held", "frozen")["type"] == "frozen"
        took = time.perf_counter() - begun, _processor_s(job) - worked
    if not frozen:
        _wait_for(told, "going")
    return took[0] * 1000, took[1] * 1000


def _processor_s(job: psutil.Process) -> float:
    times = job.cpu_times()
    return times.user + times.system


def _wait_for(told: Told, *kinds: str) -> Message:
    """Wait until the job tells one of these; `queue.Empty` where it never does."""
    while (message := told.get(timeout=LONGEST_S))["type"] not in kinds:
        pass
    return message
