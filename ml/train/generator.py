"""Train the generator: an autoencoder, a denoiser of whole breasts, one of masked pieces.

Read it top to bottom. The autoencoder learns from crops; then every image becomes latents once,
and the denoisers see nothing but latents. Noise is DDPM's with zero signal at the last step
(Lin 2024), and the network predicts its velocity (Salimans and Ho 2022).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from ml.models.generator import LATENT_PX, build_autoencoder, build_denoiser, noise_schedule
from ml.synth.prompts import prompt_text
from ml.synth.tones import level_around, toned
from ml.train.crops import draw_crop, whole_canvas
from ml.train.fingerprint import settings_of
from ml.train.loop import Recipe, device_of, train
from ml.train.precision import half_where_native

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
    from numpy.typing import NDArray
    from transformers import CLIPTextModel

    from ml.synth.teaching import Piece
    from ml.train.crops import CropSource

Thing = TypeVar("Thing")
# Stable Diffusion's own weight of the latents' distance from a normal distribution, where that
# and the difference of the images are both sums over an image.
KL_WEIGHT = 1e-6
# Bands of detail, finest first: without a weight of their own they are too weak to be learnt.
BAND_WEIGHTS = (2.0, 1.0, 1.0)
ENCODED_AT_ONCE = 16
# The autoencoder sees no farther than this, and four small crops teach more than a large one.
CROP_PX = 128
# Of the error where nothing is painted: it is replaced by what was there. A mask is a tenth of
# a piece: with more, most of the error is outside, of which words say nothing.
WEIGHT_OUTSIDE = 0.02
# Share of the batch that is shown no sentence, for guidance.
WITHOUT_WORDS = 0.1


@dataclass(frozen=True, slots=True)
class AutoencoderRecipe(Recipe):
    """All that decides the autoencoder's training, beside its data.

    Attributes
    ----------
    batch
        Of crops of `CROP_PX`; of larger ones as many as have as many pixels.
    """

    steps: int = 2000
    batch: int = 16
    rate: float = 1.5e-3
    weight_decay: float = 0.0
    most_gradient: float = 1.0
    seed: int = 20261127
    save_every: int = 25


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


def train_autoencoder(
    whole: Sequence[CropSource],
    pieces: Sequence[CropSource],
    recipe: AutoencoderRecipe,
    folder: Path,
    *,
    device: str = "cpu",
    progress: Callable[[int, float], None] = lambda step, loss: None,
) -> AutoencoderKL:
    """Train, going on from the folder's checkpoint where there is one.

    Parameters
    ----------
    whole, pieces
        Sets of whole breasts and of pieces, each with crops of one size; all sets of a kind are
        drawn from alike. Half of the batches are crops of breasts, the others whole breasts
        and pieces in turn.

    Returns
    -------
    AutoencoderKL
        The averaged weights, on the CPU, to be given to `standardize`.

    Raises
    ------
    DataError
        Where the folder holds a training with other settings.
    """
    torch.manual_seed(recipe.seed)
    averaged = train(
        build_autoencoder().to(device).to(memory_format=torch.channels_last),  # type: ignore[arg-type]
        recipe,
        settings_of(recipe, *whole, *pieces),
        folder / "autoencoder.pt",
        lambda step: _images(whole, pieces, recipe, step),
        autoencoder_loss,
        progress=progress,
    )
    return averaged.cpu()  # type: ignore[return-value]


def autoencoder_loss(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Absolute difference of grey levels and of three bands of detail."""
    device = device_of(model)
    images = images.to(device)
    with half_where_native(device):
        latents = model.encode(images).latent_dist  # type: ignore[operator]
        again: torch.Tensor = model.decode(latents.sample()).sample  # type: ignore[operator]
    again = again.float()
    loss = functional.l1_loss(again, images)
    for weight, one, other in zip(BAND_WEIGHTS, _bands(again), _bands(images), strict=True):
        loss = loss + weight * functional.l1_loss(one, other)
    return loss + KL_WEIGHT * latents.kl().mean() / images[0].numel()


def _bands(images: torch.Tensor) -> list[torch.Tensor]:
    """What each halving of the size takes away."""
    bands = []
    for _ in BAND_WEIGHTS:
        half = functional.avg_pool2d(images, 2)
        bands.append(images - functional.interpolate(half, scale_factor=2, mode="bilinear"))
        images = half
    return bands


