"""The figures of `headline.py`: from raw answers to what may be said of each way to teach."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

import numpy as np

from ml.data.canvases import FOLDS, patient_fold
from ml.evaluate.cases import cases_of
from ml.evaluate.detection import froc
from ml.evaluate.holm import holm
from ml.evaluate.outcomes import Judged, Marked
from ml.evaluate.roc import area_under_roc
from ml.evaluate.seeds import seeded_difference, seeded_mean
from ml.infer.classified import Classified
from ml.train.helps_figures import verdict_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from ml.data.canvases import CanvasItem
    from ml.evaluate.bootstrap import Estimate
    from ml.evaluate.seeds import SeedFigures

    Answer = Marked | Judged
    Figure = Callable[[Sequence[Answer]], float]

TITLE = "Does what is synthetic help where real images are few?"
ORIGINAL = {"without": 0.505, "with": 0.98}
NOTE = (
    "Each way of teaching takes the same number of updates. The public project that this one "
    "began from reported an accuracy of 50.5 % without and 98 % with synthetic images; all of "
    "its healthy images were generated, so that its network told real from generated. Here "
    "generated and real images are healthy and ill alike, only real images (or, where phantoms "
    "stand for them, phantoms of makers that nothing synthetic has) are asked, and each is "
    "asked of models that never saw its patient. Intervals are over patients{seeds}; p is "
    "corrected for all comparisons of a question (Holm 1979). The accuracy of a fold is at the "
    "threshold that is best for the other folds' answers, each given by a model that had not "
    "seen its patient. All of it at 0.4 mm a pixel, half as fine as the models that ship look, "
    "and with short trainings: masses are seen so, single specks of calcifications are not."
    "{alone}"
)
ONE_SEED = " One seed: what another would change is in no interval."
REFERENCE = "real-only"
RATE = 1.0
FILMS = "films"
NO_MAP = np.zeros((1, 1), np.float32)
DENSITY = np.full(4, 0.25, np.float32)


def to_keep(said: Sequence[Answer]) -> list[dict[str, object]]:
    """Raw answers as plain values."""
    return [_row(one) for one in said]


def _row(one: Answer) -> dict[str, object]:
    image = {"image": one.item.image_id}
    if isinstance(one, Judged):
        return {**image, "lesion": one.said.lesion, "malignancy": one.said.malignancy}
    return {
        **image,
        "lesion_scores": one.lesion_scores.tolist(),
        "scores": one.scores.tolist(),
        "hits": one.hits.tolist(),
    }


def kept(rows: Sequence[Mapping[str, object]], items: Mapping[str, CanvasItem]) -> list[Answer]:
    """Answers back from plain values."""
    return [_answer(row, items[str(row["image"])]) for row in rows]


def _answer(row: Mapping[str, object], item: CanvasItem) -> Answer:
    if "lesion" in row:
        lesion, malignancy = (float(cast("float", row[n])) for n in ("lesion", "malignancy"))
        return Judged(item, Classified(lesion, malignancy, NO_MAP, DENSITY))
    scores = np.array(row["scores"], np.float32)
    return Marked(
        item,
        np.array(row["lesion_scores"], np.float32),
        scores,
        np.array(row["hits"], np.bool_),
        np.zeros((len(scores), 4), np.float32),
    )


def report_of(
    found: Mapping[str, Mapping[str, Sequence[Sequence[Answer]]]], draws: int = 2000
) -> dict[str, object]:
    """All that the answers say.

    Parameters
    ----------
    found
        By role and question, then by way of teaching: one list of answers a seed.
    """
    asked = joined(found)
    seeds = max((len(lists) for ways in asked.values() for lists in ways.values()), default=0)
    note = NOTE.format(
        seeds=" and seeds" if seeds > 1 else "", alone="" if seeds > 1 else ONE_SEED
    )
    questions = {name: _question(name, ways, draws) for name, ways in asked.items()}
    return {"title": TITLE, "note": note, "original": ORIGINAL, "questions": questions}


def joined(
    found: Mapping[str, Mapping[str, Sequence[Sequence[Answer]]]],
) -> dict[str, dict[str, list[list[Answer]]]]:
    """The folds of the films as one question, where every fold is answered in a way."""
    asked: dict[str, dict[str, list[list[Answer]]]] = {}
    folds: dict[tuple[str, str], list[Sequence[Sequence[Answer]]]] = {}
    for name, ways in found.items():
        role, question = name.split("/")
        for way, of_seeds in ways.items():
            if question.startswith(FILMS):
                folds.setdefault((f"{role}/{FILMS}", way), []).append(of_seeds)
            else:
                asked.setdefault(name, {})[way] = [list(one) for one in of_seeds]
    for (name, way), parts in folds.items():
        if len(parts) == FOLDS:
            seeds = zip(*parts, strict=False)
            asked.setdefault(name, {})[way] = [[a for one in s for a in one] for s in seeds]
    return {name: ways for name, ways in asked.items() if REFERENCE in ways}


def figures_of(name: str) -> dict[str, Figure]:
    """What is asked of a role and question."""
    if name.startswith("detector"):
        return {f"sensitivity at {RATE:g} false mark": _froc}
    areas: dict[str, Figure] = {
        "AUC, lesion": partial(_area, "lesion"),
        "AUC, malignancy": partial(_area, "malignancy"),
    }
    if name.endswith(FILMS):
        return {"accuracy": crossed_accuracy, **areas}
    return areas


def crossed_accuracy(said: Sequence[Answer]) -> float:
    """Share of the images that are called rightly, each fold at the others' best threshold."""
    judged = cast("Sequence[Judged]", said)
    folds = np.array([patient_fold(one.item.patient_id) for one in judged])
    scores = np.array([one.said.lesion for one in judged])
    truths = np.array([one.item.lesion for one in judged])
    right = 0
    for fold in np.unique(folds):
        own = folds == fold
        if own.all():
            return float("nan")
        called = scores[own] >= _best_threshold(scores[~own], truths[~own])
        right += int(np.count_nonzero(called == truths[own]))
    return right / len(judged)


