"""Who teaches, who validates and who is tested: by patient, the same for ever."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from ml.hashed import known_name, names_sha256
from ml.manifest import HOST_PATIENT, Split

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ml.manifest import ManifestRow

FOLDS = 5
HELD_OUT = (Split.VALIDATION, Split.TEST)


def patient_fold(patient_id: str, folds: int = FOLDS) -> int:
    """The fold of a patient, by hash: the same for ever, whoever else is in the set."""
    return fold_of(patient_id, folds)


def fold_of(patient_id: str, folds: int, seed: int = 0) -> int:
    """The fold of a patient under one of many ways to share patients out.

    Parameters
    ----------
    seed
        Another seed gives another sharing, as repeated cross-validation needs; 0 is the one
        that splits and published figures go by.
    """
    salted = f"{seed}:{patient_id}" if seed else patient_id
    return int(hashlib.sha256(salted.encode()).hexdigest(), 16) % folds


def stratified_folds(labels: Mapping[str, str], folds: int, seed: int = 0) -> dict[str, int]:
    """Folds in which every label is as frequent as it can be, within one patient.

    Each label's patients are put in the order of their hashes and dealt out in turn. A patient
    keeps her place while the set does; one more patient moves those behind her by one. Where
    folds must outlive a growing set, use `fold_of`.

    Parameters
    ----------
    labels
        One word for each patient, such as the worst that any of her images shows.
    """
    dealt: dict[str, int] = {}
    start = 0
    for word in sorted(set(labels.values())):
        patients = [name for name, said in labels.items() if said == word]
        patients.sort(key=lambda name: hashlib.sha256(f"{seed}:{name}".encode()).digest())
        dealt.update({name: (start + place) % folds for place, name in enumerate(patients)})
        start += len(patients)
    return dealt


def split_by_patient(patient_id: str) -> Split:
    """What a patient is for where nobody says it: one fold to test, one to validate."""
    return {0: Split.TEST, 1: Split.VALIDATION}.get(patient_fold(patient_id), Split.TRAIN)


def split_of(row: ManifestRow) -> Split:
    """What a row is for: as it says, else by a hash of its patient, three fifths to train."""
    return row.split or split_by_patient(row.patient_id)


def held_out_names(rows: Iterable[ManifestRow]) -> set[str]:
    """The held-out patients, as training lists may name them."""
    return {
        name
        for row in rows
        if split_of(row) in HELD_OUT
        for name in names_sha256(row.patient_id)
    }


def host_of(row: ManifestRow) -> str:
    """The patient into whose breast a generated image was painted, as lists name her."""
    return known_name(row.extra.get(HOST_PATIENT, ""))
