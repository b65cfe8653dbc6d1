"""Studies and analyses as values, without files or models."""

from __future__ import annotations

from pathlib import Path

from ml.findings import Analysis, Finding, ImageAnalysis, ModelUse, OperatingPoint
from ml.mammo.codes import BreastDensity, FindingType, ImageKind, Laterality, ViewPosition
from ml.mammo.geometry import Box
from ml.mammo.mammogram import (
    Acquisition,
    Alarm,
    Evidence,
    Mammogram,
    Patient,
    PixelFormat,
    PixelSpacing,
)
from ml.mammo.study import Study

POINT = OperatingPoint("sensitivity 0.90", 0.42, "phantoms", sensitivity=0.9, specificity=0.8)
MODELS = {
    "detector": ModelUse("detector", "1.2.0", "d" * 64, POINT, {"detector": 0.5}),
    "classifier": ModelUse(
        "classifier", "1.2.0", "c" * 64, POINT, {"lesion": 0.5, "malignancy": 0.25}
    ),
}
FOUR_VIEWS = ("RCC", "LCC", "RMLO", "LMLO")


def make_image(
    title: str, *, spacing: bool = False, alarms: tuple[Alarm, ...] = ()
) -> Mammogram:
    return Mammogram(
        path=Path(f"{title}.dcm"),
        kind=ImageKind.DIGITAL,
        sop_instance_uid=f"1.2.3.{title}",
        study_instance_uid="1.2.3",
        series_instance_uid="1.2.3.4",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.1.2",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        patient=Patient(patient_id="P_00173"),
        acquisition=Acquisition(),
        rows=3000,
        columns=2400,
        frames=1,
        pixel_format=PixelFormat(12),
        laterality=Evidence(Laterality(title[0]), "test"),
        view=Evidence(ViewPosition(title[1:]), "test"),
        spacing=PixelSpacing(0.1, 0.1, "test") if spacing else None,
        alarms=alarms,
    )


def make_study(
    titles: tuple[str, ...] = FOUR_VIEWS,
    *,
    spacing: bool = False,
    alarms: tuple[Alarm, ...] = (),
    image_alarms: tuple[Alarm, ...] = (),
) -> Study:
    images = tuple(make_image(title, spacing=spacing, alarms=image_alarms) for title in titles)
    return Study(
        "1.2.3", images[0].patient, "20161004", images, merged=bool(alarms), alarms=alarms
    )


def make_finding(score: float, kind: FindingType = FindingType.MASS) -> Finding:
    return Finding(Box(1000, 800, 1180, 970), kind, score)


def make_image_analysis(
    title: str,
    *,
    lesion: float = 0.2,
    malignancy: float = 0.1,
    findings: tuple[Finding, ...] = (),
    validated: bool = True,
    refused: str | None = None,
) -> ImageAnalysis:
    seen = refused is None
    return ImageAnalysis(
        path=f"{title}.dcm",
        sop_instance_uid=f"1.2.3.{title}",
        study_instance_uid="1.2.3",
        laterality=Laterality(title[0]),
        view=ViewPosition(title[1:]),
        rows=3000,
        columns=2400,
        refused=refused,
        findings=findings if seen else (),
        lesion_score=lesion if seen else None,
        lesion_probability=lesion / 2 if seen and validated else None,
        malignancy_score=malignancy if seen else None,
        malignancy_probability=malignancy / 2 if seen and validated else None,
        density=(
            tuple(zip(BreastDensity, (0.08, 0.57, 0.32, 0.03), strict=True)) if seen else ()
        ),
        not_validated="" if validated else "Scanned film: not validated for it.",
        milliseconds=80.0,
    )


def make_analysis(*, validated: bool = False, refused: str | None = None) -> Analysis:
    """The analysis that the drawing shows: a mass on RCC and one on LMLO."""
    images = (
        make_image_analysis(
            "RCC", lesion=0.63, malignancy=0.22, findings=(make_finding(0.71),),
            validated=validated,
        ),
        make_image_analysis("LCC", lesion=0.12, validated=validated),
        make_image_analysis(
            "RMLO", lesion=0.31, findings=(make_finding(0.21),), validated=validated,
            refused=refused,
        ),
        make_image_analysis(
            "LMLO", lesion=0.42, malignancy=0.12, validated=validated,
            findings=(make_finding(0.48, FindingType.CALCIFICATIONS),),
        ),
    )  # fmt: skip
    return Analysis(MODELS, images, "OpenVINO bf16")
