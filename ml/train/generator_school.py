"""One generator's training from prepared images to its pack: autoencoder, breasts, lesions.

Each part goes on from its checkpoint in `out`, and latents are made once. As news it tells

    {"stage": "autoencoder" | "breasts" | "lesions", "loss": 0.123}
    {"stage": "breasts", "thumbnail": "/out/samples/breasts-00500.png", "prompt": "a ..."}
"""

from __future__ import annotations

import copy
import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import cv2
import numpy as np

from ml.control import NOBODY, Control
from ml.errors import DataError
from ml.files import replacing
from ml.models.generator import build_text_encoder, build_tokenizer
from ml.synth.prompts import prompt_text, words_of
from ml.texts import mark
from ml.train.generator import (
    AutoencoderRecipe,
    DenoiserRecipe,
    encoded,
    standardize,
    train_autoencoder,
    train_denoiser,
)
from ml.train.generator_data import as_unit, cached, piece_latents, standardized, tokens
from ml.train.generator_pack import draw_samples, save_generator
from ml.train.order import SAMPLE_EVERY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
    from numpy.typing import NDArray
    from transformers import CLIPTextModel, CLIPTokenizer

    from ml.data.canvases import CanvasSet
    from ml.synth.known import Known
    from ml.synth.pack import GeneratorCard, GeneratorPack
    from ml.synth.prompts import Prompt
    from ml.train.crops import CropSource
    from ml.train.generator import Conditioned, Latents

    Steps = TypeVar("Steps", AutoencoderRecipe, DenoiserRecipe)

