"""`mammoscope train generator`: a generator from the images that a manifest lists.

`run` is what the command line and the job process call. It says how far it is in steps, and as
news

    {"stage": "autoencoder" | "breasts" | "lesions", "loss": 0.123}
    {"stage": "breasts", "thumbnail": "/out/samples/breasts-00500.png", "prompt": "a ..."}
    {"pack": "/out/generator"}      in the end

Stopped or killed at any moment, the same spec goes on from the last checkpoint.
"""

from __future__ import annotations

import copy
import hashlib
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from ml.control import NOBODY, Control
from ml.data.augment import NONE
from ml.errors import DataError
from ml.mammo.prepare import FINE
from ml.manifest import read_manifest
from ml.models.generator import build_text_encoder, build_tokenizer
from ml.registry import name_sha256
from ml.synth.known import known_of
from ml.synth.memory import device_of_order
from ml.synth.order import DEVICES
from ml.synth.pack import GeneratorCard
from ml.synth.prompts import prompt_text, words_of
from ml.synth.teaching import ANATOMY, SIDE_PX, area_cm2, area_word, healthy_prompt
from ml.texts import mark
from ml.train.crops import CropSource
from ml.train.generator import (
    CROP_PX,
    AutoencoderRecipe,
    DenoiserRecipe,
    standardize,
    train_autoencoder,
    train_denoiser,
)
from ml.train.generator_data import (
    Taught,
    breast_latents,
    cached,
    canonical,
    has_lesions,
    piece_latents,
    rows_to_teach,
    taught,
    tokens,
)
from ml.train.generator_pack import draw_samples, save_generator
from ml.train.packs import INTENDED_USE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from numpy.typing import NDArray
    from transformers import CLIPTextModel, CLIPTokenizer

    from ml.manifest import ManifestRow
    from ml.synth.prompts import Prompt
    from ml.train.generator import Conditioned, Latents

    Steps = TypeVar("Steps", AutoencoderRecipe, DenoiserRecipe)

PACK = "generator"
SAMPLES = "samples"
LEAST_STEPS = 2
# What a GPU does in ten minutes; two cores need the smaller batches of the recipes' defaults.
GPU_AUTOENCODER = AutoencoderRecipe(steps=3000, batch=64)
GPU_BREASTS = DenoiserRecipe(steps=8000, batch=128, rate=1e-3, warmup=200)
SAMPLE_EVERY, MOST_SAMPLES = 500, 4
DATA = "{images} images of {patients} patients: the manifest {name}, its rows for training."


@dataclass(frozen=True, slots=True)
class TrainingOrder:
    """A training as plain values.

    Attributes
    ----------
    manifest, out
        Table or folder of images, and the folder of checkpoints, samples and the pack.
    device
        One of `ml.synth.order.DEVICES`.
    part
        Share of the usual number of steps, over 0.
    sample_every
        Steps of the breasts' denoiser between two live samples.
    """

    manifest: str
    out: str
    device: str = "auto"
    part: float = 1.0
    sample_every: int = SAMPLE_EVERY

    @staticmethod
    def from_json(values: Mapping[str, object]) -> TrainingOrder:
        """Back from plain values.

        Raises
        ------
        DataError
            Where a name is unknown, one is missing, or a value is not one that it may have.
        """
        known = {field.name for field in fields(TrainingOrder)}
        texts = all(isinstance(values.get(name), str) for name in ("manifest", "out"))
        if values.keys() - known or not texts:
            raise _wrong()
        order = TrainingOrder(**values)  # type: ignore[arg-type]
        steps = isinstance(order.sample_every, int) and order.sample_every > 0
        part = isinstance(order.part, int | float) and 0 < order.part <= 100
        if order.device not in DEVICES or not part or not steps:
            raise _wrong()
        return order


def _wrong() -> DataError:
    return DataError(mark("The order of a training cannot be carried out; make it anew."))


