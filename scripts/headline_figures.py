"""The figures of `headline.py`: from raw answers to what may be said of each way to teach."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

import numpy as np

from ml.data.canvases import FOLDS, patient_fold
from ml.evaluate.calibrate import fit_calibration
from ml.evaluate.cases import cases_of
from ml.evaluate.detection import froc, threshold_at
from ml.evaluate.holm import holm
from ml.evaluate.outcomes import Judged, Marked
from ml.evaluate.roc import area_under_roc
from ml.evaluate.seeds import remembered, seeded_difference, seeded_mean
from ml.infer.classified import Classified
from ml.registry import probability_of
from ml.train.helps_figures import verdict_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from ml.data.canvases import CanvasItem
    from ml.evaluate.bootstrap import Estimate
    from ml.evaluate.seeds import SeedFigures

    Answer = Marked | Judged
    # What models of one way of teaching say, by the seed of their trainings.
    OfSeeds = Mapping[int, Sequence[Answer]]
    # From the images that count, with repetition, to a figure.
    Drawn = Callable[[NDArray[np.int64]], float]
    Figure = Callable[[Sequence[Answer]], Drawn]

TITLE = "Does what is synthetic help where real images are few?"
ORIGINAL = {"without": 0.505, "with": 0.98}
NOTE = (
    "Each way of teaching takes the same number of updates. The public project that this one "
    "began from reported an accuracy of 50.5 % without and 98 % with synthetic images; all of "
    "its healthy images were generated, so that its network told real from generated. Here "
    "generated and real images are healthy and ill alike, only real images (or, where "
    "phantoms stand for them, phantoms of makers that nothing synthetic has) are asked, and "
    "each is asked of models that never saw its patient. Intervals are over patients{seeds}; "
    "p is corrected for all comparisons of a question (Holm 1979). Operating points and "
    "probabilities come from out-of-fold answers: the patients who are asked are in five "
    "folds, and a fold's accuracy is at the threshold that is best for the other four, its "
    "sensitivity where those have {rate:g} false mark an image without a lesion, its "
    "probabilities by Platt's fit to them (Brier skill: 1 is perfect, 0 says no more than how "
    "many are ill, less is worse). Of films, the other folds' answers are of models that had "
    "not seen the patients of those answers, but had seen the fold's own: with none that had, "
    "there would be three times the trainings. All of it at 0.4 mm a pixel, half as fine as "
    "the models that ship look, and with short trainings: masses are seen so, single specks "
    "of calcifications are not."
    "{alone}"
)
ONE_SEED = " One seed: what another would change is in no interval."
REFERENCE = "real-only"
MALIGNANCY = "AUC, malignancy"
RATE = 1.0
UNDEFINED = float("nan")
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
    found: Mapping[str, Mapping[str, OfSeeds]], draws: int = 2000, generator: str = ""
) -> dict[str, object]:
    """All that the answers say.

    Parameters
    ----------
    found
        By role and question, then by way of teaching.
    generator
        Which one painted: its name and the sha256 of its weights.
    """
    asked = joined(found)
    seeds = max((len(of) for ways in asked.values() for of in ways.values()), default=0)
    note = NOTE.format(
        seeds=" and seeds" if seeds > 1 else "",
        rate=RATE,
        alone="" if seeds > 1 else ONE_SEED,
    )
    questions = {name: _question(name, ways, draws) for name, ways in asked.items()}
    return {
        "title": TITLE,
        "note": note,
        "original": ORIGINAL,
        "generator": generator,
        "questions": questions,
    }


def joined(found: Mapping[str, Mapping[str, OfSeeds]]) -> dict[str, dict[str, OfSeeds]]:
    """The folds of the films as one question, and of every question the seeds of all ways."""
    asked: dict[str, dict[str, OfSeeds]] = {}
    folds: dict[str, dict[str, list[OfSeeds]]] = {}
    for name, ways in found.items():
        role, question = name.split("/")
        for way, of_seeds in ways.items():
            if question.startswith(FILMS):
                of_way = folds.setdefault(f"{role}/{FILMS}", {})
                of_way.setdefault(way, []).append(of_seeds)
            else:
                asked.setdefault(name, {})[way] = of_seeds
    for name, of_ways in folds.items():
        whole = {way: _whole(parts) for way, parts in of_ways.items() if len(parts) == FOLDS}
        asked[name] = {way: of_seeds for way, of_seeds in whole.items() if of_seeds}
    return {name: _shared(ways) for name, ways in asked.items() if REFERENCE in ways}


def _whole(folds: Sequence[OfSeeds]) -> OfSeeds:
    """The answers of the seeds with which every fold was answered."""
    seeds = set[int].intersection(*map(set, folds))
    return {seed: [one for fold in folds for one in fold[seed]] for seed in sorted(seeds)}


def _shared(ways: Mapping[str, OfSeeds]) -> dict[str, OfSeeds]:
    """Each way with the seeds of all: what is compared differs in nothing else."""
    first = min(ways[REFERENCE])
    with_it = {way: of_seeds for way, of_seeds in ways.items() if first in of_seeds}
    seeds = sorted(set[int].intersection(*map(set, with_it.values())))
    return {way: {seed: of[seed] for seed in seeds} for way, of in with_it.items()}


def figures_of(name: str) -> dict[str, Figure]:
    """What is asked of a role and question."""
    if name.startswith("detector"):
        at_rate = f"at {RATE:g} false mark"
        return {
            f"sensitivity {at_rate}": partial(_anew, _froc),
            f"sensitivity {at_rate} of the other folds": partial(_anew, crossed_sensitivity),
        }
    return {
        "accuracy": partial(_anew, crossed_accuracy),
        "Brier skill": crossed_skill,
        "AUC, lesion": partial(_area, "lesion"),
        MALIGNANCY: partial(_area, "malignancy"),
    }


def _anew(figure: Callable[[Sequence[Answer]], float], said: Sequence[Answer]) -> Drawn:
    """A figure that is worked out again from each draw's answers."""
    return lambda indices: figure([said[i] for i in indices])


