"""The checks that look at pixels: what can be told of an image whose lesion is hidden."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ml.audit.association import association
from ml.audit.report import Check, Figure, Sentence, Verdict
from ml.audit.ridge import FOLDS, PERMUTATIONS, Probe, areas, patients_needed
from ml.audit.sources import sources_of
from ml.audit.table import WARN
from ml.evaluate.bootstrap import resampled
from ml.evaluate.roc import delong
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from ml.audit.questions import Question
    from ml.audit.ridge import Told

    Blocks = Mapping[str, NDArray[np.float64]]

LEAST_P = 0.01
# A source that is told no better than this is none that a model would hold on to.
SOURCE_AREA = 0.6
# Enough to tell a source of few images from chance: the area alone is high of some by luck.
SOURCE_SHUFFLES = 199
MOST_GAP = 0.05
GAP_DRAWS = 500
AREA = mark("area under the ROC curve")

BLIND = mark("{question}, lesions hidden")
WITHIN = mark("{question}, within each source")
ACROSS = mark("{question}, told by the other sources")
CODEC = mark("{question}, all images through one codec")
SOURCE = mark("{question}: the source, told from pixels")


@dataclass(frozen=True, slots=True, eq=False)
class Blind:
    """One question's images with their lesions hidden, or in sight where no box says where.

    Attributes
    ----------
    question
        Only of rows that were seen.
    blocks
        Their features.
    coded
        Makes the same features of the same images through the one codec.
    tests
        How many questions are asked of the data: each has its share of `LEAST_P`.
    in_sight
        Nothing is hidden: the answer may be told, and only what sources add can be asked.
    """

    question: Question
    blocks: Blocks
    coded: Callable[[], Blocks]
    tests: int = 1
    permutations: int = PERMUTATIONS
    in_sight: bool = False

    @property
    def sources(self) -> NDArray[np.str_]:
        """Each row's source with its place, empty where nobody says."""
        return sources_of(self.question.rows).names

    def named(self, template: str) -> Sentence:
        """A check's name."""
        return Sentence.of(template, question=self.question.name)


def probe_checks(blind: Blind) -> Iterator[Check]:
    """All that can be asked; one that says there is too little to look at, where there is.

    What sources add can also be asked where the rarer answer has few patients, and where no
    lesion can be hidden.
    """
    question = blind.question
    fewest = min(question.patients_with(True), question.patients_with(False))
    enough = fewest >= FOLDS
    if not enough and not blind.in_sight:
        yield _too_few(blind, fewest, ())
    several = len(set(blind.sources)) > 1
    if not fewest or len(set(question.patients)) < FOLDS or not (enough or several):
        return
    probe = Probe(blind.blocks, question.patients)
    shuffled = enough and not blind.in_sight
    told = probe.ask(question.answers, permutations=blind.permutations if shuffled else 1)
    first = blind_check(blind, told, fewest) if shuffled else None
    if first is not None:
        yield replace(first, chance=tuple(map(float, told.chance)))
    if several:
        yield source_check(blind, probe)
        yield within_check(blind, told)
        yield across_check(blind, probe)
    if first is not None and first.verdict is Verdict.RED:
        yield codec_check(blind)


def blind_check(blind: Blind, told: Told, fewest: int) -> Check:
    """The answer must not be told where nothing of it can be seen.

    Parameters
    ----------
    fewest
        Patients of the rarer answer.
    """
    figures = _figures(blind, told)
    if told.p < LEAST_P / blind.tests:
        return Check(
            blind.named(BLIND),
            Verdict.RED,
            Sentence.of(
                mark(
                    "With every lesion hidden the answer is still told from the rest of the "
                    "image (AUC {area}, {by}; 95 % of shuffled answers stay below {limit})."
                ),
                **_values(told),
            ),
            Sentence.of(
                mark(
                    "Find what differs (source, maker, file form: see the other checks), share "
                    "it out alike over both answers or bring all images to one form, and audit "
                    "again."
                )
            ),
            figures,
        )
    if fewest < patients_needed():
        return _too_few(blind, fewest, figures)
    return Check(
        blind.named(BLIND),
        Verdict.GREEN,
        Sentence.of(
            mark(
                "With every lesion hidden the answer is told no better (AUC {area}) than "
                "shuffled ones, of which 95 % stay below {limit}."
            ),
            **_values(told),
        ),
        figures=figures,
    )