SAMPLES = "samples"
MOST_SAMPLES = 4
LEAST_STEPS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What a generator is taught.

    Attributes
    ----------
    whole, small
        For the autoencoder: sets of whole breasts, and of pieces or crops.
    shown
        Gives every healthy breast, hung as it is shown (256 x 256, uint16), with its sentence.
    pieces
        For the painter; None: it paints none.
    vendors
        The makers' words.
    """

    whole: Sequence[CropSource]
    small: Sequence[CropSource]
    shown: Callable[[], Iterator[tuple[NDArray[np.uint16], Prompt]]]
    pieces: CanvasSet | None
    vendors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recipes:
    """Of the three trainings; None: no painter is trained."""

    autoencoder: AutoencoderRecipe
    breasts: DenoiserRecipe
    lesions: DenoiserRecipe | None

    @property
    def steps(self) -> int:
        """Of all together."""
        lesions = self.lesions.steps if self.lesions else 0
        return self.autoencoder.steps + self.breasts.steps + lesions

    def part(self, share: float) -> Recipes:
        """The same with a share of the steps."""
        return Recipes(
            _part(self.autoencoder, share),
            _part(self.breasts, share),
            _part(self.lesions, share) if self.lesions else None,
        )


def _part(recipe: Steps, share: float) -> Steps:
    return replace(recipe, steps=max(round(recipe.steps * share), LEAST_STEPS))


class School:
    """One training: its parts one after the other, and how far they are together.

    Parameters
    ----------
    out
        Folder of checkpoints, latents and samples.
    control
        Asked at every step, and told.
    sample_every
        Steps of the breasts' denoiser between two live samples.
    """

    def __init__(
        self,
        lesson: Lesson,
        recipes: Recipes,
        out: Path,
        device: str,
        control: Control = NOBODY,
        sample_every: int = SAMPLE_EVERY,
    ) -> None:
        import torch

        self.lesson, self.recipes, self.out = lesson, recipes, out
        self.device, self.control, self.sample_every = device, control, sample_every
        torch.manual_seed(recipes.breasts.seed)
        self.tokenizer: CLIPTokenizer = build_tokenizer(words_of(lesson.vendors))
        self.text: CLIPTextModel = build_text_encoder(self.tokenizer)
        self._begun = 0
        self._watched: Conditioned | None = None

    def generator(
        self, folder: Path, card: GeneratorCard, known: Callable[[], Known]
    ) -> GeneratorPack:
        """Train whatever is not trained yet, and write the pack.

        Parameters
        ----------
        known
            Small pictures of what was taught.

        Raises
        ------
        DataError
            Where no healthy breast is shown, or a checkpoint is of another training.
        """
        autoencoder = self._autoencoder()
        whole = self._breasts(autoencoder)
        painter = self._lesions(autoencoder, whole)
        return save_generator(
            folder,
            card,
            autoencoder=autoencoder.cpu(),
            tokenizer=self.tokenizer,
            breasts=whole,
            lesions=painter,
            known=known(),
        )

    def _autoencoder(self) -> AutoencoderKL:
        """Trained on whole breasts and pieces, on its device."""
        trained = train_autoencoder(
            self.lesson.whole,
            self.lesson.small,
            self.recipes.autoencoder,
            self.out,
            device=self.device,
            progress=self._progress("autoencoder"),
        )
        self._begun += self.recipes.autoencoder.steps
        return trained.to(self.device)  # type: ignore[arg-type]

    def _breasts(self, autoencoder: AutoencoderKL) -> Conditioned:
        """The denoiser of whole breasts, with live samples."""
        prompts = [prompt for _, prompt in self.lesson.shown()]
        if not prompts:
            raise DataError(mark("No image without lesion may teach what a breast looks like."))
        latents = cached(
            self.out / "breasts.safetensors", lambda: self._shown(autoencoder, prompts)
        )
        assert latents.levels is not None
        standardize(autoencoder, latents.levels)
        tell = self._progress("breasts")
        asked = prompts[:: max(len(prompts) // MOST_SAMPLES, 1)][:MOST_SAMPLES]

        def progress(step: int, loss: float) -> None:
            if (step + 1) % self.sample_every == 0:
                self._sample(autoencoder, asked, step + 1)
            tell(step, loss)

        return self._denoiser("breasts", latents, self.text, self.recipes.breasts, progress)

    def _shown(self, autoencoder: AutoencoderKL, prompts: Sequence[Prompt]) -> Latents:
        means = encoded(autoencoder, (as_unit(picture) for picture, _ in self.lesson.shown()))
        return standardized(means, tokens(self.tokenizer, [prompt_text(p) for p in prompts]))

    def _lesions(self, autoencoder: AutoencoderKL, whole: Conditioned) -> Conditioned | None:
        """The denoiser of masked pieces; None where no lesion was there to learn from.

        It begins as the denoiser of whole breasts, with what sentences mean to that.
        """
        pieces, recipe = self.lesson.pieces, self.recipes.lesions
        if pieces is None or recipe is None:
            self.control.log("No lesion could be learnt from: the generator paints none.")
            return None
        latents = cached(
            self.out / "lesions.safetensors",
            lambda: piece_latents(pieces, autoencoder, self.tokenizer),
        )
        tell = self._progress("lesions")
        said = copy.deepcopy(whole.text)
        return self._denoiser("lesions", latents, said, recipe, tell, whole.denoiser)

    def _denoiser(
        self,
        name: str,
        latents: Latents,
        text: CLIPTextModel,
        recipe: DenoiserRecipe,
        progress: Callable[[int, float], None],
        first: UNet2DConditionModel | None = None,
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
            first=first,
        )
        self._begun += recipe.steps
        return trained

    def _watch(self, model: Conditioned) -> None:
        self._watched = model

    def _progress(self, stage: str) -> Callable[[int, float], None]:
        def progress(step: int, loss: float) -> None:
            self.control.breathe()
            news = {"stage": stage, "loss": round(loss, 5)}
            self.control.say(self._begun + step + 1, self.recipes.steps, news)

        return progress

    def _sample(self, autoencoder: AutoencoderKL, prompts: Sequence[Prompt], step: int) -> None:
        """Draw with the weights as they are now, and tell."""
        if self._watched is None:
            return
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
            self.control.say(self._begun + step, self.recipes.steps, news)


def _write_picture(path: Path, picture: NDArray[np.float32]) -> None:
    grey = np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    with replacing(path) as fresh:
        fresh.write_bytes(cv2.imencode(".png", grey)[1].tobytes())