def _images(
    whole: Sequence[CropSource],
    pieces: Sequence[CropSource],
    recipe: AutoencoderRecipe,
    step: int,
) -> torch.Tensor:
    rng = np.random.default_rng((recipe.seed, step))
    if step % 4 == 0:
        size = whole[0].rows * whole[0].columns
        return _drawn(_whole_breast, whole, recipe.batch * CROP_PX**2 // size, rng)
    if step % 4 == 2:
        return _drawn(_piece, pieces, recipe.batch, rng)
    # Whole breasts are half air, and four at a time are few.
    return crops_of(whole, recipe.batch, rng)


def crops_of(whole: Sequence[CropSource], batch: int, rng: np.random.Generator) -> torch.Tensor:
    """Crops of whole breasts, of all sets alike.

    Returns
    -------
    (batch, 1, CROP_PX, CROP_PX) float32
        In -1..1.
    """
    crops = [replace(one, rows=CROP_PX, columns=CROP_PX) for one in whole]
    return _drawn(_piece, crops, batch, rng)


def _drawn(
    draw: Callable[[CropSource, np.random.Generator], NDArray[np.float32]],
    sources: Sequence[CropSource],
    count: int,
    rng: np.random.Generator,
) -> torch.Tensor:
    drawn = []
    for _ in range(max(count, 1)):
        pixels = draw(sources[int(rng.integers(len(sources)))], rng)
        drawn.append(pixels[:, ::-1] if rng.random() < 0.5 else pixels)
    return as_network(np.stack(drawn))


def _whole_breast(source: CropSource, rng: np.random.Generator) -> NDArray[np.float32]:
    index = source.indices[int(rng.integers(len(source.indices)))]
    return whole_canvas(source, index, rng).pixels


def _piece(source: CropSource, rng: np.random.Generator) -> NDArray[np.float32]:
    lesion = bool(source.with_lesion()) and rng.random() < 0.5
    return draw_crop(source, rng, lesion=lesion).pixels


def as_network(images: NDArray[np.float32]) -> torch.Tensor:
    """(n, rows, columns) in 0..1 as (n, 1, rows, columns) in -1..1."""
    return torch.from_numpy(np.ascontiguousarray(images[:, None] * 2 - 1))


def encoded(
    autoencoder: AutoencoderKL, images: Iterable[NDArray[np.float32]]
) -> NDArray[np.float32]:
    """The means of the latents.

    Returns
    -------
    (n, 4, 32, 32) float32
    """
    return np.concatenate([_means(autoencoder, some) for some in _in_batches(images)])


def standardize(autoencoder: AutoencoderKL, levels: NDArray[np.float32]) -> None:
    """Have each channel of the latents lie about 0 with a deviation of 1, in place.

    Images come back as before. A denoiser would spend itself on the channel that is largest;
    one common factor, as Stable Diffusion has it, leaves the small ones in the noise.

    Parameters
    ----------
    levels : (2, 4) float32
        Mean and deviation of each channel over what is to be taught.
    """
    into, out_of = autoencoder.quant_conv, autoencoder.post_quant_conv
    assert isinstance(into, nn.Conv2d)
    assert isinstance(out_of, nn.Conv2d)
    assert into.bias is not None
    assert out_of.bias is not None
    with torch.no_grad():
        center, spread = torch.from_numpy(levels).to(into.bias)
        mean, spread_of_mean = slice(0, len(center)), spread[:, None, None, None]
        into.weight[mean] /= spread_of_mean
        into.bias[mean] = (into.bias[mean] - center) / spread
        # The other half are logarithms of variances.
        into.bias[len(center) :] -= 2 * spread.log()
        out_of.bias += out_of.weight[:, :, 0, 0] @ center
        out_of.weight *= spread[:, None, None]


def _in_batches(things: Iterable[Thing]) -> Iterator[list[Thing]]:
    waiting: list[Thing] = []
    for thing in things:
        waiting.append(thing)
        if len(waiting) == ENCODED_AT_ONCE:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _means(
    autoencoder: AutoencoderKL, images: list[NDArray[np.float32]]
) -> NDArray[np.float32]:
    device = device_of(autoencoder)
    with torch.inference_mode():
        latents = autoencoder.encode(as_network(np.stack(images)).to(device)).latent_dist  # type: ignore[union-attr]
    return latents.mean.float().cpu().numpy()


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
    for some in _in_batches(pieces):
        seen = [toned(piece.pixels, level_around(piece.pixels, piece.mask)) for piece in some]
        means.append(_means(autoencoder, seen))
        # In -1..1 the pipeline fills with 0, which is the middle grey here.
        covered = [
            np.where(piece.mask, np.float32(0.5), tones)
            for piece, tones in zip(some, seen, strict=True)
        ]
        masks = np.stack([small_mask(piece.mask) for piece in some])[:, None]
        beside = _means(autoencoder, covered)
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
