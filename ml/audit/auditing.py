"""A whole audit: table, headers, leaks, and what is told while lesions are hidden."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ml.audit.columns import header_words
from ml.audit.generators import taught_patients
from ml.audit.leaks import leak_checks
from ml.audit.looking import Seen, look, read_listed, small_view, through_codec
from ml.audit.probes import Blind, probe_checks
from ml.audit.questions import LESION, Question, questions_of
from ml.audit.report import AuditReport, Check, Figure, Sentence, Verdict
from ml.audit.sources import sources_of
from ml.audit.table import column_checks, disguised_check, left_out_check, one_source_check
from ml.control import NOBODY
from ml.data.duplicates import fingerprints
from ml.errors import DataError, MammoError
from ml.splits import split_of
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from ml.audit.looking import Read, See
    from ml.control import Control
    from ml.mammo.mammogram import Mammogram
    from ml.manifest import Manifest, ManifestRow, Split

# Enough to find what a training would: more take longer and change nothing.
MOST_OF_AN_ANSWER = 300
# So many paths are read in a sentence.
MOST_NAMED = 20


def audit(
    manifest: Manifest,
    *,
    control: Control = NOBODY,
    read: Read | None = None,
    see: See | None = None,
    tables: Mapping[str, str] | None = None,
    most: int = MOST_OF_AN_ANSWER,
) -> AuditReport:
    """Whether a data set is fit to train on.

    Parameters
    ----------
    control
        Asked before each image, told of it.
    read
        Gives a row's image; from the manifest's folder by default.
    see
        A frozen network; the one that knows photographs by default.
    tables
        The sha256 of the tables that the manifest was read from.
    most
        Images of each answer whose lesions are hidden.

    Raises
    ------
    DataError
        Where the manifest lists no image. One that cannot be read is red, and the rest goes on.
    Stopped
        Where `control` ends the work.
    """
    if not manifest.rows:
        raise DataError(mark("The manifest lists no image to audit."))
    read = read or read_listed(manifest)
    images = _all_images(manifest.rows, read, control)
    usable = replace(
        manifest, rows=tuple(row for row in manifest.rows if row.path in images.mammograms)
    )
    parts = {split: fingerprints(views) for split, views in images.views.items()}
    probes, unusable = _probes(usable, read, see, control, most)
    checks = [
        readable_check(len(manifest.rows), {**images.unreadable, **unusable}),
        *_table_checks(manifest, usable.rows, images.mammograms),
        *leak_checks(manifest.rows, parts, taught_patients()),
        *probes,
    ]
    return AuditReport(
        data=manifest.folder.name,
        images=len(manifest.rows),
        patients=len({row.patient_id for row in manifest.rows}),
        checks=tuple(checks),
        tables=tables or {},
    )


def photographs() -> See:
    """The frozen network that knows photographs and nothing of breasts."""
    from ml.models.classifier import build_classifier
    from ml.synth.features import IMAGENET, Space

    return Space(IMAGENET, build_classifier(pretrained=True))


def readable_check(images: int, unusable: Mapping[str, str]) -> Check:
    """What cannot be read cannot be looked at, and stops a training.

    Parameters
    ----------
    unusable
        Why an image cannot be used, by its path.
    """
    name = Sentence.of(mark("Images that can be read"))
    figures = (Figure(mark("images"), images), Figure(mark("of these unusable"), len(unusable)))
    if not unusable:
        reason = Sentence.of(mark("Every image can be read and prepared."))
        return Check(name, Verdict.GREEN, reason, figures=figures)
    named = ", ".join(list(unusable)[:MOST_NAMED])
    more = len(unusable) - MOST_NAMED
    template = (
        mark("None of the {of} images can be used ({names}). The first: {why}")
        if len(unusable) == images
        else mark("{count} of {of} images cannot be used ({names}). The first: {why}")
    )
    return Check(
        name,
        Verdict.RED,
        Sentence.of(
            template,
            count=len(unusable),
            of=images,
            names=f"{named}, … (+{more})" if more > 0 else named,
            why=next(iter(unusable.values())),
        ),
        Sentence.of(mark("Ask for new copies, or leave their rows out, and audit again.")),
        figures,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Images:
    """What is kept of all images: headers, small forms by split, why others cannot be read."""

    mammograms: Mapping[str, Mammogram]
    views: Mapping[Split, list[tuple[str, NDArray[np.uint8]]]]
    unreadable: Mapping[str, str]


def _all_images(rows: Sequence[ManifestRow], read: Read, control: Control) -> _Images:
    mammograms: dict[str, Mammogram] = {}
    views: dict[Split, list[tuple[str, NDArray[np.uint8]]]] = defaultdict(list)
    unreadable: dict[str, str] = {}
    for done, row in enumerate(rows):
        control.breathe()
        control.say(done, len(rows))
        try:
            pixels, mammogram = read(row)
        except MammoError as error:
            unreadable[row.path] = str(error)
            continue
        mammograms[row.path] = mammogram
        views[split_of(row)].append((row.path, small_view(pixels, mammogram)))
    control.say(len(rows), len(rows))
    return _Images(mammograms, views, unreadable)


def _table_checks(
    manifest: Manifest, usable: Sequence[ManifestRow], mammograms: Mapping[str, Mammogram]
) -> Iterator[Check]:
    questions = questions_of(manifest)
    headers = {path: header_words(mammogram) for path, mammogram in mammograms.items()}
    if not questions:
        yield Check(
            Sentence.of(mark("Two answers to tell apart")),
            Verdict.AMBER,
            Sentence.of(mark("All rows whose label is known have the same one.")),
            Sentence.of(mark("Add images with another label, or label more rows.")),
        )
    for question in questions:
        yield one_source_check(question)
        yield from column_checks(question, headers)
    yield left_out_check(manifest.rows, headers)
    yield disguised_check(usable, mammograms)


def _probes(
    manifest: Manifest, read: Read, see: See | None, control: Control, most: int
) -> tuple[list[Check], Mapping[str, str]]:
    """The checks by pixels, and why an image could not be looked at, by its path.

    Where no lesion says where it is, none can be hidden: all are looked at with it in sight, if
    there are sources that could be told instead.
    """
    questions = questions_of(manifest)
    if not questions:
        return [], {}
    boxed = {box.path for box in manifest.boxes if box.frame in (None, 1)}
    lesions, others = _chosen(questions, most)
    shown = [row for row in lesions if row.path in boxed]
    checks = [_boxes_check(len(lesions), len(shown))]
    if not shown and len(set(sources_of((*lesions, *others)).names)) < 2:
        return checks, {}
    see = see or photographs()
    seen = look(manifest, shown or lesions, others, read, see, control)
    for question in questions if seen.rows else ():
        blind = _blind(question, seen, see, control, len(questions))
        checks += probe_checks(replace(blind, in_sight=not shown))
    return checks, seen.unusable


def _chosen(
    questions: Sequence[Question], most: int
) -> tuple[list[ManifestRow], list[ManifestRow]]:
    """Rows with a lesion and rows without: so many of each answer, of all patients in turn."""
    lesions: dict[str, ManifestRow] = {}
    others: dict[str, ManifestRow] = {}
    for question in questions:
        for answer in (True, False):
            pairs = zip(question.rows, question.answers, strict=True)
            rows = _in_turn([row for row, said in pairs if said == answer])[:most]
            is_other = question.name == LESION and not answer
            (others if is_other else lesions).update({row.path: row for row in rows})
    return list(lesions.values()), list(others.values())


def _in_turn(rows: Sequence[ManifestRow]) -> list[ManifestRow]:
    """One image of each patient, then a second of each, patients in the order of a hash."""
    places: Counter[str] = Counter()
    keyed: list[tuple[int, bytes, ManifestRow]] = []
    for row in sorted(rows, key=lambda row: hashlib.sha256(row.path.encode()).digest()):
        patient = hashlib.sha256(row.patient_id.encode()).digest()
        keyed.append((places[row.patient_id], patient, row))
        places[row.patient_id] += 1
    return [row for _, _, row in sorted(keyed, key=lambda each: each[:2])]


def _boxes_check(lesions: int, shown: int) -> Check:
    name = Sentence.of(mark("Lesions that can be hidden"))
    figures = (
        Figure(mark("images with a lesion"), float(lesions)),
        Figure(mark("of these with a box"), float(shown)),
    )
    if 2 * shown >= lesions:
        reason = Sentence.of(mark("Most images with a lesion say where it is."))
        return Check(name, Verdict.GREEN, reason, figures=figures)
    return Check(
        name,
        Verdict.AMBER,
        Sentence.of(
            mark(
                "Only {shown} of {lesions} images with a lesion say where it is: the others "
                "cannot be looked at without it."
            ),
            shown=shown,
            lesions=lesions,
        ),
        Sentence.of(mark("Draw boxes around the lesions, in boxes.csv beside the manifest.")),
        figures,
    )


def _blind(question: Question, seen: Seen, see: See, control: Control, tests: int) -> Blind:
    """The part of what was seen that answers a question."""
    answers = {
        row.path: bool(a) for row, a in zip(question.rows, question.answers, strict=True)
    }
    at = [place for place, row in enumerate(seen.rows) if row.path in answers]
    rows = tuple(seen.rows[place] for place in at)
    part = replace(
        seen,
        rows=rows,
        blocks={name: values[at] for name, values in seen.blocks.items()},
        coded=tuple(seen.coded[place] for place in at),
    )
    said = np.array([answers[row.path] for row in rows], np.bool_)
    coded = partial(through_codec, part, see, control)
    return Blind(Question(question.name, rows, said), part.blocks, coded, tests)