def source_check(blind: Blind, probe: Probe) -> Check:
    """Sources that can be told apart and go with the answer are what would be learned."""
    question, sources = blind.question, blind.sources
    strength = association("V", question.patients, question.answers, list(sources))
    # Sources are dealt anew only where one that can be told would matter.
    shuffles = SOURCE_SHUFFLES if strength.value > WARN else 1
    told = {
        str(source): probe.ask(sources == source, permutations=shuffles)
        for source in np.unique(sources)
    }
    found = {name: _source_area(blind, one, name) for name, one in told.items()}
    is_told = any(found[name] > SOURCE_AREA and one.p < LEAST_P for name, one in told.items())
    most = max(found.values())
    figures = (strength, *(Figure(name or "?", area) for name, area in found.items()))
    values = {"area": f"{most:.2f}", "strength": f"{strength.value:.2f}"}
    if is_told and strength.value > WARN:
        return Check(
            blind.named(SOURCE),
            Verdict.RED,
            Sentence.of(
                mark(
                    "The source can be told from the pixels (AUC {area}) and goes with the "
                    "answer (V = {strength})."
                ),
                **values,
            ),
            Sentence.of(mark("Take both answers from every source in the same proportions.")),
            figures,
        )
    if strength.value > WARN:
        untold = mark("No source is told from the pixels better than by chance (AUC {area}).")
        return Check(
            blind.named(SOURCE), Verdict.GREEN, Sentence.of(untold, **values), figures=figures
        )
    return Check(
        blind.named(SOURCE),
        Verdict.GREEN,
        Sentence.of(
            mark(
                "The source is told from the pixels with AUC {area}; it goes with the answer "
                "by V = {strength} only, so nothing is gained by it."
            ),
            **values,
        ),
        figures=figures,
    )


def within_check(blind: Blind, told: Told) -> Check:
    """What is told over all sources and not within them is the source.

    Of fewer patients than there are folds the interval is no reason to block.
    """
    answers, sources = blind.question.answers, blind.sources
    both = [s for s in np.unique(sources) if 0 < answers[sources == s].mean() < 1]
    name = blind.named(WITHIN)
    if not both:
        return Check(
            name,
            Verdict.AMBER,
            Sentence.of(mark("No source has both answers, so nothing can be compared within.")),
            Sentence.of(mark("Take both answers from at least one source.")),
        )
    figured = partial(_gap, told.scores, answers, sources)
    found = resampled(blind.question.patients, figured, draws=GAP_DRAWS)
    figures = tuple(Figure(key, each.value, each.low, each.high) for key, each in found.items())
    gap = found["gap"]
    fewest = min(map(blind.question.patients_with, (True, False)))
    if gap.value > MOST_GAP and gap.low > 0:
        return Check(
            name,
            Verdict.RED if gap.low > MOST_GAP and fewest >= FOLDS else Verdict.AMBER,
            Sentence.of(
                mark(
                    "The answer is told better over all sources (AUC {pooled}) than within "
                    "them ({within}): part of it is the source."
                ),
                pooled=f"{found['pooled'].value:.2f}",
                within=f"{found['within'].value:.2f}",
            ),
            Sentence.of(mark("Take both answers from every source in the same proportions.")),
            figures,
        )
    reason = Sentence.of(
        mark("The answer is told no better over all sources than within them.")
    )
    return Check(name, Verdict.GREEN, reason, figures=figures)


