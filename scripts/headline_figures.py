"""The figures of `headline.py`: from raw answers to what may be said of each way to teach."""

from __future__ import annotations

from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, cast

import numpy as np
from headline_crossed import RATE, Said, crossed_accuracy, crossed_sensitivity, crossed_skill

from ml.evaluate.cases import cases_of
from ml.evaluate.detection import froc
from ml.evaluate.holm import holm
from ml.evaluate.outcomes import Judged, Marked
from ml.evaluate.roc import area_under_roc
from ml.evaluate.seeds import remembered, seeded_difference, seeded_mean
from ml.infer.classified import Classified
from ml.splits import FOLDS, patient_fold
from ml.train.helps_figures import verdict_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from headline_crossed import Answer, Drawn
    from numpy.typing import NDArray

    from ml.data.canvases import CanvasItem
    from ml.evaluate.bootstrap import Estimate
    from ml.evaluate.seeds import SeedFigures

    # What models of one way of teaching answer, by the seed of their trainings.
    OfSeeds = Mapping[int, Sequence[Answer]]
    Saids = Mapping[int, Said]
    Figure = Callable[[Said], Drawn]

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
    "many are ill, less is worse).{inner} All of it at 0.4 mm a pixel, half as fine as the "
    "models that ship look, and with short trainings: masses are seen so, single specks of "
    "calcifications are not."
    "{alone}"
)
NESTED = (
    " Of films, those answers are of models that had seen neither the patients of the answers "
    "nor the fold's own: there is one for each two folds."
)
NOT_NESTED = (
    " Of films, those answers are of models that had not seen the patients of the answers, but "
    "had seen the fold's own."
)
ONE_SEED = " One seed: what another would change is in no interval."
REFERENCE = "real-only"
MALIGNANCY = "AUC, malignancy"
FILMS, INNER = "films", "inner"
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
    films = [of for name, ways in asked.items() if name.endswith(FILMS) for of in ways.values()]
    nested = all(said.inner for of_seeds in films for said in of_seeds.values())
    note = NOTE.format(
        seeds=" and seeds" if seeds > 1 else "",
        rate=RATE,
        inner=(NESTED if nested else NOT_NESTED) if films else "",
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


def joined(found: Mapping[str, Mapping[str, OfSeeds]]) -> dict[str, dict[str, Saids]]:
    """The folds of the films as one question, and of every question the seeds of all ways."""
    asked: dict[str, dict[str, Saids]] = {}
    for name, ways in found.items():
        role, question = name.split("/")
        if question.startswith((FILMS, INNER)):
            films = {way: _films(found, role, way) for way in ways}
            told = {way: of_seeds for way, of_seeds in films.items() if of_seeds}
            asked.setdefault(f"{role}/{FILMS}", {}).update(told)
        else:
            asked[name] = {
                way: {seed: Said(answers) for seed, answers in of_seeds.items()}
                for way, of_seeds in ways.items()
            }
    return {name: _shared(ways) for name, ways in asked.items() if REFERENCE in ways}


def _films(found: Mapping[str, Mapping[str, OfSeeds]], role: str, way: str) -> Saids:
    """Of the seeds with which every fold was answered: all folds, and all two of them."""
    folds = [found.get(f"{role}/{FILMS}-{fold}", {}).get(way, {}) for fold in range(FOLDS)]
    pairs = {
        pair: found.get(f"{role}/{INNER}-{pair[0]}-{pair[1]}", {}).get(way, {})
        for pair in combinations(range(FOLDS), 2)
    }
    return {
        seed: Said([one for fold in folds for one in fold[seed]], _inner(pairs, seed))
        for seed in sorted(set[int].intersection(*map(set, folds)))
    }


def _inner(pairs: Mapping[tuple[int, int], OfSeeds], seed: int) -> dict[int, list[Answer]]:
    """By fold, what models said of the others that had not seen it; nothing where some lack."""
    if not all(seed in of_seeds for of_seeds in pairs.values()):
        return {}
    inner: dict[int, list[Answer]] = {fold: [] for fold in range(FOLDS)}
    for pair, of_seeds in pairs.items():
        for one in of_seeds[seed]:
            other = next(fold for fold in pair if fold != patient_fold(one.item.patient_id))
            inner[other].append(one)
    return inner


def _shared(ways: Mapping[str, Saids]) -> dict[str, Saids]:
    """Each way with the seeds of all: what is compared differs in nothing else."""
    first = min(ways[REFERENCE])
    with_it = {way: of_seeds for way, of_seeds in ways.items() if first in of_seeds}
    seeds = sorted(set[int].intersection(*map(set, with_it.values())))
    nested = all(of[seed].inner for of in with_it.values() for seed in seeds)
    return {
        way: {seed: of[seed] if nested else Said(of[seed].answers) for seed in seeds}
        for way, of in with_it.items()
    }


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


def _anew(figure: Callable[[Said, NDArray[np.int64]], float], said: Said) -> Drawn:
    """A figure that is worked out again from each draw's answers."""
    return partial(figure, said)


def _froc(said: Said, indices: NDArray[np.int64]) -> float:
    return froc(cast("Sequence[Marked]", said.of(indices)), RATE)


def _area(target: str, said: Said) -> Drawn:
    cases = cases_of(cast("Sequence[Judged]", said.answers), "image", target)
    return lambda indices: area_under_roc(cases.scores[indices], cases.truths[indices])


def _question(name: str, ways: Mapping[str, Saids], draws: int) -> dict[str, object]:
    first = next(iter(ways[REFERENCE].values())).answers
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


def _seeded(figure: Figure, of_seeds: Saids, like: Sequence[Answer]) -> SeedFigures:
    """A figure of every seed, of answers in one order of the images."""
    order = [one.item.image_id for one in like]
    each = [figure(said.in_order(order)) for said in of_seeds.values()]
    return lambda indices: np.array([of(indices) for of in each])
