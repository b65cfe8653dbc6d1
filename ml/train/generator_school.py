"""One generator's training from prepared images to its pack: autoencoder, breasts, lesions.

Each part goes on from its checkpoint in `out`, and latents are made once. Every finished part
lies in `out`/parts, in half precision, and another training may begin with it. As news it tells

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
from ml.train.autoencoder import (
    AutoencoderRecipe,
    encoded,
    standardize,
    train_autoencoder,
)
from ml.train.generator import Conditioned, DenoiserRecipe, Latents, train_denoiser
from ml.train.generator_base import with_words
from ml.train.generator_data import as_unit, cached, piece_latents, standardized, tokens
from ml.train.generator_pack import draw_samples, save_generator, save_parts
from ml.train.order import SAMPLE_EVERY, SAMPLES

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
    from ml.train.generator_base import Base

    Steps = TypeVar("Steps", AutoencoderRecipe | None, DenoiserRecipe | None)

PARTS = "parts"
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
    """Of the three trainings.

    None: the base's part is taken as it is; without a base's painter there is none.
    """

    autoencoder: AutoencoderRecipe | None
    breasts: DenoiserRecipe | None
    lesions: DenoiserRecipe | None

    @property
    def steps(self) -> int:
        """Of all together."""
        return sum(one.steps for one in (self.autoencoder, self.breasts, self.lesions) if one)

    def part(self, share: float) -> Recipes:
        """The same with a share of the steps."""
        return Recipes(
            _part(self.autoencoder, share),
            _part(self.breasts, share),
            _part(self.lesions, share),
        )


def _part(recipe: Steps, share: float) -> Steps:
    if recipe is None:
        return recipe
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
    base
        What it begins with: the autoencoder for good, the others to be trained on.
    """

    def __init__(
        self,
        lesson: Lesson,
        recipes: Recipes,
        out: Path,
        device: str,
        control: Control = NOBODY,
        sample_every: int = SAMPLE_EVERY,
        base: Base | None = None,
    ) -> None:
        import torch

        self.lesson, self.recipes, self.out = lesson, recipes, out
        self.device, self.control, self.sample_every = device, control, sample_every
        self.base = base
        torch.manual_seed(recipes.breasts.seed if recipes.breasts else 0)
        self.tokenizer: CLIPTokenizer = build_tokenizer(words_of(self.vendors))
        self.text: CLIPTextModel = self._words_of(base.breasts if base else None)
        self._begun = 0
        self._watched: Conditioned | None = None

    @property
    def vendors(self) -> tuple[str, ...]:
        """The makers that it knows in the end."""
        before = self.base.vendors if self.base else ()
        return tuple(sorted({*self.lesson.vendors, *before}))

    def _words_of(self, trained: Conditioned | None) -> CLIPTextModel:
        if trained is None:
            return build_text_encoder(self.tokenizer)
        assert self.base is not None
        assert self.base.tokenizer is not None
        return with_words(trained.text, self.base.tokenizer, self.tokenizer)

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
        if self.recipes.autoencoder is None:
            assert self.base is not None
            return self.base.autoencoder.to(self.device)  # type: ignore[arg-type]
        trained = train_autoencoder(
            self.lesson.whole,
            self.lesson.small,
            self.recipes.autoencoder,
            self.out,
            device=self.device,
            progress=self._progress("autoencoder"),
        )
        self._begun += self.recipes.autoencoder.steps
        save_parts(self.out / PARTS, trained)
        return trained.to(self.device)  # type: ignore[arg-type]

    def _breasts(self, autoencoder: AutoencoderKL) -> Conditioned:
        """The denoiser of whole breasts, with live samples."""
        before = self.base.breasts if self.base else None
        recipe = self.recipes.breasts
        if recipe is None:
            assert before is not None
            return Conditioned(before.denoiser, self.text)
        prompts = [prompt for _, prompt in self.lesson.shown()]
        if not prompts:
            raise DataError(mark("No image without lesion may teach what a breast looks like."))
        latents = cached(
            self._kept("breasts"), lambda: self._shown(autoencoder, prompts, before is None)
        )
        if latents.levels is not None:
            standardize(autoencoder, latents.levels)
        tell = self._progress("breasts")
        asked = prompts[:: max(len(prompts) // MOST_SAMPLES, 1)][:MOST_SAMPLES]

        def progress(step: int, loss: float) -> None:
            if (step + 1) % self.sample_every == 0:
                self._sample(autoencoder, asked, step + 1)
            tell(step, loss)

        first = before.denoiser if before else None
        trained = self._denoiser("breasts", latents, self.text, recipe, progress, first)
        save_parts(self.out / PARTS, autoencoder, self.tokenizer, trained)
        return trained

    def _kept(self, name: str) -> Path:
        """Latents depend upon the autoencoder: another base has others."""
        of_base = f"-{self.base.key[:8]}" if self.base else ""
        return self.out / f"{name}{of_base}.safetensors"

    def _shown(
        self, autoencoder: AutoencoderKL, prompts: Sequence[Prompt], level: bool
    ) -> Latents:
        means = encoded(autoencoder, (as_unit(picture) for picture, _ in self.lesson.shown()))
        words = tokens(self.tokenizer, [prompt_text(prompt) for prompt in prompts])
        return standardized(means, words) if level else Latents(means.astype(np.float16), words)

    def _lesions(self, autoencoder: AutoencoderKL, whole: Conditioned) -> Conditioned | None:
        """The denoiser of masked pieces; None where no lesion was there to learn from.

        It begins as the base's, or as the denoiser of whole breasts, with what sentences mean
        to that.
        """
        pieces, recipe = self.lesson.pieces, self.recipes.lesions
        before = self.base.lesions if self.base else None
        if pieces is None or recipe is None:
            if before is not None:
                return Conditioned(before.denoiser, self._words_of(before))
            self.control.log("No lesion could be learnt from: the generator paints none.")
            return None
        latents = cached(
            self._kept("lesions"),
            lambda: piece_latents(pieces, autoencoder, self.tokenizer),
        )
        tell = self._progress("lesions")
        # An averaged model takes no gradient, and lesions have words that breasts never had.
        said = self._words_of(before) if before else copy.deepcopy(whole.text)
        said.requires_grad_(requires_grad=True)
        first = (before or whole).denoiser
        return self._denoiser("lesions", latents, said, recipe, tell, first)

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
            settings={
                "latents": len(latents.means),
                "sentences": sentences,
                "base": self.base.key if self.base else "",
            },
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
            news = {"stage": stage, "loss": round(loss, 5)}
            self.control.say(self._begun + step + 1, self.recipes.steps, news)
            # Told first: stopped here, the training goes on with the next step.
            self.control.breathe()

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
