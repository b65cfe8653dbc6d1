"""Images that belong together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ml.mammo.mammogram import Alarm, Mammogram, Patient


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
        At least one, in the order of laterality, view, instance number.
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
