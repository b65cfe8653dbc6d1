"""What a set of prepared images is, and what a training was made with."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ml.data.canvases import CanvasSet
    from ml.train.crops import CropSource
    from ml.train.loop import Recipe


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a set of prepared images is.

    Attributes
    ----------
    pixel_mm
        Of the canvas.
    lesion_px
        5th, 50th and 95th percentile of the longer side of a lesion's box, on the canvas.
    """

    images: int
    patients: int
    images_with_lesion: int
    lesions: int
    rows: int
    columns: int
    pixel_mm: float
    lesion_px: tuple[float, float, float]


def fingerprint(canvases: CanvasSet) -> Fingerprint:
    """Measure a set of prepared images.

    Raises
    ------
    ValueError
        Where no image has a boxed lesion.
    """
    sides = [max(box.size) for item in canvases.items for box in item.box_values()]
    if not sides:
        raise ValueError("no lesion has a box")
    low, middle, high = (float(side) for side in np.percentile(sides, (5, 50, 95)))
    return Fingerprint(
        images=len(canvases.items),
        patients=len({item.patient_id for item in canvases.items}),
        images_with_lesion=sum(item.lesion for item in canvases.items),
        lesions=len(sides),
        rows=canvases.spec.rows,
        columns=canvases.spec.columns,
        pixel_mm=canvases.spec.pixel_mm,
        lesion_px=(low, middle, high),
    )


def settings_of(recipe: Recipe, *sources: CropSource | None) -> dict[str, object]:
    """Recipe and data as plain values: two trainings of equal settings are one training."""
    used = [source for source in sources if source is not None]
    settings: dict[str, object] = {
        "recipe": asdict(recipe),
        "crops": [[source.rows, source.columns] for source in used],
        "images": [_names_sha256(source) for source in used],
        "augmentation": [asdict(source.augmentation) for source in used],
    }
    if any(source.hard for source in used):
        # Which images only: places differ in a last digit from one processor to the next.
        settings["hard"] = [sorted(source.hard) for source in used]
    return settings


def _names_sha256(source: CropSource) -> str:
    names = (source.canvases.items[index].image_id for index in source.indices)
    return hashlib.sha256("\n".join(names).encode()).hexdigest()
