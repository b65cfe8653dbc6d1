"""`mammoscope train`: a model from the images that a manifest lists."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ml.data.canvases import read_canvases, split_by_patient, write_canvases
from ml.data.sources.listed import listed_canvases
from ml.errors import DataError
from ml.mammo.prepare import PrepareSpec
from ml.manifest import Split, read_manifest
from ml.texts import mark
from ml.train.classifier import ClassifierRecipe, train_classifier
from ml.train.crops import CropSource
from ml.train.detector import DetectorRecipe, train_detector
from ml.train.packs import HeldOut, Origin, make_pack

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from ml.data.canvases import CanvasSet
    from ml.manifest import Manifest, ManifestRow

CROP_PX = 512
DATA = "{images} images of {patients} patients: the manifest {name}, its rows for training."


def main(
    role: str,
    manifest_path: Path,
    out: Path,
    *,
    detector: DetectorRecipe | None = None,
    classifier: ClassifierRecipe | None = None,
) -> None:
    """Train, measure and write a model pack into `out`; a killed training goes on.

    Raises
    ------
    DataError
        Where the manifest names no image that the model could learn or be measured on.
    """
    manifest = read_manifest(manifest_path)
    purposes = {purpose: _prepared(manifest, purpose, out) for purpose in Split}
    training = purposes[Split.TRAIN]
    model = _trained(role, training, out, detector, classifier)
    real = tuple(item for item in training.items if item.source == "real")
    patients = len({item.patient_id for item in training.items})
    text = DATA.format(images=len(training.items), patients=patients, name=manifest_path.name)
    origin = Origin(f"own-{role}", "1", text, training.spec, real)
    held_out = HeldOut(
        "the manifest's rows for validation",
        tuple(purposes[Split.VALIDATION].images()),
        {"the manifest's rows for testing": tuple(purposes[Split.TEST].images())},
    )
    pack = make_pack(out, role, model, origin, held_out)
    for figure in pack.card.figures:
        sys.stdout.write(
            f"{figure.name}: {figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f}), "
            f"{figure.n} patients\n"
        )


def split_of(row: ManifestRow) -> Split:
    """What a row is for: as it says, else by a hash of its patient, three fifths to train."""
    return row.split or split_by_patient(row.patient_id)


def _prepared(manifest: Manifest, purpose: Split, out: Path) -> CanvasSet:
    rows = [row for row in manifest.rows if split_of(row) is purpose]
    if not rows:
        raise DataError(
            mark("The manifest has no image for {purpose}; name more patients."),
            purpose=purpose.value,
        )
    folder, spec = out / "prepared" / purpose.value, PrepareSpec()
    if not (folder / "canvases.json").exists():
        write_canvases(folder, listed_canvases(manifest, rows, spec), len(rows), spec)
    prepared = read_canvases(folder)
    if not any(item.boxes for item in prepared.items) or all(i.lesion for i in prepared.items):
        raise DataError(
            mark(
                "The images for {purpose} must be some with a boxed lesion and some without "
                "any lesion; name more patients."
            ),
            purpose=purpose.value,
        )
    return prepared


def _trained(
    role: str,
    training: CanvasSet,
    out: Path,
    detector: DetectorRecipe | None,
    classifier: ClassifierRecipe | None,
) -> nn.Module:
    everything = tuple(range(len(training.items)))
    if role == "detector":
        crops = CropSource(training, everything, CROP_PX, CROP_PX)
        return train_detector(crops, None, detector or DetectorRecipe(), out)
    whole = CropSource(training, everything, training.spec.rows, training.spec.columns)
    return train_classifier(whole, None, classifier or ClassifierRecipe(), out)
