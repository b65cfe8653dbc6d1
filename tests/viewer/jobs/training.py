"""A job for the tests of the queue: a real training, in as few steps as can be interrupted."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from ml import job_process
from ml.control import Control
from ml.registry import WEIGHTS
from ml.train.order import TrainingOrder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

STEPS, SAVE_EVERY = 8, 3
# After the checkpoint of three steps and one step more.
WAIT_AT = 5
REACHED, GO = "reached", "go"


class Gate(Control):
    """Passes everything on; waits at a step until a test has done what it is there for.

    Parameters
    ----------
    folder
        Gets a file with the process's number when the step is reached; a file let it go on.
    """

    def __init__(self, control: Control, at: int, folder: Path) -> None:
        self._control, self._at, self._folder = control, at, folder

    def breathe(self) -> None:
        """Wait where the other waits."""
        self._control.breathe()

    def say(self, done: int, of: int, news: Mapping[str, object] | None = None) -> None:
        """Pass it on, and wait at the step."""
        self._control.say(done, of, news)
        if not self._at or done != self._at:
            return
        (self._folder / REACHED).write_text(str(os.getpid()))
        while not (self._folder / GO).exists():
            self._control.breathe()
            time.sleep(0.02)

    def log(self, sentence: str) -> None:
        """Pass it on."""
        self._control.log(sentence)


def train(spec: Mapping[str, object], control: Control) -> None:
    """Train as the order says, by a plan that takes seconds, and wait at the gate's step."""
    from ml.audit.report import AuditReport
    from ml.train import command, run
    from ml.train.classifier import ClassifierRecipe
    from ml.train.detector import DetectorRecipe
    from ml.train.fingerprint import Fingerprint
    from ml.train.patches import PatchRecipe
    from ml.train.plan import Device, Plan

    few = {"steps": STEPS, "batch": 2, "warmup": 1, "save_every": SAVE_EVERY}
    plan = Plan(
        Fingerprint(16, 4, 8, 8, 1024, 640, 0.2, (20.0, 40.0, 60.0)),
        Device("cpu", 2),
        128,
        DetectorRecipe(**few),
        PatchRecipe(**few),
        ClassifierRecipe(**few, phantom_variants=1),
    )
    command.plan_training = lambda *_, **__: plan
    command.make_pack = write_weights
    run.audit = lambda *_, tables, **__: AuditReport("phantoms", 1, 1, (), tables)
    order = cast("Mapping[str, object]", spec["order"])
    run.run(order, Gate(control, int(str(spec["wait_at"])), Path(str(spec["gate"]))))


def write_weights(folder: Path, _role: str, model: nn.Module, *_: object, **__: object) -> Any:
    """What of a pack comes from the training: the rest is measured, the same for the same."""
    from safetensors.torch import save_file

    weights = {name: value.contiguous() for name, value in model.state_dict().items()}
    save_file(weights, str(folder / WEIGHTS))
    return SimpleNamespace(folder=folder, card=SimpleNamespace(figures=()))


def spec_of(manifest: Path, folder: Path, role: str, wait_at: int = 0) -> dict[str, object]:
    """What a queue is given.

    Parameters
    ----------
    folder
        Gets what the training makes, in ``out``, and the gate's files.
    wait_at
        Step of the gate; 0: it stands open.
    """
    order = TrainingOrder(str(manifest), str(folder / "out"), role, "cpu", from_scratch=True)
    return {"order": order.to_json(), "wait_at": wait_at, "gate": str(folder)}


if __name__ == "__main__":
    sys.exit(job_process.main({"train": "tests.viewer.jobs.training:train"}))
