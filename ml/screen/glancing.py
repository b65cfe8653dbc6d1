"""The few attributes of a header that decide what a file is: for a process of its own.

A whole header takes four times as long, and is read when the image is analyzed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml.errors import MissingAttributeError, NotDicomError, NotMammographyError, ReadError
from ml.mammo.header import damage, text, whole
from ml.mammo.read import (
    PICTURE_ENDINGS,
    check_is_mammogram,
    is_synthetic,
    read_header,
    read_mammogram,
)
from ml.mammo.scan import accompanies
from ml.mammo.study import study_key
from ml.screen.places import place_of
from ml.screen.rows import Heading, Standing
from ml.texts import mark, translate

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom.dataset import FileDataset

    from ml.screen.rows import Entry

WANTED: tuple[str | int, ...] = (
    *("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "StudyDate", "Modality"),
    *("BodyPartExamined", "PatientID", "PatientName", "Rows", "Columns", "NumberOfFrames"),
    # Synthetic Data, which older dictionaries do not know.
    0x0008001C,
)


def glance(entry: Entry, patient_pattern: str = "") -> Heading:
    """Look at one file; what is wrong with it becomes a heading, too.

    Raises
    ------
    OSError
        Where the disk fails: the file itself may be well.
    """
    place = place_of(entry.place)
    try:
        with place.opened() as file:
            return _heading(file, entry, patient_pattern)
    except (NotDicomError, NotMammographyError) as error:
        quiet = isinstance(error, NotDicomError) and accompanies(place.path)
        sentence = translate(_BESIDE) if quiet else str(error)
        return Heading(entry, Standing.OTHER, sentence)
    except ReadError as error:
        if isinstance(error.__cause__, OSError):
            raise error.__cause__ from error
        return Heading(entry, Standing.DAMAGED, str(error))


_BESIDE = mark("No image: a file that lies beside images.")


def _heading(file: Path, entry: Entry, pattern: str) -> Heading:
    if file.suffix.lower() in PICTURE_ENDINGS:
        return _of_picture(file, entry, pattern)
    dataset = read_header(file, WANTED)
    try:
        check_is_mammogram(dataset, file)
        _check_named(dataset, file)
        return _of_dicom(dataset, entry, pattern)
    except damage() as error:
        raise ReadError(
            mark("{name} is damaged: its header makes no sense. Ask for a new copy."),
            name=file.name,
            detail=type(error).__name__,
        ) from None


def _check_named(dataset: FileDataset, file: Path) -> None:
    """Without these two an image has no row, and no study."""
    for keyword in ("SOPInstanceUID", "StudyInstanceUID"):
        if not text(dataset, keyword):
            raise MissingAttributeError(
                mark("{name} lacks {keyword} and cannot be shown. Ask for a new copy."),
                name=file.name,
                keyword=keyword,
            )


def _of_dicom(dataset: FileDataset, entry: Entry, pattern: str) -> Heading:
    study, patient = text(dataset, "StudyInstanceUID"), text(dataset, "PatientID")
    synthetic = is_synthetic(dataset)
    return Heading(
        entry,
        Standing.IMAGE,
        sop_instance_uid=text(dataset, "SOPInstanceUID"),
        study_instance_uid=study,
        study_key=_key(study, patient, pattern, synthetic=synthetic),
        patient_id=patient,
        study_date=text(dataset, "StudyDate"),
        synthetic=synthetic,
        rows=whole(dataset, "Rows") or 0,
        columns=whole(dataset, "Columns") or 0,
        frames=whole(dataset, "NumberOfFrames") or 1,
    )


def _of_picture(file: Path, entry: Entry, pattern: str) -> Heading:
    """A film without identity: the same for the same content."""
    film = read_mammogram(file)
    study, patient = film.study_instance_uid, film.patient.patient_id
    return Heading(
        entry,
        Standing.IMAGE,
        sop_instance_uid=film.sop_instance_uid,
        study_instance_uid=study,
        study_key=_key(study, patient, pattern, synthetic=film.synthetic),
        synthetic=film.synthetic,
        rows=film.rows,
        columns=film.columns,
    )


def _key(study: str, patient: str, pattern: str, *, synthetic: bool) -> str:
    return "\n".join(study_key(study, patient, synthetic=synthetic, pattern=pattern))
