"""What would make a test mean nothing: the same woman, image or breast on both sides of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml.audit.report import Check, Figure, Sentence, Verdict
from ml.data.canvases import split_of
from ml.data.duplicates import across_splits
from ml.hashed import known_name, name_sha256
from ml.manifest import Source, Split
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ml.data.duplicates import Fingerprints
    from ml.manifest import ManifestRow

HELD_OUT = (Split.VALIDATION, Split.TEST)
HOST_PATIENT = "host_patient"


def leak_checks(
    rows: Sequence[ManifestRow], parts: Mapping[Split, Fingerprints]
) -> Iterator[Check]:
    """The five ways in which training knows what it is tested on, or a test says nothing.

    Rows without a split count as training would use them (`ml.data.canvases.split_of`).

    Parameters
    ----------
    parts
        The small forms of each split's images.
    """
    yield _patients(rows)
    yield _duplicates(parts)
    yield _children(rows)
    yield _held_out(rows)
    yield _phantoms(rows)


def _patients(rows: Sequence[ManifestRow]) -> Check:
    splits: dict[str, set[Split]] = {}
    for row in rows:
        splits.setdefault(row.patient_id, set()).add(split_of(row))
    several = {patient for patient, parts in splits.items() if len(parts) > 1}
    return _check(
        mark("Patients in one split each"),
        [row.path for row in rows if row.patient_id in several],
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
    hidden = {name_sha256(row.patient_id) for row in rows if split_of(row) in HELD_OUT}
    return _check(
        mark("No synthetic child of a test patient"),
        [
            row.path
            for row in rows
            if split_of(row) is Split.TRAIN
            and known_name(row.extra.get(HOST_PATIENT, "")) in hidden
        ],
        mark(
            "{count} training images were painted into breasts of held-out patients ({path})."
        ),
        mark("Leave them out, or paint into breasts of training patients only."),
        mark("No training image was made of a held-out patient's."),
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


def _check(name: str, found: Sequence[str], wrong: str, cure: str, right: str) -> Check:
    figures = (Figure("found", float(len(found))),)
    if not found:
        return Check(Sentence.of(name), Verdict.GREEN, Sentence.of(right), figures=figures)
    reason = Sentence.of(wrong, count=len(found), path=found[0])
    return Check(Sentence.of(name), Verdict.RED, reason, Sentence.of(cure), figures)
