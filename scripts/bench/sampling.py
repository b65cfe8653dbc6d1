"""Live samples: what part of a training's time is taken by looking at the model.

Steps as `ml.train` takes them, by its usual plan on simulated women, and looks at the averaged
model as `ml.train.samples` takes them; in the processor's time, which other work on the machine
does not lengthen.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from tables import Row, Table, at_most

from ml.control import NOBODY
from ml.data.canvases import read_canvases, write_canvases
from ml.data.sources.phantoms import PhantomSet, phantom_canvases
from ml.mammo.prepare import WHOLE
from ml.train.fingerprint import fingerprint
from ml.train.modes import Stage
from ml.train.order import SAMPLE_EVERY
from ml.train.plan import device_at_hand, plan_training
from ml.train.samples import LEAST_STEPS, Sampled
from ml.train.teaching import teach

if TYPE_CHECKING:
    from collections.abc import Callable

    from ml.data.canvases import CanvasSet
    from ml.train.plan import Plan

# Of both roles; a classifier is looked at in its last stage alone.
ROLES = ("detector", "classifier")
WOMEN = PhantomSet(700, 8, lesion_rate=0.5, pixel_mm=0.2)
STEPS, LOOKS = 8, 5
GOAL_PERCENT = 2.0


def measure() -> Table:
    """Both roles: a step, a look, and the share of looks."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        write_canvases(where / "images", phantom_canvases(WOMEN, WHOLE), WOMEN.count, WHOLE)
        canvases = read_canvases(where / "images")
        plan = _short(plan_training(fingerprint(canvases), device_at_hand()))
        for role in ROLES:
            step, looked = _step_and_look(role, canvases, plan, where / role)
            share = _percent(looked, LEAST_STEPS * step)
            rows += [
                Row(f"{role}: a step", 1000 * step, "ms"),
                Row(f"{role}: a look at a few images", 1000 * looked, "ms"),
                at_most(f"{role}: looks, every {LEAST_STEPS} steps", share, "%", GOAL_PERCENT),
                at_most(
                    f"{role}: looks, every {SAMPLE_EVERY} steps, as usual",
                    _percent(looked, SAMPLE_EVERY * step),
                    "%",
                    GOAL_PERCENT,
                ),
            ]
    return Table("Live samples of a training", tuple(rows))


def _percent(looked: float, taught: float) -> float:
    return 100 * looked / (looked + taught)


def _short(plan: Plan) -> Plan:
    return replace(
        plan,
        detector=replace(plan.detector, steps=STEPS),
        patches=replace(plan.patches, steps=1),
        classifier=replace(plan.classifier, steps=STEPS),
    )


def _step_and_look(
    role: str, canvases: CanvasSet, plan: Plan, out: Path
) -> tuple[float, float]:
    """Seconds of one step and of one look, as the median of several."""
    taken: list[float] = []

    def progress(part: str, before: int) -> Callable[[int, float], None]:
        def step(done: int, loss: float) -> None:
            if part == role:
                taken.append(time.process_time())

        return step

    everyone = tuple(range(len(canvases.items)))
    model = teach(role, canvases, (Stage(everyone),), plan, out, progress=progress)
    samples = Sampled(NOBODY, role, canvases, everyone, out, LEAST_STEPS)
    samples.watch(model)
    looks: list[float] = []
    for number in range(1, LOOKS + 1):
        began = time.process_time()
        samples.say(number * LEAST_STEPS, 0, {"stage": role, "loss": 0.0})
        looks.append(time.process_time() - began)
    steps = [after - before for before, after in pairwise(taken)]
    return statistics.median(steps), statistics.median(looks)
