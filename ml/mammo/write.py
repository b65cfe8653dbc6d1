"""Write a simulated or generated image as a valid Digital Mammography X-Ray Image.

Only what is true is written: no dose, operator, detector or calibration is invented. What the
standard demands and a simulation has not is present and empty (type 2) or says so.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.mammo.codes import Laterality, PresentationIntent, ViewPosition
from ml.mammo.read import MG_PRESENTATION, MG_PROCESSING

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from pydicom.dataset import Dataset, FileDataset

EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
HTJ2K_LOSSLESS = "1.2.840.10008.1.2.4.201"
JPEG_LS_LOSSLESS = "1.2.840.10008.1.2.4.80"
# CID 4014, SCT.
VIEW_CODE = {
    ViewPosition.CC: ("399162004", "cranio-caudal"),
    ViewPosition.MLO: ("399368009", "medio-lateral oblique"),
}
# How the standard views are stored by most machines: rows, columns.
STANDARD_ORIENTATION = {
    (Laterality.RIGHT, ViewPosition.CC): ("P", "L"),
    (Laterality.LEFT, ViewPosition.CC): ("A", "R"),
    (Laterality.RIGHT, ViewPosition.MLO): ("P", "FL"),
    (Laterality.LEFT, ViewPosition.MLO): ("A", "FR"),
}
WHEN = ("20260101", "120000")


@dataclass(frozen=True, slots=True)
class WrittenImage:
    """What a written image says of itself.

    Attributes
    ----------
    identity
        Seeds all UIDs, with `instance`: the same identity gives the same UIDs.
    pixel_mm
        At the detector; the magnification is 1.
    description
        How the pixels came about (Derivation Description, 1024 letters at most).
    """

    laterality: Laterality
    view: ViewPosition
    pixel_mm: float
    bits: int
    identity: str
    instance: int
    patient_id: str
    manufacturer: str
    model: str
    description: str
    inverted: bool = False
    intent: PresentationIntent = PresentationIntent.FOR_PRESENTATION
    transfer_syntax: str = EXPLICIT_LITTLE
    thickness_mm: float | None = None


def write_mammogram(path: Path, pixels: NDArray[np.uint16], image: WrittenImage) -> None:
    """Write one synthetic image.

    Parameters
    ----------
    pixels : (rows, columns) uint16
        Stored values, oriented as `STANDARD_ORIENTATION` says.

    Raises
    ------
    ValueError
        For another transfer syntax than uncompressed, HTJ2K or JPEG-LS.
    """
    dataset = _dataset(image)
    _describe_patient(dataset, image)
    _describe_acquisition(dataset, image)
    _describe_image(dataset, pixels, image)
    _put_pixels(dataset, pixels, image.transfer_syntax)
    dataset.save_as(path, enforce_file_format=True)


def deterministic_uid(*parts: object) -> str:
    """A UID under 2.25 (PS3.5 B.2) that follows from its parts."""
    name = "/".join(str(part) for part in parts)
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_URL, f'mammoscope/{name}').int}"


def _dataset(image: WrittenImage) -> FileDataset:
    from pydicom.dataset import FileDataset, FileMetaDataset

    sop_class = (
        MG_PROCESSING if image.intent is PresentationIntent.FOR_PROCESSING else MG_PRESENTATION
    )
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = deterministic_uid(image.identity, "image", image.instance)
    meta.TransferSyntaxUID = image.transfer_syntax
    meta.ImplementationClassUID = deterministic_uid("implementation")
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    dataset.StudyInstanceUID = deterministic_uid(image.identity, "study")
    dataset.SeriesInstanceUID = deterministic_uid(image.identity, "series", image.intent.value)
    return dataset


def _describe_patient(dataset: Dataset, image: WrittenImage) -> None:
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientName = "SYNTHETIC^PHANTOM"
    dataset.PatientID = image.patient_id
    dataset.PatientBirthDate = ""
    dataset.PatientSex = "F"
    dataset.PatientOrientation = list(STANDARD_ORIENTATION[image.laterality, image.view])
    dataset.StudyDate, dataset.StudyTime = WHEN
    dataset.ContentDate, dataset.ContentTime = WHEN
    dataset.AcquisitionDate, dataset.AcquisitionTime = WHEN
    dataset.ReferringPhysicianName = ""
    dataset.StudyID = ""
    dataset.AccessionNumber = ""
    dataset.StudyDescription = "Simulated mammogram, research use only"


def _describe_acquisition(dataset: Dataset, image: WrittenImage) -> None:
    from pydicom.dataset import Dataset

    dataset.Modality = "MG"
    dataset.SeriesNumber = 1
    dataset.InstanceNumber = image.instance
    dataset.SeriesDescription = f"{image.laterality.value} {image.view.value} synthetic"
    dataset.Manufacturer = image.manufacturer
    dataset.ManufacturerModelName = image.model
    dataset.PresentationIntentType = image.intent.value
    dataset.BodyPartExamined = "BREAST"
    dataset.ImageLaterality = image.laterality.value
    dataset.ViewPosition = image.view.value
    dataset.PositionerType = "NONE"
    dataset.OrganExposed = "BREAST"
    dataset.DetectorType = ""
    dataset.DetectorConfiguration = "AREA"
    dataset.BreastImplantPresent = "NO"
    dataset.PartialView = "NO"
    if image.thickness_mm is not None:
        dataset.BodyPartThickness = f"{image.thickness_mm:.1f}"
    dataset.ImagerPixelSpacing = [f"{image.pixel_mm:g}"] * 2
    dataset.EstimatedRadiographicMagnificationFactor = "1"
    region, view = Dataset(), Dataset()
    region.CodeValue, region.CodingSchemeDesignator = "76752008", "SCT"
    region.CodeMeaning = "Breast"
    view.CodeValue, view.CodeMeaning = VIEW_CODE[image.view]
    view.CodingSchemeDesignator = "SCT"
    view.ViewModifierCodeSequence = []
    dataset.AnatomicRegionSequence = [region]
    dataset.ViewCodeSequence = [view]
    dataset.AcquisitionContextSequence = []


def _describe_image(dataset: Dataset, pixels: NDArray[np.uint16], image: WrittenImage) -> None:
    from pydicom.dataset import Dataset

    processing = image.intent is PresentationIntent.FOR_PROCESSING
    dataset.ImageType = ["DERIVED", "PRIMARY"]
    dataset.DerivationDescription = image.description[:1024]
    dataset.add_new((0x0008, 0x001C), "CS", "YES")  # Synthetic Data, PS3.3 2023e
    dataset.BurnedInAnnotation = "NO"
    dataset.LossyImageCompression = "00"
    dataset.QualityControlImage = "NO"
    dataset.PixelIntensityRelationship = "LIN" if processing else "LOG"
    dataset.PixelIntensityRelationshipSign = 1 if processing or image.inverted else -1
    dataset.RescaleIntercept, dataset.RescaleSlope = "0", "1"
    dataset.RescaleType = "US"
    dataset.PresentationLUTShape = "INVERSE" if image.inverted else "IDENTITY"
    if not processing:
        low, high = np.percentile(pixels[::4, ::4], (1, 99.9))
        dataset.WindowCenter = f"{(low + high) / 2:.0f}"
        dataset.WindowWidth = f"{max(high - low, 2):.0f}"
        dataset.WindowCenterWidthExplanation = "simulated"
        dataset.VOILUTFunction = "LINEAR"
    equipment = Dataset()
    equipment.Manufacturer = "Mammoscope"
    equipment.ManufacturerModelName = image.model
    purpose = Dataset()
    purpose.CodeValue, purpose.CodingSchemeDesignator = "109106", "DCM"
    purpose.CodeMeaning = "Enhanced Multi-frame Conversion Equipment"
    equipment.PurposeOfReferenceCodeSequence = [purpose]
    equipment.ContributionDescription = "Simulation"
    dataset.ContributingEquipmentSequence = [equipment]
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME1" if image.inverted else "MONOCHROME2"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.BitsAllocated, dataset.BitsStored = 16, image.bits
    dataset.HighBit, dataset.PixelRepresentation = image.bits - 1, 0


def _put_pixels(dataset: FileDataset, pixels: NDArray[np.uint16], syntax: str) -> None:
    from pydicom.encaps import encapsulate

    if syntax == EXPLICIT_LITTLE:
        dataset.PixelData = np.ascontiguousarray(pixels, "<u2").tobytes()
        dataset["PixelData"].VR = "OW"
        return
    dataset.PixelData = encapsulate([_encoded(pixels, syntax)])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True


def _encoded(pixels: NDArray[np.uint16], syntax: str) -> bytes:
    import imagecodecs

    if syntax == HTJ2K_LOSSLESS:
        return bytes(imagecodecs.htj2k_encode(pixels, reversible=True))
    if syntax == JPEG_LS_LOSSLESS:
        return bytes(imagecodecs.jpegls_encode(pixels))
    raise ValueError(f"cannot write {syntax}")
