"""From the generator's trained parts to its pack."""

from __future__ import annotations

import copy
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from torch import nn

from ml.models.generator import noise_schedule
from ml.synth.pack import LESIONS_FOLDER, write_generator_card

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTokenizer

    from ml.synth.pack import GeneratorCard, GeneratorPack

Network = TypeVar("Network", bound=nn.Module)


def save_generator(
    folder: Path,
    card: GeneratorCard,
    *,
    autoencoder: AutoencoderKL,
    tokenizer: CLIPTokenizer,
    text: CLIPTextModel,
    breasts: UNet2DConditionModel,
    lesions: UNet2DConditionModel | None,
) -> GeneratorPack:
    """Write a pack in half precision, or leave the folder as it was.

    Parameters
    ----------
    card
        Its `files` are filled in here.
    """
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import (
        StableDiffusionPipeline,
    )

    whole = StableDiffusionPipeline(
        vae=_halved(autoencoder),
        text_encoder=_halved(text),
        tokenizer=tokenizer,
        unet=_halved(breasts),
        scheduler=noise_schedule(),  # type: ignore[arg-type] (the solver is chosen in use)
        safety_checker=None,  # type: ignore[arg-type]
        feature_extractor=None,  # type: ignore[arg-type]
        requires_safety_checker=False,
    )
    with tempfile.TemporaryDirectory() as place:
        made = Path(place) / folder.name
        whole.save_pretrained(made, safe_serialization=True)
        if lesions is not None:
            _halved(lesions).save_pretrained(made / LESIONS_FOLDER, safe_serialization=True)
        pack = write_generator_card(made, card)
        if folder.exists():
            shutil.rmtree(folder)
        shutil.copytree(made, folder, copy_function=shutil.copyfile)
    return type(pack)(folder, pack.card)


def _halved(network: Network) -> Network:
    """A copy in half precision; diffusers' own `half` speaks of layers that are not there."""
    copied = copy.deepcopy(network)
    nn.Module.half(copied)
    return copied
