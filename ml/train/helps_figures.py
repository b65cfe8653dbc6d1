"""What the trainings of the matrix say of each mode, from their raw answers alone.

A detector is held by its sensitivity at its own first operating point, a classifier by its
areas under the ROC curve. Each mode is compared with `REFERENCE`, the program's usual training,
paired by image and by seed; all modes tell the chance of the seeds together, and Holm counts
every comparison of the matrix. A detector that finds more because it marks more was given
another threshold, and not helped: where false marks rose no help is claimed, and where they
fell no harm.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, cast

import numpy as np

from ml.errors import DataError
from ml.evaluate.bootstrap import DRAWS
from ml.evaluate.gate import LEAST_BEYOND
from ml.evaluate.holm import holm
from ml.evaluate.outcomes import Marked
from ml.evaluate.roc import area_under_roc
from ml.evaluate.seeds import remembered, seeded_difference, seeded_mean
from ml.hashed import name_sha256
from ml.texts import mark
from ml.train.modes import DOSED, Mode, Teaching

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from ml.evaluate.bootstrap import Estimate
    from ml.evaluate.outcomes import Judged
    from ml.evaluate.seeds import Difference, SeedFigures
    from ml.train.order import HelpsOrder

    # What a training's pack said of each image for testing, as plain values.
    Answers = Mapping[str, object]
    Rows = Sequence[Mapping[str, object]]

REFERENCE = Mode.AUGMENTED
# Of all comparisons together, to be wrong once.
ERROR = 0.05
# The least gain that is worth knowing of, in shares of lesions or of the area.
GAIN = 0.05
# What a figure can be at all: the share of the lesions or an area, and false marks an image.
SHARE, COUNT = (0.0, 1.0), (0.0, math.inf)
SENSITIVITY = mark("sensitivity")
LESION, MALIGNANCY = mark("AUC, lesion"), mark("AUC, malignancy")


@dataclass(frozen=True, slots=True)
class Arm:
    """What is trained with every seed.

    Attributes
    ----------
    dose
        Synthetic images for each real one; 0 in the modes without them.
    """

    mode: Mode
    dose: float = 0.0

    def teaching(self, seed: int) -> Teaching:
        """As a training takes it."""
        return Teaching(self.mode, self.dose or 1.0, seed)

    def folder(self, seed: int) -> str:
        """A name for one training's folder."""
        dose = f"-{self.dose:g}" if self.dose else ""
        return f"{self.mode.value}{dose}-seed{seed}"


