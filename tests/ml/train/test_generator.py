"""The generator's trainings: what they are given, that they learn, and that they go on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from diffusers.models.autoencoders.vae import DecoderOutput, DiagonalGaussianDistribution
from diffusers.models.modeling_outputs import AutoencoderKLOutput
from scipy.fft import dctn

from ml.data.augment import NONE
from ml.errors import DataError
from ml.mammo.codes import BreastDensity, Laterality, ViewPosition
from ml.models.generator import (
    MOST_WORDS,
    build_autoencoder,
    build_text_encoder,
    build_tokenizer,
    noise_schedule,
)
from ml.synth.prompts import Area, LesionKind, Prompt
from ml.synth.teaching import Piece
from ml.synth.tones import toned
from ml.train.autoencoder import (
    COSINE_SCALES,
    AutoencoderRecipe,
    as_network,
    autoencoder_loss,
    cosines,
    encoded,
    standardize,
    train_autoencoder,
)
from ml.train.crops import CropSource
from ml.train.generator import (
    Conditioned,
    DenoiserRecipe,
    Latents,
    pieces_as_latents,
    small_mask,
    train_denoiser,
)
from ml.train.generator_data import cached, cuts_of, standardized
from tests.ml.synth.test_teaching import canvases, item

if TYPE_CHECKING:
    from pathlib import Path

PROMPT = Prompt("alpha", ViewPosition.CC, Area.BIG, BreastDensity.A, Laterality.LEFT)
RECIPE = DenoiserRecipe(steps=4, batch=2, warmup=1, save_every=2)


def latents(*, around: bool = False) -> Latents:
    rng = np.random.default_rng(1)
    means = rng.standard_normal((4, 4, 32, 32)).astype(np.float16)
    words = rng.integers(5, size=(4, MOST_WORDS))
    beside = rng.standard_normal((4, 5, 32, 32)).astype(np.float16) if around else None
    return Latents(means, words, beside)


def trained(
    folder: Path, data: Latents, recipe: DenoiserRecipe = RECIPE
) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    text = build_text_encoder(build_tokenizer(("mass",)))
    silence = np.zeros(MOST_WORDS, np.int64)
    made = train_denoiser(
        data, silence, text, recipe, folder / "denoiser.pt", settings={"data": 1}
    )
    return made.state_dict()


def test_the_autoencoder_learns_from_whole_breasts_and_pieces(tmp_path: Path) -> None:
    known = canvases(item())
    source = CropSource(known, (0,), 256, 256, NONE)
    losses: list[float] = []
    cropped = replace(source, rows=128, columns=128)
    recipe = AutoencoderRecipe(steps=6, batch=2, warmup=1, save_every=6)
    made = train_autoencoder(
        [source], [cropped], recipe, tmp_path, progress=lambda _, loss: losses.append(loss)
    )
    assert losses[-1] < losses[0]
    assert not any(weights.requires_grad for weights in made.parameters())
    with pytest.raises(DataError, match="other data or settings"):
        train_autoencoder([source], [], replace(recipe, rate=1.0), tmp_path)


def test_the_guide_is_the_cosine_transform_of_each_block() -> None:
    images = np.random.default_rng(1).uniform(-1, 1, (2, 1, 16, 24)).astype(np.float32)
    found = cosines(torch.from_numpy(images)).numpy()
    assert found.shape == (2, 4, 2, 3)
    block = images[1, 0, 8:, 8:16]
    expected = dctn(block, norm="ortho")[:2, :2] / 8
    scaled = found[1, :, 1, 1] / np.array(COSINE_SCALES)
    np.testing.assert_allclose(
        scaled, [expected[0, 0], expected[1, 0], expected[0, 1], expected[1, 1]], atol=1e-6
    )


def test_the_guide_draws_the_latents_apart() -> None:
    """Its loss is least where each latent is another cosine."""
    images = torch.from_numpy(np.random.default_rng(1).uniform(-1, 1, (4, 1, 64, 64))).float()
    network = build_autoencoder()
    wanted = cosines(images)
    losses = []
    for means in (wanted, wanted[:, :1].expand(-1, 4, -1, -1)):
        said = DiagonalGaussianDistribution(torch.cat([means, torch.full_like(means, -30)], 1))
        network.encode = lambda given, said=said: AutoencoderKLOutput(latent_dist=said)
        network.decode = lambda latents: DecoderOutput(sample=images)
        losses.append(float(autoencoder_loss(network, images)))
    assert losses[0] < losses[1]


def test_images_run_from_minus_one_to_one() -> None:
    given = as_network(np.array([[[0.0, 0.5, 1.0]]], np.float32))
    assert given.shape == (1, 1, 1, 3)
    assert given.flatten().tolist() == [-1, 0, 1]


def test_latents_keep_the_order_of_the_images() -> None:
    torch.manual_seed(1)
    network = build_autoencoder().eval()
    images = np.random.default_rng(1).random((17, 256, 256), np.float32)
    all_of_them = encoded(network, iter(images))
    assert all_of_them.shape == (17, 4, 32, 32)
    np.testing.assert_allclose(all_of_them[16:], encoded(network, images[16:]), atol=1e-4)


def test_latents_are_standardized_and_images_come_back_as_before() -> None:
    torch.manual_seed(1)
    network = build_autoencoder().eval()
    images = np.random.default_rng(1).random((3, 256, 256), np.float32)
    raw = encoded(network, images)
    with torch.no_grad():
        before = network.decode(torch.from_numpy(raw)).sample
        doubt = network.encode(as_network(images)).latent_dist.std
    latents = standardized(raw, np.zeros((3, 4), np.int64))
    assert latents.levels is not None
    standardize(network, latents.levels)
    again = encoded(network, images)
    np.testing.assert_allclose(again, latents.means.astype(np.float32), atol=5e-3)
    np.testing.assert_allclose(again.mean((0, 2, 3)), 0, atol=1e-3)
    np.testing.assert_allclose(again.std((0, 2, 3)), 1, atol=1e-3)
    with torch.no_grad():
        after = network.decode(torch.from_numpy(again)).sample
        spread = torch.from_numpy(latents.levels[1])[:, None, None]
        said = network.encode(as_network(images)).latent_dist
        assert torch.allclose(said.std * spread, doubt)
    np.testing.assert_allclose(after, before, atol=1e-4)
    assert network.config["scaling_factor"] == 1


def test_a_piece_is_shown_without_what_is_under_the_mask() -> None:
    torch.manual_seed(1)
    network = build_autoencoder().eval()
    mask = np.zeros((256, 256), np.bool_)
    mask[64:128, 64:128] = True
    pieces = []
    for value in (0.2, 0.9):
        pixels = np.full((256, 256), 0.4, np.float32)
        pixels[mask] = value
        pieces.append(Piece(pixels, mask, PROMPT))
    made = pieces_as_latents(
        network, iter(pieces), lambda texts: np.ones((len(texts), 3), np.int64)
    )
    assert made.around is not None
    assert made.around.shape == (2, 5, 32, 32)
    assert np.array_equal(made.around[0], made.around[1]), "what lies around is the same"
    assert not np.array_equal(made.means[0], made.means[1]), "what is to be painted is not"
    assert np.array_equal(made.around[0, 0].astype(bool), mask[::8, ::8])
    # As the painter will see it: 0.4 around is the level.
    seen = toned(pieces[0].pixels, 0.4)
    np.testing.assert_allclose(made.means[0], encoded(network, [seen])[0], atol=2e-3)


def test_the_mask_shrinks_as_in_the_pipeline() -> None:
    mask = np.zeros((256, 256), np.bool_)
    mask[8:16, 16:32] = True
    small = small_mask(mask)
    assert small.sum() == 2
    assert small[1, 2] == small[1, 3] == 1


@pytest.mark.parametrize("around", [False, True])
def test_a_killed_training_ends_as_if_it_had_not_been(tmp_path: Path, around: bool) -> None:
    data = latents(around=around)
    whole = trained(tmp_path / "whole", data)

    def die(step: int, loss: float) -> None:
        if step == 2:
            raise KeyboardInterrupt

    torch.manual_seed(1)
    text = build_text_encoder(build_tokenizer(("mass",)))
    silence = np.zeros(MOST_WORDS, np.int64)
    with pytest.raises(KeyboardInterrupt):
        train_denoiser(
            data,
            silence,
            text,
            RECIPE,
            tmp_path / "killed" / "denoiser.pt",
            settings={"data": 1},
            progress=die,
        )
    again = trained(tmp_path / "killed", data)
    assert all(torch.equal(again[name], whole[name]) for name in whole)


def test_a_given_text_encoder_stays_as_it_is(tmp_path: Path) -> None:
    torch.manual_seed(1)
    text = build_text_encoder(build_tokenizer(("mass",))).requires_grad_(False)
    before = {name: value.clone() for name, value in text.state_dict().items()}
    silence = np.zeros(MOST_WORDS, np.int64)
    made = train_denoiser(
        latents(), silence, text, RECIPE, tmp_path / "denoiser.pt", settings={}
    )
    assert all(torch.equal(made.text.state_dict()[n], v) for n, v in before.items())


def test_a_painter_begins_as_what_drew_whole_breasts(tmp_path: Path) -> None:
    torch.manual_seed(1)
    text = build_text_encoder(build_tokenizer(("mass",)))
    silence = np.zeros(MOST_WORDS, np.int64)
    whole = train_denoiser(latents(), silence, text, RECIPE, tmp_path / "one.pt", settings={})
    begun: list[dict[str, torch.Tensor]] = []

    def keep(model: Conditioned) -> None:
        begun.append({name: value.clone() for name, value in model.state_dict().items()})

    train_denoiser(
        latents(around=True),
        silence,
        whole.text,
        RECIPE,
        tmp_path / "two.pt",
        settings={},
        begun=keep,
        first=whole.denoiser,
    )
    of_whole = dict(whole.named_parameters())
    wider = begun[0].pop("denoiser.conv_in.weight")
    assert torch.equal(wider[:, :4], of_whole["denoiser.conv_in.weight"])
    assert not wider[:, 4:].any()
    assert all(
        torch.equal(begun[0][name], value)
        for name, value in of_whole.items()
        if name.startswith("denoiser.") and name in begun[0]
    )


def test_rare_kinds_are_cut_more_often() -> None:
    mass, spiculated, cluster = LesionKind
    kinds = [mass] * 60 + [spiculated] * 20 + [cluster] * 40 + [None] * 300
    assert cuts_of(kinds) == {mass: 2, spiculated: 4, cluster: 3}
    assert cuts_of([None]) == {}


def test_nothing_is_left_of_the_image_at_the_last_step() -> None:
    assert noise_schedule().alphas_cumprod[-1] == 0


def test_latents_are_kept_as_they_are_whatever_lies_where_in_memory(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    means = rng.normal(size=(3, 32, 32, 4)).astype(np.float16).transpose(0, 3, 1, 2)
    around = rng.normal(size=(3, 32, 32, 5)).astype(np.float16).transpose(0, 3, 1, 2)
    made = Latents(means, np.zeros((3, 5), np.int64), around)
    kept = cached(tmp_path / "latents.safetensors", lambda: made)
    assert np.array_equal(kept.means, means)
    assert kept.around is not None
    assert np.array_equal(kept.around, around)
