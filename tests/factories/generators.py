"""A generator of the real form, with random weights: it draws noise, but quickly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ml.models.generator import (
    build_autoencoder,
    build_denoiser,
    build_text_encoder,
    build_tokenizer,
)
from ml.synth.pack import GeneratorCard
from ml.synth.prompts import words_of
from ml.train.generator import Conditioned
from ml.train.generator_pack import save_generator

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import CLIPTokenizer

    from ml.synth.pack import GeneratorPack

VENDORS = ("alpha", "film-a")


def make_generator(folder: Path, *, lesions: bool = True) -> GeneratorPack:
    """Write a pack with random weights."""
    torch.manual_seed(20261124)
    tokenizer = build_tokenizer(words_of(VENDORS))
    card = GeneratorCard(
        name="tiny-generator",
        version="0.1.0",
        licence="AGPL-3.0-or-later",
        data="none",
        intended_use="tests",
        vendors=VENDORS,
        breast_mm=0.8,
        piece_mm=0.1,
        files={},
    )
    return save_generator(
        folder,
        card,
        autoencoder=build_autoencoder(),
        tokenizer=tokenizer,
        breasts=_conditioned(tokenizer, inpainting=False),
        lesions=_conditioned(tokenizer, inpainting=True) if lesions else None,
    )


def _conditioned(tokenizer: CLIPTokenizer, *, inpainting: bool) -> Conditioned:
    return Conditioned(build_denoiser(inpainting=inpainting), build_text_encoder(tokenizer))
