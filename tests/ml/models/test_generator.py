"""The generator's networks: shapes, sizes and words."""

from __future__ import annotations

import pytest
import torch

from ml.models.generator import (
    IMAGE_PX,
    LATENT_CHANNELS,
    LATENT_PX,
    MOST_WORDS,
    WORD_CHANNELS,
    build_autoencoder,
    build_denoiser,
    build_text_encoder,
    build_tokenizer,
)

WORDS = ("mammogram", "mass", "small", "a", "in", ",", "mlo", "very")


def numbers(network: torch.nn.Module) -> int:
    return sum(weights.numel() for weights in network.parameters())


def test_latents_are_an_eighth_of_the_image() -> None:
    network = build_autoencoder().eval()
    with torch.no_grad():
        latents = network.encode(torch.zeros(1, 1, IMAGE_PX, IMAGE_PX)).latent_dist.mode()
        image = network.decode(latents).sample
    assert latents.shape == (1, LATENT_CHANNELS, LATENT_PX, LATENT_PX)
    assert image.shape == (1, 1, IMAGE_PX, IMAGE_PX)


@pytest.mark.parametrize(("inpainting", "channels"), [(False, 4), (True, 9)])
def test_a_denoiser_gives_back_latents(inpainting: bool, channels: int) -> None:
    network = build_denoiser(inpainting=inpainting).eval()
    words = torch.zeros(1, MOST_WORDS, WORD_CHANNELS)
    with torch.no_grad():
        given = network(torch.zeros(1, channels, LATENT_PX, LATENT_PX), 5, words).sample
    assert given.shape == (1, LATENT_CHANNELS, LATENT_PX, LATENT_PX)


def test_all_networks_fit_the_pack_in_half_precision() -> None:
    tokenizer = build_tokenizer(WORDS)
    whole = sum(
        map(
            numbers,
            (
                build_autoencoder(),
                build_text_encoder(tokenizer),
                build_denoiser(inpainting=False),
                build_denoiser(inpainting=True),
            ),
        )
    )
    assert 2 * whole < 16e6, "bytes; everything tracked stays under 45 MiB"


def test_each_known_word_is_one_token() -> None:
    tokenizer = build_tokenizer(WORDS)
    for word in WORDS:
        assert len(tokenizer(word)["input_ids"]) == 3, word  # between begin and end
    sentence = tokenizer("A mammogram, in MLO")["input_ids"]
    assert len(sentence) == 2 + 5
    assert tokenizer.decode(sentence, skip_special_tokens=True) == "a mammogram , in mlo"


def test_an_unknown_word_comes_apart_and_is_not_lost() -> None:
    tokenizer = build_tokenizer(WORDS)
    spelled = tokenizer("siemens")["input_ids"]
    assert len(spelled) == 2 + len("siemens")
    assert tokenizer.decode(spelled, skip_special_tokens=True) == "siemens"


def test_words_reach_the_denoiser_as_vectors() -> None:
    tokenizer = build_tokenizer(WORDS)
    encoder = build_text_encoder(tokenizer).eval()
    tokens = tokenizer(
        ["a small mass", "a mass"], padding="max_length", return_tensors="pt"
    ).input_ids
    with torch.no_grad():
        vectors = encoder(tokens)[0]
    assert vectors.shape == (2, MOST_WORDS, WORD_CHANNELS)
    assert not torch.allclose(vectors[0], vectors[1])
