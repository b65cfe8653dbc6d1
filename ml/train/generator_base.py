"""What a generator's training begins with: finished parts of an earlier one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from ml.models.generator import build_text_encoder
from ml.registry import file_sha256
from ml.synth.pack import (
    CARD,
    LESIONS_FOLDER,
    LESIONS_PARTS,
    WEIGHTS_SUFFIX,
    read_generator,
    refuse_pickles,
)
from ml.train.generator import Conditioned

if TYPE_CHECKING:
    from pathlib import Path

    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from transformers import CLIPTextModel, CLIPTokenizer

    from ml.synth.pack import GeneratorCard

VAE, TOKENIZER = "vae", "tokenizer"
# Where diffusers keeps the two parts of a denoiser of whole breasts.
BREASTS_PARTS = ("unet", "text_encoder")


@dataclass(frozen=True, slots=True, eq=False)
class Base:
    """Trained parts, on the CPU.

    Attributes
    ----------
    key
        Tells one base from another.
    card
        None where only parts lie there.
    tokenizer, breasts
        None where only the autoencoder is there, whose latents are as they were learnt; with
        breasts, their levels are within its weights (`ml.train.generator.standardize`).
    """

    key: str
    autoencoder: AutoencoderKL
    tokenizer: CLIPTokenizer | None = None
    breasts: Conditioned | None = None
    lesions: Conditioned | None = None
    card: GeneratorCard | None = None

    @property
    def vendors(self) -> tuple[str, ...]:
        """The makers' words that it was taught; none where no card tells them."""
        return self.card.vendors if self.card else ()


def read_base(folder: Path) -> Base:
    """Read a pack, or as many of its parts as lie in a folder: the autoencoder at least.

    Raises
    ------
    ModelError
        Where a pack is not whole, or a file could run code.
    """
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from transformers import CLIPTokenizer

    refuse_pickles(folder)
    card = read_generator(folder).card if (folder / CARD).exists() else None
    files = sorted(folder.rglob(f"*{WEIGHTS_SUFFIX}"))
    key = hashlib.sha256("".join(map(file_sha256, files)).encode()).hexdigest()
    autoencoder = AutoencoderKL.from_pretrained(
        folder / VAE,
        local_files_only=True,
        use_safetensors=True,
        low_cpu_mem_usage=False,
        dtype=torch.float32,
    )
    if not (folder / TOKENIZER).is_dir():
        return Base(key, autoencoder)
    tokenizer = CLIPTokenizer.from_pretrained(folder / TOKENIZER, local_files_only=True)
    painter = folder / LESIONS_FOLDER
    return Base(
        key,
        autoencoder,
        tokenizer,
        _conditioned(folder, BREASTS_PARTS),
        _conditioned(painter, LESIONS_PARTS) if painter.is_dir() else None,
        card,
    )


def _conditioned(folder: Path, parts: tuple[str, ...]) -> Conditioned:
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
    from transformers import CLIPTextModel

    denoiser, text = (folder / part for part in parts)
    return Conditioned(
        UNet2DConditionModel.from_pretrained(
            denoiser,
            local_files_only=True,
            use_safetensors=True,
            low_cpu_mem_usage=False,
            dtype=torch.float32,
        ),
        CLIPTextModel.from_pretrained(
            text, local_files_only=True, use_safetensors=True, dtype=torch.float32
        ),
    )


def with_words(text: CLIPTextModel, old: CLIPTokenizer, new: CLIPTokenizer) -> CLIPTextModel:
    """The same text encoder for another list of words: what it knew means what it meant.

    Parameters
    ----------
    old, new
        What `text` was trained with, and what it is to be used with.
    """
    grown = build_text_encoder(new)
    (table, given), (_, taken) = _table(text), _table(grown)
    others = {name: values for name, values in text.state_dict().items() if name != table}
    grown.load_state_dict(others, strict=False)
    before, after = old.get_vocab(), new.get_vocab()
    known = [token for token in after if token in before]
    with torch.no_grad():
        taken[[after[token] for token in known]] = given[[before[token] for token in known]]
    return grown


def _table(text: CLIPTextModel) -> tuple[str, torch.nn.Parameter]:
    """A row for each token, and its name."""
    words = text.get_input_embeddings()
    return next(
        (name, values)
        for name, values in text.named_parameters()
        if any(values is own for own in words.parameters())
    )
