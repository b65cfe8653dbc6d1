"""One retraining as its window shows it: data, audit, training, comparison, promotion."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum
from itertools import accumulate
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from ml.manifest import PURPOSES
from ml.texts import counted, mark, translate
from ml.train.order import DOSES, MODE_WORDS, MOST_DOSE, HelpsOrder, Mode, is_next_point

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ml.audit.report import AuditReport
    from ml.registry import Figure
    from ml.train.order import TrainingOrder
    from viewer.core.samples import Sample
    from viewer.core.settings import Settings

ROLES: tuple[tuple[str, str], ...] = (
    ("detector", mark("Lesions")),
    ("calcifications", mark("Calcifications")),
    ("classifier", mark("Diagnosis")),
)
STAGES = {
    "detector": mark("detector"),
    "patches": mark("pieces, then"),
    "classifier": mark("whole images"),
}
# Shares of the usual number of steps that are offered.
PARTS: tuple[tuple[float, str], ...] = (
    (1.0, mark("as long as the data ask for")),
    (0.25, mark("a quarter")),
    (0.02, mark("a try")),
)
# Which images teach, and how; the first: all of the data alike.
MODES: tuple[tuple[str, str], ...] = (
    ("", mark("all images alike")),
    *((mode.value, MODE_WORDS[mode]) for mode in Mode),
)
# The modes that a dose of synthetic images means something to.
DOSED = tuple(mode.value for mode in (Mode.MIXED, Mode.SYNTHETIC_FIRST, Mode.SYNTHETIC_ONLY))
# What a figure of a comparison is, by the gate's word for it; everything else is red.
STANDING_SIGNS = {"better": "green", "not worse": "green", "too few to tell": "amber"}
# Within a training's folder: whether synthetic images help.
HELPS_FOLDER = "helps"
# Losses of a stage that its reading is made of, and how much of a fall is one.
LEAST_READ, FALL = 12, 0.02


class Step(IntEnum):
    """What comes after what."""

    DATA = 0
    AUDIT = 1
    TRAIN = 2
    COMPARE = 3
    PROMOTE = 4


STEP_WORDS: dict[Step, str] = {
    Step.DATA: mark("Data"),
    Step.AUDIT: mark("Audit"),
    Step.TRAIN: mark("Train"),
    Step.COMPARE: mark("Compare"),
    Step.PROMOTE: mark("Promote"),
}


@dataclass(frozen=True, slots=True)
class Counted:
    """What data sets have together.

    Attributes
    ----------
    sets
        Their folders or tables.
    parts
        Of each split, in the order of `PART_WORDS`: patients, images, images with a lesion.
        Images of no split are where a training takes them (`ml.splits.split_of`).
    generated
        Images that a generator made.
    synthetic
        Images for training that are no patient's: phantoms, and what a generator made.
    """

    sets: tuple[str, ...]
    patients: int
    images: int
    parts: tuple[tuple[int, int, int], tuple[int, int, int], tuple[int, int, int]]
    generated: int
    synthetic: int = 0


@dataclass(frozen=True, slots=True)
class Made:
    """A finished generation that may be added to the data.

    Attributes
    ----------
    images, lesions
        Those that are kept, and how many of them have a lesion.
    """

    title: str
    folder: str
    images: int
    lesions: int

    @property
    def words(self) -> str:
        """For a menu."""
        many = counted(
            "{images} image, {lesions} of them with a lesion",
            "{images} images, {lesions} of them with a lesion",
            self.images,
        ).format(images=self.images, lesions=self.lesions)
        return f"{self.title} · {many}"


PART_WORDS = tuple(PURPOSES.values())


@dataclass(frozen=True, slots=True)
class Point:
    """A loss that was told: at which of how many steps, of which stage."""

    done: int
    of: int
    stage: str
    loss: float


@dataclass(frozen=True, slots=True)
class Told:
    """One figure of the comparison, as a sentence.

    Attributes
    ----------
    standing
        One of the words of `ml.evaluate.gate.Standing`.
    """

    sentence: str
    standing: str

    @property
    def sign(self) -> str:
        """``"green"``, ``"amber"`` where there are too few to tell, or ``"red"``."""
        return STANDING_SIGNS.get(self.standing, "red")


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the gate said of a version.

    Attributes
    ----------
    key, live
        The version, and what was in use then; empty: the model that comes with the program.
    decision
        As the gate gave it, to be kept with the promotion.
    remarks
        What whoever promotes it should know, though it speaks neither for nor against it.
    beside
        By role, what both were compared with beside them, as `live` has it.
    """

    role: str
    key: str
    live: str
    promoted: bool
    told: tuple[Told, ...]
    reasons: tuple[str, ...]
    uses: int
    decision: Mapping[str, object]
    remarks: tuple[str, ...] = ()
    beside: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def headline(self) -> tuple[str, str]:
        """What it comes to: a sign as of `Told`, and a title."""
        signs = {told.sign for told in self.told}
        if self.promoted:
            return "green", translate("Shown to be no worse")
        if "red" in signs:
            return "red", translate("Not shown to be as good")
        if "amber" in signs or not signs:
            return "amber", translate("Too few to tell whether it is as good")
        return "amber", translate("No worse, but something else stands against it")


