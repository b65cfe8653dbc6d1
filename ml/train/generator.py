"""Train the generator's denoisers: one of whole breasts, one of masked pieces.

Every image became latents once (`ml.train.autoencoder`); the denoisers see nothing else. Noise
is DDPM's with zero signal at the last step (Lin 2024), and the network predicts its velocity
(Salimans and Ho 2022).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from ml.models.generator import LATENT_PX, build_denoiser, noise_schedule
from ml.synth.prompts import prompt_text
from ml.synth.tones import level_around, toned
from ml.train.autoencoder import in_batches, means_of
from ml.train.loop import Recipe, device_of, train
from ml.train.precision import half_where_native

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
    from numpy.typing import NDArray
    from transformers import CLIPTextModel

    from ml.synth.teaching import Piece

# Of the error where nothing is painted: it is replaced by what was there. A mask is a tenth of
# a piece: with more, most of the error is outside, of which words say nothing.
WEIGHT_OUTSIDE = 0.02
# Share of the batch that is shown no sentence, for guidance.
WITHOUT_WORDS = 0.1


@dataclass(frozen=True, slots=True)
class DenoiserRecipe(Recipe):
    """All that decides a denoiser's training, beside its data."""

    steps: int = 6000
    batch: int = 32
    rate: float = 6e-4
    weight_decay: float = 1e-2
    most_gradient: float = 1.0
    seed: int = 20261128
    save_every: int = 50


@dataclass(frozen=True, slots=True, eq=False)
class Latents:
    """What a denoiser is taught.

    Attributes
    ----------
    means : (n, 4, 32, 32) float16
        The autoencoder's word on each image.
    words : (n, most words) int64
        Each image's sentence as tokens.
    around : (n, 5, 32, 32) float16 or None
        For painting in: the mask, and the latents of what lies around it.
    levels : (2, 4) float32 or None
        Mean and deviation of each channel before `standardize`; None where that was done
        before.
    """

    means: NDArray[np.float16]
    words: NDArray[np.int64]
    around: NDArray[np.float16] | None = None
    levels: NDArray[np.float32] | None = None


def pieces_as_latents(
    autoencoder: AutoencoderKL,
    pieces: Iterable[Piece],
    tokens: Callable[[list[str]], NDArray[np.int64]],
) -> Latents:
    """Pieces as a painter sees them: about their level, and grey under the mask.

    Parameters
    ----------
    pieces
        They may come from a generator: few are in memory at a time.
    tokens
        Sentences as numbers, all of one length.
    """
    means, around, sentences = [], [], []
    for some in in_batches(pieces):
        seen = [toned(piece.pixels, level_around(piece.pixels, piece.mask)) for piece in some]
        means.append(means_of(autoencoder, seen))
        # In -1..1 the pipeline fills with 0, which is the middle grey here.
        covered = [
            np.where(piece.mask, np.float32(0.5), tones)
            for piece, tones in zip(some, seen, strict=True)
        ]
        masks = np.stack([small_mask(piece.mask) for piece in some])[:, None]
        beside = means_of(autoencoder, covered)
        around.append(np.concatenate([masks, beside], 1).astype(np.float16))
        sentences += [prompt_text(piece.prompt) for piece in some]
    clean = np.concatenate(means).astype(np.float16)
    return Latents(clean, tokens(sentences), np.concatenate(around))


