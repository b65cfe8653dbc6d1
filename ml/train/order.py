"""A training as plain values: what the command line, the queue and the window all ask for."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from ml.errors import DataError
from ml.places import GENERATOR
from ml.registry import ROLES
from ml.synth.order import DEVICES
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Mapping

# What the matrix of "does it help?" leaves in its folder: `ml.train.helps` writes them.
HELPS, HELPS_PAGE = "helps.json", "helps.md"
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
# One training with one seed says nothing of its mode, and two hardly more. Every dose is asked
# of the same images, and leaves the others less to say.
LEAST_SEEDS, MOST_SEEDS, MOST_DOSES = 3, 20, 10
DOSES = (0.5, 1.0, 2.0)


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


MODE_WORDS = MappingProxyType(
    {
        Mode.REAL: mark("real images, without augmentation"),
        Mode.AUGMENTED: mark("real images, augmented"),
        Mode.OVERSAMPLED: mark("real images, augmented, each class of lesion drawn alike"),
        Mode.MIXED: mark("real and synthetic images mixed"),
        Mode.SYNTHETIC_FIRST: mark("synthetic images first, then real ones"),
        Mode.SYNTHETIC_ONLY: mark("synthetic images only"),
    }
)


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


@dataclass(frozen=True, slots=True)
class HelpsOrder:
    """Does it help? Every mode with every seed, from scratch, at an equal number of updates.

    Attributes
    ----------
    manifest, out
        Table or folder of images, and the folder of the trainings and of what they say.
    role
        One of `ml.registry.ROLES`.
    device
        One of `ml.synth.order.DEVICES`.
    part
        Share of the usual number of steps of each training, over 0.
    override
        Why models are trained although the audit of the data is red; empty: then none is.
    seeds
        Trainings of each mode.
    doses
        Synthetic images for each real one: of the mode "mixed" each is tried, of the other
        modes with synthetic images the greatest.
    """

    manifest: str
    out: str
    role: str
    device: str = "auto"
    part: float = 1.0
    override: str = ""
    seeds: int = LEAST_SEEDS
    doses: tuple[float, ...] = DOSES

    def to_json(self) -> dict[str, object]:
        """As a queue keeps it."""
        return {**asdict(self), "doses": list(self.doses)}

    @staticmethod
    def from_json(values: Mapping[str, object]) -> HelpsOrder:
        """Back from plain values; the doses in rising order, each once.

        Raises
        ------
        DataError
            Where a name is unknown, one is missing, or a value is not one that it may have.
        """
        known = {field.name for field in fields(HelpsOrder)}
        texts = all(isinstance(values.get(name), str) for name in ("manifest", "out", "role"))
        doses = values.get("doses", DOSES)
        if values.keys() - known or not texts or not isinstance(doses, list | tuple):
            raise _wrong()
        each = sorted(set(cast("list[float]", doses))) if all(map(is_dose, doses)) else []
        order = HelpsOrder(**{**values, "doses": tuple(each)})
        checks = (
            order.role in ROLES,
            order.device in DEVICES,
            isinstance(order.part, int | float) and 0 < order.part <= MOST_PART,
            isinstance(order.override, str),
            type(order.seeds) is int,
        )
        if not all(checks):
            raise _wrong()
        order.refuse_counts()
        return order

    def refuse_counts(self) -> None:
        """As many seeds and doses as can say something.

        Raises
        ------
        DataError
            Where there are fewer or more.
        """
        if not LEAST_SEEDS <= self.seeds <= MOST_SEEDS:
            raise DataError(
                mark(
                    "One training says nothing of a mode: ask for {least} to {most} seeds, not "
                    "for {seeds}."
                ),
                least=LEAST_SEEDS,
                most=MOST_SEEDS,
                seeds=self.seeds,
            )
        if not 1 <= len(self.doses) <= MOST_DOSES:
            raise DataError(
                mark(
                    "Ask for {least} to {most} doses of synthetic images, each over 0 and at "
                    "most {largest}."
                ),
                least=1,
                most=MOST_DOSES,
                largest=f"{MOST_DOSE:g}",
            )


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
