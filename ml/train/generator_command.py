"""`mammoscope train generator`: a generator from the images that a manifest lists.

It says how far it is in steps, with the news of `ml.train.generator_school`, and in the end
``{"pack": "/out/generator"}``. Stopped or killed at any moment, the same order goes on from the
last checkpoint.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ml.control import NOBODY, Control
from ml.data.augment import NONE
from ml.mammo.prepare import FINE
from ml.manifest import read_manifest
from ml.places import GENERATOR
from ml.registry import name_sha256
from ml.synth.known import known_of
from ml.synth.memory import device_of_order
from ml.synth.pack import GeneratorCard
from ml.synth.teaching import ANATOMY, SIDE_PX
from ml.train.crops import CropSource
from ml.train.generator import CROP_PX, AutoencoderRecipe, DenoiserRecipe
from ml.train.generator_data import (
    Taught,
    canonical,
    has_lesions,
    healthy,
    rows_to_teach,
    taught,
)
from ml.train.generator_school import Lesson, Recipes, School
from ml.train.packs import INTENDED_USE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ml.manifest import ManifestRow
    from ml.train.order import TrainingOrder

# What a GPU does in ten minutes; two cores need the smaller batches of the recipes' defaults.
GPU_AUTOENCODER = AutoencoderRecipe(steps=3000, batch=64)
GPU_BREASTS = DenoiserRecipe(steps=8000, batch=128, rate=1e-3, warmup=200)
DATA = "{images} images of {patients} patients: the manifest {name}, its rows for training."


def train_generator(order: TrainingOrder, control: Control = NOBODY) -> None:
    """Train a generator and write its pack into ``generator/`` of the order's folder.

    Raises
    ------
    MammoError
        Where the manifest has too few images that may teach, or the folder holds another
        training.
    Stopped
        Where `control` ends the work; it goes on from the checkpoint.
    """
    device = device_of_order(order.device)
    manifest, out = read_manifest(Path(order.manifest)), Path(order.out)
    rows = rows_to_teach(manifest, control)
    data = taught(manifest, rows, out, control)
    paints = data.pieces is not None and has_lesions(data.pieces)
    lesson, recipes = _lesson(data), _recipes(device, paints=paints).part(order.part)
    card = _card(rows, Path(order.manifest).name, lesson.vendors, paints=paints)
    school = School(lesson, recipes, out, device, control, order.sample_every)
    school.generator(out / GENERATOR, card, lambda: known_of(canonical(data)))
    control.say(recipes.steps, recipes.steps, {"pack": str(out / GENERATOR)})


def _lesson(data: Taught) -> Lesson:
    """What a manifest's images teach."""
    known = data.breasts
    whole = CropSource(known, tuple(range(len(known.items))), SIDE_PX, SIDE_PX, NONE)
    small = replace(whole, rows=CROP_PX, columns=CROP_PX)
    if data.pieces is not None:
        pieces = tuple(range(len(data.pieces.items)))
        small = CropSource(data.pieces, pieces, CROP_PX, CROP_PX, NONE)
    return Lesson([whole], [small], lambda: healthy(known), data.pieces, data.vendors())


def _recipes(device: str, *, paints: bool) -> Recipes:
    autoencoder, breasts = AutoencoderRecipe(), DenoiserRecipe()
    if device == "cuda":
        autoencoder, breasts = GPU_AUTOENCODER, GPU_BREASTS
    half = replace(breasts, steps=breasts.steps // 2, seed=breasts.seed + 1)
    return Recipes(autoencoder, breasts, half if paints else None)


def _card(
    rows: Sequence[ManifestRow], name: str, vendors: tuple[str, ...], *, paints: bool
) -> GeneratorCard:
    patients = sorted({row.patient_id for row in rows})
    return GeneratorCard(
        name="own-generator",
        version="1",
        licence="",
        data=DATA.format(images=len(rows), patients=len(patients), name=name),
        intended_use=INTENDED_USE,
        vendors=vendors,
        breast_mm=ANATOMY.pixel_mm,
        piece_mm=FINE.pixel_mm if paints else None,
        files={},
        training_patients=tuple(sorted(map(name_sha256, patients))),
        training_images=tuple(sorted(name_sha256(row.path) for row in rows)),
    )
