"""Phantoms as a folder of DICOM files with a manifest: what `mammoscope phantom` writes.

Beside a woman's images lies ``truth.json``: all that she was drawn with, and for each image its
lesions with their masks and its benign look-alikes. (A picture of a mask would be opened.)
"""

from __future__ import annotations

import json
from dataclasses import asdict, astuple
from datetime import date, timedelta
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from ml.mammo.codes import PresentationIntent
from ml.mammo.encode import TransferSyntax
from ml.mammo.mammogram import Window
from ml.mammo.write import Identity, WrittenImage, uid_of, write_mammogram
from ml.manifest import (
    BoxRow,
    Label,
    Manifest,
    ManifestRow,
    ReferenceStandard,
    Source,
    write_manifest,
)
from ml.phantom.phantom import STANDARD_VIEWS, Phantom, make_phantom
from ml.phantom.vendors import VENDORS
from ml.phantom.woman import draw_woman

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.phantom.vendors import Vendor
    from ml.phantom.woman import Woman

# The day of the current examination, which years before are counted from.
EXAMINED = date(2026, 1, 1)
DERIVATION = "Simulated by mammoscope: no patient, no exposure. Seed {seed}."


def write_phantoms(
    folder: Path,
    count: int,
    seed: int,
    *,
    pixel_mm: float = 0.1,
    syntax: TransferSyntax = TransferSyntax.HTJ2K,
    prior_years: float = 0.0,
    raw: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Manifest:
    """Simulate women and write their four mammograms each, and the truth about them.

    Parameters
    ----------
    folder
        Made where it is missing; gets a folder a woman, ``manifest.csv`` and ``boxes.csv``.
    count
        Of women.
    seed
        Women of different seeds are different women.
    prior_years
        Where not 0: write each woman's examination of so many years before, too.
    raw
        Write each image also as For Processing. It is in no table: it shows the same again.
    progress
        Called with the number of women written and of all.

    Raises
    ------
    OSError
        The folder cannot be written.
    """
    rows: list[ManifestRow] = []
    boxes: list[BoxRow] = []
    for index in range(count):
        woman, vendor = _drawn(seed, index)
        for one in (woman, woman.earlier(prior_years)) if prior_years else (woman,):
            study = write_study(folder, one, vendor, pixel_mm=pixel_mm, syntax=syntax, raw=raw)
            rows.extend(study.rows)
            boxes.extend(study.boxes)
        if progress is not None:
            progress(index + 1, count)
    manifest = Manifest(folder, tuple(rows), tuple(boxes))
    write_manifest(manifest)
    return manifest


def write_study(
    folder: Path,
    woman: Woman,
    vendor: Vendor,
    *,
    pixel_mm: float = 0.1,
    syntax: TransferSyntax = TransferSyntax.HTJ2K,
    raw: bool = False,
) -> Manifest:
    """Write the four standard views of one woman; the tables are returned, not written.

    Parameters
    ----------
    raw
        Write each image also as For Processing.
    """
    rows: list[ManifestRow] = []
    boxes: list[BoxRow] = []
    images: dict[str, object] = {}
    for laterality, view in STANDARD_VIEWS:
        phantom = make_phantom(woman, laterality, view, pixel_mm=pixel_mm, vendor=vendor)
        row, found = write_phantom(folder, phantom, syntax)
        rows.append(row)
        boxes.extend(found)
        images[row.path.rpartition("/")[2]] = _image_truth(phantom)
        if raw:
            unprocessed = make_phantom(
                woman,
                laterality,
                view,
                pixel_mm=pixel_mm,
                vendor=vendor,
                intent=PresentationIntent.FOR_PROCESSING,
            )
            write_phantom(folder, unprocessed, syntax)
    truth = {"woman": asdict(woman), "vendor": asdict(vendor), "images": images}
    text = json.dumps(truth, default=_plain)
    (folder / _folder(woman) / "truth.json").write_text(text + "\n", encoding="utf-8")
    return Manifest(folder, tuple(rows), tuple(boxes))


def write_phantom(
    folder: Path, phantom: Phantom, syntax: TransferSyntax = TransferSyntax.HTJ2K
) -> tuple[ManifestRow, tuple[BoxRow, ...]]:
    """Write one phantom into its woman's folder and return its rows of the tables."""
    name = f"{phantom.laterality.value}{phantom.view.value}"
    raw = phantom.intent is PresentationIntent.FOR_PROCESSING
    path = f"{_folder(phantom)}/{name}{'_raw' if raw else ''}.dcm"
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    write_mammogram(file, phantom.pixels, _header(phantom), syntax)
    return _row(path, phantom), tuple(_boxes(path, phantom))


def _folder(of: Woman | Phantom) -> str:
    return f"{of.seed:012x}" + (f"-{of.years_before:g}y-before" if of.years_before else "")


def mask_counts(mask: NDArray[np.bool_]) -> list[int]:
    """Run lengths down the columns, the first of them outside: COCO's uncompressed form."""
    values = np.concatenate([[False], mask.ravel(order="F")])
    changes = np.flatnonzero(np.diff(values)) + 1
    ends = np.concatenate([changes - 1, [mask.size]])
    return [int(n) for n in np.diff(np.concatenate([[0], ends]))]


def _image_truth(phantom: Phantom) -> dict[str, object]:
    return {
        "lesions": [
            {
                "box": astuple(lesion.box),
                "mask_counts": mask_counts(lesion.mask),
                "finding_type": lesion.finding_type,
                "descriptor": lesion.descriptor,
                "malignant": lesion.malignant,
                "radius_mm": round(lesion.radius_mm, 3),
                "detectability": round(lesion.detectability, 3),
            }
            for lesion in phantom.lesions
        ],
        "benign": [{"kind": one.kind, "box": astuple(one.box)} for one in phantom.benign],
    }


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    raise TypeError(type(value))


def _drawn(seed: int, index: int) -> tuple[Woman, Vendor]:
    """A woman and a vendor: a seed of 48 bits, so that no two runs draw the same woman."""
    words = np.random.SeedSequence((seed, index, 48)).generate_state(2, np.uint64)
    return draw_woman(int(words[0]) >> 16), VENDORS[int(words[1]) % len(VENDORS)]


def _header(phantom: Phantom) -> WrittenImage:
    raw = phantom.intent is PresentationIntent.FOR_PROCESSING
    return WrittenImage(
        laterality=phantom.laterality,
        view=phantom.view,
        identity=_identity(phantom),
        pixel_mm=phantom.pixel_mm,
        bits=phantom.bits,
        derivation=DERIVATION.format(seed=phantom.seed),
        intent=phantom.intent,
        inverted=phantom.vendor.inverted and not raw,
        window=None if raw else _window(phantom),
        thickness_mm=phantom.thickness_mm,
        model=phantom.vendor.name,
    )


def _identity(phantom: Phantom) -> Identity:
    seed, intent = phantom.seed, phantom.intent.value
    order = STANDARD_VIEWS.index((phantom.laterality, phantom.view))
    before = (phantom.years_before,) if phantom.years_before else ()
    image = (seed, intent, phantom.pixel_mm, phantom.vendor.name, order, *before)
    day = EXAMINED - timedelta(days=round(365.25 * phantom.years_before))
    return Identity(
        patient_id=phantom.patient_id,
        patient_name="SYNTHETIC^PHANTOM",
        study_instance_uid=uid_of("study", seed, *before),
        study_date=f"{day:%Y%m%d}",
        series_instance_uid=uid_of("series", *image),
        sop_instance_uid=uid_of("image", *image),
        instance_number=order + 1,
        study_description="Simulated mammogram",
        series_description=f"{phantom.laterality.value} {phantom.view.value}",
    )


def _window(phantom: Phantom) -> Window:
    """The whole range: the simulated machine has already windowed its image."""
    width = float(1 << phantom.bits)
    return Window(width / 2, width)


def _label(phantom: Phantom) -> Label:
    if any(lesion.malignant for lesion in phantom.lesions):
        return Label.MALIGNANT
    return Label.BENIGN if phantom.lesions else Label.NORMAL


def _row(path: str, phantom: Phantom) -> ManifestRow:
    return ManifestRow(
        path=path,
        patient_id=phantom.patient_id,
        laterality=phantom.laterality,
        view=phantom.view,
        label=_label(phantom),
        source=Source.PHANTOM,
        density=phantom.density,
        reference_standard=ReferenceStandard.SIMULATION,
        extra={
            "glandular_fraction": f"{phantom.glandular_fraction:.4f}",
            "thickness_mm": f"{phantom.thickness_mm:.1f}",
            "pixel_mm": f"{phantom.pixel_mm:g}",
            "vendor": phantom.vendor.name,
            "seed": str(phantom.seed),
            "years_before": f"{phantom.years_before:g}",
            "benign": "; ".join(one.kind.value for one in phantom.benign) or "none",
        },
    )


def _boxes(path: str, phantom: Phantom) -> Iterable[BoxRow]:
    for lesion in phantom.lesions:
        yield BoxRow(
            path=path,
            box=lesion.box,
            finding_type=lesion.finding_type,
            label=Label.MALIGNANT if lesion.malignant else Label.BENIGN,
            extra={
                "descriptor": lesion.descriptor,
                "radius_mm": f"{lesion.radius_mm:.2f}",
                "contrast": f"{lesion.contrast:.4f}",
                "detectability": f"{lesion.detectability:.2f}",
            },
        )
