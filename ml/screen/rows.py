"""What is known of each file and each image of a folder that is screened. Plain values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ml.findings import ImageAnalysis


class Standing(StrEnum):
    """What a file is; the value is what the ledger holds."""

    IMAGE = "image"
    # The same image as a file that was met before.
    COPY = "copy"
    # DICOM, and no mammogram; or no DICOM at all.
    OTHER = "other"
    DAMAGED = "damaged"


class State(StrEnum):
    """What came of the analysis of an image; the value is what the ledger holds."""

    DONE = "done"
    # The models are not made for it.
    REFUSED = "refused"
    # It could not be read, or ended the process that read it.
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file as it is met, not yet opened.

    Attributes
    ----------
    place
        Its path, or ``archive.zip!/member`` (`ml.screen.places`).
    size, mtime_ns
        Of the file or the member: while neither changes, it is not looked at again.
    """

    place: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Heading:
    """What little of a file's header decides whether and with what it is analyzed.

    Attributes
    ----------
    sentence
        Why it is no image; empty where it is one.
    study_key
        The same for all images of a study, by the rule of the order (`ml.mammo.study`).
    study_date
        DA form; may be empty.
    """

    entry: Entry
    standing: Standing
    sentence: str = ""
    sop_instance_uid: str = ""
    study_instance_uid: str = ""
    study_key: str = ""
    patient_id: str = ""
    study_date: str = ""
    synthetic: bool = False
    rows: int = 0
    columns: int = 0
    frames: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What came of one image.

    Attributes
    ----------
    analysis
        None where it failed: then `sentence` says why.
    """

    state: State
    analysis: ImageAnalysis | None = None
    sentence: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class ScreenedImage:
    """An image and what came of it; None: not yet analyzed."""

    heading: Heading
    answer: Answer | None


@dataclass(frozen=True, slots=True, eq=False)
class ScreenedStudy:
    """All images of one study, in the order of their places."""

    key: str
    images: tuple[ScreenedImage, ...]