@dataclass(frozen=True, slots=True)
class HelpTold:
    """What may be said of one way to train: it in words, a figure of it, and the sentence.

    Attributes
    ----------
    verdict
        One of the words of `ml.train.helps_figures.Verdict`.
    """

    words: str
    figure: str
    verdict: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Helps:
    """Whether synthetic images help: in one sentence, and of each way to train."""

    sentence: str
    told: tuple[HelpTold, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """A retraining and what its folder holds.

    Attributes
    ----------
    figures
        Of the finished model's card; empty before that.
    trained
        Whether the model is there.
    samples
        What it said of the same few images, the earliest first.
    """

    order: TrainingOrder
    counted: Counted | None = None
    audit: AuditReport | None = None
    curve: tuple[Point, ...] = ()
    trained: bool = False
    figures: tuple[Figure, ...] = ()
    comparison: Comparison | None = None
    helps: Helps | None = None
    samples: tuple[Sample, ...] = ()

    @property
    def folder(self) -> Path:
        """Of everything that comes of it."""
        return Path(self.order.out)

    @property
    def reached(self) -> Step:
        """The last step that may be looked at."""
        if self.comparison is not None:
            return Step.PROMOTE
        if self.trained:
            return Step.COMPARE
        if self.curve or (self.audit is not None and self.audit_allows):
            return Step.TRAIN
        return Step.AUDIT

    @property
    def audit_allows(self) -> bool:
        """Whether the audit lets it be trained, as it is or by a written reason."""
        audit = self.audit
        return audit is not None and (audit.allows_training or bool(self.order.override))


def hear(run: Run, news: Mapping[str, object]) -> Run:
    """Take a loss from what a job told; everything else is read from the folder."""
    loss, done, of = (news.get(name) for name in ("loss", "done", "of"))
    if not (isinstance(loss, float | int) and isinstance(done, int) and isinstance(of, int)):
        return run
    if not is_next_point(run.curve[-1].done if run.curve else 0, done, of):
        return run
    stage = news.get("stage", "")
    return replace(run, curve=(*run.curve, Point(done, of, str(stage), float(loss))))


def overridden(run: Run, reason: str) -> Run:
    """The same with a written reason against a red audit.

    Raises
    ------
    DataError
        Where the reason says nothing.
    """
    assert run.audit is not None
    report = run.audit.overridden(reason)
    return replace(run, audit=report, order=replace(run.order, override=report.override))


def smoothed(points: Sequence[Point], share: float = 0.05) -> tuple[float, ...]:
    """The losses as means over a part of the curve that lies behind each.

    Parameters
    ----------
    share
        Of all points, so many belong to a mean; at least three.
    """
    width = max(round(len(points) * share), 3)
    sums = (0.0, *accumulate(point.loss for point in points))
    begins = (max(end - width, 0) for end in range(1, len(sums)))
    return tuple(
        (sums[end] - sums[begin]) / (end - begin) for end, begin in enumerate(begins, 1)
    )


def spread(count: int, most: int) -> tuple[int, ...]:
    """Indices of so many of `count` things at most, evenly over all; the first and the last.

    Parameters
    ----------
    most
        2 or more.
    """
    if count <= most:
        return tuple(range(count))
    return tuple(round(n * (count - 1) / (most - 1)) for n in range(most))


def stages_of(points: Sequence[Point]) -> dict[str, tuple[Point, ...]]:
    """The points of each stage, in the order in which the stages came."""
    found: dict[str, list[Point]] = {}
    for point in points:
        found.setdefault(point.stage, []).append(point)
    return {stage: tuple(of_stage) for stage, of_stage in found.items()}


def reading(points: Sequence[Point]) -> str:
    """What the curve of the stage at hand says, in a sentence without numbers of networks."""
    if not points:
        return translate("Nothing was told yet.")
    last = tuple(stages_of(points).values())[-1]
    if len(last) < LEAST_READ:
        return translate("Too early to tell.")
    losses = smoothed(last)
    half, third = losses[len(losses) // 2], losses[-len(losses) // 3]
    if losses[-1] > losses[0]:
        return translate(
            "The errors grow: the model does not learn. Stop it, and look at the data."
        )
    share = 1 - losses[-1] / losses[0] if losses[0] else 0.0
    fallen = translate("The errors on what it is shown have fallen by {share} %.").format(
        share=round(100 * share)
    )
    still = (min(half, third) - losses[-1]) / max(losses[0] - losses[-1], 1e-9) > FALL
    more = (
        translate("They still fall.")
        if still
        else translate("They hardly fall any more: little more will be learnt.")
    )
    caution = translate("How good it is on other patients, only the comparison says.")
    return f"{fallen} {more} {caution}"


def most_dose(data: Counted) -> float:
    """How many synthetic images there are for each real one that teaches; 0 where none are.

    Rounded down: a dose that asks for one image too many is refused.
    """
    real = data.parts[0][1] - data.synthetic
    return min(int(100 * data.synthetic / real) / 100, MOST_DOSE) if real > 0 else 0.0


def doses_of(data: Counted) -> tuple[float, ...]:
    """The doses that so many synthetic images are enough for; empty where there are none."""
    most = most_dose(data)
    return tuple(dose for dose in DOSES if dose <= most) or ((most,) if most else ())


def helps_order(run: Run) -> HelpsOrder | None:
    """Whether a run's synthetic images help, as it is asked; None where it has none."""
    doses = doses_of(run.counted) if run.counted is not None else ()
    if not doses:
        return None
    asked, out = run.order, str(run.folder / HELPS_FOLDER)
    return HelpsOrder(
        asked.manifest,
        out,
        asked.role,
        asked.device,
        asked.part,
        asked.override,
        doses=doses,
    )


def margins_of(settings: Settings) -> dict[str, float]:
    """How much worse a new model may be, by the names of `ml.evaluate.gate.Margins`."""
    return {
        "sensitivity": settings.margin_sensitivity,
        "specificity": settings.margin_specificity,
        "false_marks": settings.margin_false_marks,
    }


def new_folder(trainings: Path, role: str, day: str) -> Path:
    """A name for a new training's folder that is not taken."""
    number = 1
    while (folder := trainings / f"{day}-{role}-{number}").exists():
        number += 1
    return folder
