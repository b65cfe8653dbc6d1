"""The standard's words for a mammogram, as enumerations."""

from enum import Enum


class Laterality(Enum):
    """Which breast: Image Laterality (0020,0062), PS3.3 C.8.11.7. No side of the screen."""

    RIGHT = "R"
    LEFT = "L"
    BOTH = "B"


class ViewPosition(Enum):
    """The projection: View Code Sequence, CID 4014 (PS3.16)."""

    CC = "CC"
    MLO = "MLO"
    ML = "ML"
    LM = "LM"
    LMO = "LMO"
    XCCL = "XCCL"
    XCCM = "XCCM"
    FB = "FB"
    SIO = "SIO"
    ISO = "ISO"
    CV = "CV"
    AT = "AT"
    SPECIMEN = "SPECIMEN"


class ViewModifier(Enum):
    """View Modifier Code Sequence, CID 4015 (PS3.16), by its usual abbreviation."""

    MAGNIFICATION = "M"
    SPOT = "S"
    CLEAVAGE = "CV"
    AXILLARY_TAIL = "AT"
    ROLLED_LATERAL = "RL"
    ROLLED_MEDIAL = "RM"
    ROLLED_INFERIOR = "RI"
    ROLLED_SUPERIOR = "RS"
    IMPLANT_DISPLACED = "ID"
    NIPPLE_IN_PROFILE = "NP"
    ANTERIOR_COMPRESSION = "AC"
    INFRAMAMMARY_FOLD = "IMF"
    AXILLARY_TISSUE = "AX"
    TANGENTIAL = "TAN"


class PresentationIntent(Enum):
    """Presentation Intent Type (0008,0068)."""

    FOR_PRESENTATION = "FOR PRESENTATION"
    FOR_PROCESSING = "FOR PROCESSING"


class ImageKind(Enum):
    """What sort of image a file holds: decides what may be said about it."""

    DIGITAL = "digital mammogram"
    TOMOSYNTHESIS = "breast tomosynthesis"
    FILM = "scanned film"
    PICTURE = "not DICOM"


class VoiFunction(Enum):
    """VOI LUT Function (0028,1056), PS3.3 C.11.2.1.2 and C.11.2.1.3."""

    LINEAR = "LINEAR"
    LINEAR_EXACT = "LINEAR_EXACT"
    SIGMOID = "SIGMOID"


class BreastDensity(Enum):
    """Breast composition, BI-RADS a to d."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"


class FindingType(Enum):
    """What a finding is, in BI-RADS terms."""

    MASS = "mass"
    CALCIFICATIONS = "calcifications"
    ARCHITECTURAL_DISTORTION = "architectural distortion"
    ASYMMETRY = "asymmetry"
