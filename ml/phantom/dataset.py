"""Simulated studies as files: DICOM, `manifest.csv` and `boxes.csv`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml.mammo.write import EXPLICIT_LITTLE, WrittenImage, write_mammogram
from ml.manifest import BoxRow, ManifestRow, write_manifest
from ml.phantom.phantom import STANDARD_VIEWS, Phantom, make_phantom
from ml.phantom.physics import VENDORS
from ml.phantom.woman import Woman, draw_woman

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ml.phantom.physics import Vendor


def write_phantoms(
    folder: Path,
    count: int,
    seed: int,
    *,
    pixel_mm: float = 0.1,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> None:
    """Write `count` women of four views each, with their truth.

    Parameters
    ----------
    seed
        Of the first woman; the others follow.
    progress
        Called with how many women are done, of how many.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[ManifestRow] = []
    for number in range(count):
        woman = draw_woman(seed + number)
        rows += write_study(folder, woman, VENDORS[number % len(VENDORS)], pixel_mm=pixel_mm)
        progress(number + 1, count)
    write_manifest(folder, rows)


def write_study(
    folder: Path,
    woman: Woman,
    vendor: Vendor,
    *,
    pixel_mm: float = 0.1,
    transfer_syntax: str = EXPLICIT_LITTLE,
) -> Iterator[ManifestRow]:
    """Write one woman's four views; yield the row of each as it is written."""
    for instance, (side, view) in enumerate(STANDARD_VIEWS, 1):
        phantom = make_phantom(woman, side, view, pixel_mm=pixel_mm, vendor=vendor)
        name = f"phantom-{woman.seed}-{side.value}{view.value}.dcm"
        write_mammogram(
            folder / name, phantom.pixels, _written(phantom, instance, transfer_syntax)
        )
        yield _row(phantom, name)


def _written(phantom: Phantom, instance: int, transfer_syntax: str) -> WrittenImage:
    return WrittenImage(
        laterality=phantom.laterality,
        view=phantom.view,
        pixel_mm=phantom.pixel_mm,
        bits=phantom.bits,
        identity=f"phantom/{phantom.seed}/{phantom.vendor.name}/{phantom.pixel_mm:g}",
        instance=instance,
        patient_id=f"SYNTHETIC-{phantom.seed}",
        manufacturer="Mammoscope",
        model=phantom.vendor.name,
        description=(
            f"Simulated mammogram, no patient: seed {phantom.seed}, density "
            f"{phantom.density.value}, glandular fraction {phantom.glandular_fraction:.3f}"
        ),
        inverted=phantom.vendor.inverted,
        intent=phantom.intent,
        transfer_syntax=transfer_syntax,
        thickness_mm=phantom.thickness_mm,
    )


def _row(phantom: Phantom, name: str) -> ManifestRow:
    malignant = any(lesion.malignant for lesion in phantom.lesions)
    label = ("malignant" if malignant else "benign") if phantom.lesions else "normal"
    boxes = tuple(
        BoxRow(lesion.box, lesion.finding_type, "malignant" if lesion.malignant else "benign")
        for lesion in phantom.lesions
    )
    return ManifestRow(
        path=name,
        patient_id=f"SYNTHETIC-{phantom.seed}",
        laterality=phantom.laterality,
        view=phantom.view,
        label=label,
        source="phantom",
        density=phantom.density,
        reference_standard="simulation",
        boxes=boxes,
        other={
            "seed": str(phantom.seed),
            "glandular_fraction": f"{phantom.glandular_fraction:.4f}",
            "thickness_mm": f"{phantom.thickness_mm:.1f}",
            "vendor": phantom.vendor.name,
            "contrast_to_noise": "|".join(
                f"{x.contrast_to_noise:.2f}" for x in phantom.lesions
            ),
        },
    )
