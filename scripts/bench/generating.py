"""Generation: seconds an image, and how long the window's event loop stalls beside it."""

from __future__ import annotations

import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEventLoop, QTimer
from tables import Row, Table, at_most
from windows import new_window, seconds_to_paint, wait

from ml.mammo.codes import BreastDensity, Laterality, ViewPosition
from ml.phantom.vendors import VENDORS
from ml.places import GENERATOR, MODELS, SAMPLES
from ml.synth.order import STEPS, Order
from ml.synth.pack import read_generator
from ml.synth.pipeline import Sampling, load_generator
from ml.synth.prompts import Area, Prompt, prompt_text
from ml.synth.teaching import vendor_word
from viewer.jobs.queue import JobQueue

if TYPE_CHECKING:
    from ml.synth.pack import GeneratorPack

TIMES, BATCH = 5, 4
GOAL_S, GOAL_STALL_MS = 2.0, 50.0
# More than are made in the time that is watched.
IMAGES, WATCHED_S = 1000, 20.0
TICK_MS = 5
PROMPT = Prompt(
    vendor_word(VENDORS[0].name),
    ViewPosition.MLO,
    Area.MEDIUM,
    BreastDensity.C,
    Laterality.LEFT,
)


def measure() -> Table:
    """The generator on the processor: alone, then behind a window."""
    pack = read_generator(MODELS / GENERATOR)
    alone = _seconds_an_image(pack)
    with tempfile.TemporaryDirectory() as folder:
        quiet, beside = _beside_a_window(pack, Path(folder))
    rows = (
        at_most(f"an image of 256 px in {STEPS} steps, best of {TIMES}", alone, "s", GOAL_S),
        Row("event loop stall, 99th percentile, nothing beside it", percentile(quiet), "ms"),
        at_most(
            "event loop stall, 99th percentile, while it generates",
            percentile(beside),
            "ms",
            GOAL_STALL_MS,
        ),
        Row("event loop stall, the longest, while it generates", max(beside), "ms"),
    )
    return Table("Generation on two cores", rows)


def _seconds_an_image(pack: GeneratorPack) -> float:
    generator = load_generator(pack)

    def once() -> float:
        begun = time.perf_counter()
        generator.draw([PROMPT] * BATCH, range(BATCH), Sampling())
        return (time.perf_counter() - begun) / BATCH

    once()
    return min(once() for _ in range(TIMES))


def _beside_a_window(pack: GeneratorPack, folder: Path) -> tuple[list[float], list[float]]:
    """Stalls in ms without and with a generation beside."""
    window = new_window()
    seconds_to_paint(window, sorted(SAMPLES.rglob("*.dcm")))
    quiet = stalls_ms()
    order = Order(
        str(folder / "out"),
        (prompt_text(PROMPT),),
        IMAGES,
        model=str(pack.folder),
        sham_share=0.0,
        keep_all=True,
    )
    begun: list[int] = []
    queue = JobQueue(folder / "library.sqlite")
    queue.subscribe(lambda change: begun.append(change.job_id) if change.news else None)
    queue.start()
    queue.submit("generate", "benchmark", order.to_json(), lane="cpu")
    wait(lambda: bool(begun))
    beside = stalls_ms()
    queue.close()
    window.close()
    return quiet, beside


def stalls_ms() -> list[float]:
    """How much later than asked a timer of the window's event loop ticks."""
    loop, timer = QEventLoop(), QTimer()
    ticks = [time.perf_counter()]

    def tick() -> None:
        ticks.append(time.perf_counter())
        if ticks[-1] - ticks[0] > WATCHED_S:
            loop.quit()

    timer.timeout.connect(tick)
    timer.start(TICK_MS)
    loop.exec()
    timer.stop()
    gaps = (later - sooner for sooner, later in pairwise(ticks))
    return [max(gap * 1000 - TICK_MS, 0.0) for gap in gaps]


def percentile(stalls: list[float]) -> float:
    """Only one in a hundred is longer."""
    return sorted(stalls)[int(0.99 * len(stalls))]