def _best_threshold(scores: NDArray[np.float64], truths: NDArray[np.bool_]) -> float:
    """The score from which on the most images are called rightly."""
    asked = np.unique(scores)
    ill, well = np.sort(scores[truths]), np.sort(scores[~truths])
    right = len(ill) - np.searchsorted(ill, asked) + np.searchsorted(well, asked)
    return float(asked[right.argmax()])


def _froc(said: Sequence[Answer]) -> float:
    return froc(cast("Sequence[Marked]", said), RATE)


def _area(target: str, said: Sequence[Answer]) -> float:
    cases = cases_of(cast("Sequence[Judged]", said), "image", target)
    return area_under_roc(cases.scores, cases.truths)


def _question(
    name: str, ways: Mapping[str, Sequence[Sequence[Answer]]], draws: int
) -> dict[str, object]:
    reference = _aligned(ways[REFERENCE], ways[REFERENCE])
    first = reference[0]
    patients = [one.item.patient_id for one in first]
    ill = len({one.item.patient_id for one in first if one.item.lesion})
    rows: list[dict[str, object]] = []
    gains: list[tuple[dict[str, object], Estimate, float]] = []
    for figure, of in figures_of(name).items():
        usual = _seeded(of, reference)
        for way, lists in ways.items():
            own = _seeded(of, _aligned(lists, ways[REFERENCE]))
            value = seeded_mean(patients, own, draws=draws)
            row: dict[str, object] = {"figure": figure, "way": way, **value.to_json()}
            rows.append(row)
            if way != REFERENCE:
                gain = seeded_difference(patients, own, usual, draws=draws)
                gains.append((row, gain.estimate, gain.p))
    for (row, gain, _), p in zip(gains, holm([p for _, _, p in gains]), strict=True):
        row |= {
            "gain": gain.to_json(),
            "p": p,
            "verdict": verdict_of(gain, p, None, ill).value,
        }
    return {"images": len(first), "patients": len(set(patients)), "rows": rows}


def _aligned(
    lists: Sequence[Sequence[Answer]], like: Sequence[Sequence[Answer]]
) -> list[list[Answer]]:
    """The answers in one order of the images; of seeds that the reference has, too."""
    order = [one.item.image_id for one in like[0]]
    by_image = [{one.item.image_id: one for one in answers} for answers in lists[: len(like)]]
    return [[answers[image] for image in order] for answers in by_image]


def _seeded(figure: Figure, lists: Sequence[Sequence[Answer]]) -> SeedFigures:
    def of(indices: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.array([figure([answers[i] for i in indices]) for answers in lists])

    return of
