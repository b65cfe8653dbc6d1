"""A mammogram as a value: all that its header says, valid from construction; pixels apart.

`ml.mammo.read` makes it from a file, `ml.mammo.pixels` decodes its pixels when they are wanted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from ml.mammo.codes import VoiFunction

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.mammo.codes import (
        ImageKind,
        Laterality,
        PresentationIntent,
        ViewModifier,
        ViewPosition,
    )

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Evidence(Generic[Value]):
    """A value and why it is believed.

    Attributes
    ----------
    value
        What is believed.
    reason
        Where it was found, in a few words: ``"View Code Sequence"``, ``"pixels"``.
    """

    value: Value
    reason: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something the reader must know before she trusts an image, as a template and its values.

    Attributes
    ----------
    template
        A marked sentence with ``{names}``.
    values
        What the names stand for, as pairs (so that the whole is hashable).
    """

    template: str
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Patient:
    """Who: never written to a log."""

    patient_id: str = ""
    name: str = ""
    birth_date: str = ""
    age: str = ""
    sex: str = ""


@dataclass(frozen=True, slots=True)
class Acquisition:
    """How the image was made; empty or None where the header does not say.

    Attributes
    ----------
    date, time
        Acquisition Date and Time, else Content, else Study (DA and TM form).
    kvp, exposure_mas, compression_force_n, thickness_mm, angle_deg, organ_dose_mgy
        In the unit that the name ends with. Organ Dose (0040,0316) is stored in dGy.
    """

    date: str = ""
    time: str = ""
    institution: str = ""
    station: str = ""
    manufacturer: str = ""
    model: str = ""
    serial_number: str = ""
    detector_id: str = ""
    operator: str = ""
    anode: str = ""
    filter: str = ""
    kvp: float | None = None
    exposure_mas: float | None = None
    exposure_ms: float | None = None
    compression_force_n: float | None = None
    thickness_mm: float | None = None
    angle_deg: float | None = None
    relative_exposure: float | None = None
    organ_dose_mgy: float | None = None
    entrance_dose_mgy: float | None = None


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """How stored values are laid out.

    Attributes
    ----------
    bits_stored
        1 to 16 significant bits, low-aligned.
    signed
        Pixel Representation (0028,0103).
    inverted
        MONOCHROME1: the lowest value is white.
    bits_allocated
        8 or 16 (films of other kinds are brought to these when read).
    samples
        Samples per Pixel; 1 for a mammogram.
    """

    bits_stored: int
    signed: bool = False
    inverted: bool = False
    bits_allocated: int = 16
    samples: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.bits_stored <= self.bits_allocated:
            raise ValueError(f"{self.bits_stored} bits stored of {self.bits_allocated}")

    @property
    def lowest(self) -> int:
        """The least value that the format can hold."""
        return -(1 << (self.bits_stored - 1)) if self.signed else 0

    @property
    def highest(self) -> int:
        """The greatest value that the format can hold."""
        return (1 << (self.bits_stored - self.signed)) - 1


@dataclass(frozen=True, slots=True, eq=False)
class LookupTable:
    """A LUT Sequence item (Modality, VOI or Presentation): PS3.3 C.11.1.1, C.11.2.1.1.

    Attributes
    ----------
    data : (entries,) uint16
        Output values.
    first : int
        The input that the first entry is for; lower inputs take it too, higher take the last.
    bits : int
        Bits of an output value.
    explanation : str
        LUT Explanation (0028,3003).
    """

    data: NDArray[np.uint16]
    first: int
    bits: int
    explanation: str = ""


@dataclass(frozen=True, slots=True)
class Rescale:
    """Modality LUT as a line: ``slope * stored + intercept``."""

    slope: float = 1.0
    intercept: float = 0.0


@dataclass(frozen=True, slots=True)
class Window:
    """A VOI window over modality values.

    Attributes
    ----------
    center, width
        In modality units. Width is over 0 (LINEAR: at least 1), PS3.3 C.11.2.1.2.
    """

    center: float
    width: float
    function: VoiFunction = VoiFunction.LINEAR
    explanation: str = ""

    def __post_init__(self) -> None:
        least = 1.0 if self.function is VoiFunction.LINEAR else np.finfo(float).tiny
        if not (np.isfinite(self.center) and np.isfinite(self.width) and self.width >= least):
            raise ValueError(f"no window: center {self.center}, width {self.width}")


