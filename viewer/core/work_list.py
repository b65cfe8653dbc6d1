"""What the work list says of each study; scores and ranks never stand here."""

from __future__ import annotations

from dataclasses import dataclass
from os.path import commonprefix
from typing import TYPE_CHECKING

from ml.mammo.codes import ImageKind
from ml.texts import mark, translate
from viewer.core.annotations import day

if TYPE_CHECKING:
    from ml.mammo.study import Study

_KINDS = {
    ImageKind.DIGITAL: mark("digital"),
    ImageKind.TOMOSYNTHESIS: mark("tomosynthesis"),
    ImageKind.FILM: mark("film"),
    ImageKind.PICTURE: mark("picture, not DICOM"),
}


@dataclass(frozen=True, slots=True)
class StudyRow:
    """A line of the work list: ``"P_00173"``, ``"2016-10-04 · film, no scale"``, 4."""

    title: str
    detail: str
    count: int


def describe_study(study: Study) -> StudyRow:
    """Name a study in two short lines."""
    patient = study.patient
    kinds = dict.fromkeys(translate(_KINDS[image.kind]) for image in study.images)
    what = [", ".join(kinds)]
    if any(image.synthetic for image in study.images):
        what.append(translate("synthetic"))
    if any(image.spacing is None for image in study.images):
        what.append(translate("no scale"))
    if study.merged:
        what.append(translate("hung together"))
    title = _common_id(study) or patient.name or study.images[0].path.name
    parts = (day(study.date), ", ".join(what))
    return StudyRow(title, " · ".join(part for part in parts if part), len(study.images))


def _common_id(study: Study) -> str:
    """The Patient ID, or what the images' IDs begin with alike where each has its own."""
    ids = [image.patient.patient_id for image in study.images]
    return commonprefix(ids).rstrip(" _-.^") or ids[0]  # noqa: RUF071 letters are compared
