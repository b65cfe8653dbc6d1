"""The generator's networks: a small Stable Diffusion, of diffusers' and transformers' parts.

Images are one channel of 256 x 256 pixels in [-1, 1]; latents 4 channels of 32 x 32. The same
autoencoder and text encoder serve two denoisers: one makes whole breasts of 0.8 mm a pixel, the
other paints lesions into pieces of 0.1 mm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
    from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
    from transformers import CLIPTextModel, CLIPTokenizer

IMAGE_PX = 256
LATENT_PX = 32
LATENT_CHANNELS = 4
# Width of a word's vector.
WORD_CHANNELS = 96
# The longest sentence of `ml.synth.prompts` has 24 words and signs.
MOST_WORDS = 32
AUTOENCODER_CHANNELS = (16, 32, 64, 96)
DENOISER_CHANNELS = (32, 64, 96)
GROUPS = 8
# Each attends over half of the channels: eight would take a fifth of a training step more.
DENOISER_HEADS = 2
TEXT_HEADS = 12
# Logarithm of the variance that latents have before training: Kingma's noise, but little of it.
# With a variance of 1 as usual, three of four channels drowned in it and were never used.
FIRST_LOG_VARIANCE = -6.0
BEGIN, END = "<|startoftext|>", "<|endoftext|>"
WORD_END = "</w>"


def build_autoencoder() -> AutoencoderKL:
    """From an image to latents an eighth of its size, and back."""
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from torch import nn

    levels = len(AUTOENCODER_CHANNELS)
    network = AutoencoderKL(
        in_channels=1,
        out_channels=1,
        down_block_types=("DownEncoderBlock2D",) * levels,  # type: ignore[arg-type]
        up_block_types=("UpDecoderBlock2D",) * levels,  # type: ignore[arg-type]
        block_out_channels=AUTOENCODER_CHANNELS,  # type: ignore[arg-type]
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=GROUPS,
        # It is taught on crops: what it does must not depend on how much it sees.
        mid_block_add_attention=False,
        sample_size=IMAGE_PX,
        # `ml.train.generator.standardize` writes the scale into the weights.
        scaling_factor=1.0,
    )
    # Its first channels of output are the means, the others the logarithms of the variance.
    last = network.quant_conv
    assert isinstance(last, nn.Conv2d)
    assert last.bias is not None
    nn.init.zeros_(last.weight[LATENT_CHANNELS:])
    nn.init.constant_(last.bias[LATENT_CHANNELS:], FIRST_LOG_VARIANCE)
    return network


def build_denoiser(*, inpainting: bool) -> UNet2DConditionModel:
    """The network that takes noise out of latents, as a sentence asks.

    Parameters
    ----------
    inpainting
        It also sees the mask and the latents of what lies around it: nine channels, in the
        order of `StableDiffusionInpaintPipeline`.
    """
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    inner = len(DENOISER_CHANNELS) - 1
    return UNet2DConditionModel(
        sample_size=LATENT_PX,
        in_channels=2 * LATENT_CHANNELS + 1 if inpainting else LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        layers_per_block=1,
        block_out_channels=DENOISER_CHANNELS,
        # Where latents are largest, attention would cost more than all the rest.
        down_block_types=("DownBlock2D", *("CrossAttnDownBlock2D",) * inner),
        up_block_types=(*("CrossAttnUpBlock2D",) * inner, "UpBlock2D"),
        cross_attention_dim=WORD_CHANNELS,
        # Its name notwithstanding, diffusers takes it for the number of heads.
        attention_head_dim=DENOISER_HEADS,
        norm_num_groups=GROUPS,
    )


def noise_schedule() -> DDPMScheduler:
    """How noise is added: Stable Diffusion's steps, without any signal left at the last one.

    With some left, as Stable Diffusion has it, brightness could never be far from the middle
    (Lin 2024), and a fatty breast in much air is dark.
    """
    from diffusers.schedulers.scheduling_ddpm import DDPMScheduler

    return DDPMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        clip_sample=False,
        steps_offset=1,
        timestep_spacing="trailing",
        rescale_betas_zero_snr=True,
    )


def build_text_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """CLIP's text encoder, two layers deep, without CLIP's weights: its words are few."""
    from transformers import CLIPTextConfig, CLIPTextModel

    numbers = tokenizer.get_vocab()
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=WORD_CHANNELS,
            intermediate_size=4 * WORD_CHANNELS,
            num_hidden_layers=2,
            num_attention_heads=TEXT_HEADS,
            max_position_embeddings=MOST_WORDS,
            projection_dim=WORD_CHANNELS,
            bos_token_id=numbers[BEGIN],
            eos_token_id=numbers[END],
            pad_token_id=numbers[END],
        )
    )


def build_tokenizer(words: Iterable[str]) -> CLIPTokenizer:
    """CLIP's tokenizer with one token for each word; other words come apart into letters.

    Parameters
    ----------
    words
        Runs of letters, or signs such as a comma, in lower case.
    """
    from transformers import CLIPTokenizer

    merges: dict[tuple[str, str], None] = {}
    for word in sorted(set(words)):
        pieces = _merged([*word[:-1], word[-1] + WORD_END], merges)
        while len(pieces) > 1:
            merges[pieces[0], pieces[1]] = None
            pieces = _merged(pieces, merges)
    letters = [chr(code) for code in range(ord("!"), ord("~") + 1)]
    known = [*letters, *(letter + WORD_END for letter in letters)]
    tokens = dict.fromkeys([*known, *("".join(pair) for pair in merges), BEGIN, END])
    return CLIPTokenizer(
        vocab={token: number for number, token in enumerate(tokens)},
        merges=list(merges),  # type: ignore[arg-type] (pairs are what it takes)
        model_max_length=MOST_WORDS,
    )


def _merged(pieces: list[str], merges: Iterable[tuple[str, str]]) -> list[str]:
    """A word's pieces after the merges so far: the earliest first, wherever it applies."""
    for pair in merges:
        joined: list[str] = []
        for piece in pieces:
            if joined and (joined[-1], piece) == pair:
                joined[-1] += piece
            else:
                joined.append(piece)
        pieces = joined
    return pieces