def run(spec: Mapping[str, object], control: Control = NOBODY) -> None:
    """Train a generator and write its pack into ``generator/`` of the order's folder.

    Parameters
    ----------
    spec
        As `TrainingOrder`.

    Raises
    ------
    MammoError
        Where the manifest has too few images that may teach, or the folder holds another
        training.
    Stopped
        Where `control` ends the work; it goes on from the checkpoint.
    """
    order = TrainingOrder.from_json(spec)
    device = device_of_order(order.device)
    manifest, out = read_manifest(Path(order.manifest)), Path(order.out)
    rows = rows_to_teach(manifest, control)
    data = taught(manifest, rows, out, control)
    school = School(order, device, data, control)
    _written(school, rows, Path(order.manifest).name)
    control.say(school.of, school.of, {"pack": str(out / PACK)})


class School:
    """One training: its parts one after the other, and how far they are together."""

    def __init__(
        self, order: TrainingOrder, device: str, data: Taught, control: Control
    ) -> None:
        import torch

        self.order, self.device, self.data, self.control = order, device, data, control
        self.out = Path(order.out)
        paints = data.pieces is not None and has_lesions(data.pieces)
        on_gpu = device == "cuda"
        breasts = GPU_BREASTS if on_gpu else DenoiserRecipe()
        self.autoencoder_recipe: AutoencoderRecipe = self._part(
            GPU_AUTOENCODER if on_gpu else AutoencoderRecipe()
        )
        self.breasts_recipe: DenoiserRecipe = self._part(breasts)
        half = replace(breasts, steps=breasts.steps // 2, seed=breasts.seed + 1)
        self.lesions_recipe: DenoiserRecipe | None = self._part(half) if paints else None
        recipes = (self.autoencoder_recipe, self.breasts_recipe, self.lesions_recipe)
        self.of = sum(recipe.steps for recipe in recipes if recipe is not None)
        torch.manual_seed(breasts.seed)
        self.vendors = data.vendors()
        self.tokenizer: CLIPTokenizer = build_tokenizer(words_of(self.vendors))
        self.text: CLIPTextModel = build_text_encoder(self.tokenizer)
        self._begun = 0
        self._watched: Conditioned | None = None

    def _part(self, recipe: Steps) -> Steps:
        return replace(recipe, steps=max(round(recipe.steps * self.order.part), LEAST_STEPS))

    def autoencoder(self) -> AutoencoderKL:
        """Trained on whole breasts and pieces, on its device."""
        known = self.data.breasts
        all_of = tuple(range(len(known.items)))
        whole = CropSource(known, all_of, SIDE_PX, SIDE_PX, NONE)
        small = replace(whole, rows=CROP_PX, columns=CROP_PX)
        if self.data.pieces is not None:
            pieces = tuple(range(len(self.data.pieces.items)))
            small = CropSource(self.data.pieces, pieces, CROP_PX, CROP_PX, NONE)
        trained = train_autoencoder(
            [whole],
            [small],
            self.autoencoder_recipe,
            self.out,
            device=self.device,
            progress=self._progress("autoencoder"),
        )
        self._begun += self.autoencoder_recipe.steps
        return trained.to(self.device)  # type: ignore[arg-type]

    def breasts(self, autoencoder: AutoencoderKL) -> Conditioned:
        """The denoiser of whole breasts, with live samples."""
        latents = cached(
            self.out / "breasts.safetensors",
            lambda: breast_latents(self.data, autoencoder, self.tokenizer),
        )
        assert latents.levels is not None
        standardize(autoencoder, latents.levels)
        tell = self._progress("breasts")

        def progress(step: int, loss: float) -> None:
            if (step + 1) % self.order.sample_every == 0:
                self._sample(autoencoder, step + 1)
            tell(step, loss)

        return self._denoiser("breasts", latents, self.text, self.breasts_recipe, progress)

    def lesions(self, autoencoder: AutoencoderKL, text: CLIPTextModel) -> Conditioned | None:
        """The denoiser of masked pieces; None where no lesion was there to learn from."""
        pieces, recipe = self.data.pieces, self.lesions_recipe
        if pieces is None or recipe is None:
            self.control.log("No lesion could be learnt from: the generator paints none.")
            return None
        latents = cached(
            self.out / "lesions.safetensors",
            lambda: piece_latents(pieces, autoencoder, self.tokenizer),
        )
        # It begins with what sentences mean to whole breasts, which no lesion was ever in.
        said = copy.deepcopy(text)
        return self._denoiser("lesions", latents, said, recipe, self._progress("lesions"))

    def _denoiser(
        self,
        name: str,
        latents: Latents,
        text: CLIPTextModel,
        recipe: DenoiserRecipe,
        progress: Callable[[int, float], None],
    ) -> Conditioned:
        sentences = hashlib.sha256(latents.words.tobytes()).hexdigest()
        trained = train_denoiser(
            latents,
            tokens(self.tokenizer, [""])[0],
            text,
            recipe,
            self.out / f"{name}.pt",
            settings={"latents": len(latents.means), "sentences": sentences},
            device=self.device,
            progress=progress,
            begun=self._watch,
        )
        self._begun += recipe.steps
        return trained

    def _watch(self, model: Conditioned) -> None:
        self._watched = model

    def _progress(self, stage: str) -> Callable[[int, float], None]:
        def progress(step: int, loss: float) -> None:
            self.control.breathe()
            news = {"stage": stage, "loss": round(loss, 5)}
            self.control.say(self._begun + step + 1, self.of, news)

        return progress

    def _sample(self, autoencoder: AutoencoderKL, step: int) -> None:
        """Draw with the weights as they are now, and tell."""
        if self._watched is None:
            return
        prompts = self._asked()
        pictures = draw_samples(autoencoder, self.tokenizer, self._watched, prompts)
        folder = self.out / SAMPLES
        folder.mkdir(exist_ok=True)
        for number, (prompt, picture) in enumerate(zip(prompts, pictures, strict=True), 1):
            path = folder / f"breasts-{step:05d}-{number}.png"
            _write_picture(path, picture)
            news = {
                "stage": "breasts",
                "thumbnail": str(path),
                "prompt": prompt_text(prompt),
            }
            self.control.say(self._begun + step, self.of, news)

    def _asked(self) -> list[Prompt]:
        """What some of the images show, so that a sample can be held beside them."""
        known = self.data.breasts
        healthy = [index for index, item in enumerate(known.items) if not item.lesion]
        step = max(len(healthy) // MOST_SAMPLES, 1)
        return [
            healthy_prompt(
                known.items[index],
                area_word(area_cm2(known.pixels[index], ANATOMY.pixel_mm)),
            )
            for index in healthy[::step][:MOST_SAMPLES]
        ]


def _write_picture(path: Path, picture: NDArray[np.float32]) -> None:
    import cv2

    from ml.files import replacing

    grey = np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    with replacing(path) as fresh:
        fresh.write_bytes(cv2.imencode(".png", grey)[1].tobytes())


def _written(school: School, rows: Sequence[ManifestRow], name: str) -> None:
    autoencoder = school.autoencoder()
    whole = school.breasts(autoencoder)
    painter = school.lesions(autoencoder, whole.text)
    patients = sorted({row.patient_id for row in rows})
    card = GeneratorCard(
        name="own-generator",
        version="1",
        licence="",
        data=DATA.format(images=len(rows), patients=len(patients), name=name),
        intended_use=INTENDED_USE,
        vendors=school.vendors,
        breast_mm=ANATOMY.pixel_mm,
        piece_mm=FINE.pixel_mm if painter else None,
        files={},
        training_patients=tuple(sorted(map(name_sha256, patients))),
        training_images=tuple(sorted(name_sha256(row.path) for row in rows)),
    )
    save_generator(
        school.out / PACK,
        card,
        autoencoder=autoencoder.cpu(),
        tokenizer=school.tokenizer,
        breasts=whole,
        lesions=painter,
        known=known_of(canonical(school.data)),
    )
