"""The checks that need the table and the headers alone."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from ml.audit.association import association
from ml.audit.columns import IS_NAME, known_columns
from ml.audit.questions import YES_NO
from ml.audit.report import Check, Figure, Sentence, Verdict
from ml.manifest import Source
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ml.audit.columns import Known
    from ml.audit.questions import Question
    from ml.mammo.mammogram import Mammogram
    from ml.manifest import ManifestRow

WARN, BLOCK = 0.3, 0.6
COLUMN = mark("{question}, by {column}")
LABEL_COLUMNS = mark("{question}, by every other column")
LEFT_OUT = mark("Columns that were left out")
ONE_SOURCE = mark("{question}: both answers from every source")
DISGUISED = mark("What headers say of synthetic images")


def column_checks(
    question: Question, headers: Mapping[str, Mapping[str, str]]
) -> Iterator[Check]:
    """How strongly the answers go with every column: a check for each that is too strong.

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
                "Not looked at because they are names, nearly one value a row: {names}; "
                "because they say the label in other words or describe the lesion: {labels}."
            ),
            names=_listed(known, is_name=True),
            labels=_listed(known, is_name=False),
        ),
    )


def one_source_check(question: Question) -> Check:
    """A label that comes from one source only is that source's name."""
    sources = [row.source.value if row.source else "" for row in question.rows]
    name = Sentence.of(ONE_SOURCE, question=question.name)
    figures = tuple(_counts(question, sources))
    for answer in (True, False):
        of_answer = {
            s for s, said in zip(sources, question.answers, strict=True) if said == answer
        }
        if len(set(sources)) > 1 and len(of_answer) == 1:
            kind = YES_NO[question.name][0 if answer else 1]
            return Check(
                name,
                Verdict.RED,
                Sentence.of(
                    mark(
                        "All {kind} come from one source ({source}) and the others from more: "
                        "a model can tell the source instead."
                    ),
                    kind=kind,
                    source=next(iter(of_answer)) or "?",
                ),
                Sentence.of(
                    mark(
                        "Take both kinds from every source, in the same proportions, or leave "
                        "the other source out."
                    )
                ),
                figures,
            )
    return Check(
        name,
        Verdict.GREEN,
        Sentence.of(mark("No answer comes from one source alone while there are others.")),
        figures=figures,
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


def _counts(question: Question, sources: Sequence[str]) -> Iterator[Figure]:
    at = np.array(sources)
    for source in sorted(set(sources)):
        for answer, kind in zip((True, False), YES_NO[question.name], strict=True):
            many = np.count_nonzero((at == source) & (question.answers == answer))
            yield Figure(f"{source or '?'}: {kind}", float(many))
