"""The reader's corrections as a data set: a manifest for trainings, no pixels copied."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ml.errors import DataError, MammoError
from ml.hashed import own_patient
from ml.mammo.read import read_mammogram
from ml.mammo.study import named_by
from ml.manifest import BOXES, MANIFEST, ReferenceStandard, write_manifest
from ml.texts import mark
from viewer.core.corrections import ImageFacts, as_manifest, is_contradicted, taught_by
from viewer.core.follow_up import as_counted
from viewer.core.read_study import ReadStudy, is_established

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ml.mammo.mammogram import Mammogram
    from viewer.core.corrections import Taught
    from viewer.core.decision import Decision, Outcome
    from viewer.library.library import Library


@dataclass(frozen=True, slots=True)
class Written:
    """What a data set of corrections holds, and what it had to leave out.

    Attributes
    ----------
    boxes, hard, proven
        Findings, hard negatives, and images whose truth is established.
    synthetic, away, contradicted
        Left out: studies that show nobody; images that are not where they were; images of a
        breast that turned out normal in which the reader has a finding.
    """

    folder: Path
    images: int
    boxes: int
    hard: int
    proven: int
    synthetic: int
    away: int
    contradicted: int


def write_corrections(
    library: Library,
    folder: Path,
    patient_pattern: str = "",
    told: Callable[[int, int], None] = lambda done, of: None,
) -> Written:
    """Write what the reader said of real images as a data set.

    Parameters
    ----------
    folder
        Gets the manifest; one that is there is replaced where it is of the same kind.
    patient_pattern
        As for `ml.mammo.study.group_studies`: images whose Patient ID holds the same match of
        it are of one patient.
    told
        Called with how many studies are done, of how many.

    Raises
    ------
    DataError
        Where there is nothing to write, the folder holds another data set or cannot be written.
    """
    _refuse_other_data(folder)
    everyone = library.read_studies()
    studies = [study.as_seen() for study in everyone if study.decisions or study.outcomes]
    real = [study for study in studies if not study.synthetic]
    taught: list[Taught] = []
    away = contradicted = 0
    for number, study in enumerate(real):
        told(number, len(real))
        for image, words, outcome in _images(study, library, patient_pattern):
            if image is None:
                away += 1
            elif is_contradicted(words, outcome):
                contradicted += 1
            elif (part := taught_by(image, words, outcome)) is not None:
                taught.append(part)
    if not taught:
        raise DataError(
            mark(
                "There is nothing to learn from yet: accept, reject or draw findings in "
                "studies of patients, or enter an outcome, and try again."
            )
        )
    _write(folder, taught)
    return Written(
        folder,
        len(taught),
        sum(len(each.boxes) for each in taught),
        sum(len(each.hard) for each in taught),
        sum(each.row.reference_standard is not ReferenceStandard.READER for each in taught),
        len(studies) - len(real),
        away,
        contradicted,
    )


def patient_of(mammogram: Mammogram, pattern: str) -> str:
    """Who is shown, as `mammoscope import-dataset` names her; never empty."""
    name = mammogram.patient.patient_id
    return own_patient(
        named_by(pattern, name) or name or f"study {mammogram.study_instance_uid}"
    )


def date_of(mammogram: Mammogram) -> str:
    """Of the study of an image: DA form, may be empty."""
    return mammogram.study_date or mammogram.acquisition.date


def study_date_of(library: Library, study_uid: str) -> str:
    """The date of a study whose files are known, DA form; empty where nobody knows."""
    for uid, file in library.files_of(study_uid):
        mammogram = read_listed((file,), uid)
        if mammogram is not None:
            return date_of(mammogram)
    return ""


def read_listed(files: Iterable[str], sop_instance_uid: str) -> Mammogram | None:
    """An image's header from the first of its files that still is that image; None: away."""
    for file in files:
        try:
            mammogram = read_mammogram(Path(file))
        except (MammoError, OSError):
            continue
        if mammogram.sop_instance_uid == sop_instance_uid and not mammogram.synthetic:
            return mammogram
    return None


def _images(
    study: ReadStudy, library: Library, pattern: str
) -> Iterator[tuple[ImageFacts | None, list[Decision], Outcome | None]]:
    """The images of a study of which something is said, with it; None for one that is away."""
    files: dict[str, list[str]] = {}
    for uid, file in library.files_of(study.uid):
        files.setdefault(uid, []).append(file)
    words: dict[str, list[Decision]] = {}
    for word in study.decisions:
        words.setdefault(word.sop_instance_uid, []).append(word)
    proven = any(is_established(each) for each in study.breasts())
    for uid in dict.fromkeys((*words, *(files if proven else ()))):
        mammogram = read_listed(files.get(uid, ()), uid)
        said = words.get(uid, [])
        if mammogram is None:
            yield None, said, None
            continue
        side = mammogram.laterality.value if mammogram.laterality else None
        view = mammogram.view.value if mammogram.view else None
        patient = patient_of(mammogram, pattern)
        place = str(mammogram.path.resolve())
        day = date_of(mammogram)
        facts = ImageFacts(uid, place, patient, side, view, day)
        outcome = study.breast(side) if side else None
        yield facts, said, outcome and as_counted(outcome, day)


def _refuse_other_data(folder: Path) -> None:
    """A data set of another kind, images beside it perhaps, is not written over."""
    table = folder / MANIFEST
    if table.exists() and "file" not in table.read_text("utf-8").split("\n", 1)[0].split(","):
        raise DataError(
            mark("{folder} holds another data set; choose an empty folder."), folder=folder.name
        )


def _write(folder: Path, taught: list[Taught]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_manifest(as_manifest(folder, taught))
    except OSError as error:
        raise DataError(
            mark("{tables} cannot be written: {why}."),
            tables=f"{MANIFEST}, {BOXES}",
            why=error.strerror or type(error).__name__,
        ) from error
