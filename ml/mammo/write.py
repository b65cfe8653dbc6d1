"""Writing a digital mammogram that no machine took: phantoms and generated images.

Valid Digital Mammography X-Ray Image objects (PS3.3 A.27), For Presentation or For Processing,
derived, declared synthetic, and with nothing invented: no dose, no operator, no detector.
"""

from __future__ import annotations

import io
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.files import replacing
from ml.mammo.codes import Laterality, PresentationIntent, ViewPosition
from ml.mammo.encode import TransferSyntax, encode_frame
from ml.mammo.mammogram import Window

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from pydicom.dataset import Dataset, FileMetaDataset

# Digital Mammography X-Ray Image Storage (PS3.4 B.5).
SOP_CLASS = {
    PresentationIntent.FOR_PRESENTATION: "1.2.840.10008.5.1.4.1.1.1.2",
    PresentationIntent.FOR_PROCESSING: "1.2.840.10008.5.1.4.1.1.1.2.1",
}
# CID 4014 (PS3.16), SNOMED CT.
VIEW_CODE = {
    ViewPosition.CC: ("399162004", "cranio-caudal"),
    ViewPosition.MLO: ("399368009", "medio-lateral oblique"),
    ViewPosition.ML: ("399260004", "medio-lateral"),
    ViewPosition.LM: ("399352003", "latero-medial"),
}
# Which way rows and columns lead when the chest wall of a right breast is at the right edge and
# the feet (CC: the medial side) are down: Patient Orientation (0020,0020).
ORIENTATION = {
    (Laterality.RIGHT, ViewPosition.CC): ("P", "L"),
    (Laterality.LEFT, ViewPosition.CC): ("A", "R"),
    (Laterality.RIGHT, ViewPosition.MLO): ("P", "FL"),
    (Laterality.LEFT, ViewPosition.MLO): ("A", "FR"),
    (Laterality.RIGHT, ViewPosition.ML): ("P", "F"),
    (Laterality.LEFT, ViewPosition.ML): ("A", "F"),
    (Laterality.RIGHT, ViewPosition.LM): ("P", "F"),
    (Laterality.LEFT, ViewPosition.LM): ("A", "F"),
}
# Under the arc for UUIDs (PS3.5 B.2), so that a UID can be made again from what it names.
_UIDS = uuid.UUID("6f6e53a4-66a1-5b16-9d2f-6f3f0ce6f6a7")
IMPLEMENTATION = "2.25.148019342857283655216446121047284512103"


