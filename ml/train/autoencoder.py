"""Train the generator's autoencoder, and have it speak in latents of one scale.

It learns from crops; then every image becomes latents once (`encoded`), and the denoisers of
`ml.train.generator` see nothing but latents.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from ml.models.generator import IMAGE_PX, LATENT_PX, build_autoencoder
from ml.synth.tones import toned
from ml.train.crops import draw_crop, whole_canvas
from ml.train.fingerprint import settings_of
from ml.train.loop import Recipe, device_of, train
from ml.train.precision import half_where_native

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from numpy.typing import NDArray

    from ml.train.crops import CropSource

Thing = TypeVar("Thing")
# Stable Diffusion's own weight of the latents' distance from a normal distribution, where that
# and the difference of the images are both sums over an image.
KL_WEIGHT = 1e-6
# Bands of detail, finest first: without a weight of their own they are too weak to be learnt.
BAND_WEIGHTS = (2.0, 1.0, 1.0)
# Each latent is drawn towards one of its block's four lowest cosines. Left alone, all four
# became the block's brightness (correlated by 0.99 after 3000 steps), and whatever is finer
# than a block was lost.
COSINES = ((0, 0), (1, 0), (0, 1), (1, 1))
# So that each has a deviation of about 1 over simulated breasts.
COSINE_SCALES = (1.75, 25.0, 25.0, 60.0)
GUIDE_WEIGHT = 0.01
# Pixels of an image to one of its latents, along a side.
BLOCK_PX = IMAGE_PX // LATENT_PX
ENCODED_AT_ONCE = 16
# The autoencoder sees no farther than this, and four small crops teach more than a large one.
CROP_PX = 128


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
    """Absolute difference of grey levels and of three bands of detail, and the guide."""
    device = device_of(model)
    images = images.to(device)
    with half_where_native(device):
        latents = model.encode(images).latent_dist  # type: ignore[operator]
        again: torch.Tensor = model.decode(latents.sample()).sample  # type: ignore[operator]
    again = again.float()
    guide = functional.mse_loss(latents.mean.float(), cosines(images))
    loss = GUIDE_WEIGHT * guide + functional.l1_loss(again, images)
    for weight, one, other in zip(BAND_WEIGHTS, _bands(again), _bands(images), strict=True):
        loss = loss + weight * functional.l1_loss(one, other)
    return loss + KL_WEIGHT * latents.kl().mean() / images[0].numel()


def cosines(images: torch.Tensor) -> torch.Tensor:
    """The four lowest coefficients of each block's cosine transform (DCT-II).

    Parameters
    ----------
    images : (n, 1, rows, columns)
        In -1..1.

    Returns
    -------
    (n, 4, rows / 8, columns / 8)
    """
    places = (torch.arange(BLOCK_PX) + 0.5) * (torch.pi / BLOCK_PX)
    waves = (torch.ones(BLOCK_PX), 2**0.5 * torch.cos(places))
    planes = torch.stack([torch.outer(waves[row], waves[column]) for row, column in COSINES])
    scaled = planes * torch.tensor(COSINE_SCALES)[:, None, None] / BLOCK_PX**2
    return functional.conv2d(images, scaled[:, None].to(images), stride=BLOCK_PX)


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
        return _drawn(_toned_piece, pieces, recipe.batch, rng)
    # Whole breasts are half air, and four at a time are few.
    crops = [replace(one, rows=CROP_PX, columns=CROP_PX) for one in whole]
    return _drawn(_piece, crops, recipe.batch, rng)


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


def _toned_piece(source: CropSource, rng: np.random.Generator) -> NDArray[np.float32]:
    """As a painter sees it: about its level."""
    pixels = _piece(source, rng)
    return toned(pixels, float(pixels.mean()))


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
    return np.concatenate([means_of(autoencoder, some) for some in in_batches(images)])


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


def in_batches(things: Iterable[Thing]) -> Iterator[list[Thing]]:
    """As many at a time as are encoded at once; things may come from a generator."""
    waiting: list[Thing] = []
    for thing in things:
        waiting.append(thing)
        if len(waiting) == ENCODED_AT_ONCE:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def means_of(
    autoencoder: AutoencoderKL, images: list[NDArray[np.float32]]
) -> NDArray[np.float32]:
    """Of a few images, together.

    Returns
    -------
    (n, 4, 32, 32) float32
    """
    device = device_of(autoencoder)
    with torch.inference_mode():
        latents = autoencoder.encode(as_network(np.stack(images)).to(device)).latent_dist  # type: ignore[union-attr]
    return latents.mean.float().cpu().numpy()
