"""From a file to a `Mammogram`: the header only; `ml.mammo.pixels` decodes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ml.errors import MissingAttributeError, NotDicomError, NotMammographyError, ReadError
from ml.mammo.budget import check_size
from ml.mammo.codes import ImageKind, PresentationIntent
from ml.mammo.codestream import JPEG
from ml.mammo.header import (
    damage,
    items,
    number,
    numbers,
    parse,
    shared_item,
    text,
    texts,
    whole,
)
from ml.mammo.mammogram import (
    Acquisition,
    Alarm,
    LossyCompression,
    Mammogram,
    Padding,
    Patient,
    PixelFormat,
    PixelSpacing,
)
from ml.mammo.pixels import read_pixels
from ml.mammo.sides import with_side
from ml.mammo.view import find_laterality, find_orientation, find_view
from ml.mammo.voi import read_modality, read_presentation, read_voi, voi_of_frames
from ml.texts import mark

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pydicom.dataset import FileDataset

MG_PRESENTATION = "1.2.840.10008.5.1.4.1.1.1.2"
MG_PROCESSING = "1.2.840.10008.5.1.4.1.1.1.2.1"
BREAST_TOMOSYNTHESIS = "1.2.840.10008.5.1.4.1.1.13.1.3"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
# JPEG-LS near, JPEG 2000 and HTJ2K allow loss without demanding it: lossy unless denied.
MAY_BE_LOSSY = frozenset(
    {"1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.203"}
)
PICTURE_ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff"})
NEEDED = (
    *("SOPInstanceUID", "StudyInstanceUID", "Rows", "Columns", "BitsAllocated"),
    # Without it nobody knows what is black.
    "PhotometricInterpretation",
)
RAW = mark("For Processing image: raw detector values, not made for reading.")


def read_mammogram(path: Path) -> Mammogram:
    """Read the header of one image.

    Raises
    ------
    NotDicomError
        Neither DICOM nor a PNG, JPEG or TIFF film.
    NotMammographyError
        DICOM, but no mammogram.
    MissingAttributeError
        Without Rows, Columns or the like.
    BudgetError
        Larger than any mammogram is.
    ReadError
        Damaged in another way.
    """
    if path.suffix.lower() in PICTURE_ENDINGS:
        from ml.mammo.film import read_film

        return read_film(path)
    dataset = read_header(path)
    try:
        check_is_mammogram(dataset, path)
        _check_pixels_described(dataset, path)
        mammogram = _mammogram(dataset, path)
    except damage() as error:
        raise ReadError(
            mark("{name} is damaged: its header makes no sense. Ask for a new copy."),
            name=path.name,
            detail=f"{type(error).__name__}: {error}",
        ) from error
    return mammogram if mammogram.laterality is not None else _sided(mammogram)


def _sided(mammogram: Mammogram) -> Mammogram:
    """Decode an image that names no side, only to see it; the picture is decoded again."""
    if mammogram.kind is ImageKind.TOMOSYNTHESIS:
        return mammogram
    try:
        return with_side(mammogram, read_pixels(mammogram, reduce=2))
    except ReadError:
        # It will be told when the image is to be shown.
        return mammogram


def read_header(path: Path, only: Sequence[str | int] | None = None) -> FileDataset:
    """All of a file but its pixels.

    Parameters
    ----------
    only
        As for `ml.mammo.header.parse`.

    Raises
    ------
    NotDicomError, ReadError
    """
    from pydicom.errors import InvalidDicomError

    try:
        return parse(path, only=only)
    except InvalidDicomError as error:
        raise NotDicomError(
            mark("{name} is not a DICOM file. Choose DICOM, PNG, JPEG or TIFF images."),
            name=path.name,
        ) from error
    except OSError as error:
        raise ReadError(
            mark("{name} cannot be opened: {why}."), name=path.name, why=error.strerror or error
        ) from error
    except damage() as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: BaseException) -> ReadError:
    return ReadError(
        mark("{name} is damaged and cannot be read. Ask for a new copy."),
        name=path.name,
        detail=type(error).__name__,
    )


def check_is_mammogram(dataset: FileDataset, path: Path) -> None:
    """Raise `NotMammographyError` where a header is of something else."""
    sop_class = text(dataset, "SOPClassUID")
    if sop_class in (MG_PRESENTATION, MG_PROCESSING, BREAST_TOMOSYNTHESIS):
        return
    breast = "BREAST" in text(dataset, "BodyPartExamined").upper()
    if "Rows" in dataset and (text(dataset, "Modality") == "MG" or breast):
        return
    raise NotMammographyError(
        mark("{name} is no mammogram ({modality}). Choose mammography images."),
        name=path.name,
        modality=_readable(text(dataset, "Modality") or text(dataset, "SOPClassUID")),
    )


def _readable(code: str) -> str:
    """A code as a sentence may quote it: damaged files hold anything there."""
    return code if re.fullmatch(r"[A-Z0-9._ ]{1,64}", code) else "?"


def _check_pixels_described(dataset: FileDataset, path: Path) -> None:
    for keyword in NEEDED:
        if not text(dataset, keyword):
            raise MissingAttributeError(
                mark("{name} lacks {keyword} and cannot be shown. Ask for a new copy."),
                name=path.name,
                keyword=keyword,
            )
    check_gray(dataset, path)
    _check_low_aligned(dataset, path)
    check_size(
        path.name,
        whole(dataset, "Rows") or 0,
        whole(dataset, "Columns") or 0,
        whole(dataset, "NumberOfFrames") or 1,
        whole(dataset, "BitsAllocated") or 0,
    )


def check_gray(dataset: FileDataset, path: Path) -> None:
    """Raise `NotMammographyError` where a header says that its image is coloured."""
    named = text(dataset, "PhotometricInterpretation") or "MONOCHROME2"
    gray = named.upper().startswith("MONOCHROME")
    if (whole(dataset, "SamplesPerPixel") or 1) != 1 or not gray:
        raise NotMammographyError(
            mark("{name} is a colour image, not a mammogram."), name=path.name
        )


def _check_low_aligned(dataset: FileDataset, path: Path) -> None:
    """Bits that do not begin at the lowest are retired, and forbidden in mammography."""
    stored, high = whole(dataset, "BitsStored"), whole(dataset, "HighBit")
    if stored is not None and high is not None and high != stored - 1:
        raise ReadError(
            mark(
                "{name} stores its {stored} bits up to bit {high}, which is not supported. "
                "Ask for a new copy."
            ),
            name=path.name,
            stored=stored,
            high=high,
        )


def _mammogram(dataset: FileDataset, path: Path) -> Mammogram:
    laterality, side_alarms = find_laterality(dataset)
    view, modifiers, view_alarms = find_view(dataset)
    orientation, turn_alarms = find_orientation(dataset, laterality)
    groups = items(dataset, "PerFrameFunctionalGroupsSequence")
    voi, voi_alarms = read_voi(shared_item(dataset, "FrameVOILUTSequence") or dataset)
    modality, lut_alarms = read_modality(
        shared_item(dataset, "PixelValueTransformationSequence") or dataset
    )
    inverse, table, presentation_alarms = read_presentation(dataset)
    intent = _intent(dataset)
    raw = intent is PresentationIntent.FOR_PROCESSING
    return Mammogram(
        path=path,
        kind=_kind(dataset),
        sop_instance_uid=text(dataset, "SOPInstanceUID"),
        study_instance_uid=text(dataset, "StudyInstanceUID"),
        series_instance_uid=text(dataset, "SeriesInstanceUID"),
        sop_class_uid=text(dataset, "SOPClassUID"),
        transfer_syntax_uid=str(dataset.file_meta.get("TransferSyntaxUID", "")),
        patient=_patient(dataset),
        acquisition=_acquisition(dataset),
        rows=whole(dataset, "Rows") or 0,
        columns=whole(dataset, "Columns") or 0,
        frames=whole(dataset, "NumberOfFrames") or 1,
        pixel_format=_pixel_format(dataset),
        laterality=laterality,
        view=view,
        view_modifiers=modifiers,
        orientation=orientation,
        spacing=_spacing(dataset),
        intent=intent,
        modality=modality,
        voi=voi,
        frame_voi=voi_of_frames(groups),
        presentation_inverse=inverse,
        presentation_lut=table,
        padding=_padding(dataset),
        lossy=_lossy(dataset),
        implant=text(dataset, "BreastImplantPresent").upper() == "YES",
        partial_view=text(dataset, "PartialView").upper() == "YES",
        synthetic=is_synthetic(dataset),
        study_date=text(dataset, "StudyDate"),
        study_description=text(dataset, "StudyDescription"),
        series_description=text(dataset, "SeriesDescription"),
        accession_number=text(dataset, "AccessionNumber"),
        instance_number=whole(dataset, "InstanceNumber"),
        image_type=texts(dataset, "ImageType"),
        frame_of_reference_uid=text(dataset, "FrameOfReferenceUID"),
        alarms=(
            *side_alarms,
            *view_alarms,
            *turn_alarms,
            *voi_alarms,
            *lut_alarms,
            *presentation_alarms,
            *((Alarm(RAW),) if raw else ()),
        ),
    )


def _kind(dataset: FileDataset) -> ImageKind:
    sop_class = text(dataset, "SOPClassUID")
    if sop_class == BREAST_TOMOSYNTHESIS:
        return ImageKind.TOMOSYNTHESIS
    if sop_class in (MG_PRESENTATION, MG_PROCESSING):
        return ImageKind.DIGITAL
    return ImageKind.FILM


def _intent(dataset: FileDataset) -> PresentationIntent | None:
    named = text(dataset, "PresentationIntentType").upper()
    if named in {intent.value for intent in PresentationIntent}:
        return PresentationIntent(named)
    by_class = {
        MG_PRESENTATION: PresentationIntent.FOR_PRESENTATION,
        MG_PROCESSING: PresentationIntent.FOR_PROCESSING,
    }
    return by_class.get(text(dataset, "SOPClassUID"))


def is_synthetic(dataset: FileDataset) -> bool:
    """Synthetic Data (0008,001C), which older dictionaries do not know, or a plain word."""
    tag = (0x0008, 0x001C)
    declared = tag in dataset and str(dataset[tag].value).strip().upper() == "YES"
    return declared or "SYNTHETIC" in text(dataset, "PatientName").upper()


def _pixel_format(dataset: FileDataset) -> PixelFormat:
    allocated = whole(dataset, "BitsAllocated") or 16
    return PixelFormat(
        bits_stored=whole(dataset, "BitsStored") or allocated,
        signed=whole(dataset, "PixelRepresentation") == 1,
        inverted=text(dataset, "PhotometricInterpretation").upper() == "MONOCHROME1",
        bits_allocated=allocated,
    )


def _padding(dataset: FileDataset) -> Padding | None:
    value = whole(dataset, "PixelPaddingValue")
    if value is None:
        return None
    limit = whole(dataset, "PixelPaddingRangeLimit")
    other = value if limit is None else limit
    return Padding(min(value, other), max(value, other))


def _spacing(dataset: FileDataset) -> PixelSpacing | None:
    """Imager Pixel Spacing over the magnification; Pixel Spacing only where it is alone."""
    factor = number(dataset, "EstimatedRadiographicMagnificationFactor") or 1.0
    factor = factor if 0.5 < factor < 5 else 1.0
    imager = numbers(dataset, "ImagerPixelSpacing")
    if _are_pixels(imager):
        reason = "Imager Pixel Spacing" + (" / magnification" if factor != 1 else "")
        return PixelSpacing(imager[0] / factor, imager[1] / factor, reason, factor)
    measures = shared_item(dataset, "PixelMeasuresSequence") or dataset
    plain = numbers(measures, "PixelSpacing")
    if _are_pixels(plain):
        return PixelSpacing(plain[0], plain[1], "Pixel Spacing")
    return None


def _are_pixels(sides_mm: tuple[float, ...]) -> bool:
    """Whether a detector or a scanner has such pixels: no scale is better than a wild one."""
    return len(sides_mm) == 2 and all(0.001 <= side <= 10 for side in sides_mm)


def _lossy(dataset: FileDataset) -> LossyCompression | None:
    syntax = str(dataset.file_meta.get("TransferSyntaxUID", ""))
    said = text(dataset, "LossyImageCompression")
    unsaid = syntax in MAY_BE_LOSSY and said != "00"
    if said != "01" and syntax not in JPEG and not unsaid:
        return None
    ratios = numbers(dataset, "LossyImageCompressionRatio")
    return LossyCompression(
        ratios[-1] if ratios else None, text(dataset, "LossyImageCompressionMethod")
    )


def _patient(dataset: FileDataset) -> Patient:
    return Patient(
        text(dataset, "PatientID"),
        text(dataset, "PatientName"),
        text(dataset, "PatientBirthDate"),
        text(dataset, "PatientAge"),
        text(dataset, "PatientSex"),
    )


def _acquisition(dataset: FileDataset) -> Acquisition:
    organ_dose = number(dataset, "OrganDose")
    milliampere_seconds = number(dataset, "ExposureInuAs")
    exposure = number(dataset, "Exposure")
    return Acquisition(
        date=_first_text(dataset, "AcquisitionDate", "ContentDate", "StudyDate"),
        time=_first_text(dataset, "AcquisitionTime", "ContentTime", "StudyTime"),
        institution=text(dataset, "InstitutionName"),
        station=text(dataset, "StationName"),
        manufacturer=text(dataset, "Manufacturer"),
        model=text(dataset, "ManufacturerModelName"),
        serial_number=text(dataset, "DeviceSerialNumber"),
        detector_id=text(dataset, "DetectorID"),
        operator=text(dataset, "OperatorsName"),
        anode=text(dataset, "AnodeTargetMaterial"),
        filter=text(dataset, "FilterMaterial"),
        kvp=number(dataset, "KVP"),
        exposure_mas=exposure if milliampere_seconds is None else milliampere_seconds / 1000,
        exposure_ms=number(dataset, "ExposureTime"),
        compression_force_n=number(dataset, "CompressionForce"),
        thickness_mm=number(dataset, "BodyPartThickness"),
        angle_deg=number(dataset, "PositionerPrimaryAngle"),
        relative_exposure=number(dataset, "RelativeXRayExposure"),
        organ_dose_mgy=None if organ_dose is None else organ_dose * 100,
        entrance_dose_mgy=number(dataset, "EntranceDoseInmGy"),
    )


def _first_text(dataset: FileDataset, *keywords: str) -> str:
    return next((found for keyword in keywords if (found := text(dataset, keyword))), "")
