"""The checks that need the table and the headers alone."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from ml.audit.association import association
from ml.audit.columns import known_columns
from ml.audit.naming import IS_NAME
from ml.audit.questions import YES_NO
from ml.audit.report import Check, Figure, Sentence, Verdict
from ml.audit.sources import chance_of_one, sources_of
from ml.manifest import Source
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from ml.audit.columns import Known
    from ml.audit.questions import Question
    from ml.mammo.mammogram import Mammogram
    from ml.manifest import ManifestRow

WARN, BLOCK = 0.3, 0.6
# An answer from one place only is no chance where fewer shuffles than this would have it.
PLACE_CHANCE = 0.01
COLUMN = mark("{question}, by {column}")
LABEL_COLUMNS = mark("{question}, by every other column")
LEFT_OUT = mark("Columns that were left out")
ONE_SOURCE = mark("{question}: both answers from every source")
DISGUISED = mark("What headers say of synthetic images")


def column_checks(
    question: Question, headers: Mapping[str, Mapping[str, str]]
) -> Iterator[Check]:
    """How strongly the answers go with every column: a check for each that is too strong.

    A column that was left out because of its name, where the name leaves open what it says, is
    told of, too, if it would have blocked: AMBER, for a person must look.

    Parameters
    ----------
    headers
        `header_words` by path.
    """
    known = known_columns(question.rows, [headers.get(row.path, {}) for row in question.rows])
    figures = [
        association(name, question.patients, question.answers, words)
        for name, words in known.columns.items()
    ]
    for figure in figures:
        if figure.value > WARN:
            yield _too_strong(question, figure, known.columns[figure.name])
    for name, words in known.doubtful.items():
        figure = association(name, question.patients, question.answers, words)
        if figure.value > BLOCK:
            yield _doubtful(question, figure)
    yield _weak_enough(question, [figure for figure in figures if figure.value <= WARN])


def left_out_check(
    rows: Sequence[ManifestRow], headers: Mapping[str, Mapping[str, str]]
) -> Check:
    """Which columns were not looked at, and why."""
    known = known_columns(rows, [headers.get(row.path, {}) for row in rows])
    return Check(
        Sentence.of(LEFT_OUT),
        Verdict.GREEN,
        Sentence.of(
            mark(
                "Not looked at because they are names of images or patients, nearly one value "
                "each: {names}; because they say the label in other words or describe the "
                "lesion: {labels}."
            ),
            names=_listed(known, is_name=True),
            labels=_listed(known, is_name=False),
        ),
    )


def one_source_check(question: Question) -> Check:
    """A label that comes from one source only is that source's name.

    Between real, phantom and generated images it always is; between places of a table
    (`ml.audit.sources`), of which some may have few patients, where it is no chance.
    """
    sources = sources_of(question.rows)
    name = Sentence.of(ONE_SOURCE, question=question.name)
    figures = tuple(_counts(question, sources.names))
    found = _one_sided(question, sources.words, 1) or _one_sided(
        question, sources.names, PLACE_CHANCE
    )
    if found is None:
        return Check(
            name,
            Verdict.GREEN,
            Sentence.of(mark("No answer comes from one source alone while there are others.")),
            figures=figures,
        )
    answer, source = found
    return Check(
        name,
        Verdict.RED,
        Sentence.of(
            mark(
                "All {kind} come from one source ({source}) and the others from more: "
                "a model can tell the source instead."
            ),
            kind=YES_NO[question.name][0 if answer else 1],
            source=source or "?",
        ),
        Sentence.of(
            mark(
                "Take both kinds from every source, in the same proportions, or leave "
                "the other source out."
            )
        ),
        figures,
    )


def disguised_check(rows: Sequence[ManifestRow], mammograms: Mapping[str, Mammogram]) -> Check:
    """No table makes a synthetic image a patient's."""
    found = [
        row.path
        for row in rows
        if mammograms[row.path].synthetic
        and row.source not in (Source.PHANTOM, Source.GENERATED)
    ]
    name, count = Sentence.of(DISGUISED), (Figure("images", len(found)),)
    if not found:
        reason = Sentence.of(mark("No header calls an image synthetic whose row does not."))
        return Check(name, Verdict.GREEN, reason, figures=count)
    reason = Sentence.of(
        mark("{count} images, such as {path}, are synthetic by their headers only."),
        count=len(found),
        path=found[0],
    )
    cure = Sentence.of(mark("Give their rows the source phantom or generated."))
    return Check(name, Verdict.RED, reason, cure, count)


def _too_strong(question: Question, figure: Figure, words: Sequence[str]) -> Check:
    blocks = figure.value > BLOCK
    said = Counter(word for word, yes in zip(words, question.answers, strict=True) if yes)
    common = said.most_common(1)
    return Check(
        Sentence.of(COLUMN, question=question.name, column=figure.name),
        Verdict.RED if blocks else Verdict.AMBER,
        Sentence.of(
            mark(
                "The answer goes with {column} (V = {value}; {kind} have mostly {word}): a "
                "model can learn {column} instead."
            ),
            column=figure.name,
            value=f"{figure.value:.2f}",
            kind=YES_NO[question.name][0],
            word=common[0][0] if common else "?",
        ),
        Sentence.of(
            mark(
                "Choose images so that {column} is shared out alike over both answers, or "
                "leave out those that exist with one answer only."
            ),
            column=figure.name,
        ),
        (figure,),
    )


def _doubtful(question: Question, figure: Figure) -> Check:
    return Check(
        Sentence.of(COLUMN, question=question.name, column=figure.name),
        Verdict.AMBER,
        Sentence.of(
            mark(
                "{column} goes with the answer (V = {value}) and does not count only because "
                "its name speaks of the lesion: it may say where images come from."
            ),
            column=figure.name,
            value=f"{figure.value:.2f}",
        ),
        Sentence.of(
            mark(
                "Look at what {column} says. If it is the label in other words, name it so, "
                "such as pathology; if not, share it out alike over both answers."
            ),
            column=figure.name,
        ),
        (figure,),
    )


def _weak_enough(question: Question, figures: Sequence[Figure]) -> Check:
    return Check(
        Sentence.of(LABEL_COLUMNS, question=question.name),
        Verdict.GREEN,
        Sentence.of(
            mark("Of {count} other columns none goes with the answer by more than V = {most}."),
            count=len(figures),
            most=WARN,
        ),
        figures=tuple(figures),
    )


def _listed(known: Known, *, is_name: bool) -> str:
    named = [name for name, why in known.left_out.items() if (why == IS_NAME) == is_name]
    return ", ".join(named) or "-"


def _one_sided(
    question: Question, sources: NDArray[np.str_], most: float
) -> tuple[bool, str] | None:
    """An answer that has one source while there are others, and which; None where neither has.

    Parameters
    ----------
    most
        Of a chance that is higher than this, nothing is said.
    """
    if len(set(sources)) < 2:
        return None
    for answer in (True, False):
        at = question.answers == answer
        named = set(sources[at])
        if len(named) == 1:
            (one,) = named
            if chance_of_one(sources, question.patients, at, one) <= most:
                return answer, str(one)
    return None


def _counts(question: Question, sources: NDArray[np.str_]) -> Iterator[Figure]:
    for source in sorted(set(map(str, sources))):
        for answer, kind in zip((True, False), YES_NO[question.name], strict=True):
            many = np.count_nonzero((sources == source) & (question.answers == answer))
            yield Figure(f"{source or '?'}: {kind}", float(many))