@dataclass(frozen=True, slots=True)
class Padding:
    """Pixel Padding Value to Range Limit (0028,0120/0121), stored values, both included."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Orientation:
    """Patient Orientation (0020,0020): where rows (to the right) and columns (down) lead.

    Attributes
    ----------
    row, column
        Letters such as ``"A"``, ``"P"``, ``"FL"``; never empty.
    reason
        Why it is believed.
    """

    row: str
    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class PixelSpacing:
    """The size of a pixel in the breast.

    Attributes
    ----------
    row_mm, column_mm
        Distance between rows, and between columns, in mm: Imager Pixel Spacing divided by the
        Estimated Radiographic Magnification Factor where that is known.
    reason
        What it was computed from.
    magnification
        The factor that was divided by; 1 where unknown.
    """

    row_mm: float
    column_mm: float
    reason: str
    magnification: float = 1.0


@dataclass(frozen=True, slots=True)
class LossyCompression:
    """Lossy Image Compression (0028,2110): `ratio` is None where the header gives none."""

    ratio: float | None
    method: str = ""


Voi = Window | LookupTable


@dataclass(frozen=True, slots=True, eq=False)
class Mammogram:
    """One image and all that its header says. Compared by identity.

    Attributes
    ----------
    path
        The file.
    kind
        Digital, tomosynthesis, scanned film, or a picture that is not DICOM.
    sop_instance_uid, study_instance_uid, series_instance_uid
        Never empty: made from a hash of the content where the file is not DICOM.
    sop_class_uid, transfer_syntax_uid
        Empty where the file is not DICOM.
    rows, columns, frames
        All at least 1.
    laterality, view
        None where nothing says it.
    view_modifiers
        In the order of the file.
    orientation
        None where nothing says it.
    spacing
        None: no scale; lengths are in pixels.
    intent
        None where the file does not say (film).
    modality
        From stored to modality values.
    voi
        Every window and VOI LUT of the file in its order, LUTs first; may be empty.
    presentation_inverse
        Presentation LUT Shape (2050,0020) is INVERSE.
    presentation_lut
        Presentation LUT Sequence item, or None.
    padding
        Stored values that are no image.
    lossy
        None where the pixels were never compressed with loss.
    implant, partial_view, synthetic
        What the header says; False where it says nothing.
    frame_voi
        For each frame, its own windows (tomosynthesis); empty where all frames share `voi`.
    series_description, study_description, accession_number, instance_number
        As in the file.
    image_type
        The values of Image Type (0008,0008).
    alarms
        What the reader must know, in her words.
    """

    path: Path
    kind: ImageKind
    sop_instance_uid: str
    study_instance_uid: str
    series_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    patient: Patient
    acquisition: Acquisition
    rows: int
    columns: int
    frames: int
    pixel_format: PixelFormat
    laterality: Evidence[Laterality] | None = None
    view: Evidence[ViewPosition] | None = None
    view_modifiers: tuple[ViewModifier, ...] = ()
    orientation: Orientation | None = None
    spacing: PixelSpacing | None = None
    intent: PresentationIntent | None = None
    modality: Rescale | LookupTable = field(default_factory=Rescale)
    voi: tuple[Voi, ...] = ()
    frame_voi: tuple[tuple[Voi, ...], ...] = ()
    presentation_inverse: bool = False
    presentation_lut: LookupTable | None = None
    padding: Padding | None = None
    lossy: LossyCompression | None = None
    implant: bool = False
    partial_view: bool = False
    synthetic: bool = False
    study_date: str = ""
    study_description: str = ""
    series_description: str = ""
    accession_number: str = ""
    instance_number: int | None = None
    image_type: tuple[str, ...] = ()
    frame_of_reference_uid: str = ""
    alarms: tuple[Alarm, ...] = ()

    def __post_init__(self) -> None:
        if min(self.rows, self.columns, self.frames) < 1:
            raise ValueError(f"{self.frames} frames of {self.rows} x {self.columns} pixels")
        if not (self.sop_instance_uid and self.study_instance_uid):
            raise ValueError("an image needs an identity")

    @property
    def key(self) -> tuple[str, bool]:
        """What tells it from all others: a synthetic image is never the real one of its UID."""
        return (self.sop_instance_uid, self.synthetic)
