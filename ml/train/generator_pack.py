"""From the generator's trained parts to its pack."""

from __future__ import annotations

import copy
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from torch import nn

from ml.models.generator import noise_schedule
from ml.synth.known import write_known
from ml.synth.pack import LESIONS_FOLDER, LESIONS_PARTS, write_generator_card
from ml.synth.pipeline import Sampling, drawing
from ml.train.generator_base import BREASTS_PARTS, TOKENIZER, VAE

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import (
        StableDiffusionPipeline,
    )
    from numpy.typing import NDArray
    from transformers import CLIPTokenizer

    from ml.synth.known import Known
    from ml.synth.pack import GeneratorCard, GeneratorPack
    from ml.synth.prompts import Prompt
    from ml.train.generator import Conditioned

# Enough to see what is learnt.
SAMPLE_STEPS = 10
Network = TypeVar("Network", bound=nn.Module)


def save_generator(
    folder: Path,
    card: GeneratorCard,
    *,
    autoencoder: AutoencoderKL,
    tokenizer: CLIPTokenizer,
    breasts: Conditioned,
    lesions: Conditioned | None,
    known: Known | None = None,
) -> GeneratorPack:
    """Write a pack in half precision, or leave the folder as it was.

    Parameters
    ----------
    card
        Its `files` are filled in here.
    known
        Small pictures of what was taught, by which a copy is recognized.
    """
    whole = _assembled(_halved(autoencoder), tokenizer, _halved(breasts))
    with tempfile.TemporaryDirectory() as place:
        made = Path(place) / folder.name
        whole.save_pretrained(made, safe_serialization=True)
        if lesions is not None:
            painter = _halved(lesions)
            for part, network in zip(
                LESIONS_PARTS, (painter.denoiser, painter.text), strict=True
            ):
                network.save_pretrained(made / LESIONS_FOLDER / part, safe_serialization=True)
        if known is not None:
            write_known(made, known)
        pack = write_generator_card(made, card)
        if folder.exists():
            shutil.rmtree(folder)
        shutil.copytree(made, folder, copy_function=shutil.copyfile)
    return type(pack)(folder, pack.card)


def save_parts(
    folder: Path,
    autoencoder: AutoencoderKL,
    tokenizer: CLIPTokenizer | None = None,
    breasts: Conditioned | None = None,
) -> None:
    """Write what is trained so far, in half precision, for `generator_base.read_base`."""
    _halved(autoencoder).save_pretrained(folder / VAE, safe_serialization=True)
    if tokenizer is None or breasts is None:
        return
    halved = _halved(breasts)
    for part, network in zip(BREASTS_PARTS, (halved.denoiser, halved.text), strict=True):
        network.save_pretrained(folder / part, safe_serialization=True)
    tokenizer.save_pretrained(folder / TOKENIZER)


def draw_samples(
    autoencoder: AutoencoderKL,
    tokenizer: CLIPTokenizer,
    model: Conditioned,
    prompts: Sequence[Prompt],
) -> NDArray[np.float32]:
    """What a denoiser draws while it is trained, always from the same noise.

    Returns
    -------
    (n, rows, columns) float32
        In 0..1.
    """
    pipeline = _assembled(autoencoder, tokenizer, model)
    model.eval()
    drawn = drawing(pipeline).draw(prompts, range(len(prompts)), Sampling(SAMPLE_STEPS))
    model.train()
    return drawn


def _assembled(
    autoencoder: AutoencoderKL,
    tokenizer: CLIPTokenizer,
    breasts: Conditioned,
) -> StableDiffusionPipeline:
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import (
        StableDiffusionPipeline,
    )

    return StableDiffusionPipeline(
        vae=autoencoder,
        text_encoder=breasts.text,
        tokenizer=tokenizer,
        unet=breasts.denoiser,
        scheduler=noise_schedule(),  # type: ignore[arg-type] (the solver is chosen in use)
        safety_checker=None,  # type: ignore[arg-type]
        feature_extractor=None,  # type: ignore[arg-type]
        requires_safety_checker=False,
    )


def _halved(network: Network) -> Network:
    """A copy in half precision; diffusers' own `half` speaks of layers that are not there."""
    copied = copy.deepcopy(network)
    nn.Module.half(copied)
    return copied
