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
from ml.hashed import name_sha256
from ml.in_use import generator_in_use
from ml.mammo.prepare import FINE
from ml.manifest import read_manifest
from ml.places import GENERATOR
from ml.synth.known import known_of
from ml.synth.memory import device_of_order
from ml.synth.pack import GeneratorCard
from ml.synth.teaching import ANATOMY, SIDE_PX
from ml.train.autoencoder import CROP_PX, AutoencoderRecipe
from ml.train.crops import CropSource
from ml.train.generator import DenoiserRecipe
from ml.train.generator_base import read_base
from ml.train.generator_data import (
    Taught,
    canonical,
    has_lesions,
    healthy,
    rows_to_teach,
    taught,
)
from ml.train.generator_school import Lesson, Recipes, School
from ml.train.held_out import refuse_known_patients
from ml.train.packs import INTENDED_USE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ml.manifest import ManifestRow
    from ml.train.order import TrainingOrder

# What a GPU does in ten minutes; two cores need the smaller batches of the recipes' defaults.
GPU_AUTOENCODER = AutoencoderRecipe(steps=3000, batch=64)
GPU_BREASTS = DenoiserRecipe(steps=8000, batch=128, rate=1e-3, warmup=200)
# A generator that is taught on: half of the steps, at a fraction of the rate.
TUNING_RATE = 0.5
DATA = "{images} images of {patients} patients: the manifest {name}, its rows for training."
AFTER = " It began with the weights of {parent}, taught: {data}"


def train_generator(order: TrainingOrder, control: Control = NOBODY) -> None:
    """Train a generator and write its pack into ``generator/`` of the order's folder.

    Raises
    ------
    MammoError
        Where the manifest has too few images that may teach, the folder holds another
        training, or the installed generator was taught a patient who is held out.
    Stopped
        Where `control` ends the work; it goes on from the checkpoint.
    """
    device = device_of_order(order.device)
    manifest, out = read_manifest(Path(order.manifest)), Path(order.out)
    place = None if order.from_scratch else generator_in_use()
    base = read_base(place) if place else None
    before = base.card if base else None
    refuse_known_patients(before.training_patients if before else (), manifest)
    rows = rows_to_teach(manifest, control)
    data = taught(manifest, rows, out, control)
    paints = data.pieces is not None and has_lesions(data.pieces)
    lesson = _lesson(data)
    recipes = _recipes(device, paints=paints, tuning=base is not None).part(order.part)
    school = School(lesson, recipes, out, device, control, order.sample_every, base)
    paints |= base is not None and base.lesions is not None
    card = _card(rows, Path(order.manifest).name, school.vendors, before, paints=paints)
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


def _recipes(device: str, *, paints: bool, tuning: bool) -> Recipes:
    autoencoder, breasts = AutoencoderRecipe(), DenoiserRecipe()
    if device == "cuda":
        autoencoder, breasts = GPU_AUTOENCODER, GPU_BREASTS
    if tuning:
        rate = breasts.rate * TUNING_RATE
        breasts = replace(breasts, steps=breasts.steps // 2, rate=rate)
    half = replace(breasts, steps=breasts.steps // 2, seed=breasts.seed + 1)
    return Recipes(None if tuning else autoencoder, breasts, half if paints else None)


def _card(
    rows: Sequence[ManifestRow],
    name: str,
    vendors: tuple[str, ...],
    before: GeneratorCard | None,
    *,
    paints: bool,
) -> GeneratorCard:
    """What it was taught, with what the one was taught that it began with."""
    patients = sorted({row.patient_id for row in rows})
    data = DATA.format(images=len(rows), patients=len(patients), name=name)
    known_patients, known_images = set(map(name_sha256, patients)), _names(rows)
    if before is not None:
        data += AFTER.format(parent=before.key, data=before.data)
        known_patients |= set(before.training_patients)
        known_images |= set(before.training_images)
    return GeneratorCard(
        name="own-generator",
        version="1",
        licence=before.licence if before else "",
        data=data,
        intended_use=INTENDED_USE,
        vendors=vendors,
        breast_mm=ANATOMY.pixel_mm,
        piece_mm=FINE.pixel_mm if paints else None,
        files={},
        training_patients=tuple(sorted(known_patients)),
        training_images=tuple(sorted(known_images)),
    )


def _names(rows: Sequence[ManifestRow]) -> set[str]:
    return {name_sha256(row.path) for row in rows}