def uid_of(*names: object) -> str:
    """A UID that is always the same for the same names."""
    return f"2.25.{uuid.uuid5(_UIDS, '/'.join(map(str, names))).int}"


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose image it is said to be, and where it belongs.

    Attributes
    ----------
    patient_id, patient_name
        Must say that there is no such patient: one of them contains SYNTHETIC or PHANTOM.
    study_instance_uid, series_instance_uid, sop_instance_uid
        See `uid_of`.
    study_date
        DA form, or empty.
    """

    patient_id: str
    patient_name: str
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    instance_number: int = 1
    study_date: str = ""
    accession_number: str = ""
    study_description: str = ""
    series_description: str = ""

    def __post_init__(self) -> None:
        said = f"{self.patient_id} {self.patient_name}".upper()
        if "SYNTHETIC" not in said and "PHANTOM" not in said:
            raise ValueError("the identity of an image that was never taken must say so")


@dataclass(frozen=True, slots=True)
class Contributor:
    """What had a part in an image: Contributing Equipment (PS3.3 C.12.1).

    Attributes
    ----------
    model
        Manufacturer's Model Name, at most 64 letters.
    description
        Contribution Description: what it did, and with what.
    """

    model: str
    description: str


@dataclass(frozen=True, slots=True)
class WrittenImage:
    """What the header of a written image says.

    Attributes
    ----------
    laterality, view
        RIGHT or LEFT, and a view of `VIEW_CODE`.
    pixel_mm
        Imager Pixel Spacing; the magnification is 1.
    bits
        Bits Stored, 9 to 16.
    inverted
        MONOCHROME1.
    window
        Over stored values; the full range where None.
    thickness_mm
        Body Part Thickness, where it is known.
    derivation
        How the image was made: Derivation Description (0008,2111).
    manufacturer, model
        Of the program or the simulated machine; never those of a real one.
    contributor
        The model that made the image, where one did.
    """

    laterality: Laterality
    view: ViewPosition
    identity: Identity
    pixel_mm: float
    bits: int
    derivation: str
    intent: PresentationIntent = PresentationIntent.FOR_PRESENTATION
    inverted: bool = False
    window: Window | None = None
    thickness_mm: float | None = None
    manufacturer: str = "Mammoscope"
    model: str = "PHANTOM"
    contributor: Contributor | None = None

    def __post_init__(self) -> None:
        if (self.laterality, self.view) not in ORIENTATION:
            raise ValueError(f"{self.laterality} {self.view} cannot be written")
        if not 9 <= self.bits <= 16:
            raise ValueError(f"{self.bits} bits stored")


def write_mammogram(
    path: Path,
    pixels: NDArray[np.uint16],
    image: WrittenImage,
    syntax: TransferSyntax = TransferSyntax.HTJ2K,
) -> None:
    """Write one synthetic mammogram. The same arguments give the same bytes.

    Parameters
    ----------
    path
        Replaced in one step: an interruption leaves no half-written file.
    pixels : (rows, columns) uint16
        Stored values under ``2**image.bits``; the chest wall of a right breast at the right
        edge, of a left breast at the left edge; feet (CC: the medial side) down.

    Raises
    ------
    ValueError
        Pixels of another shape or kind, or with values that `image.bits` cannot hold.
    OSError
        The file cannot be written.
    """
    if pixels.ndim != 2 or pixels.dtype != np.uint16 or int(pixels.max()) >> image.bits:
        raise ValueError(f"{pixels.dtype} {pixels.shape} do not fit {image.bits} bits")
    buffer = io.BytesIO()
    dataset = _dataset(pixels, image)
    _add_pixels(dataset, pixels, image, syntax)
    _write(buffer, dataset, _meta(image, syntax))
    with replacing(path) as fresh:
        fresh.write_bytes(buffer.getbuffer())


def _write(buffer: io.BytesIO, dataset: Dataset, meta: FileMetaDataset) -> None:
    from pydicom.dataset import FileDataset

    file = FileDataset(buffer, dataset, preamble=b"\0" * 128, file_meta=meta)
    file.save_as(buffer, enforce_file_format=True)


def _meta(image: WrittenImage, syntax: TransferSyntax) -> FileMetaDataset:
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(SOP_CLASS[image.intent])
    meta.MediaStorageSOPInstanceUID = UID(image.identity.sop_instance_uid)
    meta.TransferSyntaxUID = UID(syntax.value)
    meta.ImplementationClassUID = UID(IMPLEMENTATION)
    meta.ImplementationVersionName = "MAMMOSCOPE"
    return meta


def _dataset(pixels: NDArray[np.uint16], image: WrittenImage) -> Dataset:
    """The header, module by module."""
    from pydicom.dataset import Dataset

    dataset = Dataset()
    modules = (
        _common(image),
        _patient_and_study(image.identity),
        _series(image),
        _general_image(image),
        _image_pixel(pixels, image),
        _detector(image),
        _anatomy(image),
        _window(image),
    )
    for module in modules:
        for keyword, value in module.items():
            setattr(dataset, keyword, value)
    # Synthetic Data: younger than some data dictionaries, so by its tag (PS3.3 C.12.1).
    dataset.add_new(0x0008001C, "CS", "YES")
    return dataset


def _common(image: WrittenImage) -> dict[str, object]:
    """SOP Common (C.12.1) and General Equipment (C.7.5.1)."""
    return {
        "SpecificCharacterSet": "ISO_IR 192",
        "SOPClassUID": SOP_CLASS[image.intent],
        "SOPInstanceUID": image.identity.sop_instance_uid,
        "Manufacturer": image.manufacturer,
        "ManufacturerModelName": image.model,
        "DeviceSerialNumber": "NONE",
        "SoftwareVersions": "1",
        **_contributing(image.contributor),
    }


def _contributing(contributor: Contributor | None) -> dict[str, object]:
    from pydicom.dataset import Dataset

    if contributor is None:
        return {}
    item = Dataset()
    # CID 7005 (PS3.16).
    item.PurposeOfReferenceCodeSequence = [_code("109102", "Processing Equipment", "DCM")]
    item.Manufacturer = "Mammoscope"
    item.ManufacturerModelName = contributor.model
    item.ContributionDescription = contributor.description
    return {"ContributingEquipmentSequence": [item]}


def _patient_and_study(identity: Identity) -> dict[str, object]:
    """Patient (C.7.1.1) and General Study (C.7.2.1)."""
    return {
        "PatientName": identity.patient_name,
        "PatientID": identity.patient_id,
        "PatientBirthDate": "",
        "PatientSex": "F",
        "PatientComments": "SYNTHETIC: no such patient exists",
        "StudyInstanceUID": identity.study_instance_uid,
        "StudyDate": identity.study_date,
        "StudyTime": "",
        "ReferringPhysicianName": "",
        "StudyID": "",
        "AccessionNumber": identity.accession_number,
        **_if_any("StudyDescription", identity.study_description),
    }


def _series(image: WrittenImage) -> dict[str, object]:
    """Series, DX Series (C.8.11.1) and Mammography Series (C.8.11.6)."""
    return {
        "Modality": "MG",
        "PresentationIntentType": image.intent.value,
        "SeriesInstanceUID": image.identity.series_instance_uid,
        "SeriesNumber": 1,
        **_if_any("SeriesDescription", image.identity.series_description),
    }


def _general_image(image: WrittenImage) -> dict[str, object]:
    """General Image (C.7.6.1), DX Image (C.8.11.3), Acquisition Context (C.7.6.14)."""
    raw = image.intent is PresentationIntent.FOR_PROCESSING
    return {
        "InstanceNumber": image.identity.instance_number,
        "ContentDate": image.identity.study_date,
        "ContentTime": "",
        "PatientOrientation": list(ORIENTATION[image.laterality, image.view]),
        "ImageType": ["DERIVED", "PRIMARY"],
        "DerivationDescription": image.derivation,
        "ImageComments": "SYNTHETIC",
        "BurnedInAnnotation": "NO",
        "LossyImageCompression": "00",
        "PixelIntensityRelationship": "LIN" if raw else "LOG",
        # 1: a lower value means less beam, as raw and inverted images have it (C.8.11.3.1.2).
        "PixelIntensityRelationshipSign": 1 if raw or image.inverted else -1,
        "RescaleIntercept": 0,
        "RescaleSlope": 1,
        "RescaleType": "US",
        "PresentationLUTShape": "INVERSE" if image.inverted else "IDENTITY",
        "AcquisitionContextSequence": [],
    }


def _image_pixel(pixels: NDArray[np.uint16], image: WrittenImage) -> dict[str, object]:
    """Image Pixel (C.7.6.3)."""
    return {
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME1" if image.inverted else "MONOCHROME2",
        "Rows": pixels.shape[0],
        "Columns": pixels.shape[1],
        "BitsAllocated": 16,
        "BitsStored": image.bits,
        "HighBit": image.bits - 1,
        "PixelRepresentation": 0,
    }


def _detector(image: WrittenImage) -> dict[str, object]:
    """DX Detector (C.8.11.4) and DX Positioning (C.8.11.5): only what a simulation knows."""
    spacing = f"{image.pixel_mm:g}"
    thickness = "" if image.thickness_mm is None else f"{image.thickness_mm:.1f}"
    return {
        "DetectorType": "",
        "DetectorConfiguration": "",
        "DetectorDescription": "Simulated",
        "DetectorActiveShape": "RECTANGLE",
        "FieldOfViewShape": "RECTANGLE",
        "ImagerPixelSpacing": [spacing, spacing],
        "EstimatedRadiographicMagnificationFactor": "1",
        "PositionerType": "MAMMOGRAPHIC",
        **_if_any("BodyPartThickness", thickness),
    }


def _anatomy(image: WrittenImage) -> dict[str, object]:
    """DX Anatomy Imaged (C.8.11.2) and Mammography Image (C.8.11.7)."""
    view = _code(*VIEW_CODE[image.view])
    view.ViewModifierCodeSequence = []
    return {
        "ImageLaterality": image.laterality.value,
        "OrganExposed": "BREAST",
        "BodyPartExamined": "BREAST",
        "AnatomicRegionSequence": [_code("76752008", "Breast")],
        "BreastImplantPresent": "NO",
        "PartialView": "NO",
        "ViewPosition": image.view.value,
        "ViewCodeSequence": [view],
    }


def _window(image: WrittenImage) -> dict[str, object]:
    """VOI LUT (C.11.2): forbidden in For Processing images."""
    if image.intent is PresentationIntent.FOR_PROCESSING:
        return {}
    half = float(1 << (image.bits - 1))
    window = image.window or Window(half, 2 * half)
    return {
        "WindowCenter": f"{window.center:.6g}",
        "WindowWidth": f"{window.width:.6g}",
        "VOILUTFunction": window.function.value,
        **_if_any("WindowCenterWidthExplanation", window.explanation),
    }


def _if_any(keyword: str, value: str) -> dict[str, object]:
    return {keyword: value} if value else {}


def _code(value: str, meaning: str, scheme: str = "SCT") -> Dataset:
    from pydicom.dataset import Dataset

    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = scheme
    item.CodeMeaning = meaning
    return item


def _add_pixels(
    dataset: Dataset, pixels: NDArray[np.uint16], image: WrittenImage, syntax: TransferSyntax
) -> None:
    from pydicom.encaps import encapsulate

    data = encode_frame(pixels, image.bits, syntax)
    data += b"\0" * (len(data) % 2)
    vr = "OB" if syntax.compressed else "OW"
    dataset.add_new("PixelData", vr, encapsulate([data]) if syntax.compressed else data)
    dataset["PixelData"].is_undefined_length = syntax.compressed