def across_check(blind: Blind, probe: Probe) -> Check:
    """How far what is told carries to a source that was left out: reported, never blocking."""
    areas_by_source = probe.across(blind.question.answers, list(blind.sources))
    return Check(
        blind.named(ACROSS),
        Verdict.GREEN,
        Sentence.of(
            mark("For each source left out: how well the answer is told by the others there.")
        ),
        figures=tuple(Figure(name or "?", area) for name, area in areas_by_source.items()),
    )


def codec_check(blind: Blind) -> Check:
    """Whether what is told is gone when all images have come through one codec."""
    probe = Probe(blind.coded(), blind.question.patients)
    told = probe.ask(blind.question.answers, permutations=blind.permutations)
    figures = _figures(blind, told)
    if told.p < LEAST_P / blind.tests:
        return Check(
            blind.named(CODEC),
            Verdict.RED,
            Sentence.of(
                mark(
                    "Also at one size, depth and compression the answer is told with lesions "
                    "hidden (AUC {area}): more than the file's form differs."
                ),
                **_values(told),
            ),
            Sentence.of(mark("Take both answers from every source in the same proportions.")),
            figures,
        )
    return Check(
        blind.named(CODEC),
        Verdict.AMBER,
        Sentence.of(
            mark(
                "At one size, depth and compression the answer is no longer told with lesions "
                "hidden (AUC {area}): the file's form told it."
            ),
            **_values(told),
        ),
        Sentence.of(mark("Bring all images to one form before training, and audit again.")),
        figures,
    )


def _source_area(blind: Blind, told: Told, source: str) -> float:
    """How well one source is told; with lesions in sight only among images of one answer.

    For where sources go with the answer, a lesion would tell the source.
    """
    if not blind.in_sight:
        return told.area
    truths = blind.sources == source
    within = _gap(told.scores, truths, blind.question.answers, np.arange(len(truths)))["within"]
    return within if np.isfinite(within) else told.area


def _too_few(blind: Blind, fewest: int, figures: tuple[Figure, ...]) -> Check:
    values = {"fewest": fewest, "needed": patients_needed()}
    return Check(
        blind.named(BLIND),
        Verdict.AMBER,
        Sentence.of(
            mark(
                "Too few to tell: {fewest} patients have the rarer answer with lesions that "
                "can be hidden."
            ),
            **values,
        ),
        Sentence.of(mark("Bring {needed} patients of each answer, with boxes."), **values),
        figures,
    )


def _gap(
    scores: NDArray[np.float64],
    answers: NDArray[np.bool_],
    sources: NDArray[np.generic],
    drawn: NDArray[np.int64],
) -> dict[str, float]:
    """Over all, and the mean over sources by how many pairs each has."""
    s, a, where = scores[drawn], answers[drawn], sources[drawn]
    pooled = _area(s, a)
    parts = [(s[where == name], a[where == name]) for name in np.unique(where)]
    pairs = np.array([yes.sum() * (~yes).sum() for _, yes in parts], np.float64)
    if not pairs.sum():
        return {"pooled": pooled, "within": np.nan, "gap": np.nan}
    each = np.array(
        [_area(*part) if many else 0 for part, many in zip(parts, pairs, strict=True)]
    )
    within = float((each * pairs).sum() / pairs.sum())
    return {"pooled": pooled, "within": within, "gap": pooled - within}


def _area(scores: NDArray[np.float64], answers: NDArray[np.bool_]) -> float:
    return float(areas(scores[:, None], answers[:, None])[0])


def _figures(blind: Blind, told: Told) -> tuple[Figure, ...]:
    question = blind.question
    area = delong(question.patients, told.scores, question.answers)
    return (
        Figure(AREA, area.value, area.low, area.high),
        Figure(mark("95 % of shuffles stay below"), told.chance_limit),
        Figure(mark("share of shuffles that do as well (p)"), told.p),
        Figure(mark("images"), float(len(question.rows))),
        Figure(mark("patients"), float(len(set(question.patients)))),
    )


def _values(told: Told) -> dict[str, object]:
    return {"area": f"{told.area:.2f}", "limit": f"{told.chance_limit:.2f}", "by": told.by}
