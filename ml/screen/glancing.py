"""The few attributes of a header that decide what a file is: for a process of its own.

A whole header takes four times as long, and is read when the image is analyzed.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from ml.errors import MissingAttributeError, NotDicomError, NotMammographyError, ReadError
from ml.mammo.header import damage, text, whole
from ml.mammo.read import (
    PICTURE_ENDINGS,
    check_gray,
    check_is_mammogram,
    is_synthetic,
    read_header,
    read_mammogram,
)
from ml.mammo.scan import accompanies
from ml.mammo.study import study_key
from ml.screen.places import ARCHIVE, of_disk, place_of
from ml.screen.rows import Heading, Standing
from ml.texts import mark, translate

if TYPE_CHECKING:
    from pydicom.dataset import FileDataset

    from ml.screen.rows import Entry

WANTED: tuple[str | int, ...] = (
    *("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "StudyDate", "Modality"),
    *("BodyPartExamined", "PatientID", "PatientName", "Rows", "Columns", "NumberOfFrames"),
    *("SamplesPerPixel", "PhotometricInterpretation"),
    # Synthetic Data, which older dictionaries do not know.
    0x0008001C,
)
# A UID has 64 characters at most, a Patient ID as well; a database takes no longer key.
LONGEST_UID, LONGEST_KEY = 256, 600
_GREATEST = (1 << 31) - 1


def glance(entry: Entry, patient_pattern: str = "") -> Heading:
    """Look at one file; what is wrong with it becomes a heading, too.

    Raises
    ------
    OSError
        Where the disk fails: the file itself may be well.
    """
    place = place_of(entry.place)
    if place.member and place.name.lower().endswith(ARCHIVE):
        return Heading(entry, Standing.DAMAGED, translate(_NESTED).format(name=place.name))
    try:
        with place.opened() as file:
            return _heading(file, entry, patient_pattern)
    except NotMammographyError as error:
        return Heading(entry, Standing.OTHER, str(error))
    except NotDicomError as error:
        if accompanies(Path(place.name)):
            return Heading(entry, Standing.OTHER, translate(_BESIDE))
        return Heading(entry, Standing.DAMAGED, str(error))
    except ReadError as error:
        cause = error.__cause__
        if of_disk(cause):
            raise cause from error
        return Heading(entry, Standing.DAMAGED, str(error))


_BESIDE = mark("No image: a file that lies beside images.")
_NESTED = mark("{name} is an archive within an archive. Take it out, and screen again.")


def _heading(file: Path, entry: Entry, pattern: str) -> Heading:
    if file.suffix.lower() in PICTURE_ENDINGS:
        return _of_picture(file, entry, pattern)
    dataset = read_header(file, WANTED)
    try:
        check_is_mammogram(dataset, file)
        check_gray(dataset, file)
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
        if not 0 < len(text(dataset, keyword)) <= LONGEST_UID:
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
        study_key=key_of(study, patient, pattern, synthetic=synthetic),
        patient_id=patient,
        study_date=text(dataset, "StudyDate"),
        synthetic=synthetic,
        rows=_count(dataset, "Rows"),
        columns=_count(dataset, "Columns"),
        frames=_count(dataset, "NumberOfFrames") or 1,
    )


def _count(dataset: FileDataset, keyword: str) -> int:
    """As a database takes it: what no mammogram has is told when the image is analyzed."""
    return min(max(whole(dataset, keyword) or 0, 0), _GREATEST)


def _of_picture(file: Path, entry: Entry, pattern: str) -> Heading:
    """A film without identity: the same for the same content."""
    film = read_mammogram(file)
    study, patient = film.study_instance_uid, film.patient.patient_id
    return Heading(
        entry,
        Standing.IMAGE,
        sop_instance_uid=film.sop_instance_uid,
        study_instance_uid=study,
        study_key=key_of(study, patient, pattern, synthetic=film.synthetic),
        synthetic=film.synthetic,
        rows=film.rows,
        columns=film.columns,
    )


def key_of(study: str, patient: str, pattern: str, *, synthetic: bool) -> str:
    """One text for a study: the same for all images that `group_studies` puts into one."""
    parts = study_key(study, patient, synthetic=synthetic, pattern=pattern)
    key = "\n".join(part.replace("\\", "\\\\").replace("\n", "\\n") for part in parts)
    if len(key) <= LONGEST_KEY:
        return key
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{key[: LONGEST_KEY - len(digest)]}{digest}"
