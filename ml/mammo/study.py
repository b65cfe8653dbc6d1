"""Images that belong together."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ml.mammo.codes import Laterality, ViewPosition
from ml.mammo.mammogram import Alarm
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ml.mammo.mammogram import Mammogram, Patient

DIFFERENT = mark(
    "Different {what} in this case ({count}). Hung together at the reader's request."
)


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """One visit of one patient; or images that the reader asked to see as one.

    Attributes
    ----------
    uid
        Study Instance UID of the (first) image.
    patient
        Of the first image.
    date
        Study Date, DA form, may be empty.
    images
        At least one, in the order of laterality, view, instance number; all synthetic or none.
    merged
        True where the images carry different studies or patients and were hung together at the
        reader's request; `alarms` then says what differs, as long as the study is open.
    alarms
        Of the study as a whole.
    """

    uid: str
    patient: Patient
    date: str
    images: tuple[Mammogram, ...]
    merged: bool = False
    alarms: tuple[Alarm, ...] = ()

    @property
    def synthetic(self) -> bool:
        """Whether no patient was ever in front of it."""
        return self.images[0].synthetic


def group_studies(
    images: Iterable[Mammogram], *, patient_pattern: str = ""
) -> tuple[Study, ...]:
    """Put images into studies, in the order in which the studies were met.

    A synthetic image and a real one are never in the same study, whatever their headers say.

    Parameters
    ----------
    patient_pattern
        A regular expression. Images whose Patient ID holds the same match of it are hung
        together though their identities differ (research sets that name every image); the
        study then says so. Empty: by Study Instance UID and Patient ID alone.
    """
    groups: dict[tuple[str, ...], list[Mammogram]] = {}
    for image in images:
        groups.setdefault(_group_key(image, patient_pattern), []).append(image)
    return tuple(merge_images(group) for group in groups.values())


def merge_all(images: Iterable[Mammogram]) -> tuple[Study, ...]:
    """Hang these images as one study; as two where some are synthetic and some are real."""
    kinds: dict[bool, list[Mammogram]] = {False: [], True: []}
    for image in images:
        kinds[image.synthetic].append(image)
    return tuple(merge_images(kind) for kind in kinds.values() if kind)


def merge_images(images: Sequence[Mammogram]) -> Study:
    """Hang these images as one study, with an alarm for every identity that differs.

    Raises
    ------
    ValueError
        Without images, or where only some of them are synthetic.
    """
    if not images:
        raise ValueError("a study needs an image")
    if len({image.synthetic for image in images}) > 1:
        raise ValueError("synthetic and real images never share a study")
    ordered = tuple(sorted(images, key=_order))
    alarms = tuple(
        Alarm(DIFFERENT, (("what", what), ("count", str(len(values)))))
        for what, values in (
            (mark("Patient IDs"), {image.patient.patient_id for image in images}),
            (mark("studies"), {image.study_instance_uid for image in images}),
        )
        if len(values) > 1
    )
    first = ordered[0]
    date = first.study_date or first.acquisition.date
    return Study(first.study_instance_uid, first.patient, date, ordered, bool(alarms), alarms)


def named_by(pattern: str, patient_id: str) -> str | None:
    """What a grouping rule calls the patient: its first group, or else its whole match.

    Parameters
    ----------
    pattern
        A regular expression; empty, it matches nobody.
    """
    match = re.search(pattern, patient_id) if pattern else None
    if match is None:
        return None
    return match.group(1) if match.groups() else match.group(0)


def study_key(
    study_uid: str, patient_id: str, *, synthetic: bool, pattern: str = ""
) -> tuple[str, ...]:
    """The same for all images that `group_studies` puts into one study."""
    kind = "synthetic" if synthetic else "real"
    name = named_by(pattern, patient_id)
    if name is not None:
        return (kind, "pattern", name)
    return (kind, "study", study_uid, patient_id)


def _group_key(image: Mammogram, pattern: str) -> tuple[str, ...]:
    return study_key(
        image.study_instance_uid,
        image.patient.patient_id,
        synthetic=image.synthetic,
        pattern=pattern,
    )


def _order(image: Mammogram) -> tuple[int, int, int, str]:
    """Right before left, CC before MLO before the rest, then as numbered."""
    sides, views = list(Laterality), list(ViewPosition)
    return (
        sides.index(image.laterality.value) if image.laterality else len(sides),
        views.index(image.view.value) if image.view else len(views),
        image.instance_number or 0,
        image.sop_instance_uid,
    )
