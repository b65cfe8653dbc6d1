"""What would make a test mean nothing: the same woman, image or breast on both sides of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml.audit.generators import WEIGHTS
from ml.audit.report import Check, Figure, Sentence, Verdict
from ml.data.duplicates import across_splits
from ml.hashed import own_patient
from ml.manifest import MARKS_SEEN, ReferenceStandard, Source, Split
from ml.splits import HELD_OUT, held_out_names, host_of, split_of
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ml.data.duplicates import Fingerprints
    from ml.manifest import ManifestRow

NOBODY: Mapping[str, frozenset[str]] = {}
_NO: frozenset[str] = frozenset()


def leak_checks(
    rows: Sequence[ManifestRow],
    parts: Mapping[Split, Fingerprints],
    taught: Mapping[str, frozenset[str]] = NOBODY,
) -> Iterator[Check]:
    """The ways in which training knows what it is tested on, or a test says nothing.

    Rows without a split count as training would use them (`ml.splits.split_of`).

    Parameters
    ----------
    parts
        The small forms of each split's images.
    taught
        As `ml.audit.generators.taught_patients` gives it.
    """
    yield _patients(rows)
    yield _duplicates(parts)
    yield _children(rows)
    yield _generators(rows, taught)
    yield _held_out(rows)
    yield _phantoms(rows)
    yield _readers(rows)


def _patients(rows: Sequence[ManifestRow]) -> Check:
    splits: dict[str, set[Split]] = {}
    for row in rows:
        splits.setdefault(own_patient(row.patient_id), set()).add(split_of(row))
    several = {patient for patient, parts in splits.items() if len(parts) > 1}
    return _check(
        mark("Patients in one split each"),
        [row.path for row in rows if own_patient(row.patient_id) in several],
        mark("Images of one patient stand in two splits, such as {path}."),
        mark("Give all images of a patient the same split."),
        mark("No patient has images in two splits."),
    )


def _duplicates(parts: Mapping[Split, Fingerprints]) -> Check:
    return _check(
        mark("No image twice in two splits"),
        [f"{pair.first} = {pair.second}" for pair in across_splits(parts)],
        mark("The same image stands in two splits: {path}."),
        mark("Give both the same patient and split, or leave one out."),
        mark("No image of a split is a near copy of one in another split."),
    )


def _children(rows: Sequence[ManifestRow]) -> Check:
    hidden = held_out_names(rows)
    return _check(
        mark("No synthetic child of a test patient"),
        [row.path for row in rows if split_of(row) is Split.TRAIN and host_of(row) in hidden],
        mark(
            "{count} training images were painted into breasts of held-out patients ({path})."
        ),
        mark("Leave them out, or paint into breasts of training patients only."),
        mark("No training image was made of a held-out patient's."),
    )


def _generators(rows: Sequence[ManifestRow], taught: Mapping[str, frozenset[str]]) -> Check:
    """A generator knows whom it was taught, and what it makes may tell of them."""
    hidden = held_out_names(rows)
    made = [
        row
        for row in rows
        if hidden and split_of(row) is Split.TRAIN and row.source is Source.GENERATED
    ]
    knowing = [row.path for row in made if taught.get(row.extra.get(WEIGHTS, ""), _NO) & hidden]
    name = mark("No generator that was taught a held-out patient")
    if not knowing and (
        strange := [row.path for row in made if not taught.get(row.extra.get(WEIGHTS, ""))]
    ):
        return _check(
            name,
            strange,
            mark(
                "Whom the generator of {count} training images ({path}) was taught is not "
                "known; held-out patients may be among them."
            ),
            mark("Use images of a generator whose card lists whom it was taught."),
            verdict=Verdict.AMBER,
        )
    return _check(
        name,
        knowing,
        mark(
            "{count} training images ({path}) are of a generator that was taught patients "
            "who are held out here."
        ),
        mark(
            "Leave these images out, give those patients the split train, or use a generator "
            "that was not taught them."
        ),
        mark("No training image is of a generator that was taught a held-out patient."),
    )


def _held_out(rows: Sequence[ManifestRow]) -> Check:
    return _check(
        mark("No generated image to test on"),
        [
            row.path
            for row in rows
            if split_of(row) in HELD_OUT and row.source is Source.GENERATED
        ],
        mark("{count} generated images stand in validation or test ({path})."),
        mark("Give generated images the split train."),
        mark("Nothing generated is validated or tested on."),
    )


def _phantoms(rows: Sequence[ManifestRow]) -> Check:
    """Phantoms alone are tested on phantoms; beside patients' images the test is of patients.

    A row without a source may be a patient's.
    """
    real = any(
        split_of(row) is Split.TRAIN and row.source in (Source.REAL, None) for row in rows
    )
    held = [
        row.path for row in rows if split_of(row) in HELD_OUT and row.source is Source.PHANTOM
    ]
    return _check(
        mark("No phantom to test on beside real images"),
        held if real else [],
        mark(
            "{count} phantoms stand in validation or test ({path}) while real images are "
            "trained on: what is measured says little of patients."
        ),
        mark("Give phantoms the split train where real images are trained on."),
        mark("No phantom is validated or tested on beside real training images."),
    )


def _readers(rows: Sequence[ManifestRow]) -> Check:
    """What a reader says after the machine agrees with it by more than being right.

    A collection's own reader warns; the program's corrections say which marks were seen, and
    are no test.
    """
    told = [
        row
        for row in rows
        if split_of(row) in HELD_OUT and row.reference_standard is ReferenceStandard.READER
    ]
    corrected = any(MARKS_SEEN in row.extra for row in told)
    return _check(
        mark("Proven images to test on"),
        [row.path for row in told],
        mark(
            "{count} images of validation or test ({path}) rest on a reader's word alone: "
            "neither pathology nor follow-up says what they show."
        ),
        mark("Give them the split train, and test on what was proven."),
        mark("Nothing is validated or tested on a reader's word alone."),
        verdict=Verdict.RED if corrected else Verdict.AMBER,
    )


def _check(
    name: str,
    found: Sequence[str],
    wrong: str,
    cure: str,
    right: str = "",
    verdict: Verdict = Verdict.RED,
) -> Check:
    figures = (Figure("found", float(len(found))),)
    if not found:
        return Check(Sentence.of(name), Verdict.GREEN, Sentence.of(right), figures=figures)
    reason = Sentence.of(wrong, count=len(found), path=found[0])
    return Check(Sentence.of(name), verdict, reason, Sentence.of(cure), figures)