def crossed_accuracy(said: Sequence[Answer]) -> float:
    """Share of the images that are called rightly, each fold at the others' best threshold."""
    right: list[bool] = []
    for own, others in _crossed(said):
        (scores, truths), (known, true) = _lesions(said, own), _lesions(said, others)
        right += ((scores >= _best_threshold(known, true)) == truths).tolist()
    return _share(right)


def crossed_sensitivity(said: Sequence[Answer]) -> float:
    """Share of the lesions that are marked, each fold where the others have `RATE` marks."""
    found: list[bool] = []
    for own, others in _crossed(said):
        marks = cast("Sequence[Marked]", said)
        threshold = threshold_at([marks[i] for i in others], RATE)
        for one in (marks[i] for i in own):
            marked = (one.lesion_scores >= threshold) & (one.lesion_scores > 0)
            found += marked.tolist()
    return _share(found)


def _share(true: Sequence[bool]) -> float:
    return sum(true) / len(true) if true else UNDEFINED


def crossed_skill(said: Sequence[Answer]) -> Drawn:
    """How much better probabilities are than the share of the ill (Murphy 1973).

    One less the ratio of the two mean squared errors (Brier 1950). Both are the other folds':
    Platt's fit to their answers (their share, where those allow none), and their share. They
    are fitted once; draws are of who is asked.
    """
    errors = np.full((2, len(said)), UNDEFINED)
    for own, others in _crossed(said):
        (scores, truths), (known, true) = _lesions(said, own), _lesions(said, others)
        share = float(true.mean())
        fit = fit_calibration(known, true)
        told = [share if fit is None else probability_of(fit, score) for score in scores]
        errors[:, own] = (np.array([told, np.full(len(own), share)]) - truths) ** 2

    def skill(indices: NDArray[np.int64]) -> float:
        error, usual = errors[:, indices].sum(1)
        return float(1 - error / usual) if usual else UNDEFINED

    return skill


def _crossed(
    said: Sequence[Answer],
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Which answers are each fold's, and which the others'; none where all are in one fold."""
    folds = np.array([patient_fold(one.item.patient_id) for one in said])
    for fold in np.unique(folds):
        if not (folds == fold).all():
            yield np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)


def _lesions(
    said: Sequence[Answer], of: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Scores, and whether there is a lesion."""
    judged = [cast("Judged", said[i]) for i in of]
    scores = np.array([one.said.lesion for one in judged], np.float64)
    return scores, np.array([one.item.lesion for one in judged], np.bool_)


def _best_threshold(scores: NDArray[np.float64], truths: NDArray[np.bool_]) -> float:
    """The score from which on the most images are called rightly."""
    asked = np.unique(scores)
    ill, well = np.sort(scores[truths]), np.sort(scores[~truths])
    right = len(ill) - np.searchsorted(ill, asked) + np.searchsorted(well, asked)
    return float(asked[right.argmax()])


def _froc(said: Sequence[Answer]) -> float:
    return froc(cast("Sequence[Marked]", said), RATE)


def _area(target: str, said: Sequence[Answer]) -> Drawn:
    cases = cases_of(cast("Sequence[Judged]", said), "image", target)
    return lambda indices: area_under_roc(cases.scores[indices], cases.truths[indices])


def _question(name: str, ways: Mapping[str, OfSeeds], draws: int) -> dict[str, object]:
    first = next(iter(ways[REFERENCE].values()))
    patients = [one.item.patient_id for one in first]
    ill = {one.item.patient_id for one in first if one.item.lesion}
    malignant = {one.item.patient_id for one in first if one.item.malignant}
    rows: list[dict[str, object]] = []
    gains: list[tuple[dict[str, object], Estimate, float]] = []
    for figure, of in figures_of(name).items():
        known = {way: remembered(_seeded(of, seeds, first)) for way, seeds in ways.items()}
        usual, among = known[REFERENCE], tuple(known.values())
        for way, own in known.items():
            value = seeded_mean(patients, own, draws=draws)
            row: dict[str, object] = {"figure": figure, "way": way, **value.to_json()}
            rows.append(row)
            if way != REFERENCE:
                gain = seeded_difference(patients, own, usual, among=among, draws=draws)
                gains.append((row, gain.estimate, gain.p))
    for (row, gain, _), p in zip(gains, holm([p for _, _, p in gains]), strict=True):
        women = malignant if row["figure"] == MALIGNANCY else ill
        verdict = verdict_of(gain, p, None, len(women), comparisons=len(gains))
        row |= {"gain": gain.to_json(), "p": p, "verdict": verdict.value}
    return {
        "images": len(first),
        "with_lesion": sum(one.item.lesion for one in first),
        "patients": len(set(patients)),
        "seeds": len(ways[REFERENCE]),
        "rows": rows,
    }


def _seeded(figure: Figure, of_seeds: OfSeeds, like: Sequence[Answer]) -> SeedFigures:
    """A figure of every seed, of answers in one order of the images."""
    order = [one.item.image_id for one in like]
    by_image = [{one.item.image_id: one for one in said} for said in of_seeds.values()]
    each = [figure([said[image] for image in order]) for said in by_image]
    return lambda indices: np.array([of(indices) for of in each])
