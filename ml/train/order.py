"""A training as plain values: what the command line, the queue and the window all ask for."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from enum import Enum
from typing import TYPE_CHECKING

from ml.errors import DataError
from ml.places import GENERATOR
from ml.registry import ROLES
from ml.synth.order import DEVICES
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Mapping

# What a training leaves in its folder, beside the pack: `ml.train.run`, `ml.train.command`,
# `ml.train.curve` and `ml.train.promotion` write them, and windows read them.
AUDIT, PLAN, CURVE, COMPARISON = "audit.json", "plan.json", "curve.jsonl", "comparison.json"
# Folder of the live samples: of a model `ml.train.samples`, of a generator its school.
SAMPLES = "samples"
# Points of a whole training's curve; a screen shows no more.
CURVE_POINTS = 1000
SAMPLE_EVERY = 500
MOST_PART = 100.0
MOST_DOSE = 100.0


class Mode(Enum):
    """Which images teach a model, and how; every mode takes the same number of updates.

    `ml.train.modes` says what each comes to.
    """

    REAL = "real"
    AUGMENTED = "augmented"
    OVERSAMPLED = "oversampled"
    MIXED = "mixed"
    SYNTHETIC_FIRST = "synthetic_first"
    SYNTHETIC_ONLY = "synthetic_only"


@dataclass(frozen=True, slots=True)
class TrainingOrder:
    """One training; the same order goes on from its checkpoint.

    Attributes
    ----------
    manifest, out
        Table or folder of images, and the folder of checkpoints, samples and the pack.
    role
        What is trained: one of `ml.registry.ROLES`, or the generator.
    device
        One of `ml.synth.order.DEVICES`.
    part
        Share of the usual number of steps, over 0.
    from_scratch
        Begin without the installed model's weights, and measure without the other installed
        models.
    sample_every
        Steps between two live samples of a model, or of a generator's denoiser.
    override
        Why a model is trained although the audit of the data is red; empty: then it is not.
    mode
        One of `Mode`'s words, for a model; empty: every image of the manifest teaches alike.
    dose
        Synthetic images for each real one, in the modes that have any; over 0.
    """

    manifest: str
    out: str
    role: str = GENERATOR
    device: str = "auto"
    part: float = 1.0
    from_scratch: bool = False
    sample_every: int = SAMPLE_EVERY
    override: str = ""
    mode: str = ""
    dose: float = 1.0

    def to_json(self) -> dict[str, object]:
        """As a queue keeps it."""
        return asdict(self)

    @staticmethod
    def from_json(values: Mapping[str, object]) -> TrainingOrder:
        """Back from plain values.

        Raises
        ------
        DataError
            Where a name is unknown, one is missing, or a value is not one that it may have.
        """
        known = {field.name for field in fields(TrainingOrder)}
        texts = all(isinstance(values.get(name), str) for name in ("manifest", "out"))
        if values.keys() - known or not texts:
            raise _wrong()
        order = TrainingOrder(**values)  # type: ignore[arg-type]
        checks = (
            order.role in (*ROLES, GENERATOR),
            order.device in DEVICES,
            isinstance(order.part, int | float) and 0 < order.part <= MOST_PART,
            isinstance(order.from_scratch, bool),
            isinstance(order.override, str),
            isinstance(order.sample_every, int) and order.sample_every > 0,
            order.mode in ("", *(mode.value for mode in Mode)),
            not order.mode or order.role != GENERATOR,
            is_dose(order.dose),
        )
        if not all(checks):
            raise _wrong()
        return order


def is_next_point(last: int, done: int, of: int) -> bool:
    """Whether a loss is far enough behind the last one that was kept to be a point of its own.

    Parameters
    ----------
    last
        Step of that one; 0: there is none yet.
    done, of
        The step, of how many.
    """
    return last == 0 or done - last >= max(of // CURVE_POINTS, 1) or (last < done >= of)


def is_dose(value: object) -> bool:
    """Whether so many synthetic images for each real one can be asked for."""
    return isinstance(value, int | float) and 0 < value <= MOST_DOSE


def _wrong() -> DataError:
    return DataError(mark("The order of a training cannot be carried out; make it anew."))