class Verdict(Enum):
    """What the interval allows to say of a mode; the more hopeful first."""

    HELPS = "helps"
    TRADED = "other errors"
    TOO_FEW = "too few to tell"
    NO_GAIN = "no gain"
    HARMS = "harms"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One figure of one arm against that of `REFERENCE`.

    Attributes
    ----------
    p
        Corrected by Holm for all comparisons of the matrix; NaN where there is no interval.
    rise
        How many more false marks there are for each image without lesion; None where the
        figure does not depend on a threshold.
    rests, fewest
        How many patients the difference rests on, and below how many of them neither help nor
        harm is said (`least_patients`).
    """

    arm: Arm
    figure: str
    gain: Estimate
    p: float
    rise: Estimate | None
    rests: int
    fewest: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Measured:
    """One figure of one arm.

    Attributes
    ----------
    estimate
        Of the mean over seeds; its interval is over patients and seeds.
    of_seeds
        Of each seed.
    false_marks
        For each image without lesion; None where the figure does not depend on a threshold.
    """

    arm: Arm
    figure: str
    estimate: Estimate
    of_seeds: tuple[float, ...]
    false_marks: Estimate | None


@dataclass(frozen=True, slots=True)
class Findings:
    """All that the matrix says."""

    images: int
    patients: int
    seeds: int
    measured: tuple[Measured, ...]
    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """One arm's answers, ready to be drawn again and again.

    Attributes
    ----------
    said
        By figure, what it is made of: (seeds, images).
    """

    figures: Mapping[str, SeedFigures]
    said: Mapping[str, NDArray[np.float64]]
    false_marks: SeedFigures | None


def arms_of(order: HelpsOrder) -> tuple[Arm, ...]:
    """All modes, the mixed one with every dose, the others with the greatest."""
    return tuple(
        Arm(mode, dose)
        for mode in Mode
        for dose in (
            order.doses
            if mode is Mode.MIXED
            else (order.doses[-1],)
            if mode in DOSED
            else (0.0,)
        )
    )


def answers_of(said: Iterable[Marked | Judged], threshold: float) -> dict[str, object]:
    """Raw answers as they are kept: every figure can be made of them again.

    Parameters
    ----------
    threshold
        Of the pack's first operating point.
    """
    return {"threshold": threshold, "images": [_row(one) for one in said]}


def _row(one: Marked | Judged) -> dict[str, object]:
    item = one.item
    known: dict[str, object] = {
        "image": name_sha256(item.image_id),
        "patient": name_sha256(item.patient_id),
        "lesion": item.lesion,
        "malignant": bool(item.malignant),
    }
    if isinstance(one, Marked):
        return known | {
            "lesion_scores": one.lesion_scores.tolist(),
            "scores": one.scores.tolist(),
            "hits": one.hits.tolist(),
        }
    return known | {"said_lesion": one.said.lesion, "said_malignancy": one.said.malignancy}


def findings_of(
    answers: Mapping[Arm, Sequence[Answers]], *, draws: int | None = None
) -> Findings:
    """Compare every arm with `REFERENCE`.

    Parameters
    ----------
    answers
        Of each arm, one a seed, in one order of the seeds.
    draws
        Of each difference; as many as Holm needs where it is left out.

    Raises
    ------
    DataError
        Where the trainings did not answer for the same images.
    ValueError
        Where the arms have not equally many seeds.
    """
    rows = _rows(next(iter(answers.values()))[0])
    _refuse_other_images(rows, answers)
    patients = [str(row["patient"]) for row in rows]
    seen = {arm: _seen(each) for arm, each in answers.items()}
    reference = seen[Arm(REFERENCE)]
    every = np.arange(len(rows))
    # A figure that the images do not define is none of any mode's.
    names = [n for n, of in reference.figures.items() if np.isfinite(of(every)).all()]
    # One arm is the reference; of each other every figure is asked.
    draws = draws or draws_for((len(seen) - 1) * len(names))
    mean = partial(seeded_mean, patients, draws=min(draws, DRAWS))
    measured = [
        Measured(
            arm,
            name,
            mean(one.figures[name], within=SHARE),
            tuple(map(float, one.figures[name](every))),
            mean(one.false_marks, within=COUNT) if one.false_marks else None,
        )
        for name in names
        for arm, one in seen.items()
    ]
    return Findings(
        len(rows),
        len(set(patients)),
        len(next(iter(answers.values()))),
        tuple(measured),
        tuple(_compared(rows, seen, names, draws)),
    )


def draws_for(comparisons: int) -> int:
    """Draws enough for Holm's strictest limit to be no accident of them.

    The least of the p-values is held against `ERROR` over the number of comparisons: so far
    out `LEAST_BEYOND` draws of the women lie to each side, and the least p-value that so many
    draws can tell stays far below.
    """
    return max(DRAWS, round(LEAST_BEYOND * comparisons / (ERROR / 2)))


def least_patients(comparisons: int = 1) -> int:
    """On how many patients a difference must rest before anything is said of it.

    Were the two recipes alike, each patient's two answers might as well stand the other way
    round. Of k patients there are 2^k ways, all as likely: even where all k speak for one
    recipe, the exact two-sided p is 2^(1 - k) (the sign test, Fisher 1935; McNemar 1947). Below
    the number given here nothing could be told with Bonferroni's and Holm's correction,
    however large the difference and however narrow the interval, which draws of so few make
    too narrow: of one patient it has no width.

    Parameters
    ----------
    comparisons
        Of the matrix, at least 1.

    Returns
    -------
    int
        6 for one comparison, 8 for six, 9 for 12.
    """
    return 2 + math.floor(math.log2(max(comparisons, 1) / ERROR))


def _compared(
    rows: Sequence[Mapping[str, object]],
    seen: Mapping[Arm, _Seen],
    names: Sequence[str],
    draws: int,
) -> list[Comparison]:
    patients = [str(row["patient"]) for row in rows]
    reference = seen[Arm(REFERENCE)]
    against = partial(seeded_difference, patients, draws=draws)
    marks = [one.false_marks for one in seen.values() if one.false_marks]
    asked: list[tuple[Arm, str, Difference, Estimate | None]] = []
    for name in names:
        among = [one.figures[name] for one in seen.values()]
        for arm, one in seen.items():
            if arm.mode is not REFERENCE:
                figures = one.figures[name], reference.figures[name]
                gain = against(*figures, among=among, within=SHARE)
                asked.append((arm, name, gain, _rise(against, one, reference, marks)))
    told: list[Comparison] = []
    adjusted = holm([gain.p for _, _, gain, _ in asked])
    for (arm, name, gain, rise), p in zip(asked, adjusted, strict=True):
        ill = _fewest(rows, name)
        rests = min(ill, _changed(patients, seen[arm].said[name], reference.said[name]))
        verdict = verdict_of(gain.estimate, p, rise, ill, rests=rests, comparisons=len(asked))
        fewest = least_patients(len(asked))
        told.append(Comparison(arm, name, gain.estimate, p, rise, rests, fewest, verdict))
    return told


def _rise(
    against: partial[Difference], one: _Seen, reference: _Seen, among: Sequence[SeedFigures]
) -> Estimate | None:
    if one.false_marks is None or reference.false_marks is None:
        return None
    return against(one.false_marks, reference.false_marks, among=among, within=COUNT).estimate


def _fewest(rows: Rows, figure: str) -> int:
    """Patients who have the lesions; of an area, who have the rarer of the two truths."""
    truth = "malignant" if figure == MALIGNANCY else "lesion"
    has, lacks = ({r["patient"] for r in rows if bool(r[truth]) is it} for it in (True, False))
    return len(has) if figure == SENSITIVITY else min(len(has), len(lacks))


def _changed(
    patients: Sequence[str], one: NDArray[np.float64], other: NDArray[np.float64]
) -> int:
    """How many patients were answered otherwise, over all seeds together."""
    changed = one.sum(0) != other.sum(0)
    return len({patient for patient, it in zip(patients, changed, strict=True) if it})


def verdict_of(
    gain: Estimate,
    p: float,
    rise: Estimate | None,
    ill: int,
    *,
    rests: int | None = None,
    comparisons: int = 1,
) -> Verdict:
    """What may be said of a difference.

    Neither help nor harm is said where it rests on fewer than `least_patients`.

    Parameters
    ----------
    p
        Corrected for all comparisons.
    rise
        Of the false marks; None where there are none.
    ill
        Patients with a lesion; of an area, those of the rarer truth. Where none of a few
        turned out otherwise the interval has no width, and yet up to 3 in so many might have
        (the rule of three, Hanley and Lippman-Hand 1983).
    rests
        Of these or of those whom the two answered otherwise, whichever are fewer; None: `ill`.
    comparisons
        How many p is corrected for.
    """
    more = rise.value if rise is not None else 0.0
    enough = (ill if rests is None else rests) >= least_patients(comparisons)
    if p < ERROR and enough:
        if gain.low > 0:
            return Verdict.TRADED if more > 0 else Verdict.HELPS
        if gain.high < 0:
            return Verdict.TRADED if more < 0 else Verdict.HARMS
    if math.isnan(gain.high) or max(gain.high, 3 / max(ill, 1)) > GAIN:
        return Verdict.TOO_FEW
    return Verdict.NO_GAIN


def best_synthetic(found: Findings) -> Comparison:
    """The comparison that says most for synthetic images.

    Of those that help, the one that is surest; where none can gain much, the one that might
    gain most, so that what is said of it holds for all.
    """
    dosed = [one for one in found.comparisons if one.arm.mode in DOSED]
    first = next(v for v in Verdict if v in Counter(one.verdict for one in dosed))
    alike = [one for one in dosed if one.verdict is first]
    limits = {Verdict.HELPS: "low", Verdict.NO_GAIN: "high", Verdict.HARMS: "high"}

    def promise(one: Comparison) -> float:
        value = getattr(one.gain, limits.get(first, "value"))
        return -math.inf if math.isnan(value) else value

    return max(alike, key=promise)


def _seen(of_seeds: Sequence[Answers]) -> _Seen:
    rows = _rows(of_seeds[0])
    if "said_lesion" in rows[0]:
        said = {
            LESION: _told(of_seeds, "said_lesion"),
            MALIGNANCY: _told(of_seeds, "said_malignancy"),
        }
        known = {LESION: "lesion", MALIGNANCY: "malignant"}
        areas = {
            name: remembered(partial(_areas, scores, _truths(rows, known[name])))
            for name, scores in said.items()
        }
        return _Seen(areas, said, None)
    # As `ml.evaluate.detection.sensitivity_at`, each seed at its own threshold.
    found = np.array([[_called(row, each) for row in _rows(each)] for each in of_seeds], float)
    lesions = np.array([len(_scores(row, "lesion_scores")) for row in rows])
    figures = {SENSITIVITY: partial(_share, found, lesions)}
    return _Seen(figures, {SENSITIVITY: found}, _false_marks(of_seeds))


def _told(of_seeds: Sequence[Answers], said: str) -> NDArray[np.float64]:
    return np.array([[float(str(row[said])) for row in _rows(each)] for each in of_seeds])


def _truths(rows: Rows, known: str) -> NDArray[np.bool_]:
    return np.array([bool(row[known]) for row in rows])


def _areas(
    scores: NDArray[np.float64], truths: NDArray[np.bool_], indices: NDArray[np.int64]
) -> NDArray[np.float64]:
    return np.array([area_under_roc(one[indices], truths[indices]) for one in scores])


def _called(row: Mapping[str, object], answers: Answers) -> int:
    best = _scores(row, "lesion_scores")
    return int(np.count_nonzero((best >= _threshold(answers)) & (best > 0)))


def _false_marks(of_seeds: Sequence[Answers]) -> SeedFigures:
    """As `ml.evaluate.detection.false_marks_at`, each seed at its own threshold."""
    free = np.array([not row["lesion"] for row in _rows(of_seeds[0])], int)
    marks = np.array(
        [
            [np.count_nonzero(_scores(r, "scores") >= _threshold(each)) for r in _rows(each)]
            for each in of_seeds
        ],
        float,
    )
    return partial(_share, marks * free, free)


def _share(
    counts: NDArray[np.float64], of: NDArray[np.int64], indices: NDArray[np.int64]
) -> NDArray[np.float64]:
    whole = of[indices].sum()
    return counts[:, indices].sum(1) / whole if whole else np.full(len(counts), np.nan)


def _threshold(answers: Answers) -> float:
    return float(str(answers["threshold"]))


def _scores(row: Mapping[str, object], name: str) -> NDArray[np.float32]:
    return np.array(cast("list[float]", row[name]), np.float32)


def _rows(answers: Answers) -> Rows:
    return cast("Rows", answers["images"])


def _refuse_other_images(rows: Rows, answers: Mapping[Arm, Sequence[Answers]]) -> None:
    names = [row["image"] for row in rows]
    for of_seeds in answers.values():
        for each in of_seeds:
            if [row["image"] for row in _rows(each)] != names:
                raise DataError(
                    mark(
                        "The trainings of this folder were not measured on the same images; "
                        "begin in another folder."
                    )
                )