def small_mask(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """A mask at the latents' size, by the nearest pixel as the pipeline does it."""
    given = torch.from_numpy(mask.astype(np.float32))[None, None]
    return functional.interpolate(given, size=(LATENT_PX, LATENT_PX))[0, 0].numpy()


class Conditioned(nn.Module):
    """A denoiser with the text encoder that it is trained with, or that is given to it.

    Parameters
    ----------
    text
        Trained too where its parameters require a gradient.
    """

    def __init__(self, denoiser: UNet2DConditionModel, text: CLIPTextModel) -> None:
        super().__init__()
        self.denoiser = denoiser
        self.text = text

    def forward(
        self, noisy: torch.Tensor, steps: torch.Tensor, words: torch.Tensor
    ) -> torch.Tensor:
        """The velocity at each step of noise."""
        said = self.text(words).last_hidden_state
        return self.denoiser(noisy, steps, encoder_hidden_states=said).sample


def train_denoiser(
    latents: Latents,
    silence: NDArray[np.int64],
    text: CLIPTextModel,
    recipe: DenoiserRecipe,
    checkpoint: Path,
    *,
    settings: Mapping[str, object],
    device: str = "cpu",
    progress: Callable[[int, float], None] = lambda step, loss: None,
    begun: Callable[[Conditioned], None] = lambda model: None,
    first: UNet2DConditionModel | None = None,
) -> Conditioned:
    """Train, going on from the checkpoint where there is one.

    Parameters
    ----------
    silence : (most words,) int64
        The empty sentence as tokens.
    settings
        Of the data: a checkpoint of others is refused.
    begun
        Told the model before the first step: its weights are those of the step at hand.
    first
        A trained denoiser to begin with, as Stable Diffusion's own painter began: its words
        are known. Channels that only a painter has begin with nothing.

    Returns
    -------
    Conditioned
        The averaged weights, on the CPU.

    Raises
    ------
    DataError
        Where the checkpoint is of other settings.
    """
    torch.manual_seed(recipe.seed)
    denoiser = build_denoiser(inpainting=latents.around is not None)
    if first is not None:
        _begin_with(denoiser, first)
    model = Conditioned(denoiser, text)
    begun(model)
    noise = noise_schedule()
    signal = noise.alphas_cumprod.to(device)
    averaged = train(
        model.to(device).to(memory_format=torch.channels_last),
        recipe,
        {"recipe": asdict(recipe), **settings},
        checkpoint,
        lambda step: _noisy(latents, silence, recipe, step, len(signal)),
        lambda network, batch: denoiser_loss(network, batch, signal),
        progress=progress,
    )
    return averaged.cpu()  # type: ignore[return-value]


def _begin_with(denoiser: UNet2DConditionModel, first: UNet2DConditionModel) -> None:
    weights = dict(first.state_dict())
    known = weights["conv_in.weight"]
    wider = torch.zeros_like(denoiser.conv_in.weight)
    wider[:, : known.shape[1]] = known
    denoiser.load_state_dict(weights | {"conv_in.weight": wider})


@dataclass(frozen=True, slots=True, eq=False)
class NoisyBatch:
    """Clean latents, what is added to them, and the words that go with them."""

    clean: torch.Tensor
    noise: torch.Tensor
    steps: torch.Tensor
    words: torch.Tensor
    around: torch.Tensor | None


def _noisy(
    latents: Latents, silence: NDArray[np.int64], recipe: DenoiserRecipe, step: int, most: int
) -> NoisyBatch:
    rng = np.random.default_rng((recipe.seed, step))
    picked = np.sort(
        rng.choice(len(latents.means), recipe.batch, len(latents.means) < recipe.batch)
    )
    clean = latents.means[picked].astype(np.float32)
    words = latents.words[picked].copy()
    words[rng.random(recipe.batch) < WITHOUT_WORDS] = silence
    around = latents.around
    return NoisyBatch(
        torch.from_numpy(clean),
        torch.from_numpy(rng.standard_normal(clean.shape, np.float32)),
        torch.from_numpy(rng.integers(most, size=recipe.batch)),
        torch.from_numpy(words),
        None if around is None else torch.from_numpy(around[picked].astype(np.float32)),
    )


def denoiser_loss(model: nn.Module, batch: NoisyBatch, signal: torch.Tensor) -> torch.Tensor:
    """Squared error of the velocity; of pieces, mostly under the mask.

    Parameters
    ----------
    signal : (steps,) float32
        The schedule's cumulative product of alphas.
    """
    device = device_of(model)
    clean, noise, steps = (t.to(device) for t in (batch.clean, batch.noise, batch.steps))
    kept = signal[steps][:, None, None, None]
    noisy = kept.sqrt() * clean + (1 - kept).sqrt() * noise
    velocity = kept.sqrt() * noise - (1 - kept).sqrt() * clean
    given = noisy if batch.around is None else torch.cat([noisy, batch.around.to(device)], 1)
    with half_where_native(device):
        said = model(given, steps, batch.words.to(device))
    error = (said.float() - velocity) ** 2
    if batch.around is None:
        return error.mean()
    weight = WEIGHT_OUTSIDE + (1 - WEIGHT_OUTSIDE) * batch.around[:, :1].to(device)
    return (weight * error).sum() / (weight.sum() * error.shape[1])
