"""What another training begins with: parts as they were, and words that keep their meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from ml.errors import ModelError
from ml.models.generator import (
    build_autoencoder,
    build_denoiser,
    build_text_encoder,
    build_tokenizer,
)
from ml.train.generator import Conditioned
from ml.train.generator_base import read_base, with_words
from ml.train.generator_pack import save_parts

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import CLIPTextModel, CLIPTokenizer

WORDS = ("a", "mass", "mammogram", "alpha")


def said(text: CLIPTextModel, tokenizer: CLIPTokenizer, sentence: str) -> torch.Tensor:
    with torch.inference_mode():
        return text(**tokenizer([sentence], return_tensors="pt")).last_hidden_state


def test_known_words_mean_the_same_among_more() -> None:
    old = build_tokenizer(WORDS)
    new = build_tokenizer((*WORDS, "beta", "aardvark"))
    text = build_text_encoder(old).eval()
    grown = with_words(text, old, new).eval()
    sentence = "a mass alpha mammogram"
    assert torch.equal(said(text, old, sentence), said(grown, new, sentence))
    (beta,) = new("beta")["input_ids"][1:-1]
    assert beta not in new(sentence)["input_ids"]


def test_parts_come_back_as_they_were_trained(tmp_path: Path) -> None:
    autoencoder = build_autoencoder()
    save_parts(tmp_path, autoencoder)
    alone = read_base(tmp_path)
    assert alone.breasts is None
    kept = {n: v.half().float() for n, v in autoencoder.state_dict().items()}
    torch.testing.assert_close(dict(alone.autoencoder.state_dict()), kept, rtol=0, atol=0)
    tokenizer = build_tokenizer(WORDS)
    breasts = Conditioned(build_denoiser(inpainting=False), build_text_encoder(tokenizer))
    save_parts(tmp_path, autoencoder, tokenizer, breasts)
    whole = read_base(tmp_path)
    assert whole.key != alone.key
    assert whole.tokenizer is not None
    assert whole.tokenizer.get_vocab() == tokenizer.get_vocab()
    assert whole.breasts is not None
    assert whole.lesions is None
    kept = {n: v.half().float() for n, v in breasts.denoiser.state_dict().items()}
    found = dict(whole.breasts.denoiser.state_dict())
    torch.testing.assert_close(found, kept, rtol=0, atol=0)


def test_a_pickle_among_the_parts_is_refused(tmp_path: Path) -> None:
    save_parts(tmp_path, build_autoencoder())
    (tmp_path / "vae" / "more.bin").write_bytes(b"\x80\x04")
    with pytest.raises(ModelError):
        read_base(tmp_path)
